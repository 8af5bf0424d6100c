/** What runs on this machine, for tests that nothing is left behind. */
import { readdirSync, readFileSync } from 'node:fs';

/** The process ids whose command line contains `text`. Zombies are not counted: they only wait to be collected. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').includes(text); // empty for a zombie
      } catch {
        return false;
      }
    });
}
