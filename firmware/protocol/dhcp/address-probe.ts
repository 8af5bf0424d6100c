/**
 * Whether an address is somebody else's already, and telling everybody that it is ours (RFC 5227 sections 2.1.1 and 2.3).
 *
 * The RFC's pauses add up to seven seconds, for address takers by the thousand. Here a server has just said whose the address is,
 * and an uplink is waiting: the same number of probes goes out within a second.
 */
import type { Instant } from '../machine.ts';
import { type ArpPacket, decodeArp, encodeArp } from './arp-packet.ts';

/** PROBE_NUM, and milliseconds between two of them, and after the last. */
const PROBES = 3;
const PROBE_INTERVAL = 200;
/** ANNOUNCE_NUM and ANNOUNCE_INTERVAL, ms. */
const ANNOUNCEMENTS = 2;
const ANNOUNCE_INTERVAL = 2000;

const NOBODY = new Uint8Array(6);

/** What a look at the time brought: a packet for everybody, or that the address is free. */
export type ProbeOutput = { readonly packet: Uint8Array } | 'free';

export class AddressProbe {
  readonly address: number;
  readonly #mac: Uint8Array;
  #probes = 0;
  #announcements = 0;
  #free = false;
  #due: Instant;

  /** @param address unsigned. @param mac ours, 6 octets. */
  constructor(now: Instant, address: number, mac: Uint8Array) {
    this.address = address;
    this.#mac = mac;
    this.#due = now;
  }

  /** `undefined`: everything was said. */
  get deadline(): Instant | undefined {
    return this.#announcements === ANNOUNCEMENTS ? undefined : this.#due;
  }

  /** Whether nobody has claimed the address while it was probed. */
  get isFree(): boolean {
    return this.#free;
  }

  /** What is due by now; `undefined`: nothing. */
  next(now: Instant): ProbeOutput | undefined {
    if (this.deadline === undefined || now < this.#due) return undefined;
    if (this.#probes < PROBES) {
      this.#probes += 1;
      this.#due = now + PROBE_INTERVAL;
      return { packet: this.#request(0) };
    }
    if (!this.#free) {
      this.#free = true;
      return 'free';
    }
    this.#announcements += 1;
    this.#due = now + ANNOUNCE_INTERVAL;
    return { packet: this.#request(this.address) };
  }

  /**
   * @returns the MAC of somebody who has the address, or probes for it as we do; `undefined`: nobody.
   * Once it is ours, nobody is asked any more: what the kernel's neighbours do about it is the kernel's.
   */
  conflict(bytes: Uint8Array): Uint8Array | undefined {
    if (this.#free) return undefined;
    let arp: ArpPacket;
    try {
      arp = decodeArp(bytes);
    } catch {
      return undefined;
    }
    const { senderMac, senderAddress, targetAddress, operation } = arp;
    if (Buffer.compare(senderMac, this.#mac) === 0) return undefined;
    const probesToo = operation === 'request' && senderAddress === 0 && targetAddress === this.address;
    return senderAddress === this.address || probesToo ? senderMac : undefined;
  }

  #request(senderAddress: number): Uint8Array {
    const target = { targetMac: NOBODY, targetAddress: this.address };
    return encodeArp({ operation: 'request', senderMac: this.#mac, senderAddress, ...target });
  }
}
