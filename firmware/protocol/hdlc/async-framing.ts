/**
 * PPP on an asynchronous line: octet-stuffed framing (RFC 1662 section 4). A frame here is what stands between the flags without its FCS:
 * the PPP header as it was sent (FF 03 or compressed away) and the information field.
 *
 * The data plane runs this for every user packet: nothing is allocated for an octet or a frame.
 */
import { PPP_LCP } from '../ppp/protocol-numbers.ts';
import { FCS16_GOOD, FCS16_INITIAL, FCS16_TABLE } from './fcs16.ts';

const FLAG = 0x7e;
const ESCAPE = 0x7d;
/** What an escaped octet is turned with (section 4.2). */
const TURN = 0x20;
const FCS_OCTETS = 2;

/** The Async-Control-Character-Map until LCP agrees on another: every control character is escaped (section 7.1). */
export const DEFAULT_ACCM = 0xffffffff;
/** Below it, with its FCS, a frame is none (section 4.3). */
const SHORTEST = 4;

/** Octets that the longest coding of a frame of `length` octets takes: each escaped, two flags, an FCS. */
export function longestCoding(length: number): number {
  return 2 * (length + FCS_OCTETS) + 2;
}

/** Codes frames. */
export class AsyncFrameEncoder {
  readonly #everything = escapesOf(DEFAULT_ACCM);
  #negotiated = this.#everything;
  #accm = DEFAULT_ACCM;

  /**
   * What the peer asked to have escaped, 0..2^32-1: bit n for octet n. LCP is coded as if it were {@link DEFAULT_ACCM} for ever, since
   * the peer may have lost what was agreed (section 7.1).
   */
  get accm(): number {
    return this.#accm;
  }

  set accm(accm: number) {
    this.#accm = accm >>> 0;
    this.#negotiated = escapesOf(this.#accm);
  }

  /**
   * Writes the frame `frame[start..end)` with its FCS between two flags to `out` from `at` on, where {@link longestCoding} octets must
   * have room. `out` must not be the buffer of `frame`.
   *
   * @returns where it ends. @throws RangeError when there may be no room.
   */
  write(frame: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    if (start < 0 || end > frame.length || start > end) throw new RangeError('The frame is not inside its buffer.');
    if (at < 0 || out.length - at < longestCoding(end - start))
      throw new RangeError(`A frame of ${end - start} octets may need ${longestCoding(end - start)} octets of room.`);
    const escapes = isLcp(frame, start, end) ? this.#everything : this.#negotiated;
    let to = at;
    let fcs = FCS16_INITIAL;
    out[to++] = FLAG;
    for (let from = start; from < end; from++) {
      const octet = frame[from] as number;
      fcs = (fcs >>> 8) ^ (FCS16_TABLE[(fcs ^ octet) & 0xff] as number);
      if (escapes[octet] === 1) {
        out[to++] = ESCAPE;
        out[to++] = octet ^ TURN;
      } else {
        out[to++] = octet;
      }
    }
    const check = fcs ^ 0xffff;
    for (let shift = 0; shift <= 8; shift += 8) {
      const octet = (check >>> shift) & 0xff;
      if (escapes[octet] === 1) {
        out[to++] = ESCAPE;
        out[to++] = octet ^ TURN;
      } else {
        out[to++] = octet;
      }
    }
    out[to++] = FLAG;
    return to;
  }
}

/** What a decoder has seen. Octets between two flags are counted once, as a frame or as one of the others. */
export interface AsyncFramingCounters {
  frames: number;
  /** Damaged on the line. */
  badFcs: number;
  /** Longer than the decoder takes; the rest up to the next flag is passed over. */
  tooLong: number;
  /** Fewer than four octets with the FCS; the flags that fill time between frames are not counted. */
  tooShort: number;
  /** Ended by an escape before the flag: the sender gave the frame up (section 4.3). */
  aborted: number;
}

/** Takes a line's octets in pieces of any size and gives frames. */
export class AsyncFrameDecoder {
  readonly #buffer: Uint8Array;
  readonly #onFrame: (buffer: Uint8Array, length: number) => void;
  readonly counters: AsyncFramingCounters = { frames: 0, badFcs: 0, tooLong: 0, tooShort: 0, aborted: 0 };
  /** Octets in the buffer; below 0 while everything up to the next flag is passed over. */
  #length = -1;
  #fcs = FCS16_INITIAL;
  #escaped = false;
  /** By octet: 1 where an octet that was not escaped is thrown away, since something on the way put it there (section 4.2). */
  #dropped = droppedOf(DEFAULT_ACCM);
  #accm = DEFAULT_ACCM;
  /**
   * Called when the modem says `NO CARRIER` where a frame would begin: the call has ended, and the line is back with the modem's
   * commands. Looked for at the end of each piece only.
   */
  onNoCarrier: (() => void) | undefined;

