/** Waiting for something outside this process that cannot say by itself when it is there. */
import { setTimeout as delay } from 'node:timers/promises';
import { LabError } from './shell.ts';

/** Time-outs are for a machine that does nothing else; one that does may be so many times as slow, and that is no failure. */
const PATIENCE = 3;

export interface WaitOptions {
  /** Gives up after this many milliseconds, on a quiet machine. Default: 15 000. */
  readonly timeoutMs?: number;
  /** Pause between two looks, in milliseconds. Default: 25. */
  readonly intervalMs?: number;
}

/**
 * Looks again and again until `probe` gives something other than `undefined` or `false`, and returns that.
 * An error thrown by `probe` ends the wait.
 * @param what - completes the sentence "... did not happen within N s", for the error
 * @throws LabError when the time is up
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  options: WaitOptions = {},
): Promise<T> {
  const timeoutMs = PATIENCE * (options.timeoutMs ?? 15_000);
  const end = performance.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() >= end) throw new LabError(`${what} did not happen within ${timeoutMs / 1000} s`);
    await delay(options.intervalMs ?? 25);
  }
}
