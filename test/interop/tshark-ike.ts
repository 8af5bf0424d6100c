/**
 * IKE and ESP of a capture as tshark sees them, held against what our decoder says of each frame: field by field, with the
 * same keys in the same files.
 */
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { IpsecKeys } from '../../firmware/api/router-control.ts';
import { decodeCapture } from '../../firmware/diagnosis/decode/decode-capture.ts';
import type { DecodedMessage } from '../../firmware/diagnosis/decode/decoded.ts';
import { KEY_TABLE_FILES, readKeyFiles } from '../../firmware/diagnosis/decode/keys/key-files.ts';
import { run } from '../../scripts/lab/shell.ts';
import { TsharkChain } from './tshark-chain.ts';
import { agreement, FIELDS } from './tshark-ike-fields.ts';

/** What was compared, for whoever wants to know that it was something. */
export interface Agreement {
  /** Messages of IKE. */
  readonly ike: number;
  /** Of them, those with encrypted payloads that both sides read. */
  readonly decrypted: number;
  /** ESP packets, and those whose ICV both found good. */
  readonly esp: number;
  readonly icvGood: number;
  /** Control messages of L2TP and packets of PPP inside of ESP. */
  readonly l2tp: number;
  readonly ppp: number;
}

/**
 * Runs tshark once over a capture, with keys as `culvert show ipsec --keys` prints them, and compares.
 * @param keys of all SAs in the capture; what has none is compared as far as it is in clear.
 */
export async function expectTsharkToAgree(capture: string, keys: IpsecKeys = []): Promise<Agreement> {
  const folder = mkdtempSync(join(tmpdir(), 'cv-tshark-'));
  try {
    for (const table of Object.keys(KEY_TABLE_FILES)) {
      const lines = new Set(keys.filter((key) => key.table === table).map(({ line }) => line));
      writeFileSync(join(folder, table), [...lines, ''].join('\n'));
    }
    writeFileSync(
      join(folder, 'preferences'),
      ['esp.enable_encryption_decode: TRUE', 'esp.enable_authentication_check: TRUE', ''].join('\n'),
    );
    const seen = await framesOf(capture, folder);
    const said = new Map<number, DecodedMessage[]>();
    // User packets are wanted, too: tshark shows each ESP packet.
    for await (const message of decodeCapture(createReadStream(capture), { keys: readKeyFiles(folder), all: true })) {
      said.set(message.frame, [...(said.get(message.frame) ?? []), message]);
    }
    return compare(seen, said);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Frame = ReadonlyMap<string, readonly string[]>;

/** Between fields, and between the values of one. */
const FIELD_SEPARATOR = '\t';
const VALUE_SEPARATOR = '\u001f';

async function framesOf(capture: string, profile: string): Promise<ReadonlyMap<number, Frame>> {
  const names = ['frame.number', 'frame.protocols', ...FIELDS];
  const output = await run([
    'env',
    `WIRESHARK_CONFIG_DIR=${profile}`,
    'tshark',
    '-n',
    '-r',
    capture,
    '-Y',
    'isakmp || esp',
    '-T',
    'fields',
    '-E',
    `aggregator=${VALUE_SEPARATOR}`,
    ...names.flatMap((name) => ['-e', name]),
  ]);
  const frames = new Map<number, Frame>();
  for (const line of output.split('\n')) {
    if (line === '') continue;
    const [number = '', protocols = '', ...values] = line.split(FIELD_SEPARATOR);
    // What an ICMP error quotes is no message of this frame; ICMP inside of ESP is another matter.
    if (/:icmp(v6)?:.*:(esp|isakmp)/.test(protocols)) continue;
    const entries = values.map((value, index): [string, readonly string[]] => [
      FIELDS[index] ?? '',
      value === '' ? [] : value.split(VALUE_SEPARATOR),
    ]);
    frames.set(Number(number), new Map(entries));
  }
  return frames;
}

function compare(seen: ReadonlyMap<number, Frame>, said: ReadonlyMap<number, readonly DecodedMessage[]>): Agreement {
  const total = { ike: 0, decrypted: 0, esp: 0, icvGood: 0, l2tp: 0, ppp: 0 };
  const missed = [...said].flatMap(([frame, messages]) => (seen.has(frame) ? [] : messages));
  const chain = new TsharkChain(missed.filter(({ protocol }) => protocol === 'ikev1'));
  for (const [frame, theirs] of seen) {
    const ours = said.get(frame) ?? [];
    if (!ours.map((message) => chain.reads(message)).every((readable) => readable)) continue;
    const at = `frame ${frame}: ${ours.map(({ summary }) => summary).join('; ')}`;
    const { expected, found, counts } = agreement(theirs, ours);
    expect(found, at).toEqual(expected);
    for (const key of Object.keys(total) as (keyof Agreement)[]) total[key] += counts[key];
  }
  return total;
}
