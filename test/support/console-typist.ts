/**
 * Somebody at the console with a terminal of 80x24 that knows nothing, who does not know the commands either: each word is
 * looked up by a question mark, abbreviated, and written out by Tab.
 */

import type { Pty } from '../../scripts/lab/pty.ts';
import { DumbTerminal } from './dumb-terminal.ts';

/** How long it looks at a screen on which nothing happens, ms. */
const PATIENCE_MS = 60_000;
/** Below a page. */
export const MORE = '-- more: space, Enter, q --';
/** Where a command can be typed. */
const PROMPT = /^\S+[>#]$/;

/** A word that a question mark has shown. */
export interface Offer {
  readonly text: string;
  readonly help: string;
}

export class ConsoleTypist {
  readonly screen = new DumbTerminal(80);
  readonly #pty: Pty;
  readonly #decoder = new TextDecoder();
  #look: () => void = () => undefined;
  #refused: unknown;
  /** What was typed, command by command, without what was masked. */
  readonly commands: string[] = [];

  constructor(pty: Pty) {
    this.#pty = pty;
    pty.onOctets = (octets) => {
      try {
        this.screen.write(this.#decoder.decode(octets, { stream: true }));
      } catch (error) {
        this.#refused = error;
      }
      this.#look();
    };
  }

  /** Presses keys, and turns pages, until the row of the cursor is as wanted. @returns the rows that were written meanwhile. */
  async press(keys: string, wanted: (row: string) => boolean): Promise<readonly string[]> {
    const { screen } = this;
    const from = screen.rows.length - 1;
    // A page that is there already is for the keys.
    let page = screen.row === MORE ? screen.rows.length : -1;
    this.#pty.send(keys);
    await this.#until(`what comes of ${JSON.stringify(keys)}`, () => {
      if (wanted(screen.row)) return true;
      if (screen.row === MORE && page !== screen.rows.length) {
        page = screen.rows.length;
        this.#pty.send(' ');
      }
      return false;
    });
    return screen.rows.slice(from).map((row) => row.join('').trimEnd());
  }

  /** Answers a question with a line that is not shown. */
  async answer(question: string, text: string, then: (row: string) => boolean): Promise<void> {
    if (this.screen.row !== question.trimEnd()) throw new Error(`"${question}" is not asked: ${this.#seen()}`);
    const { length } = this.screen.rows;
    await this.press(`${text}\r`, (row) => this.screen.rows.length > length && then(row));
  }

  /** What can come next, by a question mark. */
  async offers(): Promise<readonly Offer[]> {
    const { row: before, rows } = this.screen;
    const { column } = this.screen;
    const { length } = rows;
    const shown = await this.press(
      '?',
      (row) => rows.length > length + 1 && row === before && this.screen.column === column,
    );
    const offers: { text: string; help: string }[] = [];
    for (const row of shown.slice(1, -1)) {
      const [, text, help = ''] = /^ {2}(\S+)(?: {2,}(.*))?$/.exec(row) ?? [];
      const last = offers.at(-1);
      if (text !== undefined) offers.push({ text, help });
      else if (last !== undefined) last.help = `${last.help} ${row.trim()}`.trim();
    }
    return offers;
  }

  /**
   * A whole command, and what it shows until the next prompt.
   * @param command words that have to be offered, and in braces those that a person brings: `set system hostname {branch-12}`.
   */
  async command(command: string, then: (row: string) => boolean = isPrompt): Promise<readonly string[]> {
    for (const [word] of command.matchAll(/\S*\{[^}]*\}|\S+/g)) {
      const [, offered = '', own = ''] = /^(.*?)\{(.*)\}$/.exec(word) ?? [word, word];
      if (offered !== '') await this.#offeredWord(offered);
      if (own !== '') await this.#ownWord(own, offered);
    }
    this.commands.push(onScreen(command));
    const { length } = this.screen.rows;
    const shown = await this.press('\r', (row) => this.screen.rows.length > length && then(row));
    return shown.slice(1, -1);
  }

  /** Looks it up, types what tells it from the others, and lets Tab write the rest. */
  async #offeredWord(word: string): Promise<void> {
    const offers = await this.offers();
    const words = offers.map(({ text }) => text);
    if (!words.includes(word)) throw new Error(`"${word}" is not offered, but ${words.join(' ')}: ${this.#seen()}`);
    const open = words.some((text) => text.startsWith('<') && text !== '<Enter>');
    const named = words.filter((text) => !text.startsWith('<') && text !== '|');
    const beginning = (typed: string) => named.filter((text) => text.toLowerCase().startsWith(typed.toLowerCase()));
    let typed = word.slice(0, 1);
    while (typed !== word && !beginning(typed).every((text) => text.startsWith(word)))
      typed = word.slice(0, typed.length + 1);
    const alone = !open && beginning(typed).length === 1 && !word.endsWith('=');
    const from = this.screen.column;
    await this.#types(typed);
    if (alone || typed !== word) await this.#reaches('\t', `${word}${alone ? ' ' : ''}`, from);
    if (!alone && !word.endsWith('=')) await this.#types(' ');
  }

  async #ownWord(word: string, offered: string): Promise<void> {
    // A value that is written to an option is explained where that is offered.
    if (offered === '') {
      const words = (await this.offers()).map(({ text }) => text);
      if (!words.some((text) => /^<(?!Enter>)/.test(text)))
        throw new Error(`nothing like "${word}" is asked for, but ${words.join(' ')}: ${this.#seen()}`);
    }
    await this.#types(`${word} `);
  }

  /** Types, and sees it. */
  async #types(text: string): Promise<void> {
    await this.#reaches(text, text, this.screen.column);
  }

  async #reaches(keys: string, text: string, from: number): Promise<void> {
    const to = from + text.length;
    if (to >= this.screen.columns - 1)
      throw new Error(`the line is too long to be seen whole: ${this.screen.row} ${text}`);
    await this.press(keys, (row) => this.screen.column === to && row.padEnd(to).slice(from, to) === text);
  }

  async #until(what: string, seen: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const patience = setTimeout(() => reject(new Error(`${what} is not seen: ${this.#seen()}`)), PATIENCE_MS);
    this.#look = () => {
      if (this.#refused !== undefined) reject(this.#refused);
      else if (seen()) resolve();
    };
    this.#look();
    try {
      await promise;
    } finally {
      clearTimeout(patience);
      this.#look = () => undefined;
    }
  }

  #seen(): string {
    return `\n${this.screen.text.split('\n').slice(-24).join('\n')}`;
  }
}

/** A command as it stands on the screen. */
export function onScreen(command: string): string {
  return command.replaceAll(/[{}]/g, '');
}

export function isPrompt(row: string): boolean {
  return PROMPT.test(row);
}
