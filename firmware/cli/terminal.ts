/** Questions to the person at the terminal. */
import { StringDecoder } from 'node:string_decoder';

/** Where answers are typed: `process.stdin` when that is a terminal. */
export interface TerminalInput extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
}

/** Nobody answered: end of input, or Ctrl-C. The message says what did not happen, without a full stop. */
export class NotAnsweredError extends Error {
  override readonly name = 'NotAnsweredError';
}

/** Longest answer, characters; what is typed beyond it is not taken. */
const MAX_ANSWER = 4096;

const [INTERRUPT, END_OF_INPUT, BACKSPACE, KILL_LINE, DELETE] = ['\u0003', '\u0004', '\b', '\u0015', '\u007f'];

/** Somebody who can be asked. */
export interface Asking {
  /** @returns the line that was typed. @throws NotAnsweredError */
  ask(question: string): Promise<string>;
  /** The same, and nothing of what is typed is seen. @throws NotAnsweredError */
  askSecret(question: string): Promise<string>;
}

/** Questions stand on stderr: stdout is for what was asked for. */
export class Terminal implements Asking {
  readonly #input: TerminalInput;
  readonly #output: NodeJS.WritableStream;
  readonly #decoder = new StringDecoder('utf8');
  /** Typed ahead. */
  #rest = '';

  constructor(input: TerminalInput, output: NodeJS.WritableStream) {
    this.#input = input;
    this.#output = output;
  }

  /** @returns the line that was typed. @throws NotAnsweredError */
  async ask(question: string): Promise<string> {
    this.#output.write(question);
    try {
      return await this.#line();
    } catch (error) {
      // What went wrong gets a line of its own.
      this.#output.write('\n');
      throw error;
    }
  }

  /** The same, and nothing of what is typed is seen. */
  async askSecret(question: string): Promise<string> {
    this.#input.setRawMode?.(true);
    this.#output.write(question);
    try {
      return await this.#line();
    } finally {
      this.#input.setRawMode?.(false);
      this.#output.write('\n');
    }
  }

  async #line(): Promise<string> {
    const typed: string[] = [];
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const ended = () => reject(new NotAnsweredError('nothing was typed, and nothing was done'));
    const take = (text: string): void => {
      for (const [index, character] of [...text].entries()) {
        if (character === INTERRUPT) reject(new NotAnsweredError('it was broken off, and nothing was done'));
        else if (character === END_OF_INPUT) ended();
        else if (character === '\r' || character === '\n') {
          this.#rest = [...text].slice(index + 1).join('');
          resolve(typed.join(''));
          return;
        } else edit(typed, character);
      }
    };
    const onData = (chunk: Buffer | string) => take(typeof chunk === 'string' ? chunk : this.#decoder.write(chunk));
    const rest = this.#rest;
    this.#rest = '';
    this.#input.on('data', onData).once('end', ended);
    this.#input.resume();
    try {
      take(rest);
      return await promise;
    } finally {
      this.#input.off('data', onData).off('end', ended);
      // Else the process would wait for more.
      this.#input.pause();
    }
  }
}

/** What a terminal in raw mode leaves to the program. */
function edit(typed: string[], character: string): void {
  if (character === BACKSPACE || character === DELETE) typed.pop();
  else if (character === KILL_LINE) typed.length = 0;
  else if (character >= ' ' && typed.length < MAX_ANSWER) typed.push(character);
}
