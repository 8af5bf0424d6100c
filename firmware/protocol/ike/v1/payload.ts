/** Chains of payloads behind the generic payload header (RFC 2408 section 3.2). */
import { ByteReader, ByteWriter, DecodeError } from '../../bytes.ts';
import { PayloadType } from './numbers.ts';

/** Octets of the generic payload header. */
export const GENERIC_HEADER_OCTETS = 4;

/** A message with more payloads than this is refused: real ones have under twenty, vendor ids included. */
const MAX_PAYLOADS = 64;

export interface Payload {
  readonly type: number;
  /** Without generic header. */
  readonly body: Uint8Array;
}

export interface ReceivedPayload extends Payload {
  /** Offset behind the payload within the octets that were read. */
  readonly end: number;
}

/**
 * Reads the chain that begins with a payload of type `first`. What lies behind the last one, such as padding, is
 * ignored.
 * @throws DecodeError when a length is wrong or there are too many.
 */
export function decodePayloads(first: number, octets: Uint8Array): readonly ReceivedPayload[] {
  const reader = new ByteReader(octets);
  const payloads: ReceivedPayload[] = [];
  let type = first;
  while (type !== PayloadType.none) {
    if (payloads.length >= MAX_PAYLOADS) throw new DecodeError(`more than ${MAX_PAYLOADS} payloads`);
    const next = reader.u8('Next Payload');
    reader.skip(1, 'RESERVED');
    const length = reader.u16('Payload Length');
    const body = reader.bytes(length - GENERIC_HEADER_OCTETS, 'payload');
    payloads.push({ type, body, end: reader.offset });
    type = next;
  }
  return payloads;
}

/** Type of the first of `payloads`, for whatever points to it. */
export function firstType(payloads: readonly Payload[]): number {
  return payloads[0]?.type ?? PayloadType.none;
}

/** @throws EncodeError when a payload is longer than 65,531 octets. */
export function encodePayloads(payloads: readonly Payload[]): Uint8Array {
  const writer = new ByteWriter();
  for (const [index, { body }] of payloads.entries()) {
    writer
      .u8(payloads[index + 1]?.type ?? PayloadType.none)
      .u8(0)
      .u16(GENERIC_HEADER_OCTETS + body.length)
      .bytes(body);
  }
  return writer.finish();
}

/** The bodies of all payloads of a type, in order. */
export function bodiesOf(payloads: readonly Payload[], type: number): readonly Uint8Array[] {
  return payloads.filter((payload) => payload.type === type).map((payload) => payload.body);
}

/** The body of the only payload of a type. @throws DecodeError when there is none, or more than one. */
export function onlyBody(payloads: readonly Payload[], type: number, what: string): Uint8Array {
  const [body, ...others] = bodiesOf(payloads, type);
  if (body === undefined || others.length > 0) throw new DecodeError(`${what}: one payload wanted`);
  return body;
}

/** As {@link onlyBody}, but there may be none. @throws DecodeError when there is more than one. */
export function optionalBody(payloads: readonly Payload[], type: number, what: string): Uint8Array | undefined {
  const [body, ...others] = bodiesOf(payloads, type);
  if (others.length > 0) throw new DecodeError(`${what}: at most one payload wanted`);
  return body;
}

/** Octets of a nonce (RFC 2409 section 5). */
const NONCE_OCTETS = { min: 8, max: 256 };

/** The nonce. @throws DecodeError when there is not exactly one, of 8 to 256 octets. */
export function nonceOf(payloads: readonly Payload[]): Uint8Array {
  const nonce = onlyBody(payloads, PayloadType.nonce, 'Nonce');
  if (nonce.length < NONCE_OCTETS.min || nonce.length > NONCE_OCTETS.max) {
    throw new DecodeError(`nonce of ${nonce.length} octets`);
  }
  return nonce;
}
