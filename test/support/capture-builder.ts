/** Captures for tests, made of octets. */
import { ByteWriter, concatBytes } from '../../firmware/protocol/bytes.ts';
import { parseIpv4, parseIpv6 } from '../../firmware/protocol/ip-address.ts';

export const LINKTYPE_ETHERNET = 1;
export const LINKTYPE_RAW = 101;

/** A packet of a capture to be written. */
export interface PacketToWrite {
  readonly bytes: Uint8Array;
  /** Milliseconds. Default: 1000 more for each packet. */
  readonly time?: number;
  /** Octets on the wire, when not all of them were captured. */
  readonly originalLength?: number;
}

/** A pcap file. */
export function pcapFile(
  packets: readonly PacketToWrite[],
  { linkType = LINKTYPE_RAW, littleEndian = true, nanoseconds = false } = {},
): Uint8Array {
  const parts: Uint8Array[] = [];
  const u32 = (...values: number[]) => {
    const bytes = new Uint8Array(4 * values.length);
    const view = new DataView(bytes.buffer);
    for (const [index, value] of values.entries()) view.setUint32(4 * index, value, littleEndian);
    parts.push(bytes);
  };
  u32(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, littleEndian ? 0x00040002 : 0x00020004, 0, 0, 262_144, linkType);
  for (const [index, { bytes, time = 1000 * index, originalLength = bytes.length }] of packets.entries()) {
    const fraction = Math.round((time % 1000) * (nanoseconds ? 1_000_000 : 1000));
    u32(Math.floor(time / 1000), fraction, bytes.length, originalLength);
    parts.push(bytes);
  }
  return concatBytes(...parts);
}

/** An Ethernet frame with so many VLAN tags. */
export function ethernet(packet: Uint8Array, tags: readonly number[] = []): Uint8Array {
  const writer = new ByteWriter().bytes(new Uint8Array(12).fill(2));
  for (const [index, tag] of tags.entries()) writer.u16(index + 1 < tags.length ? 0x88a8 : 0x8100).u16(tag);
  return writer
    .u16((packet[0] ?? 0) >>> 4 === 6 ? 0x86dd : 0x0800)
    .bytes(packet)
    .finish();
}

export interface Ipv4Fields {
  readonly source?: string;
  readonly destination?: string;
  readonly protocol?: number;
  /** A multiple of 4 octets. */
  readonly options?: Uint8Array;
  readonly id?: number;
  /** Octets, a multiple of 8. */
  readonly offset?: number;
  readonly more?: boolean;
}

/** An IPv4 packet; the checksum is 0. */
export function ipv4(payload: Uint8Array, fields: Ipv4Fields = {}): Uint8Array {
  const { source = '192.0.2.1', destination = '192.0.2.2', protocol = 17, options = new Uint8Array(0) } = fields;
  const header = 20 + options.length;
  return new ByteWriter()
    .u8(0x40 | (header / 4))
    .u8(0)
    .u16(header + payload.length)
    .u16(fields.id ?? 0)
    .u16((fields.more === true ? 0x2000 : 0) | ((fields.offset ?? 0) / 8))
    .u8(64)
    .u8(protocol)
    .u16(0)
    .u32(parseIpv4(source) ?? 0)
    .u32(parseIpv4(destination) ?? 0)
    .bytes(options)
    .bytes(payload)
    .finish();
}

export interface Ipv6Fields {
  readonly source?: string;
  readonly destination?: string;
  readonly nextHeader?: number;
}

/** An IPv6 packet; extension headers are part of the payload. */
export function ipv6(payload: Uint8Array, fields: Ipv6Fields = {}): Uint8Array {
  const { source = '2001:db8::1', destination = '2001:db8::2', nextHeader = 17 } = fields;
  const writer = new ByteWriter().u32(0x6000_0000).u16(payload.length).u8(nextHeader).u8(64);
  for (const address of [source, destination]) for (const group of parseIpv6(address) ?? []) writer.u16(group);
  return writer.bytes(payload).finish();
}

/** A UDP datagram; the checksum is 0. */
export function udp(payload: Uint8Array, sourcePort = 1701, destinationPort = 1701): Uint8Array {
  return new ByteWriter()
    .u16(sourcePort)
    .u16(destinationPort)
    .u16(8 + payload.length)
    .u16(0)
    .bytes(payload)
    .finish();
}

/** A file in chunks of so many octets. */
export async function* inChunks(file: Uint8Array, octets = 65_536): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < file.length; at += octets) yield file.subarray(at, at + octets);
}
