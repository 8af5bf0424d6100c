/** The last reply, to be repeated when its request is (RFC 7296 section 2.1; RFC 7383 section 2.6.1). */
import { hash } from '../crypto/hash.ts';
import { equalSecrets } from '../crypto/secrets.ts';

/** Repetitions of one reply: more than any honest peer asks for, and an end for one who replays. */
const MAX_REPEATS = 32;

export class ReplyCache {
  #request: Uint8Array | undefined;
  #reply: readonly Uint8Array[] = [];
  #repeats = 0;

  /** Whether there is a reply to repeat. */
  get filled(): boolean {
    return this.#request !== undefined;
  }

  /** @param request the datagram, or the first fragment. */
  put(request: Uint8Array, reply: readonly Uint8Array[]): void {
    this.#request = digest(request);
    this.#reply = reply;
    this.#repeats = 0;
  }

  /** The reply, when `request` is the same octet for octet; `undefined` when not, or too often. */
  repeat(request: Uint8Array): readonly Uint8Array[] | undefined {
    if (this.#request === undefined || !equalSecrets(this.#request, digest(request))) return undefined;
    this.#repeats += 1;
    return this.#repeats > MAX_REPEATS ? undefined : this.#reply;
  }
}

function digest(request: Uint8Array): Uint8Array {
  return hash('sha256', request);
}
