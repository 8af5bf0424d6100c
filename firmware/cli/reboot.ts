/** `culvert reboot`: the whole machine starts anew. */
import type { Context } from './command.ts';
import { endMachine } from './machine-end.ts';

export async function run(context: Context): Promise<number> {
  const { code } = await endMachine(context, {
    action: 'reboot',
    command: 'reboot',
    warning: 'This starts the machine anew; every connection ends, and what starts by itself comes back.',
    word: 'reboot',
    begun: 'the machine reboots',
  });
  return code;
}
