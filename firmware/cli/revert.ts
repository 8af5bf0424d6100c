/** `culvert revert`: what waits for its confirmation is taken back now. */
import { ConfigurationClient } from '../api/configuration-client.ts';
import type { Context } from './command.ts';
import { showCommand } from './commit-text.ts';
import { stateDirOf } from './options.ts';

export async function run(context: Context): Promise<number> {
  const client = new ConfigurationClient(stateDirOf(context.options));
  const result = await client.revert(context.author);
  return await showCommand(context, 'nothing was taken back', result, async () => {
    const state = await client.state();
    const what = state.revision === 0 ? 'the factory configuration' : `revision ${state.revision}`;
    return { text: `${what} is in force again`, data: state };
  });
}
