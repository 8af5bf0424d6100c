/** What is new in the ring of the log. */

/**
 * The lines of `now` that were not in `before`. Both are what a ring had at a time: lines come at the end and go at the
 * beginning, and some may be alike.
 */
export function newLines(before: readonly string[], now: readonly string[]): readonly string[] {
  for (let gone = 0; gone < before.length; gone += 1) {
    const kept = before.length - gone;
    if (kept <= now.length && startsWith(now, before, gone)) return now.slice(kept);
  }
  return now;
}

function startsWith(now: readonly string[], before: readonly string[], from: number): boolean {
  for (let index = from; index < before.length; index += 1) if (before[index] !== now[index - from]) return false;
  return true;
}
