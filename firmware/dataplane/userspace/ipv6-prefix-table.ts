/**
 * Longest-prefix match over IPv6 prefixes, as `ipv4-prefix-table.ts` does it for IPv4: one hash map per prefix length
 * that is in use, asked from the longest to the shortest. An address is read where it lies in the packet, as four
 * words, so that a look-up allocates nothing.
 */
import { parseIpv6 } from '../../protocol/ip-address.ts';

/** An IPv6 prefix; host bits are zero. */
export interface Ipv6Prefix {
  /** The network address as four signed 32-bit words. */
  readonly words: readonly [number, number, number, number];
  /** 0..128 */
  readonly length: number;
}

/**
 * Reads `2001:db8::/32`, or `2001:db8::1` as a /128. Host bits are cut off, not refused.
 * @returns undefined for what has no colon: an IPv4 prefix, if any.
 * @throws RangeError when the text is no prefix at all.
 */
export function parseIpv6Prefix(text: string): Ipv6Prefix | undefined {
  if (!text.includes(':')) return undefined;
  const [address = '', suffix, ...more] = text.split('/');
  const groups = parseIpv6(address);
  const length = suffix === undefined ? 128 : Number(suffix);
  const readable = suffix === undefined || /^\d{1,3}$/.test(suffix);
  if (groups === undefined || more.length > 0 || !readable || length > 128) {
    throw new RangeError(`'${text}' is not an address prefix: write it like 2001:db8::/32`);
  }
  const word = (index: number): number =>
    (((groups[2 * index] ?? 0) << 16) | (groups[2 * index + 1] ?? 0)) & wordMask(length, index);
  return { words: [word(0), word(1), word(2), word(3)], length };
}

/** The bits of word `index` (0..3) that a prefix of `length` bits covers. */
function wordMask(length: number, index: number): number {
  const bits = Math.min(32, Math.max(0, length - 32 * index));
  // JavaScript shifts by 32 are no shifts: 0 bits are apart.
  return bits === 0 ? 0 : -1 << (32 - bits);
}

interface Entry<Value> {
  readonly words: Ipv6Prefix['words'];
  /** What claims the prefix, the newest last. */
  readonly values: Value[];
}

/** The prefixes of one length, by a hash of their words. */
interface Level<Value> {
  readonly length: number;
  readonly masks: readonly [number, number, number, number];
  readonly byHash: Map<number, Entry<Value>[]>;
}

/**
 * Prefix to value. Several values may claim one prefix: the newest wins, and when it goes the one before it is back.
 */
export class Ipv6PrefixTable<Value> {
  /** The longest first; only lengths that hold something. */
  readonly #levels: Level<Value>[] = [];

  get empty(): boolean {
    return this.#levels.length === 0;
  }

  add(prefix: Ipv6Prefix, value: Value): void {
    const { byHash } = this.#level(prefix.length);
    const hash = hashOf(...prefix.words);
    const entries = byHash.get(hash) ?? [];
    if (entries.length === 0) byHash.set(hash, entries);
    const entry = entries.find(({ words }) => isSame(words, prefix.words));
    if (entry === undefined) entries.push({ words: prefix.words, values: [value] });
    else entry.values.push(value);
  }

  /** Takes back one {@link add} of the same prefix and value. Harmless when there was none. */
  remove(prefix: Ipv6Prefix, value: Value): void {
    const at = this.#levels.findIndex((level) => level.length === prefix.length);
    const level = this.#levels[at];
    const hash = hashOf(...prefix.words);
    const entries = level?.byHash.get(hash);
    const entry = entries?.find(({ words }) => isSame(words, prefix.words));
    if (level === undefined || entries === undefined || entry === undefined) return;
    const index = entry.values.lastIndexOf(value);
    if (index >= 0) entry.values.splice(index, 1);
    if (entry.values.length === 0) entries.splice(entries.indexOf(entry), 1);
    if (entries.length === 0) level.byHash.delete(hash);
    if (level.byHash.size === 0) this.#levels.splice(at, 1);
  }

  /** The value of the longest prefix that holds the address at `bytes[at..at+16)`. */
  lookup(bytes: Uint8Array, at: number): Value | undefined {
    const w0 = wordAt(bytes, at);
    const w1 = wordAt(bytes, at + 4);
    const w2 = wordAt(bytes, at + 8);
    const w3 = wordAt(bytes, at + 12);
    for (const { masks, byHash } of this.#levels) {
      const m0 = w0 & masks[0];
      const m1 = w1 & masks[1];
      const m2 = w2 & masks[2];
      const m3 = w3 & masks[3];
      const entries = byHash.get(hashOf(m0, m1, m2, m3));
      if (entries === undefined) continue;
      for (const { words, values } of entries) {
        if (words[0] === m0 && words[1] === m1 && words[2] === m2 && words[3] === m3) return values[values.length - 1];
      }
    }
    return undefined;
  }

  #level(length: number): Level<Value> {
    const found = this.#levels.find((level) => level.length === length);
    if (found !== undefined) return found;
    const masks = [wordMask(length, 0), wordMask(length, 1), wordMask(length, 2), wordMask(length, 3)] as const;
    const level: Level<Value> = { length, masks, byHash: new Map() };
    const before = this.#levels.findIndex((other) => other.length < length);
    this.#levels.splice(before < 0 ? this.#levels.length : before, 0, level);
    return level;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}

/** 30 bits, which every Node keeps without a box. Only prefixes of our own are hashed in, so nobody can make it long. */
function hashOf(w0: number, w1: number, w2: number, w3: number): number {
  let mixed = Math.imul(w0, 0x9e3779b1) ^ w1;
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca77) ^ w2;
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae3d) ^ w3;
  return (mixed ^ (mixed >>> 16)) & 0x3fffffff;
}

function isSame(a: Ipv6Prefix['words'], b: Ipv6Prefix['words']): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
}
