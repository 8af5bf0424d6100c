/**
 * Packets of ESP or AH that are here before their SA. Who answers CREATE_CHILD_SA or IKE_AUTH may send on the new SA at
 * once (RFC 7296 section 2.8), and such a packet needs no key exchange to be computed: it is at the engine while the
 * control thread still reads the answer. Libreswan sends so even before it answers Quick Mode.
 */
import type { Instant } from '../../protocol/machine.ts';
import type { SocketId } from '../data-plane.ts';
import type { Standing } from './control-queue.ts';
import type { DatagramOrigin, GlobalDrops } from './forwarder-ports.ts';
import { HEADROOM, TAILROOM } from './packet-room.ts';

/** How long a packet waits, ms: a large Diffie-Hellman group on a slow board, behind other work. */
export const EARLY_MS = 500;
/** At once of one peer that has an SA, and of all of them: one that sends on an SA that was lost leaves room for others. */
const OF_A_PEER = 64;
const OF_PEERS = 256;
/** Of all others, who may be anybody: a first SA has few packets before it. */
const OF_STRANGERS = 16;
/** Longer ones do not wait, octets. */
const LONGEST = 9216;

export interface EarlyPacket {
  readonly socket: SocketId;
  readonly spi: number;
  /** With free octets around it, as `packet-room.ts` has it. */
  readonly bytes: Uint8Array;
  readonly origin: DatagramOrigin;
  readonly standing: Standing;
  readonly until: Instant;
}

export class EarlyPackets {
  readonly #drops: GlobalDrops;
  #waiting: EarlyPacket[] = [];

  /** @param drops has `unknownSpi`, to which those come that waited in vain or found no room. */
  constructor(drops: GlobalDrops) {
    this.#drops = drops;
  }

  /** Keeps a copy of `bytes[origin.offset..+origin.length)`, if there is room: what came first stays. */
  add(
    socket: SocketId,
    spi: number,
    bytes: Uint8Array,
    origin: DatagramOrigin,
    standing: Standing,
    now: Instant,
  ): void {
    const { offset, length, remoteAddress } = origin;
    if (length > LONGEST || !this.#hasRoom(standing, remoteAddress)) {
      this.#drops.unknownSpi += 1;
      return;
    }
    const copy = new Uint8Array(HEADROOM + length + TAILROOM);
    copy.set(bytes.subarray(offset, offset + length), HEADROOM);
    const moved = { ...origin, offset: HEADROOM };
    this.#waiting.push({ socket, spi, bytes: copy, origin: moved, standing, until: now + EARLY_MS });
  }

  #hasRoom(standing: Standing, remoteAddress: string): boolean {
    const alike = this.#waiting.filter((packet) => packet.standing === standing);
    if (standing === 'stranger') return alike.length < OF_STRANGERS;
    if (alike.length >= OF_PEERS) return false;
    return alike.filter(({ origin }) => origin.remoteAddress === remoteAddress).length < OF_A_PEER;
  }

  /** Those of the SPI, in the order in which they came; they wait no more. */
  take(spi: number): readonly EarlyPacket[] {
    if (this.#waiting.length === 0) return [];
    const its = this.#waiting.filter((packet) => packet.spi === spi);
    if (its.length > 0) this.#waiting = this.#waiting.filter((packet) => packet.spi !== spi);
    return its;
  }

  nextDeadline(): Instant | undefined {
    return this.#waiting[0]?.until;
  }

  expire(now: Instant): void {
    const before = this.#waiting.length;
    if (before === 0) return;
    this.#waiting = this.#waiting.filter(({ until }) => now < until);
    this.#drops.unknownSpi += before - this.#waiting.length;
  }
}
