/** Somebody at a terminal: types an answer to each question. */
import { PassThrough } from 'node:stream';
import type { TerminalInput } from '../../../firmware/cli/terminal.ts';

export interface Typist {
  readonly input: TerminalInput;
  /** Whether the terminal showed what was typed, for each answer. */
  readonly echoed: boolean[];
  /** To be written to for questions: the next answer is typed when one came. */
  readonly output: PassThrough;
}

/** @param answers with what ends them: `\r` in raw mode. */
export function typist(...answers: readonly string[]): Typist {
  const left = [...answers];
  const echoed: boolean[] = [];
  let raw = false;
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (on: boolean) => {
      raw = on;
    },
  });
  const output = new PassThrough();
  const write = output.write.bind(output);
  output.write = (chunk: unknown): boolean => {
    if (String(chunk).endsWith(': ')) {
      const answer = left.shift();
      echoed.push(!raw);
      if (answer === undefined) input.end();
      else input.write(answer);
    }
    return write(String(chunk));
  };
  output.setEncoding('utf8');
  return { input, echoed, output };
}
