/**
 * L2TP data messages (RFC 2661 section 3.1), for the data plane: nothing is allocated, nothing is thrown.
 */
import { HeaderBit, L2TP_VERSION, VERSION_MASK } from './header.ts';

/** Longest header that {@link encodeDataHeader} writes without offset padding, octets. */
export const MAX_DATA_HEADER_LENGTH = 14;

/** Where the parts of a data message are. One object is filled again and again. */
export interface DataMessage {
  /** 0..65535, of the recipient. */
  tunnelId: number;
  sessionId: number;
  /** S bit: Ns and Nr are there. */
  sequenced: boolean;
  /** 0 where not `sequenced`. */
  ns: number;
  /** Reserved in data messages: to be ignored. */
  nr: number;
  /** P bit. */
  priority: boolean;
  /** Index of the first octet of the PPP frame, in the buffer given to {@link decodeDataMessage}. */
  payloadOffset: number;
  /** Octets of the PPP frame, 0 or more. */
  payloadLength: number;
}

/** Why octets are not a data message. */
export type DataMessageFault = 'short' | 'control' | 'version' | 'length' | 'offset';

/** An empty object to decode into. */
export function newDataMessage(): DataMessage {
  return {
    tunnelId: 0,
    sessionId: 0,
    sequenced: false,
    ns: 0,
    nr: 0,
    priority: false,
    payloadOffset: 0,
    payloadLength: 0,
  };
}

/**
 * Reads the header of the data message in `bytes[at .. at+length)`. Octets behind the Length field's end are not part
 * of it. Any combination of L, S, O and P is understood, an Offset Size of 0 too.
 * @returns `undefined` when `into` is filled; otherwise what is wrong, and `into` is not to be used.
 */
export function decodeDataMessage(
  bytes: Uint8Array,
  at: number,
  length: number,
  into: DataMessage,
): DataMessageFault | undefined {
  let end = at + length;
  if (length < 6 || end > bytes.length) return 'short';
  const bits = u16(bytes, at);
  if ((bits & HeaderBit.T) !== 0) return 'control';
  if ((bits & VERSION_MASK) !== L2TP_VERSION) return 'version';
  let cursor = at + 2;
  if ((bits & HeaderBit.L) !== 0) {
    const announced = u16(bytes, cursor);
    if (announced > length) return 'length';
    end = at + announced;
    cursor += 2;
  }
  if (cursor + 4 > end) return 'short';
  into.tunnelId = u16(bytes, cursor);
  into.sessionId = u16(bytes, cursor + 2);
  cursor += 4;
  into.sequenced = (bits & HeaderBit.S) !== 0;
  into.ns = 0;
  into.nr = 0;
  if (into.sequenced) {
    if (cursor + 4 > end) return 'short';
    into.ns = u16(bytes, cursor);
    into.nr = u16(bytes, cursor + 2);
    cursor += 4;
  }
  if ((bits & HeaderBit.O) !== 0) {
    if (cursor + 2 > end) return 'short';
    cursor += 2 + u16(bytes, cursor);
    if (cursor > end) return 'offset';
  }
  into.priority = (bits & HeaderBit.P) !== 0;
  into.payloadOffset = cursor;
  into.payloadLength = end - cursor;
  return undefined;
}

/** What a data message's header says. One object may be used again and again. */
export interface DataHeader {
  /** Of the recipient, 1..65535. */
  tunnelId: number;
  sessionId: number;
  /** Write the Length field. */
  lengthField: boolean;
  /** Write Ns and Nr. */
  sequenced: boolean;
  /** 0..65535, only where `sequenced`. Nr is sent as 0. */
  ns: number;
  /** P bit. */
  priority: boolean;
  /** Offset Size with as many zero octets behind it; -1 for no such field. */
  offsetSize: number;
}

/** A header without any optional field. */
export function newDataHeader(tunnelId: number, sessionId: number): DataHeader {
  return { tunnelId, sessionId, lengthField: false, sequenced: false, ns: 0, priority: false, offsetSize: -1 };
}

/** Octets that {@link encodeDataHeader} writes for this header. */
export function dataHeaderLength(header: DataHeader): number {
  const offset = header.offsetSize < 0 ? 0 : 2 + header.offsetSize;
  return 6 + (header.lengthField ? 2 : 0) + (header.sequenced ? 4 : 0) + offset;
}

/**
 * Writes the header at `at`; the PPP frame of `payloadLength` octets belongs right behind it. The caller has seen to it
 * that there is room and that header and frame together are at most 65535 octets.
 * @returns octets written.
 */
export function encodeDataHeader(into: Uint8Array, at: number, header: DataHeader, payloadLength: number): number {
  let bits: number = L2TP_VERSION;
  let cursor = at + 2;
  if (header.lengthField) {
    bits |= HeaderBit.L;
    putU16(into, cursor, dataHeaderLength(header) + payloadLength);
    cursor += 2;
  }
  putU16(into, cursor, header.tunnelId);
  putU16(into, cursor + 2, header.sessionId);
  cursor += 4;
  if (header.sequenced) {
    bits |= HeaderBit.S;
    putU16(into, cursor, header.ns);
    putU16(into, cursor + 2, 0);
    cursor += 4;
  }
  if (header.offsetSize >= 0) {
    bits |= HeaderBit.O;
    putU16(into, cursor, header.offsetSize);
    into.fill(0, cursor + 2, cursor + 2 + header.offsetSize);
    cursor += 2 + header.offsetSize;
  }
  if (header.priority) bits |= HeaderBit.P;
  putU16(into, at, bits);
  return cursor - at;
}

function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}
