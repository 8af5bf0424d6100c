/** `culvert confirm`: what waits for its confirmation stays. */
import { ConfigurationClient } from '../api/configuration-client.ts';
import type { Context } from './command.ts';
import { showCommand } from './commit-text.ts';
import { stateDirOf } from './options.ts';

export async function run(context: Context): Promise<number> {
  const client = new ConfigurationClient(stateDirOf(context.options));
  const result = await client.confirm(context.author);
  return await showCommand(context, 'nothing was confirmed', result, async () => {
    const state = await client.state();
    return { text: `revision ${state.revision} is confirmed`, data: state };
  });
}
