/** Prefixes of both families, found by what they contain without looking at each of them. */
import { type IpPrefix, ipNetworkOf } from '../protocol/ip-prefix.ts';

/** What belongs to the prefixes of one family and length, by network. */
type Networks<T> = Map<bigint, T[]>;

export class PrefixIndex<T> {
  /** By length, the longest first. */
  readonly #lengths: Readonly<Record<IpPrefix['family'], readonly (readonly [number, Networks<T>])[]>>;

  constructor(entries: Iterable<readonly [IpPrefix, T]>) {
    const byLength = { 4: new Map<number, Networks<T>>(), 6: new Map<number, Networks<T>>() };
    for (const [prefix, value] of entries) {
      const lengths = byLength[prefix.family];
      const networks = lengths.get(prefix.length) ?? new Map<bigint, T[]>();
      lengths.set(prefix.length, networks);
      const { address } = ipNetworkOf(prefix);
      const values = networks.get(address);
      if (values === undefined) networks.set(address, [value]);
      else values.push(value);
    }
    const sorted = (lengths: Map<number, Networks<T>>) => [...lengths].sort(([a], [b]) => b - a);
    this.#lengths = { 4: sorted(byLength[4]), 6: sorted(byLength[6]) };
  }

  /** What belongs to the prefixes in which all of `inner` lies: the longest prefix first, then in the order handed in. */
  *containing(inner: IpPrefix): Iterable<T> {
    for (const [length, networks] of this.#lengths[inner.family]) {
      if (length > inner.length) continue;
      yield* networks.get(ipNetworkOf({ ...inner, length }).address) ?? [];
    }
  }
}
