/**
 * Longest-prefix match over IPv4 prefixes: which session takes an inner packet.
 *
 * One hash map per prefix length that is in use, asked from the longest to the shortest. A branch has two or three
 * lengths and a head office `/32`s and a few networks, so a look-up is a handful of integer hashes. IPv6 gets a table
 * of its own beside this one; until then {@link parseIpv4Prefix} tells IPv6 prefixes apart and callers leave them out.
 */

/** An IPv4 prefix; host bits are zero. */
export interface Ipv4Prefix {
  /** The network address as an unsigned 32-bit number. */
  readonly network: number;
  /** 0..32 */
  readonly length: number;
}

const DOTTED_QUAD = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const IPV6_CHARACTERS = /^[0-9a-fA-F:.]+$/;

/**
 * Reads `192.0.2.0/24`, or `192.0.2.1` as a /32. Host bits are cut off, not refused.
 * @returns undefined for an IPv6 prefix, which IPv4 tables do not hold.
 * @throws RangeError when the text is no prefix at all.
 */
export function parseIpv4Prefix(text: string): Ipv4Prefix | undefined {
  const [address = '', suffix, ...more] = text.split('/');
  if (more.length > 0 || (suffix !== undefined && !/^\d{1,3}$/.test(suffix))) throw notAPrefix(text);
  if (address.includes(':') && IPV6_CHARACTERS.test(address)) {
    if (suffix !== undefined && Number(suffix) > 128) throw notAPrefix(text);
    return undefined;
  }
  const parts = DOTTED_QUAD.exec(address)?.slice(1).map(Number);
  const length = suffix === undefined ? 32 : Number(suffix);
  if (parts === undefined || parts.some((part) => part > 255) || length > 32) throw notAPrefix(text);
  const value = parts.reduce((sum, part) => sum * 256 + part, 0);
  return { network: networkOf(value, length), length };
}

/** The leading `length` bits of `address`, the others zero. JavaScript shifts by 32 are no shifts: /0 is apart. */
function networkOf(address: number, length: number): number {
  return length === 0 ? 0 : (address & (0xffffffff << (32 - length))) >>> 0;
}

function notAPrefix(text: string): RangeError {
  return new RangeError(`'${text}' is not an address prefix: write it like 192.0.2.0/24`);
}

/** The prefixes of one length: network address to the values that claim it, the newest last. */
interface Level<Value> {
  readonly length: number;
  readonly byNetwork: Map<number, Value[]>;
}

/**
 * Prefix to value. Several values may claim one prefix (a session that is being replaced and its successor): the
 * newest wins, and when it goes the one before it is back.
 */
export class Ipv4PrefixTable<Value> {
  /** The longest first; only lengths that hold something. */
  readonly #levels: Level<Value>[] = [];

  add(prefix: Ipv4Prefix, value: Value): void {
    const { byNetwork } = this.#level(prefix.length);
    const values = byNetwork.get(prefix.network);
    if (values === undefined) byNetwork.set(prefix.network, [value]);
    else values.push(value);
  }

  /** Takes back one {@link add} of the same prefix and value. Harmless when there was none. */
  remove(prefix: Ipv4Prefix, value: Value): void {
    const at = this.#levels.findIndex((level) => level.length === prefix.length);
    const level = this.#levels[at];
    const values = level?.byNetwork.get(prefix.network);
    if (level === undefined || values === undefined) return;
    const index = values.lastIndexOf(value);
    if (index >= 0) values.splice(index, 1);
    if (values.length === 0) level.byNetwork.delete(prefix.network);
    if (level.byNetwork.size === 0) this.#levels.splice(at, 1);
  }

  /**
   * The value of the longest prefix that holds `address`.
   * @param address unsigned 32-bit number.
   */
  lookup(address: number): Value | undefined {
    for (const { length, byNetwork } of this.#levels) {
      const values = byNetwork.get(networkOf(address, length));
      if (values !== undefined) return values[values.length - 1];
    }
    return undefined;
  }

  #level(length: number): Level<Value> {
    const found = this.#levels.find((level) => level.length === length);
    if (found !== undefined) return found;
    const level: Level<Value> = { length, byNetwork: new Map() };
    const before = this.#levels.findIndex((other) => other.length < length);
    this.#levels.splice(before < 0 ? this.#levels.length : before, 0, level);
    return level;
  }
}
