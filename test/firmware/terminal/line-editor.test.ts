import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { History } from '../../../firmware/terminal/history.ts';
import { type Key, KeyDecoder } from '../../../firmware/terminal/keys.ts';
import { type EditorEvent, LineEditor, type LineOptions, MAX_LINE } from '../../../firmware/terminal/line-editor.ts';
import { DumbTerminal } from '../../support/dumb-terminal.ts';

const PROMPT = 'culvert> ';

/** Somebody at a terminal. */
class Typing {
  readonly terminal: DumbTerminal;
  readonly editor: LineEditor;
  readonly events: EditorEvent[] = [];
  readonly #decoder = new KeyDecoder();

  constructor(options: LineOptions = {}, columns = 80, history?: History) {
    this.terminal = new DumbTerminal(columns);
    this.editor = new LineEditor(columns, history);
    this.terminal.write(this.editor.begin(PROMPT, options));
  }

  type(text: string): this {
    for (const key of this.#decoder.take(Buffer.from(text))) this.#give(key);
    return this;
  }

  #give(key: Key): void {
    const { sent, event, rest } = this.editor.take(key);
    this.terminal.write(sent);
    if (event !== undefined) this.events.push(event);
    if (rest !== undefined) this.#give(rest);
  }
}

describe('a line', () => {
  it('is shown as it is typed, an octet for an octet', () => {
    const typing = new Typing();
    const before = typing.terminal.octets;
    typing.type('show status');
    expect(typing.terminal.row).toBe('culvert> show status');
    expect(typing.terminal.octets - before).toBe('show status'.length);
    typing.type('\r');
    expect(typing.events).toEqual([{ kind: 'line', text: 'show status' }]);
  });

  it.each([
    ['left, typing, end', 'cnfigure\u001b[D\u001b[D\u001b[D\u001b[D\u001b[D\u001b[D\u001b[Do\u0005!', 'configure!'],
    ['home and delete', 'xab\u001b[H\u001b[3~', 'ab'],
    ['both kinds of backspace', 'abcd\b\u007f', 'ab'],
    ['a word cut', 'set l2tp clients\u0017', 'set l2tp '],
    ['all before the cursor cut', 'abc def\u001b[D\u0015', 'f'],
    ['all behind it cut', 'abc def\u0001\u0006\u000b', 'a'],
    ['steps by words', 'one two\u001bb\u001bbx\u001bfy', 'xoney two'],
    ['a sequence that nobody knows', 'a\u001b[38;5;1mb\u001bOPc\u001b[12345678901234567890', 'abc567890'],
    ['a tab where nothing completes', 'a\tb', 'ab'],
    ['wide and combining characters', '日本x\u001b[D\b', '日x'],
  ])('%s', (_name, typed, left) => {
    const typing = new Typing().type(typed);
    expect(typing.editor.text).toBe(left);
    expect(typing.terminal.row).toBe((PROMPT + left).trimEnd());
  });

  it('ends with a carriage return, a line feed, or both of them, once', () => {
    const typing = new Typing().type('a\rb\nc\r\nd\r\n\r\n');
    expect(typing.events.map((event) => event.kind === 'line' && event.text)).toEqual(['a', 'b', 'c', 'd', '']);
  });

  it('is broken off by ^C, and ended by ^D when it is empty', () => {
    expect(new Typing().type('abc\u0003').events).toEqual([{ kind: 'interrupt' }]);
    expect(new Typing().type('abc\u0004').events).toEqual([]);
    expect(new Typing().type('\u0004').events).toEqual([{ kind: 'end' }]);
  });

  it('that is masked shows nothing at all', () => {
    const typing = new Typing({ masked: true }).type('secret\b\r');
    expect(typing.events).toEqual([{ kind: 'line', text: 'secre' }]);
    expect(typing.terminal.text).toBe('culvert>\n');
  });

  it('takes no more than it can hold', () => {
    const typing = new Typing().type('x'.repeat(MAX_LINE + 10));
    expect(typing.editor.text).toHaveLength(MAX_LINE);
    expect(typing.terminal.bells).toBe(1);
  });

  it('longer than the row scrolls sideways, and never touches the last column', () => {
    const typing = new Typing({}, 40).type('0123456789'.repeat(10));
    expect(typing.terminal.row).toMatch(/^culvert> <[0-9]+$/);
    typing.type('\u0001');
    expect(typing.terminal.row).toMatch(/^culvert> 0123456789.*>$/);
    expect(typing.terminal.rows).toHaveLength(1);
  });
});

