/** `culvert decode FILE`: a packet capture, message by message. */
import { CaptureError } from '../diagnosis/decode/capture-types.ts';
import { decodeCapture } from '../diagnosis/decode/decode-capture.ts';
import type { DecodeOptions } from '../diagnosis/decode/decode-options.ts';
import { KeyFileError } from '../diagnosis/decode/keys/key-files.ts';
import { chunksOf, complaintOf, decodeOptions } from './capture-input.ts';
import type { Context } from './command.ts';
import { fieldLines, messageLine } from './decoded-text.ts';
import { done, failed } from './output.ts';

/** Lines are written together until there are so many characters: a write for each is slow. */
const BATCH_CHARACTERS = 32_768;

export async function run(context: Context): Promise<number> {
  const [file = ''] = context.positionals;
  let options: DecodeOptions;
  try {
    options = decodeOptions(context);
  } catch (error) {
    if (!(error instanceof KeyFileError)) throw error;
    context.complain(error.message);
    return failed;
  }
  const output = new Output(context);
  try {
    for await (const message of decodeCapture(chunksOf(file, context), options)) {
      await output.line(
        context.options.json === true
          ? JSON.stringify(message)
          : [messageLine(message, output.start(message.time)), ...verboseLines(context, message)].join('\n'),
      );
    }
    output.flush();
    return done;
  } catch (error) {
    output.flush();
    const complaint = complaintOf(error);
    if (complaint === undefined) throw error;
    context.complain(`${file} ${complaint}`);
    return error instanceof CaptureError && error.partly ? done : failed;
  }
}

function verboseLines(context: Context, message: Parameters<typeof fieldLines>[0]): readonly string[] {
  return context.options.verbose === true ? fieldLines(message) : [];
}

class Output {
  readonly #context: Context;
  #lines: string[] = [];
  #characters = 0;
  #start: number | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Time of the first message. */
  start(time: number): number {
    this.#start ??= time;
    return this.#start;
  }

  async line(text: string): Promise<void> {
    this.#lines.push(text);
    this.#characters += text.length;
    if (this.#characters < BATCH_CHARACTERS) return;
    this.flush();
    await this.#context.drained();
  }

  flush(): void {
    if (this.#lines.length > 0) this.#context.out(this.#lines.join('\n'));
    this.#lines = [];
    this.#characters = 0;
  }
}
