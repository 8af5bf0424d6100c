/** Prefixes of both families, found by what they contain without looking at each of them. */
import { type IpPrefix, ipNetworkOf } from '../protocol/ip-prefix.ts';

/** What belongs to the prefixes of one family and length, by network. */
type Networks<T> = Map<number | string, T[]>;

export class PrefixIndex<T> {
  /** By length, the longest first. */
  readonly #lengths: Readonly<Record<IpPrefix['family'], readonly (readonly [number, Networks<T>])[]>>;

  constructor(entries: Iterable<readonly [IpPrefix, T]>) {
    const byLength = { 4: new Map<number, Networks<T>>(), 6: new Map<number, Networks<T>>() };
    for (const [prefix, value] of entries) {
      const lengths = byLength[prefix.family];
      const networks = lengths.get(prefix.length) ?? new Map<number | string, T[]>();
      lengths.set(prefix.length, networks);
      const key = keyOf(prefix, prefix.length);
      const values = networks.get(key);
      if (values === undefined) networks.set(key, [value]);
      else values.push(value);
    }
    const sorted = (lengths: Map<number, Networks<T>>) => [...lengths].sort(([a], [b]) => b - a);
    this.#lengths = { 4: sorted(byLength[4]), 6: sorted(byLength[6]) };
  }

  /** What belongs to the prefixes in which all of `inner` lies: the longest prefix first, then in the order handed in. */
  *containing(inner: IpPrefix): Iterable<T> {
    for (const [length, networks] of this.#lengths[inner.family]) {
      if (length > inner.length) continue;
      yield* networks.get(keyOf(inner, length)) ?? [];
    }
  }
}

/** The network of that length in which the prefix lies. Maps find a bigint ten times as slowly. */
function keyOf({ family, address }: IpPrefix, length: number): number | string {
  const network = ipNetworkOf({ family, address, length }).address;
  return family === 4 ? Number(network) : network.toString(36);
}
