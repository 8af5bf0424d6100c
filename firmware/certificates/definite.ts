import { ByteReader, DecodeError } from '../protocol/bytes.ts';
import { DER, derValue } from '../protocol/ike/crypto/der.ts';

/** Bit of a tag: there are values inside. */
const CONSTRUCTED = 0x20;
const INDEFINITE = 0x80;
const MAX_DEPTH = 32;

/**
 * BER with lengths that are not said, and strings in pieces, as some programs write PKCS #12, made DER as far as that
 * goes. What is inside of strings stays as it is.
 * @throws DecodeError when it is none.
 */
export function definite(octets: Uint8Array): Uint8Array {
  return value(new ByteReader(octets), 0);
}

function value(reader: ByteReader, depth: number): Uint8Array {
  const tag = reader.u8('tag');
  if (depth > MAX_DEPTH || (tag & 0x1f) === 0x1f) throw new DecodeError('BER: too deep, or a long tag');
  const length = lengthOf(reader);
  if ((tag & CONSTRUCTED) === 0) {
    if (length === undefined) throw new DecodeError('BER: a primitive value without a length');
    return derValue(tag, reader.bytes(length, 'contents'));
  }
  const members = length === undefined ? untilEnd(reader, depth) : allOf(reader.bytes(length, 'contents'), depth);
  // A string in pieces.
  if (tag === (DER.octetString | CONSTRUCTED)) return derValue(DER.octetString, ...members.map(contentsOf));
  return derValue(tag, ...members);
}

function allOf(contents: Uint8Array, depth: number): Uint8Array[] {
  const reader = new ByteReader(contents);
  const members: Uint8Array[] = [];
  while (reader.remaining > 0) members.push(value(reader, depth + 1));
  return members;
}

/** Up to the two zeros that end it. */
function untilEnd(reader: ByteReader, depth: number): Uint8Array[] {
  const members: Uint8Array[] = [];
  for (;;) {
    const member = value(reader, depth + 1);
    if (member.length === 2 && member[0] === 0) return members;
    members.push(member);
  }
}

/** `undefined`: not said. */
function lengthOf(reader: ByteReader): number | undefined {
  const first = reader.u8('length');
  if (first < 0x80) return first;
  if (first === INDEFINITE) return undefined;
  let length = 0;
  for (let left = first & 0x7f; left > 0; left -= 1) {
    length = length * 256 + reader.u8('length');
    if (length > 0xffffff) throw new DecodeError('BER: too long');
  }
  return length;
}

/** Without tag and length, of DER. */
function contentsOf(der: Uint8Array): Uint8Array {
  const reader = new ByteReader(der);
  if (reader.u8('tag') !== DER.octetString) throw new DecodeError('BER: a piece of a string that is none');
  lengthOf(reader);
  return reader.rest();
}
