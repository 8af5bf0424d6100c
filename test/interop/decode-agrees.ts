/**
 * Holds `culvert decode` against Debian's tshark: every L2TP, PPP and PPPoE control message of a capture, with its frame, type,
 * ids, sequence numbers, AVPs and options. tshark starts slowly, so a test file records everything and compares once.
 */
import { createReadStream } from 'node:fs';
import { expect } from 'vitest';
import { decodeCapture } from '../../firmware/diagnosis/decode/decode-capture.ts';
import type { DecodeOptions } from '../../firmware/diagnosis/decode/decode-options.ts';
import type { DecodedMessage, FieldValue } from '../../firmware/diagnosis/decode/decoded.ts';
import { type PdmlFrame, tsharkFrames } from './pdml.ts';
import type { Recording } from './recording.ts';
import { messagesOf, type WitnessedMessage, type WitnessedValue } from './tshark-witness.ts';

/** Where tshark is wrong or silent, and is not to be believed. */
export interface AgreementException {
  /** Why, one sentence. */
  readonly reason: string;
  /** Whether it is about this difference. */
  readonly applies: (difference: Difference) => boolean;
}

export interface Difference {
  readonly frame: number;
  readonly protocol: string;
  /** What it is about: `message type`, `AVP Host Name`, `option MRU` ... */
  readonly what: string;
  readonly ours: string;
  readonly theirs: string;
}

export interface Agreement {
  /** Messages that were compared. */
  readonly messages: number;
  /** AVPs, options and other values that were compared. */
  readonly values: number;
  /** How often each message type of either program occurred: a test can insist on what must have been in the capture. */
  readonly seen: ReadonlyMap<string, number>;
  /** What is not covered by an exception. */
  readonly differences: readonly Difference[];
}

export interface AgreementOptions {
  readonly decode?: DecodeOptions;
  /** Preferences of tshark, such as `l2tp.shared_secret:...` or tables of keys. */
  readonly preferences?: readonly string[];
  readonly exceptions?: readonly AgreementException[];
}

/** The protocols of tshark that are compared here. */
const FILTER = 'l2tp or ppp or pppoed';

/**
 * Insists that both programs say the same of all that a test file recorded, and that it was worth comparing.
 * @param mustHave messages that must have been among them, such as `l2tp SCCRQ`
 */
export async function expectAgreement(
  recording: Recording,
  mustHave: readonly string[],
  options: AgreementOptions = {},
): Promise<void> {
  const { differences, seen } = await decodeAgreement(await recording.file(), options);
  expect(differences).toEqual([]);
  expect([...seen.keys()]).toEqual(expect.arrayContaining([...mustHave]));
}

/** Compares a capture, decoded by both. */
export async function decodeAgreement(file: string, options: AgreementOptions = {}): Promise<Agreement> {
  const theirs = await tsharkFrames(file, FILTER, options.preferences);
  const ours: DecodedMessage[] = [];
  for await (const message of decodeCapture(createReadStream(file), options.decode)) {
    if (message.protocol === 'l2tp' || message.protocol.startsWith('ppp')) ours.push(message);
  }
  return compare(ours, theirs, options.exceptions ?? []);
}

export function compare(
  ours: readonly DecodedMessage[],
  frames: readonly PdmlFrame[],
  exceptions: readonly AgreementException[],
): Agreement {
  const differences: Difference[] = [];
  const seen = new Map<string, number>();
  const count = { messages: 0, values: 0 };
  const note = (difference: Difference) => {
    if (!exceptions.some(({ applies }) => applies(difference))) differences.push(difference);
  };
  const byFrame = Map.groupBy(ours, ({ frame }) => frame);
  for (const frame of frames) {
    const theirs = messagesOf(frame);
    const here = byFrame.get(frame.number) ?? [];
    byFrame.delete(frame.number);
    for (let index = 0; index < Math.max(theirs.length, here.length); index += 1) {
      const their = theirs[index];
      const our = here[index];
      const protocol = their?.protocol ?? our?.protocol ?? '';
      const about = { frame: frame.number, protocol };
      if (their === undefined || our === undefined) {
        note({ ...about, what: 'message', ours: our?.summary ?? 'none', theirs: their?.type ?? 'none' });
        continue;
      }
      count.messages += 1;
      const name = `${protocol} ${their.type}`;
      seen.set(name, (seen.get(name) ?? 0) + 1);
      count.values += compareMessage(our, their, (what, mine, its) =>
        note({ ...about, what, ours: mine, theirs: its }),
      );
    }
  }
  for (const [frame, messages] of byFrame) {
    for (const { protocol, summary } of messages) {
      note({ frame, protocol, what: 'message', ours: summary, theirs: 'none' });
    }
  }
  return { ...count, seen, differences };
}

