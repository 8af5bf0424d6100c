/**
 * Repeated requests are answered byte for byte, from memory. A peer that did not get a reply repeats its request;
 * were it taken for a new one, its keys would be made twice and the IVs would run apart.
 */
import { hash } from '../crypto/hash.ts';
import { equalSecrets } from '../crypto/secrets.ts';

/** Message ids whose last request is remembered, for one ISAKMP SA. The oldest is forgotten first. */
const MAX_ENTRIES = 64;

/** Times that one reply is sent again: whoever still has not got it then will not get it. */
const MAX_REPLAYS = 10;

/** What a message is, seen from here. */
export type Recognition =
  | { readonly kind: 'new' }
  /** The last request of its message id again; with the reply while it may still be sent. */
  | { readonly kind: 'repeated'; readonly reply?: Uint8Array };

interface Entry {
  readonly digest: Uint8Array;
  readonly reply: Uint8Array | undefined;
  replays: number;
}

export class ReplayCache {
  readonly #entries = new Map<number, Entry>();

  /** @param request the whole message. */
  recognize(messageId: number, request: Uint8Array): Recognition {
    const entry = this.#entries.get(messageId);
    if (entry === undefined || !equalSecrets(entry.digest, hash('sha256', request))) return { kind: 'new' };
    if (entry.reply === undefined || entry.replays >= MAX_REPLAYS) return { kind: 'repeated' };
    entry.replays += 1;
    return { kind: 'repeated', reply: entry.reply };
  }

  /** A request was dealt with. @param reply absent when it had none. */
  remember(messageId: number, request: Uint8Array, reply?: Uint8Array): void {
    this.#entries.delete(messageId);
    this.#entries.set(messageId, { digest: hash('sha256', request), reply, replays: 0 });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MAX_ENTRIES && oldest !== undefined) this.#entries.delete(oldest);
  }
}
