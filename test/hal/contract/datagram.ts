/** IPv4 and UDP headers, by hand, for the kernel's side of a TUN. */
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

function encodeIpv4(source: string, destination: string, protocol: number, payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(20 + payload.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x45;
  view.setUint16(2, packet.length);
  packet[8] = 64;
  packet[9] = protocol;
  packet.set(parseIpAddress(source) ?? [], 12);
  packet.set(parseIpAddress(destination) ?? [], 16);
  view.setUint16(10, checksum(packet.subarray(0, 20)));
  packet.set(payload, 20);
  return packet;
}

/** RFC 1071. */
function checksum(octets: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < octets.length; index += 2) sum += ((octets[index] ?? 0) << 8) + (octets[index + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
