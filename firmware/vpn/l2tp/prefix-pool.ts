import { formatIpAddress, ipContains, ipNetworkOf, parseIpPrefix } from '../../protocol/ip-prefix.ts';
import { NumberPool } from './number-pool.ts';

/** Length of what is given out, and the bits behind it. */
const LENGTH = 64;
const HOST_BITS = 64n;

/** The /64s of an IPv6 prefix, given to users one at a time; a user who comes back gets the same one when it is free. */
export class PrefixPool {
  readonly #base: bigint;
  readonly #numbers: NumberPool;

  /**
   * @param prefix of 48 to 64 bits.
   * @param reserved addresses and prefixes whose /64 is never given out: the server's own, and those fixed for users.
   */
  constructor(prefix: string, reserved: readonly string[]) {
    const pool = parseIpPrefix(prefix);
    if (pool?.family !== 6 || pool.length > LENGTH)
      throw new RangeError(`${prefix} is no IPv6 prefix of up to 64 bits`);
    const { address } = ipNetworkOf(pool);
    this.#base = address;
    const numbers = reserved.flatMap((text) => {
      const parsed = parseIpPrefix(text.includes('/') ? text : `${text}/128`);
      return parsed !== undefined && ipContains(pool, parsed) ? [Number((parsed.address - address) >> HOST_BITS)] : [];
    });
    this.#numbers = new NumberPool(0, 2 ** (LENGTH - pool.length) - 1, numbers);
  }

  /** A prefix for `user`, `2001:db8:0:7::/64`; `undefined` when the pool is used up. */
  take(user: string | undefined): string | undefined {
    const number = this.#numbers.take(user);
    if (number === undefined) return undefined;
    return `${formatIpAddress({ family: 6, address: this.#base + (BigInt(number) << HOST_BITS) })}/${LENGTH}`;
  }

  /** Gives a prefix back; harmless for one that was never taken. */
  release(prefix: string): void {
    const parsed = parseIpPrefix(prefix);
    if (parsed !== undefined) this.#numbers.release(Number((parsed.address - this.#base) >> HOST_BITS));
  }
}
