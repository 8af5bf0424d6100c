/** Pseudo-random functions: HMAC (RFC 2104) of a hash, in IKEv1 and IKEv2 alike. */
import { createHmac } from 'node:crypto';
import { EncodeError } from '../../bytes.ts';
import { transform } from '../transforms.ts';
import { octetsOf } from './hash.ts';
import { wipe } from './secrets.ts';

/** The block counter of prf+ is one octet (RFC 7296 section 2.13). */
const MAX_PRF_PLUS_BLOCKS = 255;

/**
 * HMAC over all of `data`, one after the other. `name` is a prf of the transform table.
 * @throws EncodeError when there is no such prf.
 */
export function prf(name: string, key: Uint8Array, ...data: readonly Uint8Array[]): Uint8Array {
  const mac = createHmac(transform('prf', name).hash, key);
  for (const part of data) mac.update(part);
  return octetsOf(mac.digest());
}

/**
 * `prf+ (K,S) = T1 | T2 | ...`, where `Tn = prf(K, Tn-1 | S | n)` (RFC 7296 section 2.13).
 *
 * @param length octets wanted, 0..255 times the prf's output.
 * @throws EncodeError when more is wanted than prf+ is defined for.
 */
export function prfPlus(name: string, key: Uint8Array, seed: Uint8Array, length: number): Uint8Array {
  const { octets } = transform('prf', name);
  const blocks = Math.ceil(length / octets);
  if (!Number.isInteger(length) || length < 0 || blocks > MAX_PRF_PLUS_BLOCKS) {
    throw new EncodeError(`prf+ gives up to ${octets * MAX_PRF_PLUS_BLOCKS} octets, not ${length}`);
  }
  const stream = new Uint8Array(blocks * octets);
  let previous: Uint8Array = new Uint8Array(0);
  for (let block = 0; block < blocks; block += 1) {
    previous = prf(name, key, previous, seed, Uint8Array.of(block + 1));
    stream.set(previous, block * octets);
  }
  wipe(previous, stream.subarray(length));
  return stream.subarray(0, length);
}
