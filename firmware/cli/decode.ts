/** `culvert decode FILE`: a packet capture, message by message. */
import { createReadStream, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { CaptureError } from '../diagnosis/decode/capture-types.ts';
import { decodeCapture } from '../diagnosis/decode/decode-capture.ts';
import type { DecodeOptions } from '../diagnosis/decode/decode-options.ts';
import { KeyFileError, readKeyFiles } from '../diagnosis/decode/keys/key-files.ts';
import { utf8Bytes } from '../protocol/bytes.ts';
import { type Context, UsageError } from './command.ts';
import { fieldLines, messageLine } from './decoded-text.ts';
import { done, failed } from './output.ts';
import { ProgressBar } from './progress-bar.ts';
import { systemErrorText } from './system-error-text.ts';

/** Lines are written together until there are so many characters: a write for each is slow. */
const BATCH_CHARACTERS = 32_768;
/** Octets that are read at a time. */
const CHUNK_OCTETS = 262_144;
/** More secrets or passwords than this in a file are a mistake: each is tried on every message. */
const MAX_SECRETS = 100;

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
    for await (const message of decodeCapture(chunksOf(file, await sizeOf(file), context), options)) {
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

function complaintOf(error: unknown): string | undefined {
  if (error instanceof CaptureError) {
    return error.partly
      ? `cannot be read to its end, ${error.message}: what came before is decoded; capture it again if the rest matters`
      : `is no capture, ${error.message}: give a file that tcpdump, Wireshark or culvert wrote`;
  }
  const words = systemErrorText(error);
  return words === undefined ? undefined : `cannot be read, ${words}: check its name and its permissions`;
}

/** @throws UsageError when a file with secrets, passwords or keys cannot be used */
function decodeOptions(context: Context): DecodeOptions {
  const { secret, password, all, keys } = context.options;
  const secrets = [...given(secret), ...linesOf(context, 'secret-file')];
  return {
    secrets: secrets.map(utf8Bytes),
    passwords: [...given(password), ...linesOf(context, 'password-file')],
    all: all === true,
    ...(keys === undefined ? {} : { keys: readKeyFiles(keys) }),
  };
}

function given(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}

/** One secret in each line, exactly as it stands there. */
function linesOf(context: Context, option: 'secret-file' | 'password-file'): readonly string[] {
  const file = context.options[option];
  if (file === undefined) return [];
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const words = systemErrorText(error);
    if (words === undefined) throw error;
    throw new UsageError(`the file of --${option} cannot be read, ${words}: check its name and its permissions`);
  }
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  if (lines.length > MAX_SECRETS) throw new UsageError(`--${option} takes at most ${MAX_SECRETS} lines, one in each`);
  return lines;
}

async function sizeOf(file: string): Promise<number> {
  try {
    const facts = await stat(file);
    return facts.isFile() ? facts.size : 0;
  } catch {
    // Whatever is wrong is told when the file is opened.
    return 0;
  }
}

/** @param size of the file in octets; 0 where it has none */
async function* chunksOf(file: string, size: number, context: Context): AsyncGenerator<Uint8Array, void, undefined> {
  const bar = new ProgressBar(size, context.progress);
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_OCTETS })) {
      const octets: Uint8Array = chunk;
      yield octets;
      bar.advance(octets.length);
    }
  } finally {
    bar.remove();
  }
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
