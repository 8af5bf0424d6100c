/** What a commit or its preview came to, on stdout and stderr. */
import type { CommitResult, Difference, PreviewResult, Refused } from '../api/configuration-control.ts';
import type { ConfigurationProblem } from '../api/router-control.ts';
import type { Context } from './command.ts';
import { done, failed } from './output.ts';

/** @param what was committed: a file, or `revision 3`. @returns the exit code. */
export function showCommit(context: Context, what: string, result: CommitResult): number {
  if (!result.ok) return complainAbout(context, what, result);
  if (context.options.json === true) {
    context.out(JSON.stringify(result, undefined, 2));
    return done;
  }
  for (const line of changeLines(result)) context.out(line);
  if (result.diff.length === 0) context.out('nothing changed');
  for (const warning of result.warnings) context.complain(`warning: ${warning}`);
  for (const failure of result.failures) context.complain(`warning: ${failure}`);
  if (result.confirmBy === undefined) return done;
  const seconds = context.options['confirm-within'];
  context.out(`revision ${result.revision} is in force for ${seconds} s: keep it with "culvert confirm"`);
  return done;
}

/** @returns the exit code. */
export function showPreview(context: Context, what: string, result: PreviewResult): number {
  if (!result.ok) return complainAbout(context, what, result);
  if (context.options.json === true) {
    context.out(JSON.stringify(result, undefined, 2));
    return done;
  }
  for (const line of changeLines(result)) context.out(line);
  if (result.diff.length === 0) context.out('nothing would change');
  for (const line of result.network) context.out(line);
  for (const warning of result.warnings) context.complain(`warning: ${warning}`);
  return done;
}

function changeLines({ diff, connections }: Difference): readonly string[] {
  return [...diff, ...connections];
}

/** One problem goes into one line; several get a line each below the one that says why. */
function complainAbout(context: Context, what: string, refused: Refused): number {
  if ('reason' in refused) {
    context.complain(`${what} is not in force: ${refused.reason}; ${refused.remedy}`);
    return failed;
  }
  const [first] = refused.problems;
  const nothing = `${what} is refused and nothing was changed`;
  if (first !== undefined && refused.problems.length === 1) {
    context.complain(`${nothing}: ${problemText(first)}`);
    return failed;
  }
  context.complain(`${nothing}, it has ${refused.problems.length} problems: correct them and apply it again`);
  for (const problem of refused.problems) context.complain(problemText(problem));
  return failed;
}

function problemText({ path, found, allowed, suggestion }: ConfigurationProblem): string {
  const where = path === '' ? '' : `at ${path} `;
  const hint = suggestion === undefined ? '' : `; did you mean "${suggestion}"?`;
  return `${where}found ${found}, allowed: ${allowed}${hint}`;
}
