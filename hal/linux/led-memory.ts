/** What LEDs showed before a program took them, in a file: one that was killed could not put it back, and the next one does. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

export interface LedMemory {
  get(led: string): string | undefined;
  /** @param text undefined: it is put back. */
  set(led: string, text: string | undefined): void;
}

/** Octets of the file at most: a board has some LEDs, each with a line. */
const MOST = 64 * 1024;

export class LedFileMemory implements LedMemory {
  readonly #path: string;
  #entries: Readonly<Record<string, string>>;

  constructor(path: string) {
    this.#path = path;
    this.#entries = read(path);
  }

  get(led: string): string | undefined {
    return Object.hasOwn(this.#entries, led) ? this.#entries[led] : undefined;
  }

  set(led: string, text: string | undefined): void {
    const others = Object.entries(this.#entries).filter(([name]) => name !== led);
    this.#entries = Object.fromEntries(text === undefined ? others : [...others, [led, text]]);
    try {
      const fresh = `${this.#path}.new`;
      writeFileSync(fresh, JSON.stringify(this.#entries), { mode: 0o600 });
      renameSync(fresh, this.#path);
    } catch {
      // A disk that is full costs no more than what a LED shows when nobody runs.
    }
  }
}

/** Nothing where there is no such file, or something else in it. */
function read(path: string): Readonly<Record<string, string>> {
  try {
    const text = readFileSync(path, 'utf8');
    const value: unknown = text.length > MOST ? undefined : JSON.parse(text);
    if (typeof value !== 'object' || value === null) return {};
    return Object.fromEntries(Object.entries(value).filter((entry) => typeof entry[1] === 'string'));
  } catch {
    return {};
  }
}
