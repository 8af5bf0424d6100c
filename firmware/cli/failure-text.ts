/** A command's failure as one line. */
import type { CommandResult } from '../api/router-control.ts';
import { didYouMean } from './did-you-mean.ts';

/** Which step, why, and what to do; for a name that is not there, the names that are. */
export function failureText(
  name: string,
  verb: 'connected' | 'disconnected' | 'diagnosed',
  result: CommandResult & { readonly ok: false },
): string {
  const { step, reason, remedy, notFound } = result;
  if (notFound !== undefined) {
    if (notFound.length === 0)
      return `there is no connection "${name}" and no other either: configure one and apply it`;
    return `there is no connection "${name}": there is ${notFound.join(', ')}${didYouMean(name, notFound)}`;
  }
  const where = step === undefined ? '' : ` at ${step}`;
  const what = remedy === undefined ? 'look at "culvert show log"' : remedy;
  return `${name} was not ${verb}, it failed${where}: ${reason}; ${what}`;
}
