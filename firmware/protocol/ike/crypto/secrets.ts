/** How secrets are compared and forgotten. */
import { timingSafeEqual } from 'node:crypto';

/** Whether `a` and `b` are the same octets. Takes the same time wherever they differ; only their lengths may show. */
export function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Overwrites keys that are no longer needed with zeros. */
export function wipe(...keys: readonly Uint8Array[]): void {
  for (const key of keys) key.fill(0);
}
