/** Fragments of several exchanges at a time. */
import type { Instant } from '../../machine.ts';
import { Reassembly } from './fragmentation.ts';

/** Messages that are put together at a time; the oldest gives way. */
const MAX_REASSEMBLIES = 64;

export class Reassemblies {
  readonly #byKey = new Map<string, Reassembly>();

  /**
   * @param key of the exchange that the fragment says it belongs to.
   * @returns the whole message once it is there. @throws DecodeError when the fragment is malformed.
   */
  add(now: Instant, key: string, body: Uint8Array): Uint8Array | undefined {
    const reassembly = this.#byKey.get(key) ?? new Reassembly();
    this.#byKey.delete(key);
    this.#byKey.set(key, reassembly);
    const [oldest] = this.#byKey.keys();
    if (this.#byKey.size > MAX_REASSEMBLIES && oldest !== undefined) this.#byKey.delete(oldest);
    const whole = reassembly.add(now, body);
    if (whole !== undefined) this.#byKey.delete(key);
    return whole;
  }
}
