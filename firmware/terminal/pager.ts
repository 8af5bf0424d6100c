/** Long output a page at a time. Lines and keys in, what to send out. */
import { wrapped } from './cells.ts';
import type { Key } from './keys.ts';

const PROMPT = '-- more: space, Enter, q --';

export class Pager {
  readonly #columns: number;
  readonly #rows: number;
  readonly #waiting: string[] = [];
  /** Rows that may be sent before somebody has to read. */
  #left: number;
  #asking = false;
  #quit = false;

  /** @param rows of the terminal; 0: no pages. */
  constructor(columns: number, rows: number) {
    this.#columns = Math.max(20, columns);
    this.#rows = rows;
    this.#left = this.#page;
  }

  get #page(): number {
    return this.#rows === 0 ? Number.POSITIVE_INFINITY : Math.max(2, this.#rows - 1);
  }

  /** Nothing waits to be read. */
  get idle(): boolean {
    return this.#waiting.length === 0;
  }

  /** The reader wants no more: what comes is thrown away. */
  get quit(): boolean {
    return this.#quit;
  }

  /** @param text one or more lines. @returns what to send. */
  write(text: string): string {
    if (this.#quit) return '';
    for (const line of text.split('\n')) this.#waiting.push(...wrapped(line, this.#columns - 1));
    return this.#asking ? '' : this.#send();
  }

  /** @returns what to send. */
  take(key: Key): string {
    if (!this.#asking) return '';
    const action = key.kind === 'key' ? key.name : key.text.slice(0, 1).toLowerCase();
    switch (action) {
      case ' ':
      case 'page-down':
        return this.#goOn(this.#page);
      case 'enter':
      case 'down':
        return this.#goOn(1);
      case 'q':
      case 'interrupt':
      case 'end-of-input':
        this.#quit = true;
        this.#waiting.length = 0;
        return this.#erase();
      case 'g':
        return this.#goOn(Number.POSITIVE_INFINITY);
      default:
        return '';
    }
  }

  #goOn(rows: number): string {
    this.#left = rows;
    return this.#erase() + this.#send();
  }

  #erase(): string {
    this.#asking = false;
    return `\r${' '.repeat(PROMPT.length)}\r`;
  }

  #send(): string {
    let sent = '';
    while (this.#waiting.length > 0 && this.#left > 0) {
      sent += `${this.#waiting.shift()}\r\n`;
      this.#left -= 1;
    }
    if (this.#waiting.length === 0) return sent;
    this.#asking = true;
    return sent + PROMPT;
  }
}
