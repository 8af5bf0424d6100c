/** The ISAKMP header (RFC 2408 section 3.1). */
import { ByteReader, ByteWriter, DecodeError, hex } from '../../bytes.ts';

/** Octets of the header. */
export const HEADER_OCTETS = 28;

/** Octets of a cookie. */
export const COOKIE_OCTETS = 8;

/** Major version 1, minor version 0. */
const VERSION = 0x10;

export interface IsakmpHeader {
  /** 8 octets each. The responder's is all zeros in the first message. */
  readonly cookieI: Uint8Array;
  readonly cookieR: Uint8Array;
  /** Type of the first payload; of the plaintext, when encrypted. */
  readonly nextPayload: number;
  readonly exchangeType: number;
  /** Bits of `HeaderFlag`. */
  readonly flags: number;
  /** 0 in phase 1. */
  readonly messageId: number;
}

export interface ReceivedMessage {
  readonly header: IsakmpHeader;
  /** Everything behind the header: payloads, or ciphertext. */
  readonly body: Uint8Array;
  /** The message as it came, without what may trail behind it. A copy. */
  readonly octets: Uint8Array;
}

/**
 * Splits a datagram. What lies behind the message's own length is ignored.
 * @throws DecodeError when it is too short for its length, or of another major version.
 */
export function decodeMessage(datagram: Uint8Array): ReceivedMessage {
  const peek = new ByteReader(datagram.subarray(24));
  const length = peek.u32('Length');
  if (length < HEADER_OCTETS || length > datagram.length) {
    throw new DecodeError(`Length ${length} of a message of ${datagram.length} octets`);
  }
  const octets = datagram.slice(0, length);
  const reader = new ByteReader(octets);
  const cookieI = reader.bytes(COOKIE_OCTETS, 'Initiator Cookie');
  const cookieR = reader.bytes(COOKIE_OCTETS, 'Responder Cookie');
  const nextPayload = reader.u8('Next Payload');
  const version = reader.u8('Version');
  if (version >> 4 !== VERSION >> 4) throw new DecodeError(`major version ${version >> 4}`);
  const exchangeType = reader.u8('Exchange Type');
  const flags = reader.u8('Flags');
  const messageId = reader.u32('Message ID');
  reader.skip(4, 'Length');
  if (isZero(cookieI)) throw new DecodeError('Initiator Cookie is zero');
  const header = { cookieI, cookieR, nextPayload, exchangeType, flags, messageId };
  return { header, body: reader.rest(), octets };
}

/** A message with this body. @throws EncodeError when a field does not fit. */
export function encodeMessage(header: IsakmpHeader, body: Uint8Array): Uint8Array {
  return new ByteWriter(HEADER_OCTETS + body.length)
    .bytes(header.cookieI)
    .bytes(header.cookieR)
    .u8(header.nextPayload)
    .u8(VERSION)
    .u8(header.exchangeType)
    .u8(header.flags)
    .u32(header.messageId)
    .u32(HEADER_OCTETS + body.length)
    .bytes(body)
    .finish();
}

/** Whether there is nothing but zeros: a cookie that is not known yet. */
export function isZero(cookie: Uint8Array): boolean {
  return cookie.every((octet) => octet === 0);
}

/** Both cookies as one key of a map. */
export function cookieKey(cookieI: Uint8Array, cookieR: Uint8Array): string {
  return hex(cookieI) + hex(cookieR);
}
