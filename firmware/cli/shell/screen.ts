/** A person at a terminal: lines that are asked for, and text that is shown. */
import { escapeInvisible } from '../../log/escape-invisible.ts';
import { wrapped } from '../../terminal/cells.ts';
import type { History } from '../../terminal/history.ts';
import { type EditorEvent, LineEditor, type LineOptions } from '../../terminal/line-editor.ts';
import { Pager } from '../../terminal/pager.ts';
import { NotAnsweredError } from '../terminal.ts';
import type { Keyboard } from './keyboard.ts';

/** Where a terminal is: a window, or the end of a serial line. */
export interface TerminalLine {
  /** Characters in a row. */
  readonly columns: number;
  /** Rows of a page; 0: text is not shown in pages. */
  readonly rows: number;
  readonly write: (text: string) => void;
  /** Ends a line: a terminal in raw mode wants a carriage return, too. */
  readonly lineEnd: '\n' | '\r\n';
  /** Returns when what was written is on its way. */
  readonly drained: () => Promise<void>;
}

/** What to do about Tab or a question mark. */
export interface Hint {
  /** In place of so many characters before the cursor. */
  readonly replace?: { readonly count: number; readonly text: string };
  readonly lines?: readonly string[];
}

/** What came of a line: it was typed, broken off, ended, or nobody typed for too long, or the terminal is gone. */
export type Typed =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'interrupt' | 'end' | 'idle' | 'gone' };

export interface Prompting extends LineOptions {
  readonly history?: History;
  readonly hint?: (kind: 'complete' | 'help', before: string) => Promise<Hint>;
  /** Until somebody types, ms; for ever when absent. */
  readonly idleMs?: number;
}

export class Screen {
  readonly keyboard: Keyboard;
  readonly #line: TerminalLine;

  constructor(line: TerminalLine, keyboard: Keyboard) {
    this.#line = line;
    this.keyboard = keyboard;
  }

  get columns(): number {
    return this.#line.columns;
  }

  /** Lines, as they are. */
  say(text: string): void {
    const { columns, lineEnd, write } = this.#line;
    for (const line of escapeInvisible(text).split('\n')) {
      // A program reads whole lines.
      for (const row of lineEnd === '\n' ? [line] : wrapped(line, columns - 1)) write(`${row}${lineEnd}`);
    }
  }

  /** As it is, without end of line. */
  send(text: string): void {
    if (text !== '') this.#line.write(text);
  }

  drained(): Promise<void> {
    return this.#line.drained();
  }

  async readLine(prompt: string, prompting: Prompting = {}): Promise<Typed> {
    const { hint, idleMs } = prompting;
    const editor = new LineEditor(this.#line.columns, prompting.history);
    this.send(editor.begin(prompt, prompting));
    for (;;) {
      const key = await this.#nextKey(idleMs);
      if (key === 'idle') return { kind: 'idle' };
      if (key === undefined) return { kind: 'gone' };
      editor.resize(this.#line.columns);
      const { sent, event, rest } = editor.take(key);
      this.send(sent);
      if (rest !== undefined) this.keyboard.putBack(rest);
      if (event === undefined) continue;
      if (event.kind !== 'complete' && event.kind !== 'help') return event;
      if (hint !== undefined) await this.#showHint(editor, event, hint);
    }
  }

  async #nextKey(idleMs: number | undefined) {
    const { keyboard } = this;
    // Whoever is asked something answers with ^C, too: then it ends the question, and not the command.
    const { onInterrupt } = keyboard;
    keyboard.onInterrupt = undefined;
    try {
      if (idleMs === undefined || keyboard.waiting) return await keyboard.next();
      const key = await keyboard.next(AbortSignal.timeout(idleMs));
      return key === undefined && !keyboard.ended ? 'idle' : key;
    } finally {
      keyboard.onInterrupt = onInterrupt;
    }
  }

  async #showHint(
    editor: LineEditor,
    { kind, before }: EditorEvent & { readonly kind: 'complete' | 'help' },
    hint: NonNullable<Prompting['hint']>,
  ): Promise<void> {
    const { replace, lines = [] } = await hint(kind, before);
    if (replace !== undefined) this.send(editor.replaceBefore(replace.count, replace.text));
    if (lines.length === 0) return;
    this.send(kind === 'help' ? '?\r\n' : '\r\n');
    await this.page(lines);
    this.send(editor.again());
  }

  /** Shows lines a page at a time. */
  async page(lines: readonly string[]): Promise<void> {
    // What is typed ahead would turn pages that nobody has seen: a paste is not paged.
    const pager = new Pager(this.#line.columns, this.keyboard.waiting ? 0 : this.#line.rows);
    if (this.#line.rows === 0) {
      for (const line of lines) this.say(line);
      return;
    }
    if (lines.length > 0) this.send(pager.write(lines.map(escapeInvisible).join('\n')));
    while (!pager.idle) {
      const key = await this.keyboard.next();
      if (key === undefined) return;
      this.send(pager.take(key));
    }
    await this.#line.drained();
  }

  /** @returns the line that was typed. @throws NotAnsweredError */
  async ask(question: string): Promise<string> {
    return this.#answer(await this.readLine(this.#lastRow(question)));
  }

  /** The same, and nothing of what is typed is seen. @throws NotAnsweredError */
  async askSecret(question: string): Promise<string> {
    return this.#answer(await this.readLine(this.#lastRow(question), { masked: true }));
  }

  /** Says what stands above the last row of a question. */
  #lastRow(question: string): string {
    const lines = question.split('\n');
    const last = lines.pop() ?? '';
    if (lines.length > 0) this.say(lines.join('\n'));
    return last;
  }

  #answer(typed: Typed): string {
    if (typed.kind === 'line') return typed.text;
    const why = typed.kind === 'interrupt' ? 'it was broken off' : 'nothing was typed';
    throw new NotAnsweredError(`${why}, and nothing was done`);
  }
}
