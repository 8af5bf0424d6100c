/** What `reboot`, `poweroff` and `restart firmware` have in common: it is meant, it is allowed, it is begun or taken back. */
import { ConfigurationClient } from '../api/configuration-client.ts';
import { MOST_MINUTES } from '../api/limits.ts';
import { askMachine, cancelMachine } from '../api/machine-client.ts';
import type { MachineRequest } from '../api/router-control.ts';
import { type Context, UsageError } from './command.ts';
import { showCommand } from './commit-text.ts';
import { stateDirOf } from './options.ts';
import { failed } from './output.ts';
import { wholeNumberOption } from './whole-number-option.ts';

export interface MachineEnd {
  readonly action: MachineRequest['action'];
  /** As it is typed behind `culvert`. */
  readonly command: string;
  /** What it does, a sentence. */
  readonly warning: string;
  /** To be typed by whoever means it. */
  readonly word: string;
  /** Said when it has begun, without a full stop. */
  readonly begun: string;
}

/** @returns the exit code, and whether it has begun at once. */
export async function endMachine(
  context: Context,
  end: MachineEnd,
): Promise<{ readonly code: number; readonly begun: boolean }> {
  const { options, author } = context;
  const { action, command, begun } = end;
  const stateDir = stateDirOf(options);
  const minutes = wholeNumberOption(options, 'in', { least: 1, most: MOST_MINUTES, default: 0 }) ?? 0;
  if (options.cancel === true) {
    if (minutes > 0) throw new UsageError('--cancel takes back what --in has asked for: give one of them');
    const result = await cancelMachine(stateDir, author);
    const data = async () => ({ text: 'it is taken back: the router runs on', data: { ok: true } });
    return { code: await showCommand(context, 'nothing was taken back', result, data), begun: false };
  }
  const evenPending = options.yes === true;
  if (!evenPending && !(await meant(context, end, stateDir))) {
    context.complain(`the word "${end.word}" was not typed: nothing was done, and the router runs on`);
    return { code: failed, begun: false };
  }
  const result = await askMachine(stateDir, { action, author, minutes, evenPending });
  const later = `in ${minutes} min ${begun}; "culvert ${command} --cancel" takes that back`;
  const code = await showCommand(context, 'the router runs on', result, async () => ({
    text: minutes > 0 ? later : begun,
    data: { ok: true, action, minutes },
  }));
  return { code, begun: result.ok && minutes === 0 };
}

/** Whoever will be refused anyhow is not asked. */
async function meant({ terminal }: Context, end: MachineEnd, stateDir: string): Promise<boolean> {
  const { state } = await new ConfigurationClient(stateDir).state();
  if (state === 'pending') return true;
  if (terminal === undefined)
    throw new UsageError(
      `"culvert ${end.command}" ends every connection, and there is no terminal to ask whether that is meant: say so with --yes`,
    );
  return (await terminal.ask(`${end.warning}\nType "${end.word}" to go on: `)).trim() === end.word;
}
