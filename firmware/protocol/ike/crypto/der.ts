/** The little of ASN.1 DER that `node:crypto` wants around a raw key (ITU-T X.690). */
import { type ByteReader, ByteWriter, concatBytes, DecodeError } from '../../bytes.ts';

/** Universal tags in use here. */
export const DER = { integer: 2, bitString: 3, octetString: 4, objectIdentifier: 6, sequence: 0x30 } as const;

/** One value: tag, length, and all of `contents`, one after the other. Contents up to 16 MiB. */
export function derValue(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  const out = new ByteWriter(length + 5).u8(tag);
  if (length < 0x80) out.u8(length);
  else if (length < 0x100) out.u8(0x81).u8(length);
  else if (length < 0x10000) out.u8(0x82).u16(length);
  else
    out
      .u8(0x83)
      .u8(length >>> 16)
      .u16(length & 0xffff);
  for (const part of contents) out.bytes(part);
  return out.finish();
}

/** A non-negative INTEGER from big-endian octets, however many zeros they begin with. */
export function derInteger(magnitude: Uint8Array): Uint8Array {
  const digits = withoutLeadingZeros(magnitude);
  const sign = (digits[0] ?? 0) < 0x80 && digits.length > 0 ? [] : [0];
  return derValue(DER.integer, concatBytes(Uint8Array.from(sign), digits));
}

/**
 * Contents of the next value, which has to have `tag`; a view, not a copy.
 * @throws DecodeError on another tag, a length beyond 16 MiB, or too few octets.
 */
export function readDer(reader: ByteReader, tag: number, what: string): Uint8Array {
  const { tag: seen, contents } = readAnyDer(reader, what);
  if (seen !== tag) throw new DecodeError(`${what}: tag ${tag} wanted, ${seen} seen`);
  return contents;
}

/** Tag and contents of the next value, whatever it is; a view. @throws DecodeError as {@link readDer}. */
export function readAnyDer(reader: ByteReader, what: string): { readonly tag: number; readonly contents: Uint8Array } {
  const tag = reader.u8(what);
  const first = reader.u8(what);
  if (first < 0x80) return { tag, contents: reader.bytes(first, what) };
  if (first === 0x81) return { tag, contents: reader.bytes(reader.u8(what), what) };
  if (first === 0x82) return { tag, contents: reader.bytes(reader.u16(what), what) };
  if (first !== 0x83) throw new DecodeError(`${what}: length of form ${first}`);
  const high = reader.u8(what);
  return { tag, contents: reader.bytes(high * 0x10000 + reader.u16(what), what) };
}

/** The octets behind all leading zeros; none for zero. */
export function withoutLeadingZeros(magnitude: Uint8Array): Uint8Array {
  const first = magnitude.findIndex((octet) => octet !== 0);
  return first === -1 ? new Uint8Array(0) : magnitude.subarray(first);
}
