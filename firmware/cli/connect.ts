/** `culvert connect NAME`: bring it up, and tell the steps while waiting. */
import { ControlClient } from '../api/client.ts';
import type { Context } from './command.ts';
import { connectTelling } from './connect-telling.ts';
import { failureText } from './failure-text.ts';
import { stateDirOf } from './options.ts';
import { done, failed } from './output.ts';

export async function run(context: Context): Promise<number> {
  const [name = ''] = context.positionals;
  const result = await connectTelling(context, new ControlClient(stateDirOf(context.options)), name);
  if (!result.ok) {
    context.complain(failureText(name, 'connected', result));
    return failed;
  }
  context.out(context.options.json === true ? JSON.stringify({ name, state: 'up' }) : `${name} is up`);
  return done;
}
