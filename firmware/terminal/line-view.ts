/**
 * One row of a terminal that knows nothing but printing, backspace, carriage return and line feed: no escape sequence is
 * sent. What does not fit is scrolled sideways, and only what has changed is sent, for a serial line is slow.
 */
import { cellsOf, textCells } from './cells.ts';

interface Cell {
  readonly character: string;
  readonly width: number;
}

/** Stand at an edge beyond which there is more. */
const [MORE_BEFORE, MORE_AFTER] = ['<', '>'];

export class LineView {
  #columns: number;
  #prompt = '';
  /** What stands behind the prompt. */
  #shown: readonly Cell[] = [];
  /** Columns of the cursor behind the prompt. */
  #at = 0;
  /** First character in view. */
  #first = 0;

  /** @param columns of the terminal; at least 20. */
  constructor(columns: number) {
    this.#columns = Math.max(20, columns);
  }

  resize(columns: number): void {
    this.#columns = Math.max(20, columns);
  }

  /** A new row: the cursor is at its beginning. @returns what to send. */
  begin(prompt: string): string {
    this.#prompt = prompt;
    this.#shown = [];
    this.#at = 0;
    this.#first = 0;
    return prompt;
  }

  /** Sends the row anew, as it is. */
  again(): string {
    const prompt = this.#prompt;
    const characters = this.#shown.map(({ character }) => character).join('');
    const back = '\b'.repeat(this.#widthOf(this.#shown) - this.#at);
    return `${prompt}${characters}${back}`;
  }

  /** @param cursor index of a character of `text`, or its length. @returns what to send. */
  show(text: readonly string[], cursor: number): string {
    const { cells, at } = this.#window(text, cursor);
    const common = this.#common(cells);
    const before = this.#widthOf(cells.slice(0, common));
    const old = this.#widthOf(this.#shown);
    const width = this.#widthOf(cells);
    let sent = '';
    if (common < cells.length || common < this.#shown.length) {
      sent += this.#move(this.#at, before);
      sent += cells
        .slice(common)
        .map(({ character }) => character)
        .join('');
      const rest = Math.max(0, old - width);
      sent += ' '.repeat(rest) + '\b'.repeat(rest);
      this.#at = width;
    }
    this.#shown = cells;
    sent += this.#move(this.#at, at);
    this.#at = at;
    return sent;
  }

  /** From one column to another, over what is shown. */
  #move(from: number, to: number): string {
    if (to <= from) return '\b'.repeat(from - to);
    let column = 0;
    let sent = '';
    for (const { character, width } of this.#shown) {
      if (column >= from && column < to) sent += character;
      column += width;
    }
    return sent;
  }

  #common(cells: readonly Cell[]): number {
    let count = 0;
    while (count < cells.length && cells[count]?.character === this.#shown[count]?.character) count += 1;
    // A combining character belongs to the one before it.
    while (count > 0 && (cells[count]?.width === 0 || this.#shown[count]?.width === 0)) count -= 1;
    return count;
  }

  #widthOf(cells: readonly Cell[]): number {
    return cells.reduce((sum, { width }) => sum + width, 0);
  }

  /** What of the text is in view. The last column stays free: terminals differ in what they do after it. */
  #window(text: readonly string[], cursor: number): { readonly cells: readonly Cell[]; readonly at: number } {
    const room = Math.max(8, this.#columns - textCells(this.#prompt) - 1);
    const widths = text.map(cellsOf);
    const span = (from: number, to: number): number => widths.slice(from, to).reduce((sum, width) => sum + width, 0);
    if (widths.length < room && span(0, text.length) < room) this.#first = 0;
    else {
      // A jump, so that not each character scrolls; two columns are for the marks.
      const jump = Math.floor(room / 3);
      if (cursor < this.#first + 1) this.#first = Math.max(0, cursor - jump);
      while (this.#first < cursor && span(this.#first, cursor) > room - 2) this.#first += jump;
      this.#first = Math.min(this.#first, cursor);
    }
    const cells: Cell[] = this.#first > 0 ? [{ character: MORE_BEFORE, width: 1 }] : [];
    let at = cells.length;
    let used = at;
    let index = this.#first;
    for (; index < text.length && used + (widths[index] ?? 0) < room; index += 1) {
      const width = widths[index] ?? 0;
      cells.push({ character: text[index] ?? '', width });
      used += width;
      if (index < cursor) at = used;
    }
    if (index < text.length) cells.push({ character: MORE_AFTER, width: 1 });
    return { cells, at };
  }
}
