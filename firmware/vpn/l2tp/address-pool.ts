import { formatIpv4, parseIpv4 } from '../../protocol/ip-address.ts';

/** A range of IPv4 addresses given to users one at a time; a user who comes back gets the same one when it is free. */
export class AddressPool {
  readonly #first: number;
  readonly #last: number;
  readonly #reserved: ReadonlySet<number>;
  readonly #taken = new Set<number>();
  /** At most one entry per user name of the configuration. */
  readonly #lastOf = new Map<string, number>();
  #next: number;

  /**
   * @param range `first-last`, both included.
   * @param reserved addresses never given out: the server's own, and those fixed for users.
   */
  constructor(range: string, reserved: readonly string[]) {
    const [first, last] = range.split('-').map((text) => parseIpv4(text.trim()));
    if (first === undefined || last === undefined || first > last) throw new RangeError(`${range} is no address range`);
    this.#first = first;
    this.#last = last;
    this.#next = first;
    this.#reserved = new Set(reserved.map((text) => parseIpv4(text)).filter((address) => address !== undefined));
  }

  /** An address for `user`; `undefined` when the pool is used up. */
  take(user: string | undefined): string | undefined {
    const before = user === undefined ? undefined : this.#lastOf.get(user);
    const address = before !== undefined && !this.#taken.has(before) ? before : this.#search();
    if (address === undefined) return undefined;
    this.#taken.add(address);
    if (user !== undefined) this.#lastOf.set(user, address);
    return formatIpv4(address);
  }

  /** Gives an address back; harmless for one that was never taken. */
  release(text: string): void {
    const address = parseIpv4(text);
    if (address !== undefined) this.#taken.delete(address);
  }

  /** The least recently tried free address, so that one just given back rests for a while. */
  #search(): number | undefined {
    const size = this.#last - this.#first + 1;
    for (let tried = 0; tried < size; tried += 1) {
      const candidate = this.#next;
      this.#next = candidate === this.#last ? this.#first : candidate + 1;
      if (!this.#taken.has(candidate) && !this.#reserved.has(candidate)) return candidate;
    }
    return undefined;
  }
}
