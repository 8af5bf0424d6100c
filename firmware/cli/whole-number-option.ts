/** Options whose value is a whole number within bounds. */
import type { Bound } from '../diagnosis/capture/capture-limits.ts';
import { UsageError } from './command.ts';
import type { OptionName, ParsedOptions } from './options.ts';

/** @returns `undefined` where it is not given. @throws UsageError */
export function wholeNumberOption(options: ParsedOptions, name: OptionName, bound: Bound): number | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  const { least, most } = bound;
  const value = typeof text === 'string' && /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most))
    throw new UsageError(`--${name} is a whole number from ${least} to ${most}, and not "${text}": correct it`);
  return value;
}
