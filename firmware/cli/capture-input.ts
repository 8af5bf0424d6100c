/** What commands that read captures have in common: the file, and what they are told beside it. */
import { createReadStream, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { CaptureError } from '../diagnosis/decode/capture-types.ts';
import type { DecodeOptions } from '../diagnosis/decode/decode-options.ts';
import { readKeyFiles } from '../diagnosis/decode/keys/key-files.ts';
import { utf8Bytes } from '../protocol/bytes.ts';
import { type Context, UsageError } from './command.ts';
import { ProgressBar } from './progress-bar.ts';
import { systemErrorText } from './system-error-text.ts';

/** Octets that are read at a time. */
const CHUNK_OCTETS = 262_144;
/** More secrets or passwords than this in a file are a mistake: each is tried on every message. */
const MAX_SECRETS = 100;

/** What is wrong with a capture, to stand behind its name; `undefined`: it is not the capture that is wrong. */
export function complaintOf(error: unknown): string | undefined {
  if (error instanceof CaptureError) {
    return error.partly
      ? `cannot be read to its end, ${error.message}: what came before counts; capture it again if the rest matters`
      : `is no capture, ${error.message}: give a file that tcpdump, Wireshark or culvert wrote`;
  }
  const words = systemErrorText(error);
  return words === undefined ? undefined : `cannot be read, ${words}: check its name and its permissions`;
}

/** What the options say beside the capture. @throws UsageError when a file with secrets, passwords or keys cannot be used */
export function decodeOptions(context: Context): DecodeOptions {
  const { secret, password, all, keys } = context.options;
  const secrets = [...given(secret), ...linesOf(context, 'secret-file')];
  return {
    secrets: secrets.map(utf8Bytes),
    passwords: [...given(password), ...linesOf(context, 'password-file')],
    // Of the inside of a tunnel nothing in the capture tells that there is one around it.
    ...(all === true && { all, outside: true }),
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

/** The octets of a file, with a progress bar where there is a terminal for it. */
export async function* chunksOf(file: string, context: Context): AsyncGenerator<Uint8Array, void, undefined> {
  const bar = new ProgressBar(await sizeOf(file), context.progress);
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
