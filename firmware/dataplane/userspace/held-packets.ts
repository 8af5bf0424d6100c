/** User packets that wait for a session or an SA of their interface: what an on-demand connection dials for is not lost. */
import type { IpPacket } from '../../protocol/esp/ip-packet.ts';
import { u8 } from '../../protocol/esp/octets.ts';
import type { Instant } from '../../protocol/machine.ts';
import type { InterfaceSpec } from '../data-plane.ts';
import type { GlobalDrops } from './forwarder-ports.ts';

/** First octets of IPv4 destinations from here on: multicast, reserved and the limited broadcast. */
const FIRST_MULTICAST = 224;
/** First octets of IPv6 multicast (RFC 4291 section 2.7), and of link-local unicast (section 2.4). */
const MULTICAST_6 = 0xff;
const LINK_LOCAL_6 = 0xfe;

interface Held {
  readonly packet: Uint8Array;
  readonly until: Instant;
}

export class HeldPackets {
  /** Somebody has been told that packets wait. */
  told = false;
  readonly #limits: NonNullable<InterfaceSpec['hold']>;
  readonly #drops: GlobalDrops;
  #held: Held[] = [];

  constructor(limits: NonNullable<InterfaceSpec['hold']>, drops: GlobalDrops) {
    this.#limits = limits;
    this.#drops = drops;
  }

  /** Keeps a copy of the packet; the oldest one gives way. */
  add(bytes: Uint8Array, { offset, length }: IpPacket, now: Instant): void {
    if (this.#held.length >= this.#limits.packets) {
      this.#held.shift();
      this.#drops.heldTooMany += 1;
    }
    this.#held.push({ packet: bytes.slice(offset, offset + length), until: now + this.#limits.milliseconds });
  }

  /** All that waits, in the order in which it came, and nothing waits any more. */
  takeAll(): readonly Uint8Array[] {
    const all = this.#held.map(({ packet }) => packet);
    this.#held = [];
    this.told = false;
    return all;
  }

  expire(now: Instant): void {
    const before = this.#held.length;
    if (before === 0) return;
    this.#held = this.#held.filter(({ until }) => now < until);
    this.#drops.heldTooLong += before - this.#held.length;
    if (this.#held.length === 0) this.told = false;
  }

  nextDeadline(): Instant | undefined {
    return this.#held[0]?.until;
  }
}

/** Whether somebody wants to reach somebody by the packet: what the kernel tells every link is no reason to dial. */
export function isWorthHolding(bytes: Uint8Array, { version, destinationAt }: IpPacket): boolean {
  const first = u8(bytes, destinationAt);
  return version === 4 ? first < FIRST_MULTICAST : first !== MULTICAST_6 && first !== LINK_LOCAL_6;
}
