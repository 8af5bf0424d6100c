/** Keys that were struck and that nobody has taken yet. */
import { type Key, KeyDecoder } from '../../terminal/keys.ts';

export class Keyboard {
  readonly #decoder = new KeyDecoder();
  #keys: Key[] = [];
  #reader: ((key: Key | undefined) => void) | undefined;
  #ended = false;
  /** While a command runs: what ^C does. It throws away what was typed ahead, too. */
  onInterrupt: (() => void) | undefined;
  /** Called after keys that waited were taken. */
  onRoom: (() => void) | undefined;
  #typedAhead = 0;

  /** Characters and keys that wait. */
  get typedAhead(): number {
    return this.#typedAhead;
  }

  /** Octets from the terminal. */
  feed(octets: Uint8Array): void {
    for (const key of this.#decoder.take(octets)) {
      if (this.onInterrupt !== undefined && key.kind === 'key' && key.name === 'interrupt') {
        this.#keys = [];
        this.#typedAhead = 0;
        this.onRoom?.();
        this.onInterrupt();
      } else this.#give(key);
    }
  }

  /** Whether the next key that waits is ^C, which is taken then. */
  takeInterrupt(): boolean {
    const [key] = this.#keys;
    if (key?.kind !== 'key' || key.name !== 'interrupt') return false;
    this.#keys.shift();
    this.#typedAhead -= sizeOf(key);
    this.onRoom?.();
    return true;
  }

  /** The terminal is gone. */
  end(): void {
    this.#ended = true;
    this.#reader?.(undefined);
    this.onInterrupt?.();
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** More was typed than has been taken. */
  get waiting(): boolean {
    return this.#keys.length > 0;
  }

  /** Somebody waits for a key. */
  get wanted(): boolean {
    return this.#reader !== undefined;
  }

  /** What was taken, and is to be taken again. */
  putBack(key: Key): void {
    this.#keys.unshift(key);
    this.#typedAhead += sizeOf(key);
  }

  /** The next key; `undefined` when the terminal is gone, or `signal` was aborted. One reader at a time. */
  next(signal?: AbortSignal): Promise<Key | undefined> {
    const [key] = this.#keys.splice(0, 1);
    if (key !== undefined) {
      this.#typedAhead -= sizeOf(key);
      this.onRoom?.();
      return Promise.resolve(key);
    }
    if (this.#ended || signal?.aborted === true) return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<Key | undefined>();
    const given = (taken: Key | undefined): void => {
      this.#reader = undefined;
      signal?.removeEventListener('abort', aborted);
      resolve(taken);
    };
    const aborted = (): void => given(undefined);
    signal?.addEventListener('abort', aborted, { once: true });
    this.#reader = given;
    return promise;
  }

  #give(key: Key): void {
    if (this.#reader !== undefined) this.#reader(key);
    else {
      this.#keys.push(key);
      this.#typedAhead += sizeOf(key);
    }
  }
}

function sizeOf(key: Key): number {
  return key.kind === 'text' ? key.text.length : 1;
}
