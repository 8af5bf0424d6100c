/** CCM straight from its definition (RFC 3610 section 2) over bare AES: slow, and independent of the library's mode. */
import { createCipheriv } from 'node:crypto';
import { concatBytes } from '../../../../../firmware/protocol/bytes.ts';

const BLOCK = 16;

/** Ciphertext, then a tag of `tagOctets`. The length field has 15 octets less those of the nonce. */
export function sealCcm(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array,
  tagOctets: number,
): Uint8Array {
  const lengthOctets = BLOCK - 1 - nonce.length;
  const flags = (associated.length > 0 ? 0x40 : 0) | (((tagOctets - 2) / 2) << 3) | (lengthOctets - 1);
  const first = concatBytes(Uint8Array.of(flags), nonce, bigEndian(plaintext.length, lengthOctets));
  const header = associated.length > 0 ? concatBytes(bigEndian(associated.length, 2), associated) : associated;
  let mac: Uint8Array = new Uint8Array(BLOCK);
  for (const block of blocks(concatBytes(first, padded(header), padded(plaintext)))) mac = aes(key, xor(mac, block));
  const counter = (n: number): Uint8Array =>
    aes(key, concatBytes(Uint8Array.of(lengthOctets - 1), nonce, bigEndian(n, lengthOctets)));
  const ciphertext = blocks(plaintext).map((block, index) => xor(block, counter(index + 1)));
  return concatBytes(...ciphertext, xor(mac, counter(0)).subarray(0, tagOctets));
}

function aes(key: Uint8Array, block: Uint8Array): Uint8Array {
  return createCipheriv(`aes-${key.length * 8}-ecb`, key, null)
    .setAutoPadding(false)
    .update(block);
}

function blocks(bytes: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / BLOCK) }, (_, i) => bytes.subarray(i * BLOCK, (i + 1) * BLOCK));
}

function padded(bytes: Uint8Array): Uint8Array {
  return concatBytes(bytes, new Uint8Array((BLOCK - (bytes.length % BLOCK)) % BLOCK));
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.subarray(0, Math.min(a.length, b.length)).map((octet, index) => octet ^ (b[index] ?? 0));
}

function bigEndian(value: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => Math.floor(value / 256 ** (length - 1 - index)));
}
