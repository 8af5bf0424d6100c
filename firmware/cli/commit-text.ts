/** What a commit, its preview or a comparison came to, on stdout and stderr. */
import type { CommitResult, PreviewResult, Refused } from '../api/configuration-control.ts';
import type { CommandResult, ConfigurationProblem } from '../api/router-control.ts';
import type { Saying } from './command.ts';
import { done, failed } from './output.ts';

/** @param what was committed: a file, or `revision 3`. @returns the exit code. */
export function showCommit(context: Saying, what: string, result: CommitResult): number {
  if (!result.ok) return complainAbout(context, what, result, `${what} is not in force`);
  if (context.options.json === true) return json(context, result);
  const { diff, connections, warnings, failures } = result;
  for (const line of [...diff, ...connections]) context.out(line);
  if (diff.length === 0) context.out('nothing changed');
  for (const line of [...warnings, ...failures]) context.complain(`warning: ${line}`);
  if (result.confirmBy !== undefined) context.out(waitingText(context, result.revision));
  return done;
}

/** @param same said when there is no difference. @returns the exit code. */
export function showPreview(context: Saying, what: string, result: PreviewResult, same: string): number {
  if (!result.ok) return complainAbout(context, what, result, 'nothing was compared');
  if (context.options.json === true) return json(context, result);
  const { diff, connections, network, warnings } = result;
  for (const line of [...diff, ...connections]) context.out(line);
  if (diff.length === 0) context.out(same);
  for (const line of network) context.out(line);
  for (const warning of warnings) context.complain(`warning: ${warning}`);
  return done;
}

/** @param not what did not happen when it failed. @param happened what to say when it did. @returns the exit code. */
export async function showCommand(
  context: Saying,
  not: string,
  result: CommandResult,
  happened: () => Promise<{ readonly text: string; readonly data: unknown }>,
): Promise<number> {
  if (!result.ok) {
    const { reason, remedy = 'look at "culvert show log"' } = result;
    context.complain(`${not}: ${reason}; ${remedy}`);
    return failed;
  }
  const { text, data } = await happened();
  if (context.options.json === true) return json(context, data);
  context.out(text);
  return done;
}

/**
 * One problem goes into one line; several get a line each below the one that says why. With `--json` all of them stand on
 * stdout.
 * @param what is wrong, where there are problems in it.
 * @param not what did not happen, where there is another reason.
 * @returns the exit code.
 */
export function complainAbout(context: Saying, what: string, refused: Refused, not: string): number {
  const all = context.options.json === true;
  if (all) json(context, refused);
  if ('reason' in refused) {
    context.complain(`${not}: ${refused.reason}; ${refused.remedy}`);
    return failed;
  }
  const nothing = `${what} is refused and nothing was changed`;
  const errors = refused.problems.filter(({ severity }) => severity === 'error');
  const warnings = refused.problems.filter(({ severity }) => severity === 'warning');
  const [first] = errors;
  if (first !== undefined && errors.length === 1) {
    context.complain(`${nothing}: ${problemText(first)}`);
  } else {
    context.complain(`${nothing}, it has ${errors.length} problems: correct them and apply it again`);
    if (!all) for (const problem of errors) context.complain(problemText(problem));
  }
  if (!all) for (const problem of warnings) context.complain(`warning: ${problemText(problem)}`);
  return failed;
}

function waitingText({ options }: Saying, revision: number): string {
  const time = `revision ${revision} is in force for ${options['confirm-within']} s`;
  if (options.check !== true) return `${time}; keep it with "culvert confirm"`;
  return `${time}; it stays when every connection that was up is up again by then, or with "culvert confirm"`;
}

function json(context: Saying, value: unknown): number {
  context.out(JSON.stringify(value, undefined, 2));
  return done;
}

function problemText({ path, found, allowed, suggestion }: ConfigurationProblem): string {
  const where = path === '' ? '' : `at ${path} `;
  const hint = suggestion === undefined ? '' : `; did you mean "${suggestion}"?`;
  return `${where}found ${found}, allowed: ${allowed}${hint}`;
}
