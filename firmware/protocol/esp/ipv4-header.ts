/** The outer IPv4 header of native ESP (RFC 791, RFC 4303 section 3.1), checked once for both modes. */

import type { OuterHeader } from './inbound-sa.ts';
import { type IpPacket, readIpPacket } from './ip-packet.ts';
import { u8 } from './octets.ts';
import { ESP } from './packet.ts';

/** An outer header whose addresses are copied in, never allocated. */
export interface OuterIpv4 extends OuterHeader {
  readonly local: Uint8Array;
  readonly remote: Uint8Array;
}

/** A fresh one. */
export function newOuterIpv4(): OuterIpv4 {
  return { local: new Uint8Array(4), remote: new Uint8Array(4), trafficClass: 0 };
}

/**
 * Reads the outer IPv4 packet `bytes[at..at+length)` that arrived here.
 * @returns false when it is no whole IPv4 packet of protocol ESP. A fragment is not (RFC 4303 section 3.4.1).
 */
export function readOuterIpv4(
  bytes: Uint8Array,
  at: number,
  length: number,
  packet: IpPacket,
  outer: OuterIpv4,
): boolean {
  if (!readIpPacket(bytes, at, at + length, packet) || packet.version !== 4) return false;
  if (packet.protocol !== ESP || packet.fragment) return false;
  for (let i = 0; i < 4; i++) {
    outer.local[i] = u8(bytes, packet.destinationAt + i);
    outer.remote[i] = u8(bytes, packet.sourceAt + i);
  }
  outer.trafficClass = u8(bytes, at + 1);
  return true;
}
