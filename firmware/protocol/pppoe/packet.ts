/** PPPoE packets behind the Ethernet header (RFC 2516 sections 4 to 6): discovery, and the header of session frames. */
import { ByteReader, ByteWriter, DecodeError } from '../bytes.ts';
import { decodeTags, encodeTags, type PppoeTag } from './tags.ts';

/** Ethernet types of the two stages (RFC 2516 section 4). */
export const ETHERTYPE_PPPOE_DISCOVERY = 0x8863;
export const ETHERTYPE_PPPOE_SESSION = 0x8864;

export const PADO = 0x07;
export const PADI = 0x09;
export const PADR = 0x19;
export const PADS = 0x65;
export const PADT = 0xa7;

/** The codes of discovery by the names that the RFC gives them. */
export const PPPOE_CODES: ReadonlyMap<number, string> = new Map([
  [PADI, 'PADI'],
  [PADO, 'PADO'],
  [PADR, 'PADR'],
  [PADS, 'PADS'],
  [PADT, 'PADT'],
]);

/** VER 1 and TYPE 1 in one octet (RFC 2516 section 4). */
const VERSION_AND_TYPE = 0x11;

/** VER, TYPE, CODE, SESSION_ID and LENGTH, octets. */
export const PPPOE_HEADER = 6;
/** What the header and the Protocol field of PPP take of an Ethernet payload, octets (RFC 2516 section 7). */
export const PPPOE_OVERHEAD = PPPOE_HEADER + 2;
/** Largest MRU where nothing larger was agreed, octets (RFC 2516 section 7). */
export const PPPOE_MRU = 1492;
/** A PADI longer than this leaves a relay no room, octets (RFC 2516 section 5.1). */
export const MAX_PADI = 1484;

export interface DiscoveryPacket {
  /** 0..255. */
  readonly code: number;
  /** 0..65535. */
  readonly sessionId: number;
  readonly tags: readonly PppoeTag[];
}

/**
 * What stands behind the Ethernet header of a discovery frame, which short frames pad.
 * @throws DecodeError when it is of another version, cut, or a tag leaves it.
 */
export function decodeDiscovery(bytes: Uint8Array): DiscoveryPacket {
  const reader = new ByteReader(bytes);
  const version = reader.u8('VER and TYPE');
  if (version !== VERSION_AND_TYPE) throw new DecodeError(`VER and TYPE are 0x${version.toString(16)}`);
  const code = reader.u8('CODE');
  const sessionId = reader.u16('SESSION_ID');
  const length = reader.u16('LENGTH');
  return { code, sessionId, tags: decodeTags(reader.bytes(length, 'payload')) };
}

/** @throws EncodeError when the tags are longer than 65535 octets together. */
export function encodeDiscovery({ code, sessionId, tags }: DiscoveryPacket): Uint8Array {
  const writer = new ByteWriter().u8(VERSION_AND_TYPE).u8(code).u16(sessionId).u16(0);
  encodeTags(writer, tags);
  return writer.patchU16(4, writer.length - PPPOE_HEADER).finish();
}

/** Ends that session (RFC 2516 section 5.5). */
export function encodePadt(sessionId: number): Uint8Array {
  return encodeDiscovery({ code: PADT, sessionId, tags: [] });
}

/** Writes the header of a session frame of `length` octets of PPP at `bytes[at..at+6)`. No allocation. */
export function putSessionHeader(bytes: Uint8Array, at: number, sessionId: number, length: number): void {
  bytes[at] = VERSION_AND_TYPE;
  bytes[at + 1] = 0;
  bytes[at + 2] = sessionId >>> 8;
  bytes[at + 3] = sessionId;
  bytes[at + 4] = length >>> 8;
  bytes[at + 5] = length;
}

/**
 * Octets of the PPP frame that begins at `bytes[at+6]`, without what Ethernet padded; -1 when `bytes[at..end)` is no frame of
 * the session stage or is cut. No allocation.
 */
export function sessionFrameLength(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < PPPOE_HEADER || bytes[at] !== VERSION_AND_TYPE || bytes[at + 1] !== 0) return -1;
  const length = ((bytes[at + 4] ?? 0) << 8) | (bytes[at + 5] ?? 0);
  return length <= end - at - PPPOE_HEADER ? length : -1;
}

/** SESSION_ID of the frame whose header is `bytes[at..at+6)`. */
export function sessionIdOf(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}
