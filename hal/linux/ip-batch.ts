/** Many changes in one process: `ip -force -batch -`, with each error brought back to its change. */
import { HalError } from '../hal-error.ts';
import { failureText, type IpChange, type IpCommand, ipCommand } from '../link-command.ts';
import type { LinkChange } from '../links.ts';
import { refused } from './ip-refusal.ts';
import { runProgram } from './run-program.ts';

/**
 * Most octets that are handed to one process: what one write takes whole. Were this process killed within a longer one, `ip`
 * would take the half of a line that it got for a command.
 */
const MAX_BATCH_OCTETS = 32 * 1024;

/** How `ip` ends what it says about a line. Lines count from 1. */
const FAILED_LINE = /^Command failed -:(\d+)$/;

interface Line {
  readonly change: IpChange;
  /** Where the error goes. */
  readonly index: number;
  readonly text: string;
}

interface Batch {
  readonly options: readonly string[];
  readonly lines: readonly Line[];
}

/** @returns for each change its error; `undefined`: it was made. */
export async function applyBatched(
  changes: readonly LinkChange[],
  setSysctl: (key: string, value: string) => Promise<void>,
): Promise<(HalError | undefined)[]> {
  const errors = changes.map((): HalError | undefined => undefined);
  for (const part of partsOf(changes, errors)) {
    if ('lines' in part) await run(part, errors);
    else {
      try {
        await setSysctl(part.key, part.value);
      } catch (error) {
        errors[part.index] = asHalError(error);
      }
    }
  }
  return errors;
}

/** Neighbours that one process can make are one part; a change that cannot be written as a command gets its error here. */
function partsOf(
  changes: readonly LinkChange[],
  errors: (HalError | undefined)[],
): (Batch | { readonly index: number; readonly key: string; readonly value: string })[] {
  const parts: (Batch | { readonly index: number; readonly key: string; readonly value: string })[] = [];
  let open: { options: readonly string[]; lines: Line[]; octets: number } | undefined;
  for (const [index, change] of changes.entries()) {
    if (change.kind === 'set-sysctl') {
      parts.push({ index, key: change.key, value: change.value });
      open = undefined;
      continue;
    }
    let command: IpCommand;
    try {
      command = ipCommand(change);
    } catch (error) {
      errors[index] = asHalError(error);
      continue;
    }
    const text = `${command.args.join(' ')}\n`;
    const fits =
      open !== undefined &&
      open.octets + text.length <= MAX_BATCH_OCTETS &&
      open.options.join(' ') === command.options.join(' ');
    if (open === undefined || !fits) {
      open = { options: command.options, lines: [], octets: 0 };
      parts.push(open);
    }
    open.lines.push({ change, index, text });
    open.octets += text.length;
  }
  return parts;
}

async function run({ options, lines }: Batch, errors: (HalError | undefined)[]): Promise<void> {
  const input = lines.map(({ text }) => text).join('');
  try {
    const result = await runProgram('ip', [...options, '-force', '-batch', '-'], 'iproute2', input);
    const said = saidByLine(result.stderr);
    // It ended for another reason than a line: none of them is known to be made.
    if (said.size === 0 && result.status !== 0) throw refused('The network cannot be changed', result.stderr);
    for (const [number, text] of said) {
      const line = lines[number - 1];
      if (line !== undefined) errors[line.index] = refused(failureText(line.change), text);
    }
  } catch (error) {
    for (const { index } of lines) errors[index] = asHalError(error);
  }
}

/** What was said about each line that failed, by its number. */
export function saidByLine(stderr: string): ReadonlyMap<number, string> {
  const said = new Map<number, string>();
  let text: string[] = [];
  for (const line of stderr.split('\n')) {
    const number = FAILED_LINE.exec(line)?.[1];
    if (number === undefined) text.push(line);
    else {
      said.set(Number(number), text.join('\n'));
      text = [];
    }
  }
  return said;
}

function asHalError(error: unknown): HalError {
  return error instanceof HalError ? error : new HalError(error instanceof Error ? error.message : String(error));
}
