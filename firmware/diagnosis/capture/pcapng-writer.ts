/**
 * The blocks of a pcapng file (draft-ietf-opsawg-pcapng), in little endian. All together, one after the other, are a file that
 * is whole behind each of them.
 */
import { BLOCK, BYTE_ORDER_MAGIC, INTERFACE_OPTION } from '../decode/pcapng-format.ts';

/** LINKTYPE_ numbers of what is captured: LINKTYPE_ETHERNET and LINKTYPE_RAW. */
export const LINK_TYPE = { ethernet: 1, ip: 101 } as const;

/** Timestamps count nanoseconds: ten to the power of minus nine. */
const NANOSECONDS = 9;

const OPTION = { end: 0, comment: 1, application: 4 } as const;
const PACKET_FLAGS = 2;
const STATISTICS = { start: 2, end: 3, received: 4, dropped: 5, delivered: 8 } as const;

/** The lower bits of the flags of a packet. */
const DIRECTION = { inbound: 1, outbound: 2 } as const;

/** Block Type and Block Total Length, and the latter once more, octets. */
const OVERHEAD = 12;
/** Of an Enhanced Packet before the octets of the packet. */
const PACKET_FIELDS = 20;
/** The option with the flags, and the end of the options. */
const FLAGS_OCTETS = 12;

export interface InterfaceDescription {
  readonly link: keyof typeof LINK_TYPE;
  /** Octets of a packet that are kept. */
  readonly snapLength: number;
  /** The device. */
  readonly name: string;
  readonly description: string;
}

export interface PacketDescription {
  /** Number of the interface, in the order in which they were described. */
  readonly interfaceId: number;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly originalLength: number;
  readonly direction: keyof typeof DIRECTION;
}

export interface InterfaceStatistics {
  readonly interfaceId: number;
  /** Nanoseconds since 1970. */
  readonly start: bigint;
  readonly end: bigint;
  /** Packets that passed, lost ones and those that a filter left out included. */
  readonly received: number;
  /** Packets that were wanted perhaps, and are not in the file because nobody took them in time. */
  readonly dropped: number;
  /** Packets in the file. */
  readonly delivered: number;
  readonly comment: string;
}

/** Begins a file. */
export function sectionHeader(application: string): Uint8Array {
  const fields = Buffer.alloc(16);
  fields.writeUInt32LE(BYTE_ORDER_MAGIC, 0);
  fields.writeUInt16LE(1, 4); // Major Version; the Minor one is 0
  fields.fill(0xff, 8); // Section Length: not known
  return block(BLOCK.sectionHeader, fields, textOption(OPTION.application, application), END);
}

/** Before the first packet. */
export function interfaceDescription(described: InterfaceDescription): Uint8Array {
  const fields = Buffer.alloc(8);
  fields.writeUInt16LE(LINK_TYPE[described.link], 0);
  fields.writeUInt32LE(described.snapLength, 4);
  return block(
    BLOCK.interfaceDescription,
    fields,
    textOption(INTERFACE_OPTION.name, described.name),
    textOption(INTERFACE_OPTION.description, described.description),
    option(INTERFACE_OPTION.timestampResolution, Buffer.of(NANOSECONDS)),
    END,
  );
}

/** Octets of the block that {@link enhancedPacket} makes. */
export function enhancedPacketOctets(length: number): number {
  return OVERHEAD + PACKET_FIELDS + padded(length) + FLAGS_OCTETS;
}

/** @param bytes what was captured of the packet. */
export function enhancedPacket(packet: PacketDescription, bytes: Uint8Array): Uint8Array {
  const fields = Buffer.alloc(PACKET_FIELDS);
  fields.writeUInt32LE(packet.interfaceId, 0);
  writeTimestamp(fields, 4, packet.time);
  fields.writeUInt32LE(bytes.length, 12);
  fields.writeUInt32LE(packet.originalLength, 16);
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(DIRECTION[packet.direction], 0);
  return block(BLOCK.enhancedPacket, fields, pad(bytes), option(PACKET_FLAGS, flags), END);
}

/** Behind the last packet. */
export function interfaceStatistics(statistics: InterfaceStatistics): Uint8Array {
  const fields = Buffer.alloc(12);
  fields.writeUInt32LE(statistics.interfaceId, 0);
  writeTimestamp(fields, 4, statistics.end);
  const [start, end] = [Buffer.alloc(8), Buffer.alloc(8)];
  writeTimestamp(start, 0, statistics.start);
  writeTimestamp(end, 0, statistics.end);
  return block(
    BLOCK.interfaceStatistics,
    fields,
    textOption(OPTION.comment, statistics.comment),
    option(STATISTICS.start, start),
    option(STATISTICS.end, end),
    option(STATISTICS.received, count(statistics.received)),
    option(STATISTICS.dropped, count(statistics.dropped)),
    option(STATISTICS.delivered, count(statistics.delivered)),
    END,
  );
}

function block(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = OVERHEAD + parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(length, 4);
  let at = 8;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  bytes.writeUInt32LE(length, at);
  return bytes;
}

function option(code: number, value: Uint8Array): Uint8Array {
  const header = Buffer.alloc(4);
  header.writeUInt16LE(code, 0);
  header.writeUInt16LE(value.length, 2);
  return Buffer.concat([header, pad(value)]);
}

function textOption(code: number, text: string): Uint8Array {
  return option(code, Buffer.from(text, 'utf8'));
}

const END = option(OPTION.end, Buffer.alloc(0));

function count(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value), 0);
  return bytes;
}

/** Upper half first, each half in the byte order of the file. */
function writeTimestamp(into: Buffer, at: number, time: bigint): void {
  into.writeUInt32LE(Number(time >> 32n), at);
  into.writeUInt32LE(Number(time & 0xffff_ffffn), at + 4);
}

function pad(bytes: Uint8Array): Uint8Array {
  if (bytes.length % 4 === 0) return bytes;
  const whole = Buffer.alloc(padded(bytes.length));
  whole.set(bytes);
  return whole;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
