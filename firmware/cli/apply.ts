/** `culvert apply FILE`: validate and put in force. */
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { ControlClient } from '../api/client.ts';
import type { ConfigurationProblem } from '../api/router-control.ts';
import { type Context, UsageError } from './command.ts';
import { stateDirOf } from './options.ts';
import { done, failed } from './output.ts';
import { systemErrorText } from './system-error-text.ts';

/** The control API takes no more, octets. */
const MAX_CONFIGURATION = 1024 * 1024;

export async function run(context: Context): Promise<number> {
  const [file = ''] = context.positionals;
  const confirmWithin = context.options['confirm-within'];
  if (confirmWithin !== undefined) return refuseConfirmWithin(context, confirmWithin);
  const text = await readConfiguration(file);
  if (typeof text !== 'string') {
    context.complain(text.complaint);
    return failed;
  }
  const result = await new ControlClient(stateDirOf(context.options)).apply(text, basename(file));
  if (!result.ok) {
    complainAbout(context, file, result.problems);
    return failed;
  }
  for (const line of result.diff) context.out(line);
  if (result.diff.length === 0) context.out('nothing changed');
  for (const warning of result.warnings) context.complain(`warning: ${warning}`);
  return done;
}

function refuseConfirmWithin(context: Context, seconds: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(seconds))
    throw new UsageError(`--confirm-within needs whole seconds, 1 to 999999, and not "${seconds}"`);
  context.complain('"apply --confirm-within" is not available in this version: apply without it, or update later');
  return failed;
}

async function readConfiguration(file: string): Promise<string | { readonly complaint: string }> {
  try {
    const { size } = await stat(file);
    if (size > MAX_CONFIGURATION)
      return { complaint: `${file} is larger than 1 MiB and no configuration: check that it is the right file` };
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    return { complaint: `${file} cannot be read, ${cause(error)}: check its name and its permissions` };
  }
}

function cause(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it is not UTF-8 text';
  return systemErrorText(error) ?? (error instanceof Error ? error.message : 'for an unknown reason');
}

/** One problem goes into one line; several get a line each below the one that says why. */
function complainAbout(context: Context, file: string, problems: readonly ConfigurationProblem[]): void {
  const refused = `${file} is refused and nothing was changed`;
  const [first] = problems;
  if (first !== undefined && problems.length === 1) {
    context.complain(`${refused}: ${problemText(first)}`);
    return;
  }
  context.complain(`${refused}, it has ${problems.length} problems: correct them and apply it again`);
  for (const problem of problems) context.complain(problemText(problem));
}

function problemText({ path, found, allowed, suggestion }: ConfigurationProblem): string {
  const where = path === '' ? '' : `at ${path} `;
  const hint = suggestion === undefined ? '' : `; did you mean "${suggestion}"?`;
  return `${where}found ${found}, allowed: ${allowed}${hint}`;
}