type Note = (what: string, ours: string, theirs: string) => void;

/** @returns how many values were compared */
function compareMessage(ours: DecodedMessage, theirs: WitnessedMessage, note: Note): number {
  const { fields } = ours;
  if (ours.protocol !== theirs.protocol) note('protocol', ours.protocol, theirs.protocol);
  if (ours.error !== undefined) note('error', JSON.stringify(ours.error), 'none');
  const type = fields['messageType'] ?? fields['code'];
  if (type !== theirs.type) note('message type', String(type), theirs.type);
  for (const [name, value] of Object.entries(theirs.fields)) {
    const mine = fields[name];
    if (mine === undefined || !sameValue(mine, value)) note(name, JSON.stringify(mine), JSON.stringify(value));
  }
  let values = Object.keys(theirs.fields).length;
  for (const [list, word] of [
    ['avps', 'AVP'],
    ['options', 'option'],
  ] as const) {
    const mine = fields[list];
    const its = theirs[list];
    if (its === undefined) continue;
    const items = Array.isArray(mine) ? mine : [];
    if (items.length !== its.length) note(`number of ${list}`, String(items.length), String(its.length));
    for (const [index, item] of its.entries()) {
      values += 1;
      const my = items[index];
      const what = `${word} ${item.name}`;
      if (my?.name !== item.name) note(what, `named ${my?.name}`, `named ${item.name}`);
      for (const flag of ['mandatory', 'hidden'] as const) {
        const wanted = item[flag];
        if (wanted !== undefined && (my?.[flag] ?? false) !== wanted)
          note(`${what} ${flag}`, String(my?.[flag]), String(wanted));
      }
      if (item.value !== undefined && !sameValue(my?.value, item.value))
        note(what, JSON.stringify(my?.value), JSON.stringify(item.value));
    }
  }
  return values;
}

/** What tshark says of an AVP that it does not know. */
const NOT_LOOKED_INTO = 'Vendor-Specific AVP data';

/** Whether our value is what tshark shows, be that a number, a text, octets or several fields. */
function sameValue(ours: FieldValue | undefined, { shows, raw }: WitnessedValue): boolean {
  if (ours === undefined || ours === null) return false;
  if (ours === true) return raw === '';
  // A value that tshark has no name for is the octets that it shows.
  const known = shows.filter((show) => show !== NOT_LOOKED_INTO);
  if (typeof ours === 'number')
    return known.length > 0 ? known.some((show) => Number(show) === ours) : shows.length > 0 && integerOf(raw) === ours;
  // Texts that tshark shows as octets are the same octets.
  if (typeof ours === 'string') {
    return shows.includes(ours) || (shows.length > 0 && (raw === ours || Buffer.from(raw, 'hex').toString() === ours));
  }
  if (typeof ours !== 'object' || Array.isArray(ours)) return false;
  const parts = Object.values(ours);
  return parts.length === shows.length && parts.every((part, index) => samePart(part, shows[index] ?? ''));
}

function integerOf(raw: string): number {
  return Number.parseInt(raw, 16);
}

function samePart(part: FieldValue, show: string): boolean {
  return typeof part === 'number' ? Number(show) === part : String(part) === show;
}
