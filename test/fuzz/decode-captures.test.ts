/**
 * Captures that were tampered with. 3,000 of them; as many as one likes with
 * `CULVERT_FUZZ_RUNS=1000000 npx vitest run test/fuzz/decode-captures.test.ts`.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { fieldLines, messageLine } from '../../firmware/cli/decoded-text.ts';
import { CaptureReader } from '../../firmware/diagnosis/decode/capture-reader.ts';
import { CaptureError } from '../../firmware/diagnosis/decode/capture-types.ts';
import type { DecodedMessage } from '../../firmware/diagnosis/decode/decoded.ts';
import { FrameDecoder } from '../../firmware/diagnosis/decode/frame-decoder.ts';
import { parseKeyText } from '../../firmware/diagnosis/decode/keys/key-files.ts';
import { utf8Bytes } from '../../firmware/protocol/bytes.ts';
import { SECRET } from '../support/every-message.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { NULL_KEYS, strangeCapture } from './decode-mutations.ts';

const RUNS = Number(process.env['CULVERT_FUZZ_RUNS'] ?? '3000');
const seed = Number(process.env['CULVERT_SEED'] ?? '1');
const MEBIBYTE = 1024 * 1024;
const HOUR_MS = 3_600_000;
/** A capture of six small packets that takes longer than this hangs, ms of computing: the machine may be busy. */
const HANGS_MS = 5000;
/** Octets of a file that are read at a time: messages lie across chunks, too. */
const CHUNKS = [65_536, 100, 7];

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heap(): number {
  for (let round = 0; round < 3; round += 1) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

interface Tally {
  messages: number;
  errors: number;
  damagedFiles: number;
  octetsOfText: number;
  slowestMs: number;
}

const OPTIONS = {
  secrets: [utf8Bytes(SECRET)],
  passwords: ['alice-pw'],
  keys: parseKeyText(NULL_KEYS, 'keys'),
  all: true,
};

/** Reads a capture to where it can be read, with a decoder that has seen others before. */
function decode(file: Uint8Array, chunk: number, decoder: FrameDecoder, tally: Tally): void {
  const started = process.cpuUsage();
  const reader = new CaptureReader();
  try {
    for (let at = 0; at < file.length; at += chunk) {
      for (const packet of reader.push(file.subarray(at, at + chunk))) {
        for (const message of decoder.decode(packet)) told(message, tally);
      }
    }
    reader.end();
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    tally.damagedFiles += 1;
  }
  tally.slowestMs = Math.max(tally.slowestMs, process.cpuUsage(started).user / 1000);
}

function told(message: DecodedMessage, tally: Tally): void {
  tally.messages += 1;
  if (message.error !== undefined) tally.errors += 1;
  const text = [JSON.stringify(message), messageLine(message, 0), ...fieldLines(message)];
  tally.octetsOfText += text.join('\n').length;
}

describe(`captures that were tampered with, seed ${seed}`, () => {
  it('are read to where they can be read: nothing is thrown, nothing hangs, nothing is kept', {
    timeout: HOUR_MS,
  }, () => {
    const random = new SeededRandom(seed);
    const tally: Tally = { messages: 0, errors: 0, damagedFiles: 0, octetsOfText: 0, slowestMs: 0 };
    const lasting = new FrameDecoder(OPTIONS);
    const run = (captures: number) => {
      for (let index = 0; index < captures; index += 1) {
        const file = strangeCapture(random);
        // Half of them by one decoder that lasts, as if all were one capture: its tables fill, and must not grow.
        const decoder = index % 2 === 0 ? lasting : new FrameDecoder(OPTIONS);
        decode(file, CHUNKS[index % CHUNKS.length] ?? 1, decoder, tally);
        if (decoder !== lasting) for (const message of decoder.end()) told(message, tally);
      }
    };
    const started = performance.now();
    run(Math.ceil(RUNS / 3));
    const before = heap();
    run(RUNS - Math.ceil(RUNS / 3));
    const after = heap();
    const seconds = (performance.now() - started) / 1000;
    process.stdout.write(
      `${RUNS} captures in ${seconds.toFixed(1)} s: ${tally.messages} messages, ${tally.errors} with an error, ` +
        `${tally.damagedFiles} damaged files, slowest ${tally.slowestMs.toFixed(1)} ms, ` +
        `heap ${(before / MEBIBYTE).toFixed(2)} MiB, then ${(after / MEBIBYTE).toFixed(2)} MiB\n`,
    );
    expect(after - before).toBeLessThan(8 * MEBIBYTE);
    expect(tally.slowestMs).toBeLessThan(HANGS_MS);
    // It got deep, and met what is wrong.
    expect(tally.messages).toBeGreaterThan(RUNS);
    expect(tally.errors).toBeGreaterThan(RUNS / 10);
    expect(tally.damagedFiles).toBeGreaterThan(RUNS / 20);
  });
});
