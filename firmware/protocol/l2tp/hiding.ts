/** Hiding of AVP attribute values (RFC 2661 section 4.3). MD5 is what the RFC prescribes, weak as it is. */
import { createHash } from 'node:crypto';
import { ByteWriter, concatBytes, DecodeError } from '../bytes.ts';

/** Octets of an MD5 digest, and of a chunk. */
const CHUNK = 16;
/** Octets of the Length of Original Value field. */
const LENGTH_FIELD = 2;

/**
 * The Attribute Value of a hidden AVP.
 * @param type Attribute Type of the AVP.
 * @param vector value of the Random Vector AVP that precedes it.
 * @param value the original Attribute Value.
 * @param padding random octets that obscure the length; may be empty.
 * @returns `2 + value.length + padding.length` octets.
 */
export function hideValue(
  type: number,
  secret: Uint8Array,
  vector: Uint8Array,
  value: Uint8Array,
  padding: Uint8Array,
): Uint8Array {
  const plain = new ByteWriter(LENGTH_FIELD + value.length + padding.length);
  plain.u16(value.length).bytes(value).bytes(padding);
  const subformat = plain.finish();
  const hidden = new Uint8Array(subformat.length);
  for (let at = 0; at < subformat.length; at += CHUNK) {
    const previous = hidden.subarray(at - CHUNK, at);
    const key = at === 0 ? firstKey(type, secret, vector) : md5(secret, previous);
    xorChunk(subformat, key, hidden, at);
  }
  return hidden;
}

/**
 * The original Attribute Value of a hidden AVP.
 * @throws DecodeError when the length it tells does not fit what there is: a wrong secret mostly ends here.
 */
export function unhideValue(type: number, secret: Uint8Array, vector: Uint8Array, hidden: Uint8Array): Uint8Array {
  if (hidden.length < LENGTH_FIELD) throw new DecodeError('hidden AVP: no room for the original length');
  const plain = new Uint8Array(hidden.length);
  for (let at = 0; at < hidden.length; at += CHUNK) {
    const previous = hidden.subarray(at - CHUNK, at);
    const key = at === 0 ? firstKey(type, secret, vector) : md5(secret, previous);
    xorChunk(hidden, key, plain, at);
  }
  const length = ((plain[0] ?? 0) << 8) | (plain[1] ?? 0);
  if (length > hidden.length - LENGTH_FIELD) {
    throw new DecodeError('hidden AVP: the original length is more than there is (is the tunnel secret the same?)');
  }
  return plain.slice(LENGTH_FIELD, LENGTH_FIELD + length);
}

function firstKey(type: number, secret: Uint8Array, vector: Uint8Array): Uint8Array {
  return md5(concatBytes(new Uint8Array([type >>> 8, type & 0xff]), secret), vector);
}

function md5(first: Uint8Array, second: Uint8Array): Uint8Array {
  return createHash('md5').update(first).update(second).digest();
}

function xorChunk(from: Uint8Array, key: Uint8Array, into: Uint8Array, at: number): void {
  const end = Math.min(at + CHUNK, from.length);
  for (let i = at; i < end; i++) into[i] = (from[i] ?? 0) ^ (key[i - at] ?? 0);
}
