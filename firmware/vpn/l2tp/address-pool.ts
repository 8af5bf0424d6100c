import { formatIpv4, parseIpv4 } from '../../protocol/ip-address.ts';
import { NumberPool } from './number-pool.ts';

/** A range of IPv4 addresses given to users one at a time; a user who comes back gets the same one when it is free. */
export class AddressPool {
  readonly #numbers: NumberPool;

  /**
   * @param range `first-last`, both included.
   * @param reserved addresses never given out: the server's own, and those fixed for users.
   */
  constructor(range: string, reserved: readonly string[]) {
    const [first, last] = range.split('-').map((text) => parseIpv4(text.trim()));
    if (first === undefined || last === undefined || first > last) throw new RangeError(`${range} is no address range`);
    this.#numbers = new NumberPool(
      first,
      last,
      reserved.map((text) => parseIpv4(text)).filter((address) => address !== undefined),
    );
  }

  /** An address for `user`; `undefined` when the pool is used up. */
  take(user: string | undefined): string | undefined {
    const address = this.#numbers.take(user);
    return address === undefined ? undefined : formatIpv4(address);
  }

  /** Takes an address that somebody else chose, of the range or not; it is free again after as many releases. */
  claim(text: string): void {
    const address = parseIpv4(text);
    if (address !== undefined) this.#numbers.claim(address);
  }

  /** Gives an address back; harmless for one that was never taken. */
  release(text: string): void {
    const address = parseIpv4(text);
    if (address !== undefined) this.#numbers.release(address);
  }
}
