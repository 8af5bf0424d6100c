/** IPv6 packets of the control plane as bare PPP frames: router discovery is carried like user packets. */
import { PPP_IPV6 } from '../../protocol/ppp/protocol-numbers.ts';

/** Octets of the protocol number. */
const PROTOCOL = 2;

export function isIpv6Frame(frame: Uint8Array): boolean {
  return frame[0] === PPP_IPV6 >>> 8 && frame[1] === (PPP_IPV6 & 0xff);
}

export function packetOf(frame: Uint8Array): Uint8Array {
  return frame.subarray(PROTOCOL);
}

export function userFrame(packet: Uint8Array): Uint8Array {
  const frame = new Uint8Array(PROTOCOL + packet.length);
  frame[0] = PPP_IPV6 >>> 8;
  frame[1] = PPP_IPV6 & 0xff;
  frame.set(packet, PROTOCOL);
  return frame;
}