  /**
   * @param longest octets of a frame without its FCS, at least 1.
   * @param onFrame gets each good frame: the first `length` octets of `buffer`, which are the decoder's again when it returns.
   */
  constructor(longest: number, onFrame: (buffer: Uint8Array, length: number) => void) {
    if (!Number.isInteger(longest) || longest < 1) throw new RangeError(`${longest} is no length of a frame.`);
    this.#buffer = new Uint8Array(longest + FCS_OCTETS);
    this.#onFrame = onFrame;
  }

  /** What we asked the peer to escape, 0..2^32-1: control characters in it that come bare are no part of a frame. */
  get accm(): number {
    return this.#accm;
  }

  set accm(accm: number) {
    this.#accm = accm >>> 0;
    this.#dropped = droppedOf(this.#accm);
  }

  /** Takes `octets[start..end)`. What `onFrame` throws leaves the decoder at the next frame and the rest of the piece unread. */
  push(octets: Uint8Array, start = 0, end: number = octets.length): void {
    const buffer = this.#buffer;
    const room = buffer.length;
    const dropped = this.#dropped;
    let length = this.#length;
    let fcs = this.#fcs;
    let escaped = this.#escaped;
    for (let at = start; at < end; at++) {
      let octet = octets[at] as number;
      if (octet === FLAG) {
        this.#length = 0;
        this.#fcs = FCS16_INITIAL;
        this.#escaped = false;
        this.#flag(length, fcs, escaped);
        length = 0;
        fcs = FCS16_INITIAL;
        escaped = false;
        continue;
      }
      if (length < 0 || dropped[octet] === 1) continue;
      if (octet === ESCAPE) {
        escaped = true;
        continue;
      }
      if (escaped) {
        octet ^= TURN;
        escaped = false;
      }
      if (length === room) {
        this.counters.tooLong += 1;
        length = -1;
        continue;
      }
      buffer[length++] = octet;
      fcs = (fcs >>> 8) ^ (FCS16_TABLE[(fcs ^ octet) & 0xff] as number);
    }
    this.#length = length;
    this.#fcs = fcs;
    this.#escaped = escaped;
    if (this.onNoCarrier !== undefined && length >= NO_CARRIER.length && saysNoCarrier(buffer, length)) {
      this.#length = -1;
      this.onNoCarrier();
    }
  }

  /** What a flag ends: octets that were collected, or nothing. */
  #flag(length: number, fcs: number, escaped: boolean): void {
    if (length < 0) return;
    if (escaped) {
      this.counters.aborted += 1;
    } else if (length < SHORTEST) {
      if (length > 0) this.counters.tooShort += 1;
    } else if (fcs !== FCS16_GOOD) {
      this.counters.badFcs += 1;
    } else {
      this.counters.frames += 1;
      this.#onFrame(this.#buffer, length - FCS_OCTETS);
    }
  }
}

function escapesOf(accm: number): Uint8Array {
  const table = droppedOf(accm);
  table[FLAG] = 1;
  table[ESCAPE] = 1;
  return table;
}

function droppedOf(accm: number): Uint8Array {
  const table = new Uint8Array(256);
  for (let octet = 0; octet < 32; octet++) table[octet] = (accm >>> octet) & 1;
  return table;
}

function isLcp(frame: Uint8Array, start: number, end: number): boolean {
  const at = frame[start] === 0xff && frame[start + 1] === 0x03 ? start + 2 : start;
  return end - at >= 2 && (((frame[at] as number) << 8) | (frame[at + 1] as number)) === PPP_LCP;
}

const NO_CARRIER = Uint8Array.from('NO CARRIER', (character) => character.charCodeAt(0));

/** Carriage returns and line feeds before it are there or were thrown away as control characters. No frame of PPP begins so. */
function saysNoCarrier(buffer: Uint8Array, length: number): boolean {
  let at = 0;
  while (at < length && (buffer[at] === 0x0d || buffer[at] === 0x0a)) at += 1;
  if (length - at < NO_CARRIER.length) return false;
  for (let i = 0; i < NO_CARRIER.length; i++) if (buffer[at + i] !== NO_CARRIER[i]) return false;
  return true;
}
