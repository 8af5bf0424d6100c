/** The L2TP message header (RFC 2661 section 3.1): its bits, and the codec of the control message's header. */
import { ByteReader, ByteWriter, DecodeError } from '../bytes.ts';

/** Bits of the first two octets. The bits that are not named here are reserved: sent as 0, ignored on receipt. */
export const HeaderBit = {
  /** Type: 1 for a control message. */
  T: 0x8000,
  /** The Length field is present. */
  L: 0x4000,
  /** Ns and Nr are present. */
  S: 0x0800,
  /** The Offset Size field is present. */
  O: 0x0200,
  /** Priority, on data messages only. */
  P: 0x0100,
} as const;

/** The last four of the first 16 bits. */
export const VERSION_MASK = 0x000f;
/** Ver of L2TP as in RFC 2661. 1 is L2F, 3 is L2TPv3. */
export const L2TP_VERSION = 2;

/** Octets of a control message's header, which always has Length, Ns and Nr and never an Offset Size. */
export const CONTROL_HEADER_LENGTH = 12;
/** Where a control message's fields are, in octets from its start. */
export const CONTROL_FIELD = { length: 2, tunnelId: 4, sessionId: 6, ns: 8, nr: 10 } as const;

/** What addresses and orders a control message. All are 0..65535. */
export interface ControlHeader {
  /** Of the recipient; 0 while it is not known. */
  readonly tunnelId: number;
  /** Of the recipient; 0 in messages about the tunnel and while it is not known. */
  readonly sessionId: number;
  readonly ns: number;
  readonly nr: number;
}

/** A control header as it came. */
export interface ReceivedControlHeader extends ControlHeader {
  /** Octets of the whole message, header included: the Length field. Octets behind it are not part of the message. */
  readonly length: number;
}

/** Whether the datagram carries a control message (T bit). The first thing to look at; an empty datagram does not. */
export function isControlMessage(datagram: Uint8Array): boolean {
  return ((datagram[0] ?? 0) & 0x80) !== 0;
}

/**
 * The header of a control message.
 * @throws DecodeError when it is not a control message of version 2, when Length or the sequence numbers are missing,
 * when an offset is announced, or when Length is under 12 or more than there is.
 */
export function decodeControlHeader(datagram: Uint8Array): ReceivedControlHeader {
  const reader = new ByteReader(datagram);
  const bits = reader.u16('L2TP header');
  const version = bits & VERSION_MASK;
  if (version !== L2TP_VERSION) throw new DecodeError(`L2TP header: version ${version}, not 2`);
  if ((bits & HeaderBit.T) === 0) throw new DecodeError('L2TP header: a data message where a control message belongs');
  if ((bits & HeaderBit.L) === 0) throw new DecodeError('L2TP header: control message without Length');
  if ((bits & HeaderBit.S) === 0) throw new DecodeError('L2TP header: control message without Ns and Nr');
  if ((bits & HeaderBit.O) !== 0) throw new DecodeError('L2TP header: control message with an offset');
  const length = reader.u16('Length');
  if (length < CONTROL_HEADER_LENGTH || length > datagram.length) {
    throw new DecodeError(`L2TP header: Length is ${length}, the datagram has ${datagram.length} octets`);
  }
  const tunnelId = reader.u16('Tunnel ID');
  const sessionId = reader.u16('Session ID');
  const ns = reader.u16('Ns');
  const nr = reader.u16('Nr');
  return { length, tunnelId, sessionId, ns, nr };
}

/** Begins a control message; the Length field is 0 until {@link patchControlLength}. */
export function writeControlHeader(writer: ByteWriter, header: ControlHeader): void {
  writer.u16(HeaderBit.T | HeaderBit.L | HeaderBit.S | L2TP_VERSION).u16(0);
  writer.u16(header.tunnelId).u16(header.sessionId).u16(header.ns).u16(header.nr);
}

/** Sets the Length field to what was written. @throws EncodeError when that is over 65535 octets. */
export function patchControlLength(writer: ByteWriter): void {
  writer.patchU16(CONTROL_FIELD.length, writer.length);
}

/** A Zero-Length Body message (RFC 2661 section 1.2): a header alone, an acknowledgement. */
export function encodeZlb(header: ControlHeader): Uint8Array {
  const writer = new ByteWriter(CONTROL_HEADER_LENGTH);
  writeControlHeader(writer, header);
  patchControlLength(writer);
  return writer.finish();
}
