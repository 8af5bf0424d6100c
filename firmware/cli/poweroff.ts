/** `culvert poweroff`: the machine goes off, and stays so until somebody switches it on. */
import type { Context } from './command.ts';
import { endMachine } from './machine-end.ts';

export async function run(context: Context): Promise<number> {
  const { code } = await endMachine(context, {
    action: 'poweroff',
    command: 'poweroff',
    warning: 'This switches the machine off: somebody has to be there to switch it on again.',
    word: 'poweroff',
    begun: 'the machine powers off',
  });
  return code;
}