describe('help and completion', () => {
  const options: LineOptions = { completes: true, asksHelp: (before) => !before.includes('"') };

  it('are asked for with what stands before the cursor, which stays', () => {
    const typing = new Typing(options).type('show \t?x');
    expect(typing.events).toEqual([
      { kind: 'complete', before: 'show ' },
      { kind: 'help', before: 'show ' },
    ]);
    expect(typing.editor.text).toBe('show x');
  });

  it('leave a question mark alone that belongs to a value', () => {
    expect(new Typing(options).type('set psk "what?"').editor.text).toBe('set psk "what?"');
  });

  it('put words in place of their beginnings', () => {
    const typing = new Typing(options).type('sh log\u001b[D\u001b[D\u001b[D\u001b[D');
    typing.terminal.write(typing.editor.replaceBefore(2, 'show'));
    expect(typing.terminal.row).toBe('culvert> show log');
    typing.type('x');
    expect(typing.editor.text).toBe('showx log');
  });
});

describe('older lines', () => {
  const history = (): History => {
    const lines = new History();
    for (const line of ['show log', 'connect hq', 'connect hq', 'show status', '  ']) lines.add(line);
    return lines;
  };

  it('come back with up, and what was being typed with down', () => {
    const typing = new Typing({}, 80, history()).type('\u001b[A');
    expect(typing.editor.text).toBe('show status');
    expect(typing.type('\u001b[A').editor.text).toBe('connect hq');
    expect(typing.type('\u001b[A\u001b[A').editor.text).toBe('show log');
    expect(typing.terminal.bells).toBe(1);
    expect(typing.type('\u001b[B\u001b[B\u001b[B').editor.text).toBe('');
  });

  it('are those that begin with what was typed', () => {
    const typing = new Typing({}, 80, history()).type('show\u0010');
    expect(typing.editor.text).toBe('show status');
    expect(typing.type('\u0010').editor.text).toBe('show log');
    expect(typing.type('\u000e\u000e').editor.text).toBe('show');
  });

  it('are bounded', () => {
    const lines = new History();
    for (let count = 0; count < 2000; count += 1) lines.add(`line ${count}`);
    expect(lines.lines).toHaveLength(500);
    expect(lines.lines.at(-1)).toBe('line 1999');
  });
});

const KEYS = [
  ...['a', 'bc', ' ', '日', 'é', '?', '\u001b[D', '\u001b[C', '\u001b[A', '\u001b[B', '\b', '\u001b[3~'],
  ...['\u0001', '\u0005', '\u0015', '\u000b', '\u0017', '\u001bb', '\u001bf', 'a longer piece of text, as pasted '],
];

it('whatever is typed, the terminal shows the line around its cursor', () => {
  const keys = fc.array(fc.constantFrom(...KEYS), { maxLength: 80 });
  const property = fc.property(keys, fc.integer({ min: 30, max: 90 }), (typed, columns) => {
    const history = new History();
    history.add('an older line');
    const typing = new Typing({}, columns, history);
    for (const key of typed) {
      typing.type(key);
      const { row, column } = typing.terminal;
      expect(row.startsWith(PROMPT.trimEnd())).toBe(true);
      const shown = row.slice(PROMPT.length).replace(/^</, '').replace(/>$/, '');
      expect(typing.editor.text).toContain(shown.trimEnd());
      expect(column).toBeLessThan(columns);
    }
    // Where the cursor seems to be is where it is, but for a jump of a third where the row scrolls.
    const jump = Math.max(20, Math.ceil(columns / 3) + 3);
    const { column } = typing.terminal;
    typing.type('!\b#');
    expect(typing.terminal.rows[0]?.indexOf('#')).toBeGreaterThanOrEqual(Math.min(column, columns - jump));
    expect(typing.terminal.row.replaceAll(/[<>]/g, '')).toContain(typing.editor.text.match(/.{0,2}#/u)?.[0] ?? '?');
  });
  fc.assert(property, { numRuns: 300 });
});
