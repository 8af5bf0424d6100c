/** Message digests of IKE. */
import { createHash } from 'node:crypto';
import type { HashName } from '../transforms.ts';

/** Digest over all of `data`, one after the other. */
export function hash(name: HashName, ...data: readonly Uint8Array[]): Uint8Array {
  const digest = createHash(name);
  for (const part of data) digest.update(part);
  return octetsOf(digest.digest());
}

/** The same octets as a plain `Uint8Array`, so that nothing depends on `Buffer`'s own methods. */
export function octetsOf(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
