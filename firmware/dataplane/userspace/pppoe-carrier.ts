/** PPP in session frames of PPPoE (RFC 2516 section 6). */
import { type EthernetFrameInfo, type EthernetSocket, newEthernetFrameInfo } from '../../../hal/ethernet-socket.ts';
import type { Instant } from '../../protocol/machine.ts';
import { PPPOE_HEADER, putSessionHeader, sessionFrameLength, sessionIdOf } from '../../protocol/pppoe/packet.ts';
import type { Line, LineHost } from './line.ts';

/** Frames taken in one turn, as of a socket. */
const BATCH = 64;
/** Octets of the largest Ethernet payload that is taken, jumbo frames included. */
const LARGEST_FRAME = 9216;

export class PppoeCarrier implements Line {
  readonly #socket: EthernetSocket;
  readonly #peerMac: Uint8Array;
  readonly #sessionId: number;
  readonly #host: LineHost;
  readonly #frame = new Uint8Array(LARGEST_FRAME);
  readonly #info: EthernetFrameInfo = newEthernetFrameInfo();

  constructor(socket: EthernetSocket, peerMac: Uint8Array, sessionId: number, host: LineHost) {
    this.#socket = socket;
    this.#peerMac = peerMac;
    this.#sessionId = sessionId;
    this.#host = host;
  }

  get handle(): number {
    return this.#socket.handle;
  }

  serve(now: Instant): void {
    for (let count = 0; count < BATCH; count++) {
      if (!this.#socket.receive(this.#frame, this.#info)) return;
      this.#take(now);
    }
  }

  /** A refusal is the network's: full queue, cable out. */
  send(bytes: Uint8Array, start: number, end: number): boolean {
    // Without Address and Control fields (section 6), whoever put them there.
    const ppp = bytes[start] === 0xff && bytes[start + 1] === 0x03 ? start + 2 : start;
    const at = ppp - PPPOE_HEADER;
    putSessionHeader(bytes, at, this.#sessionId, end - ppp);
    return this.#socket.send(this.#peerMac, bytes.subarray(at, end)) === undefined;
  }

  setPeerAccm(): void {
    // Nothing is escaped here.
  }

  close(): void {
    this.#socket.close();
  }

  #take(now: Instant): void {
    const { length, source } = this.#info;
    const ppp = length > LARGEST_FRAME ? -1 : sessionFrameLength(this.#frame, 0, length);
    if (ppp < 0) {
      this.#host.drop('malformed');
    } else if (!isSame(source, this.#peerMac)) {
      this.#host.drop('wrongPeer');
    } else if (sessionIdOf(this.#frame, 0) !== this.#sessionId) {
      this.#host.otherSession(sessionIdOf(this.#frame, 0), now);
    } else {
      this.#host.frame(this.#frame, PPPOE_HEADER, PPPOE_HEADER + ppp, now);
    }
  }
}

/** Of two MAC addresses. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  for (let index = 0; index < 6; index++) if (a[index] !== b[index]) return false;
  return true;
}
