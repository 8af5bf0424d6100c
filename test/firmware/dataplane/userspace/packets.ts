/** Builds and checks inner packets for the tests of this folder. Checksums are computed the plain way (RFC 1071). */
import { parseIpv6 } from '../../../../firmware/protocol/ip-address.ts';

/** `192.0.2.1` as an unsigned number. */
export function ipv4(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** The Internet checksum over `bytes`, the last odd octet padded with zero. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

export interface Ipv4Options {
  readonly source?: string;
  readonly destination?: string;
  readonly protocol?: number;
  /** Octets of IP options, a multiple of 4. */
  readonly options?: number;
  /** Flags and fragment offset field. */
  readonly fragment?: number;
  readonly payload?: Uint8Array;
}

/** An IPv4 packet with a right header checksum. */
export function ipv4Packet(options: Ipv4Options = {}): Uint8Array {
  const headerLength = 20 + (options.options ?? 0);
  const payload = options.payload ?? Uint8Array.of(1, 2, 3, 4);
  const packet = Buffer.alloc(headerLength + payload.length);
  packet[0] = 0x40 | (headerLength / 4);
  packet.writeUInt16BE(packet.length, 2);
  packet.writeUInt16BE(options.fragment ?? 0, 6);
  packet[8] = 64;
  packet[9] = options.protocol ?? 17;
  packet.writeUInt32BE(ipv4(options.source ?? '10.99.0.1'), 12);
  packet.writeUInt32BE(ipv4(options.destination ?? '10.99.0.2'), 16);
  packet.fill(1, 20, headerLength);
  packet.writeUInt16BE(internetChecksum(packet.subarray(0, headerLength)), 10);
  packet.set(payload, headerLength);
  return new Uint8Array(packet);
}

/** An IPv6 packet, from 2001:db8::1 to 2001:db8::2 unless told; `next` is the first header's number. */
export function ipv6Packet(
  next: number,
  payload: Uint8Array,
  {
    source = '2001:db8::1',
    destination = '2001:db8::2',
  }: { readonly source?: string; readonly destination?: string } = {},
): Uint8Array {
  const packet = Buffer.alloc(40 + payload.length);
  packet[0] = 0x60;
  packet.writeUInt16BE(payload.length, 4);
  packet[6] = next;
  packet[7] = 64;
  packet.set(ipv6(source), 8);
  packet.set(ipv6(destination), 24);
  packet.set(payload, 40);
  return new Uint8Array(packet);
}

/** The sixteen octets of an IPv6 address. */
export function ipv6(address: string): Uint8Array {
  const groups = parseIpv6(address) ?? [];
  return Uint8Array.from(groups.flatMap((group) => [group >>> 8, group & 0xff]));
}

/** A TCP segment without a checksum; `options` is padded with End of Option List to a multiple of 4. */
export function tcpSegment(
  flags: number,
  options: readonly number[] = [],
  data: Uint8Array = new Uint8Array(),
): Uint8Array {
  const optionsLength = Math.ceil(options.length / 4) * 4;
  const segment = Buffer.alloc(20 + optionsLength + data.length);
  segment.writeUInt16BE(40_000, 0);
  segment.writeUInt16BE(443, 2);
  segment.writeUInt32BE(0x01020304, 4);
  segment[12] = ((20 + optionsLength) / 4) << 4;
  segment[13] = flags;
  segment.writeUInt16BE(64_000, 14);
  segment.set(options, 20);
  segment.set(data, 20 + optionsLength);
  return new Uint8Array(segment);
}

/**
 * The TCP checksum that the packet should carry, over the pseudo header (RFC 9293 section 3.1, RFC 8200 section 8.1).
 */
export function rightTcpChecksum(packet: Uint8Array, tcpOffset: number): number {
  const segment = packet.slice(tcpOffset);
  segment[16] = 0;
  segment[17] = 0;
  const addresses = (packet[0] ?? 0) >> 4 === 4 ? packet.subarray(12, 20) : packet.subarray(8, 40);
  const tail = Buffer.alloc(8);
  tail.writeUInt32BE(segment.length, 0);
  tail[7] = 6;
  return internetChecksum(Buffer.concat([addresses, tail, segment]));
}

/** Writes the right TCP checksum into the packet. */
export function withTcpChecksum(packet: Uint8Array, tcpOffset: number): Uint8Array {
  Buffer.from(packet.buffer, packet.byteOffset).writeUInt16BE(rightTcpChecksum(packet, tcpOffset), tcpOffset + 16);
  return packet;
}

/** The TCP checksum that the packet carries. */
export function tcpChecksum(packet: Uint8Array, tcpOffset: number): number {
  return Buffer.from(packet.buffer, packet.byteOffset).readUInt16BE(tcpOffset + 16);
}
