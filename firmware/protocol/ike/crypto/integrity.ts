/** Integrity check values: HMAC, truncated (RFC 2403, RFC 2404, RFC 4868). */
import { createHmac } from 'node:crypto';
import { EncodeError } from '../../bytes.ts';
import { transform } from '../transforms.ts';
import { octetsOf } from './hash.ts';
import { equalSecrets } from './secrets.ts';

/**
 * The ICV over all of `data`, one after the other; `name` is an integrity algorithm of the transform table.
 * @throws EncodeError when there is no such algorithm or the key has not its length.
 */
export function icv(name: string, key: Uint8Array, ...data: readonly Uint8Array[]): Uint8Array {
  const { hash, keyOctets, icvOctets } = transform('integrity', name);
  if (key.length !== keyOctets) throw new EncodeError(`a key of ${name} has ${keyOctets} octets, not ${key.length}`);
  const mac = createHmac(hash, key);
  for (const part of data) mac.update(part);
  return octetsOf(mac.digest()).subarray(0, icvOctets);
}

/** Whether `received` is the ICV, in constant time; false for a wrong length too. @throws EncodeError as {@link icv}. */
export function verifyIcv(
  name: string,
  key: Uint8Array,
  received: Uint8Array,
  ...data: readonly Uint8Array[]
): boolean {
  return equalSecrets(icv(name, key, ...data), received);
}
