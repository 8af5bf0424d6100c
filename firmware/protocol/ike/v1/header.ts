/** The ISAKMP header (RFC 2408 section 3.1) and what is behind it. */
import { concatBytes, DecodeError } from '../../bytes.ts';
import { HEADER_OCTETS, isZeroSpi, readHeader, spiKey, writeHeader } from '../message-header.ts';

/** Octets of a cookie. */
export const COOKIE_OCTETS = 8;

const MAJOR_VERSION = 1;

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
  const octets = datagram.slice(0, readHeader(datagram).length);
  const { spiI: cookieI, spiR: cookieR, nextPayload, exchange, flags, messageId, majorVersion } = readHeader(octets);
  if (majorVersion !== MAJOR_VERSION) throw new DecodeError(`major version ${majorVersion}`);
  if (isZeroSpi(cookieI)) throw new DecodeError('Initiator Cookie is zero');
  const header = { cookieI, cookieR, nextPayload, exchangeType: exchange, flags, messageId };
  return { header, body: octets.subarray(HEADER_OCTETS), octets };
}

/** A message with this body. @throws EncodeError when a field does not fit. */
export function encodeMessage(header: IsakmpHeader, body: Uint8Array): Uint8Array {
  const { cookieI, cookieR, nextPayload, exchangeType, flags, messageId } = header;
  const fields = {
    spiI: cookieI,
    spiR: cookieR,
    nextPayload,
    majorVersion: MAJOR_VERSION,
    exchange: exchangeType,
    flags,
    messageId,
    length: HEADER_OCTETS + body.length,
  };
  return concatBytes(writeHeader(fields), body);
}

/** Both cookies as one key of a map. */
export function cookieKey(cookieI: Uint8Array, cookieR: Uint8Array): string {
  return spiKey(cookieI) + spiKey(cookieR);
}
