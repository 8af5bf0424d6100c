/** PPP on an asynchronous line (RFC 1662), with a bounded queue for what the line does not take at once. */
import { HalError } from '../../../hal/hal-error.ts';
import type { OctetLine } from '../../../hal/octet-line.ts';
import { AsyncFrameDecoder, AsyncFrameEncoder, longestCoding } from '../../protocol/hdlc/async-framing.ts';
import type { Instant } from '../../protocol/machine.ts';
import { clause, type Line, type LineHost } from './line.ts';

/** Octets read at once, and how often in one turn. */
const CHUNK = 8192;
const CHUNKS = 16;
/** Octets of the longest frame either way: a user packet of any MTU that a serial line has, or a control frame. */
const LONGEST_FRAME = 9216;
/**
 * Octets of user packets that may wait, as they are coded: some 10 ms of a fast modem and half a second of a slow one. More are
 * dropped, which is what tells their senders to slow down.
 */
const USER_ROOM = 64 * 1024;
/** The same for control frames, which are never dropped: with so many the line takes nothing any more, and is given up. */
const CONTROL_ROOM = 256 * 1024;

export class SerialCarrier implements Line {
  readonly #line: OctetLine;
  readonly #host: LineHost;
  readonly #encoder = new AsyncFrameEncoder();
  readonly #decoder: AsyncFrameDecoder;
  readonly #chunk = new Uint8Array(CHUNK);
  readonly #coded = new Uint8Array(longestCoding(LONGEST_FRAME));
  /** The rest of a frame that the line has begun to take. */
  #rest: Uint8Array | undefined;
  readonly #control: Uint8Array[] = [];
  #controlOctets = 0;
  readonly #user: Uint8Array[] = [];
  #userOctets = 0;
  #now: Instant = 0;
  #lost = false;

  constructor(line: OctetLine, host: LineHost) {
    this.#line = line;
    this.#host = host;
    this.#decoder = new AsyncFrameDecoder(LONGEST_FRAME, (buffer, length) => host.frame(buffer, 0, length, this.#now));
    // We ask for it in LCP, and the peer may begin with the very next frame: before this side has noticed that LCP is opened.
    this.#decoder.accm = 0;
    this.#decoder.onNoCarrier = () => this.#lose('the modem says NO CARRIER: the call has ended');
  }

  get handle(): number {
    return this.#line.handle;
  }

  serve(now: Instant): void {
    this.#now = now;
    if (this.#waits) this.#flush();
    for (let count = 0; count < CHUNKS && !this.#lost; count++) {
      const length = this.#line.read(this.#chunk);
      if (length < 0) return;
      this.#decoder.push(this.#chunk, 0, length);
    }
  }

  send(bytes: Uint8Array, start: number, end: number, control: boolean): boolean {
    if (this.#lost || end - start > LONGEST_FRAME) return false;
    if (!control && this.#userOctets >= USER_ROOM) return false;
    const length = this.#encoder.write(bytes, start, end, this.#coded, 0);
    const taken = this.#waits ? 0 : this.#write(this.#coded.subarray(0, length));
    if (taken === length) return true;
    const left = this.#coded.slice(taken, length);
    if (taken > 0) this.#rest = left;
    else if (control) this.#queueControl(left);
    else {
      this.#user.push(left);
      this.#userOctets += left.length;
    }
    this.#host.awaitRoom(true);
    return true;
  }

  setPeerAccm(map: number): void {
    if (this.#encoder.accm !== map >>> 0) this.#encoder.accm = map;
  }

  close(): void {
    // The descriptor is its owner's.
    this.#rest = undefined;
    this.#control.length = 0;
    this.#user.length = 0;
  }

  get #waits(): boolean {
    return this.#rest !== undefined || this.#control.length > 0 || this.#user.length > 0;
  }

  #queueControl(frame: Uint8Array): void {
    this.#control.push(frame);
    this.#controlOctets += frame.length;
    if (this.#controlOctets > CONTROL_ROOM) this.#lose('the line takes nothing any more');
  }

  /** Sends what waits, control frames first, as far as the line takes it. */
  #flush(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const taken = this.#write(next);
      if (this.#lost) return;
      if (taken < next.length) {
        this.#rest = taken === 0 ? next : next.subarray(taken);
        return;
      }
    }
    this.#host.awaitRoom(false);
  }

  #next(): Uint8Array | undefined {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) return rest;
    const control = this.#control.shift();
    if (control !== undefined) {
      this.#controlOctets -= control.length;
      return control;
    }
    const user = this.#user.shift();
    this.#userOctets -= user?.length ?? 0;
    return user;
  }

  /** @returns octets taken; of a line that is lost, all. */
  #write(octets: Uint8Array): number {
    try {
      return this.#line.write(octets);
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      this.#lose(clause(error));
      return octets.length;
    }
  }

  #lose(reason: string): void {
    this.#lost = true;
    this.#host.ended(reason);
  }
}
