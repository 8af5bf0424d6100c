/** Datagrams put together from fragments (RFC 791 section 3.2, RFC 8200 section 4.5), within bounds. */
import { BoundedMap } from './bounded-map.ts';
import { type Octets, whole } from './field-reader.ts';
import type { IpPacket } from './ip-packet.ts';

/** Datagrams that are put together at a time; the oldest makes room. With the next limit: 16 MiB at most. */
const MAX_DATAGRAMS = 256;
/** Longest payload of a datagram, octets. */
const MAX_OCTETS = 65_535;
/** Fragments of one datagram: 64 KiB over links of 576 octets have 118. */
const MAX_FRAGMENTS = 512;
/** How long a datagram waits for its fragments, ms of the capture's time (RFC 8200 section 4.5). */
const TIMEOUT_MS = 60_000;
/** How often it is looked which have waited too long, ms of the capture's time. */
const LOOK_EVERY_MS = 1000;

/** A datagram some of whose fragments never came. */
export interface IncompleteDatagram {
  readonly packet: IpPacket;
  /** Of the last fragment that came. */
  readonly frame: number;
  readonly time: number;
  /** What there is from the beginning on; absent when the first fragment never came. */
  readonly start?: Octets;
  readonly why: string;
}

interface Part {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

interface Datagram {
  /** Of the first fragment that came, with the protocol of the one at offset 0 as soon as there is one. */
  packet: IpPacket;
  frame: number;
  time: number;
  readonly parts: Part[];
  /** Known since the last fragment came. */
  length: number | undefined;
  have: number;
}

export class Reassembler {
  readonly #datagrams: BoundedMap<string, Datagram>;
  readonly #givenUp: (datagram: IncompleteDatagram) => void;
  #lookAt = 0;

  /** @param givenUp is told of each datagram that will not be completed. */
  constructor(givenUp: (datagram: IncompleteDatagram) => void) {
    this.#givenUp = givenUp;
    this.#datagrams = new BoundedMap(MAX_DATAGRAMS, (datagram) => this.#giveUp(datagram, 'fragments are missing'));
  }

  /**
   * Takes a fragment. @returns the whole datagram when this one completed it.
   * @param link tells captures of different links apart, such as the inside of different SAs
   */
  add(packet: IpPacket, frame: number, time: number, link: string): IpPacket | undefined {
    const { fragment, payload } = packet;
    if (fragment === undefined) return packet;
    this.#expire(time);
    // Of the protocols only IPv4's is the same in all fragments.
    const protocol = packet.version === 4 ? packet.protocol : '';
    const key = `${link}|${packet.source}|${packet.destination}|${fragment.id}|${protocol}`;
    const datagram = this.#datagrams.get(key) ?? this.#begin(key, packet, frame, time);
    datagram.frame = frame;
    if (fragment.offset === 0) datagram.packet = packet;
    const trouble = payload.missing > 0 ? 'a fragment of it was cut short in the capture' : place(datagram, packet);
    if (trouble !== undefined) {
      this.#datagrams.delete(key);
      this.#giveUp(datagram, trouble);
      return undefined;
    }
    if (datagram.length === undefined || datagram.have < datagram.length) return undefined;
    this.#datagrams.delete(key);
    const { fragment: _, ...rest } = datagram.packet;
    return { ...rest, payload: whole(join(datagram.parts, datagram.length)) };
  }

  /** The capture has ended: nothing more will come. */
  end(): void {
    for (const [key, datagram] of [...this.#datagrams.entries()]) {
      this.#datagrams.delete(key);
      this.#giveUp(datagram, 'fragments are missing when the capture ends');
    }
  }

  #begin(key: string, packet: IpPacket, frame: number, time: number): Datagram {
    const datagram: Datagram = { packet, frame, time, parts: [], length: undefined, have: 0 };
    this.#datagrams.set(key, datagram);
    return datagram;
  }

  #expire(now: number): void {
    if (now < this.#lookAt) return;
    this.#lookAt = now + LOOK_EVERY_MS;
    for (const [key, datagram] of this.#datagrams.entries()) {
      if (now - datagram.time < TIMEOUT_MS) continue;
      this.#datagrams.delete(key);
      this.#giveUp(datagram, `fragments are missing after ${TIMEOUT_MS / 1000} s`);
    }
  }

  #giveUp({ packet, frame, time, parts }: Datagram, why: string): void {
    const sorted = [...parts].sort((a, b) => a.offset - b.offset);
    let end = 0;
    const first: Part[] = [];
    for (const part of sorted) {
      if (part.offset !== end) break;
      first.push(part);
      end += part.bytes.length;
    }
    const start = end === 0 ? {} : { start: { ...whole(join(first, end)), missing: 1 } };
    this.#givenUp({ packet, frame, time, why, ...start });
  }
}

/** Puts a fragment where it belongs. An exact repetition is nothing new. @returns what is wrong with it. */
function place(datagram: Datagram, { fragment, payload }: IpPacket): string | undefined {
  if (fragment === undefined) return undefined;
  const { offset, more } = fragment;
  const { bytes } = payload;
  const end = offset + bytes.length;
  if (end > MAX_OCTETS) return 'a fragment of it ends beyond 65535 octets';
  const same = datagram.parts.find((part) => part.offset === offset && part.bytes.length === bytes.length);
  if (same !== undefined) return undefined;
  if (bytes.length === 0 || (more && bytes.length % 8 !== 0)) return 'a fragment of it has an impossible length';
  if (datagram.parts.some((part) => part.offset < end && part.offset + part.bytes.length > offset)) {
    return 'fragments of it overlap';
  }
  if (datagram.parts.length >= MAX_FRAGMENTS) return `it has more than ${MAX_FRAGMENTS} fragments`;
  if (datagram.length === undefined ? false : end > datagram.length) return 'a fragment of it stands behind its end';
  if (!more) {
    if (datagram.parts.some((part) => part.offset + part.bytes.length > end)) return 'it ends before a fragment of it';
    datagram.length = end;
  }
  datagram.parts.push({ offset, bytes: bytes.slice() });
  datagram.have += bytes.length;
  return undefined;
}

function join(parts: readonly Part[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (const part of parts) bytes.set(part.bytes, part.offset);
  return bytes;
}
