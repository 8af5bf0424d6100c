/** UDP encapsulation of ESP (RFC 3948): what a datagram on port 4500 is, the non-ESP marker, and the NAT keepalive. */
import type { Instant, Machine } from '../machine.ts';
import { u8, u32 } from './octets.ts';
import { ESP_HEADER } from './packet.ts';

/** Zeros where an ESP packet has its SPI: an IKE message follows (section 2.2). Octets. */
export const NON_ESP_MARKER_OCTETS = 4;

/** The one octet of a NAT keepalive (section 2.3). */
const KEEPALIVE_OCTET = 0xff;

/** Silence after which a NAT keepalive is sent (section 4), seconds. */
export const DEFAULT_KEEPALIVE_SECONDS = 20;

/** `esp`: at least a header long, SPI not zero. `malformed`: nothing that anybody should have sent. */
export type EncapsulatedKind = 'esp' | 'ike' | 'keepalive' | 'malformed';

/** What the datagram `bytes[at..at+length)` on the port of UDP encapsulation is. */
export function classifyEncapsulated(bytes: Uint8Array, at: number, length: number): EncapsulatedKind {
  if (length === 1) return u8(bytes, at) === KEEPALIVE_OCTET ? 'keepalive' : 'malformed';
  if (length < NON_ESP_MARKER_OCTETS) return 'malformed';
  if (u32(bytes, at) === 0) return 'ike';
  return length < ESP_HEADER ? 'malformed' : 'esp';
}

/** An IKE message as it goes out on that port. A copy; each fragment wants one of its own. */
export function withNonEspMarker(message: Uint8Array): Uint8Array {
  const datagram = new Uint8Array(NON_ESP_MARKER_OCTETS + message.length);
  datagram.set(message, NON_ESP_MARKER_OCTETS);
  return datagram;
}

/** The datagram of a NAT keepalive. */
export function natKeepalive(): Uint8Array {
  return Uint8Array.of(KEEPALIVE_OCTET);
}

/** Says when a NAT keepalive is due: after silence in the direction to the peer (section 4). */
export class NatKeepaliveTimer implements Machine<{ readonly kind: 'send-keepalive' }> {
  readonly #interval: number;
  #dueAt: Instant;
  #due = false;

  /** @param seconds of silence, above zero. */
  constructor(now: Instant, seconds: number = DEFAULT_KEEPALIVE_SECONDS) {
    this.#interval = seconds * 1000;
    this.#dueAt = now + this.#interval;
  }

  /** Something went to the peer on this path: ESP or IKE. */
  sent(now: Instant): void {
    this.#dueAt = now + this.#interval;
  }

  tick(now: Instant): void {
    if (now < this.#dueAt) return;
    this.#due = true;
    this.#dueAt = now + this.#interval;
  }

  nextDeadline(): Instant {
    return this.#dueAt;
  }

  poll(): { readonly kind: 'send-keepalive' } | undefined {
    if (!this.#due) return undefined;
    this.#due = false;
    return { kind: 'send-keepalive' };
  }
}
