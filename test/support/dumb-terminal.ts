/** A terminal that can print, step back, return and feed lines, and nothing else: what is on it, row by row. */
import { cellsOf } from '../../firmware/terminal/cells.ts';

export class DumbTerminal {
  readonly columns: number;
  readonly rows: string[][] = [[]];
  column = 0;
  bells = 0;
  /** Octets that were sent. */
  octets = 0;

  constructor(columns = 80) {
    this.columns = columns;
  }

  /** @throws RangeError where a real one would wrap, or do what it likes. */
  write(text: string): void {
    this.octets += Buffer.byteLength(text);
    for (const character of text) this.#put(character);
  }

  /** The row of the cursor, without the spaces at its end. */
  get row(): string {
    return (this.rows.at(-1) ?? []).join('').trimEnd();
  }

  get text(): string {
    return this.rows.map((row) => row.join('').trimEnd()).join('\n');
  }

  #put(character: string): void {
    const row = this.rows.at(-1) ?? [];
    if (character === '\r') this.column = 0;
    else if (character === '\n') this.rows.push([]);
    else if (character === '\b') this.column = Math.max(0, this.column - 1);
    else if (character === '\u0007') this.bells += 1;
    else if (character < ' ') throw new RangeError(`a control character: ${JSON.stringify(character)}`);
    else {
      const width = cellsOf(character);
      if (this.column + width > this.columns - 1) throw new RangeError(`beyond the row: ${row.join('')}`);
      if (width === 0) row[this.column - 1] += character;
      else {
        row[this.column] = character;
        // The second half of a wide one is nothing of its own.
        if (width === 2) row[this.column + 1] = '';
      }
      this.column += width;
      for (let at = 0; at < this.column; at += 1) row[at] ??= ' ';
    }
  }
}
