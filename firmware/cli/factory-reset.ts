/** `culvert factory-reset`: the router forgets everything. */
import { ConfigurationClient } from '../api/configuration-client.ts';
import { type Context, UsageError } from './command.ts';
import { showCommand } from './commit-text.ts';
import { stateDirOf } from './options.ts';
import { failed } from './output.ts';

const WORD = 'reset';

const QUESTION =
  'This destroys the device key, every configuration, history and counter of the router, for good.\n' +
  `Type "${WORD}" to go on: `;

export async function run(context: Context): Promise<number> {
  if (!(await meant(context))) {
    context.complain(`the router was not reset, since the word "${WORD}" was not typed: nothing was done`);
    return failed;
  }
  const result = await new ConfigurationClient(stateDirOf(context.options)).factoryReset(context.author);
  return await showCommand(context, 'the router was not reset', result, async () => ({
    text: 'the router has forgotten everything and ends: its next start is its first',
    data: { ok: true },
  }));
}

async function meant({ options, terminal }: Context): Promise<boolean> {
  if (options.yes === true) return true;
  if (terminal === undefined)
    throw new UsageError(
      '"culvert factory-reset" destroys every configuration, and there is no terminal to ask whether that is meant: say so with --yes',
    );
  return (await terminal.ask(QUESTION)).trim() === WORD;
}
