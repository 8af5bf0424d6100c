import { describe, expect, it } from 'vitest';
import { KeyDecoder } from '../../../firmware/terminal/keys.ts';
import { Pager } from '../../../firmware/terminal/pager.ts';
import { DumbTerminal } from '../../support/dumb-terminal.ts';

const LINES = Array.from({ length: 100 }, (_, at) => `line ${at}`);

class Reader {
  readonly terminal = new DumbTerminal(80);
  readonly pager: Pager;
  readonly #decoder = new KeyDecoder();

  constructor(rows: number) {
    this.pager = new Pager(80, rows);
  }

  write(text: string): this {
    this.terminal.write(this.pager.write(text));
    return this;
  }

  press(keys: string): this {
    for (const key of this.#decoder.take(Buffer.from(keys))) this.terminal.write(this.pager.take(key));
    return this;
  }

  get lines(): number {
    return this.terminal.text.match(/^line /gm)?.length ?? 0;
  }
}

describe('long output', () => {
  it('stops after a page, and says how to go on', () => {
    const reader = new Reader(24).write(LINES.join('\n'));
    expect(reader.lines).toBe(23);
    expect(reader.terminal.row).toBe('-- more: space, Enter, q --');
    expect(reader.terminal.rows).toHaveLength(24);
    expect(reader.press(' ').lines).toBe(46);
    expect(reader.press('\r').lines).toBe(47);
    expect(reader.press('x').lines).toBe(47);
    expect(reader.press('g').lines).toBe(100);
    expect(reader.pager.idle).toBe(true);
  });

  it('ends when the reader has enough', () => {
    for (const key of ['q', 'Q', '\u0003', '\u0004']) {
      const reader = new Reader(24).write(LINES.join('\n')).press(key);
      expect([reader.lines, reader.pager.quit, reader.pager.idle, reader.terminal.row]).toEqual([23, true, true, '']);
      expect(reader.write('more').terminal.row).toBe('');
    }
  });

  it('is not paged where nobody reads, or where it fits', () => {
    expect(new Reader(0).write(LINES.join('\n')).lines).toBe(100);
    expect(new Reader(24).write(LINES.slice(0, 23).join('\n')).pager.idle).toBe(true);
  });

  it('counts the rows that a long line takes', () => {
    const reader = new Reader(24).write(Array.from({ length: 20 }, () => 'x'.repeat(150)).join('\n'));
    expect(reader.terminal.rows).toHaveLength(24);
    expect(reader.pager.idle).toBe(false);
  });
});
