/**
 * IKEv1 fragmentation, as whoever sends the FRAGMENTATION vendor id does it (Windows, Cisco and others): a message is
 * cut into messages with one payload each, of type 132: Fragment ID (2 octets), Fragment Number (from 1), flags,
 * data.
 */
import { ByteReader, ByteWriter, concatBytes, DecodeError } from '../../bytes.ts';
import type { Instant } from '../../machine.ts';
import { HEADER_OCTETS } from '../message-header.ts';
import { encodeMessage, type IsakmpHeader } from './header.ts';
import { ExchangeType, PayloadType } from './numbers.ts';
import { decodePayloads, encodePayloads, GENERIC_HEADER_OCTETS, onlyBody } from './payload.ts';

/** Longest datagram that goes out in one piece, octets: with UDP and IPv6 headers and the marker it fits 1280. */
export const MAX_DATAGRAM_OCTETS = 1200;

/** Fragments of one message that are collected, and how long they are waited for. */
const MAX_FRAGMENTS = 24;
const MAX_MESSAGE_OCTETS = 32768;
const COLLECT_MS = 15000;

const LAST_FRAGMENT = 1;

/** Octets of a fragment payload before its data. */
const FRAGMENT_HEADER_OCTETS = 4;

/** The fragments of `message`, each a datagram; the message itself when it is short enough. */
export function fragment(header: IsakmpHeader, message: Uint8Array, fragmentId: number): readonly Uint8Array[] {
  if (message.length <= MAX_DATAGRAM_OCTETS) return [message];
  const room = MAX_DATAGRAM_OCTETS - HEADER_OCTETS - GENERIC_HEADER_OCTETS - FRAGMENT_HEADER_OCTETS;
  const datagrams: Uint8Array[] = [];
  for (let at = 0; at < message.length; at += room) {
    const last = at + room >= message.length;
    const body = new ByteWriter(room + FRAGMENT_HEADER_OCTETS)
      .u16(fragmentId)
      .u8(datagrams.length + 1)
      .u8(last ? LAST_FRAGMENT : 0)
      .bytes(message.subarray(at, at + room))
      .finish();
    // Peers that look at fragments before they look for the exchange expect those of phase 1 with Message ID 0.
    const { cookieI, cookieR } = header;
    const exchangeType = header.messageId === 0 ? header.exchangeType : ExchangeType.mainMode;
    const outer = { cookieI, cookieR, nextPayload: PayloadType.fragment, exchangeType, flags: 0, messageId: 0 };
    datagrams.push(encodeMessage(outer, encodePayloads([{ type: PayloadType.fragment, body }])));
  }
  return datagrams;
}

/** Puts together one message at a time. */
export class Reassembly {
  #fragmentId: number | undefined;
  #since: Instant = 0;
  readonly #parts = new Map<number, Uint8Array>();
  #count: number | undefined;
  #octets = 0;

  /**
   * @param body of a message whose first payload is a fragment.
   * @returns the whole message once it is there.
   * @throws DecodeError when the fragment is malformed or the message would be too long.
   */
  add(now: Instant, body: Uint8Array): Uint8Array | undefined {
    const payload = onlyBody(decodePayloads(PayloadType.fragment, body), PayloadType.fragment, 'Fragment');
    const reader = new ByteReader(payload);
    const fragmentId = reader.u16('Fragment ID');
    const number = reader.u8('Fragment Number');
    const last = (reader.u8('Fragment Flags') & LAST_FRAGMENT) !== 0;
    const data = reader.rest().slice();
    if (number < 1 || number > MAX_FRAGMENTS || data.length === 0) throw new DecodeError(`fragment number ${number}`);
    // Some peers give every message the same Fragment ID: another first fragment begins another message.
    const known = this.#parts.get(number);
    const other = known !== undefined && Buffer.compare(known, data) !== 0;
    if (fragmentId !== this.#fragmentId || now - this.#since > COLLECT_MS || other) this.#begin(now, fragmentId);
    if (!this.#parts.has(number)) this.#octets += data.length;
    if (this.#octets > MAX_MESSAGE_OCTETS) {
      this.#begin(now, undefined);
      throw new DecodeError('fragments of too long a message');
    }
    this.#parts.set(number, data);
    if (last) this.#count = number;
    return this.#complete(now);
  }

  #begin(now: Instant, fragmentId: number | undefined): void {
    this.#fragmentId = fragmentId;
    this.#since = now;
    this.#parts.clear();
    this.#count = undefined;
    this.#octets = 0;
  }

  #complete(now: Instant): Uint8Array | undefined {
    if (this.#count === undefined || this.#parts.size < this.#count) return undefined;
    const parts: Uint8Array[] = [];
    for (let number = 1; number <= this.#count; number += 1) {
      const part = this.#parts.get(number);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    this.#begin(now, undefined);
    return concatBytes(...parts);
  }
}
