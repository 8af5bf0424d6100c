/** A line that somebody types and edits. Keys in; what to send to the terminal, and what happened, out. */
import type { History } from './history.ts';
import type { Key, KeyName } from './keys.ts';
import { LineView } from './line-view.ts';

const BELL = '\u0007';

/** Characters of a line. */
export const MAX_LINE = 4096;

export type EditorEvent =
  | { readonly kind: 'line'; readonly text: string }
  /** Tab. */
  | { readonly kind: 'complete'; readonly before: string }
  /** A question mark, which is not taken into the line. */
  | { readonly kind: 'help'; readonly before: string }
  | { readonly kind: 'interrupt' }
  /** End of input, on an empty line. */
  | { readonly kind: 'end' };

export interface LineOptions {
  /** Nothing of what is typed is shown or kept. */
  readonly masked?: boolean;
  /** Whether a question mark behind this text asks for help. Default: never. */
  readonly asksHelp?: (before: string) => boolean;
  /** Whether Tab completes; otherwise it does nothing. */
  readonly completes?: boolean;
  /** Characters of the line; what is typed beyond is not taken. Default {@link MAX_LINE}. */
  readonly most?: number;
}

export class LineEditor {
  readonly #view: LineView;
  readonly #history: History | undefined;
  #options: LineOptions = {};
  #text: string[] = [];
  #cursor = 0;
  /** What was typed before the reader went to older lines. */
  #own: string[] | undefined;
  /** The text in front of the cursor when the reader began to go through older lines. */
  #beginning = '';

  /** @param columns of the terminal. @param history of lines like these; none for passwords. */
  constructor(columns: number, history?: History) {
    this.#view = new LineView(columns);
    this.#history = history;
  }

  resize(columns: number): void {
    this.#view.resize(columns);
  }

