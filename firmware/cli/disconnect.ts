/** `culvert disconnect NAME`: take it down. */
import { ControlClient } from '../api/client.ts';
import type { Context } from './command.ts';
import { failureText } from './failure-text.ts';
import { stateDirOf } from './options.ts';
import { done, failed } from './output.ts';

export async function run(context: Context): Promise<number> {
  const [name = ''] = context.positionals;
  const result = await new ControlClient(stateDirOf(context.options)).disconnect(name);
  if (result.ok) {
    context.out(context.options.json === true ? JSON.stringify({ name, state: 'down' }) : `${name} is down`);
    return done;
  }
  context.complain(failureText(name, 'disconnected', result));
  return failed;
}
