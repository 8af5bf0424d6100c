import { randomBytes } from 'node:crypto';
import type { Entropy } from '../entropy.ts';

/** Most octets of one call, as the port says. */
const MAX_LENGTH = 65_536;

/** OpenSSL's generator, seeded by the kernel. */
export class LinuxEntropy implements Entropy {
  /** @throws RangeError for a length outside 0..65536. */
  bytes(length: number): Uint8Array {
    if (!Number.isInteger(length) || length < 0 || length > MAX_LENGTH) {
      throw new RangeError(`${length} random octets cannot be given, only 0 to ${MAX_LENGTH}`);
    }
    return new Uint8Array(randomBytes(length));
  }
}
