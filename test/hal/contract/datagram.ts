/** IP, ICMP and UDP headers, by hand, for the kernel's side of a TUN. */
import { formatIpAddress, parseIpAddress } from '../../../hal/ip-address.ts';

export interface Ipv4Udp {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  readonly dontFragment: boolean;
  readonly payload: Uint8Array;
}

const PROTOCOL_ICMP = 1;
const PROTOCOL_UDP = 17;
const PROTOCOL_ICMPV6 = 58;
export const PROTOCOL_ESP = 50;

/** An IPv4 packet (RFC 791) with a UDP datagram (RFC 768), without UDP checksum. */
export function encodeIpv4Udp(datagram: Omit<Ipv4Udp, 'dontFragment'>): Uint8Array {
  const udp = new Uint8Array(8 + datagram.payload.length);
  const view = new DataView(udp.buffer);
  view.setUint16(0, datagram.sourcePort);
  view.setUint16(2, datagram.destinationPort);
  view.setUint16(4, udp.length);
  udp.set(datagram.payload, 8);
  return encodeIpv4(datagram.source, datagram.destination, PROTOCOL_UDP, udp);
}

/** @returns `undefined` when the packet is something else. */
export function decodeIpv4Udp(packet: Uint8Array): Ipv4Udp | undefined {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  if (packet.length < 28 || packet[0] !== 0x45 || packet[9] !== PROTOCOL_UDP) return undefined;
  return {
    source: formatIpAddress(packet.slice(12, 16)),
    sourcePort: view.getUint16(20),
    destination: formatIpAddress(packet.slice(16, 20)),
    destinationPort: view.getUint16(22),
    dontFragment: (view.getUint16(6) & 0x4000) !== 0,
    payload: packet.slice(28),
  };
}

/** An ICMP "destination unreachable" (RFC 792, RFC 1191) about `packet`, from `reporter` to the packet's sender. */
export function encodeUnreachable(packet: Uint8Array, reporter: string, code: number, mtu: number): Uint8Array {
  const quoted = packet.slice(0, 28);
  const icmp = new Uint8Array(8 + quoted.length);
  const view = new DataView(icmp.buffer);
  icmp[0] = 3;
  icmp[1] = code;
  view.setUint16(6, mtu);
  icmp.set(quoted, 8);
  view.setUint16(2, checksum(icmp));
  return encodeIpv4(reporter, formatIpAddress(packet.slice(12, 16)), PROTOCOL_ICMP, icmp);
}

/** An ICMPv6 "packet too big" (RFC 4443 section 3.2) about `packet`, from `reporter` to the packet's sender. */
export function encodePacketTooBig(packet: Uint8Array, reporter: string, mtu: number): Uint8Array {
  const quoted = packet.slice(0, 1232);
  const icmp = new Uint8Array(8 + quoted.length);
  const view = new DataView(icmp.buffer);
  icmp[0] = 2;
  view.setUint32(4, mtu);
  icmp.set(quoted, 8);
  const destination = formatIpAddress(packet.slice(8, 24));
  // RFC 4443 section 2.3: the checksum is over a pseudo-header too.
  const pseudo = new Uint8Array(40 + icmp.length);
  pseudo.set(parseIpAddress(reporter) ?? [], 0);
  pseudo.set(parseIpAddress(destination) ?? [], 16);
  new DataView(pseudo.buffer).setUint32(32, icmp.length);
  pseudo[39] = PROTOCOL_ICMPV6;
  pseudo.set(icmp, 40);
  view.setUint16(2, checksum(pseudo));
  return encodeIpv6(reporter, destination, PROTOCOL_ICMPV6, icmp);
}

/** An IPv6 packet (RFC 8200 section 3) without extension headers. */
export function encodeIpv6(
  source: string,
  destination: string,
  nextHeader: number,
  payload: Uint8Array,
  trafficClass = 0,
): Uint8Array {
  const packet = new Uint8Array(40 + payload.length);
  const view = new DataView(packet.buffer);
  view.setUint32(0, (6 << 28) | (trafficClass << 20));
  view.setUint16(4, payload.length);
  packet[6] = nextHeader;
  packet[7] = 64;
  packet.set(parseIpAddress(source) ?? [], 8);
  packet.set(parseIpAddress(destination) ?? [], 24);
  packet.set(payload, 40);
  return packet;
}

/** @param options of the header: a multiple of 4 octets. */
export function encodeIpv4(
  source: string,
  destination: string,
  protocol: number,
  payload: Uint8Array,
  { trafficClass = 0, options = new Uint8Array(0) } = {},
): Uint8Array {
  const header = 20 + options.length;
  const packet = new Uint8Array(header + payload.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x40 | (header / 4);
  packet[1] = trafficClass;
  view.setUint16(2, packet.length);
  packet[8] = 64;
  packet[9] = protocol;
  packet.set(parseIpAddress(source) ?? [], 12);
  packet.set(parseIpAddress(destination) ?? [], 16);
  packet.set(options, 20);
  view.setUint16(10, checksum(packet.subarray(0, header)));
  packet.set(payload, header);
  return packet;
}

/** RFC 1071. */
function checksum(octets: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < octets.length; index += 2) sum += ((octets[index] ?? 0) << 8) + (octets[index + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