  get #most(): number {
    return this.#options.most ?? MAX_LINE;
  }

  get text(): string {
    return this.#text.join('');
  }

  /** A new line. @returns what to send. */
  begin(prompt: string, options: LineOptions = {}): string {
    this.#options = options;
    this.#text = [];
    this.#cursor = 0;
    this.#leaveHistory();
    return this.#view.begin(prompt);
  }

  /** The line anew, below what was written meanwhile. */
  again(): string {
    return this.#view.again();
  }

  /** Puts `text` in place of the `count` characters before the cursor. @returns what to send. */
  replaceBefore(count: number, text: string): string {
    const characters = [...text];
    const from = Math.max(0, this.#cursor - count);
    if (this.#text.length - (this.#cursor - from) + characters.length > this.#most) return BELL;
    this.#text.splice(from, this.#cursor - from, ...characters);
    this.#cursor = from + characters.length;
    return this.#show();
  }

  /** @returns what to send, and what came of it; keys behind an event have to be given again. */
  take(key: Key): { readonly sent: string; readonly event?: EditorEvent; readonly rest?: Key } {
    if (key.kind === 'text') return this.#type(key.text);
    switch (key.name) {
      case 'enter':
        return { sent: `${this.#end()}\r\n`, event: this.#line() };
      case 'interrupt':
        return { sent: `${this.#end()}^C\r\n`, event: { kind: 'interrupt' } };
      case 'end-of-input':
        if (this.#text.length === 0) return { sent: '\r\n', event: { kind: 'end' } };
        return { sent: this.#edit('delete') };
      case 'tab':
        if (this.#options.completes !== true) return { sent: '' };
        return { sent: '', event: { kind: 'complete', before: this.#before() } };
      default:
        return { sent: this.#edit(key.name) };
    }
  }

  #type(text: string): ReturnType<LineEditor['take']> {
    this.#leaveHistory();
    const characters = [...text];
    const { asksHelp } = this.#options;
    const marks = characters.entries().filter(([, character]) => character === '?');
    for (const [index] of asksHelp === undefined ? [] : marks) {
      const before = this.#before() + characters.slice(0, index).join('');
      if (asksHelp?.(before) !== true) continue;
      const sent = this.#insert(characters.slice(0, index));
      const rest = characters.slice(index + 1).join('');
      const event: EditorEvent = { kind: 'help', before };
      return { sent, event, ...(rest === '' ? {} : { rest: { kind: 'text', text: rest } }) };
    }
    return { sent: this.#insert(characters) };
  }

  #insert(characters: readonly string[]): string {
    const room = this.#most - this.#text.length;
    const taken = characters.slice(0, room);
    this.#text = [...this.#text.slice(0, this.#cursor), ...taken, ...this.#text.slice(this.#cursor)];
    this.#cursor += taken.length;
    return this.#show() + (taken.length < characters.length ? BELL : '');
  }

  #edit(name: KeyName): string {
    const { length } = this.#text;
    switch (name) {
      case 'left':
        return this.#go(this.#cursor - 1);
      case 'right':
        return this.#go(this.#cursor + 1);
      case 'home':
        return this.#go(0);
      case 'end':
        return this.#go(length);
      case 'word-left':
        return this.#go(this.#wordStart());
      case 'word-right':
        return this.#go(this.#wordEnd());
      case 'backspace':
        return this.#cut(this.#cursor - 1, this.#cursor);
      case 'delete':
        return this.#cut(this.#cursor, this.#cursor + 1);
      case 'kill-line':
        return this.#cut(0, this.#cursor);
      case 'kill-to-end':
        return this.#cut(this.#cursor, length);
      case 'kill-word':
        return this.#cut(this.#wordStart(), this.#cursor);
      case 'up':
        return this.#older();
      case 'down':
        return this.#newer();
      case 'redraw':
        return `\r\n${this.again()}`;
      default:
        return '';
    }
  }

  #go(to: number): string {
    this.#cursor = Math.min(Math.max(0, to), this.#text.length);
    return this.#show();
  }

  #cut(from: number, to: number): string {
    this.#leaveHistory();
    const start = Math.max(0, from);
    this.#text.splice(start, to - start);
    this.#cursor = start;
    return this.#show();
  }

  #wordStart(): number {
    let at = this.#cursor;
    while (at > 0 && this.#text[at - 1] === ' ') at -= 1;
    while (at > 0 && this.#text[at - 1] !== ' ') at -= 1;
    return at;
  }

  #wordEnd(): number {
    let at = this.#cursor;
    while (at < this.#text.length && this.#text[at] === ' ') at += 1;
    while (at < this.#text.length && this.#text[at] !== ' ') at += 1;
    return at;
  }

  #older(): string {
    if (this.#own === undefined) {
      this.#own = [...this.#text];
      this.#beginning = this.#before();
    }
    const line = this.#history?.older(this.#beginning);
    return line === undefined ? BELL : this.#replace([...line]);
  }

  #newer(): string {
    const line = this.#own === undefined ? undefined : this.#history?.newer(this.#beginning);
    if (line !== undefined) return this.#replace([...line]);
    const own = this.#own;
    this.#leaveHistory();
    return own === undefined ? BELL : this.#replace(own);
  }

  #replace(text: string[]): string {
    this.#text = text;
    this.#cursor = text.length;
    return this.#show();
  }

  #leaveHistory(): void {
    this.#own = undefined;
    this.#history?.reset();
  }

  #before(): string {
    return this.#text.slice(0, this.#cursor).join('');
  }

  #show(): string {
    return this.#options.masked === true ? '' : this.#view.show(this.#text, this.#cursor);
  }

  /** The cursor behind all of it, so that what follows stands below. */
  #end(): string {
    this.#cursor = this.#text.length;
    return this.#show();
  }

  #line(): EditorEvent {
    const text = this.text;
    this.#text = [];
    this.#cursor = 0;
    return { kind: 'line', text };
  }
}
