/**
 * Socket addresses to text and back, with caches: a socket hears from the same few peers all the time, and must not
 * build a string for each packet.
 */
import { formatIpAddress, parseIpAddress } from '../../ip-address.ts';
import { AF_INET, AF_INET6 } from './constants.ts';
import { SOCKADDR_IN, SOCKADDR_IN6 } from './layout.ts';

export type Family = 4 | 6;

/** Octets of an address of the family. */
export function addressSize(family: Family): number {
  return family === 4 ? 4 : 16;
}

/** Octets of a sockaddr of the family. */
export function socketAddressSize(family: Family): number {
  return family === 4 ? SOCKADDR_IN.size : SOCKADDR_IN6.size;
}

/** Writes a whole sockaddr to the start of `into`; the scope is left to the socket's device. */
export function writeSocketAddress(into: Uint8Array, family: Family, address: Uint8Array, port: number): void {
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  into.fill(0, 0, socketAddressSize(family));
  const layout = family === 4 ? SOCKADDR_IN : SOCKADDR_IN6;
  view.setUint16(layout.family, family === 4 ? AF_INET : AF_INET6, true);
  view.setUint16(layout.port, port, false);
  into.set(address, layout.address);
}

/** Slots of a {@link AddressTexts}: far more than the peers of one socket; a power of two. */
const TEXT_SLOTS = 1024;

/** Text of addresses read from memory. A stranger who uses many addresses only makes it slower, never larger. */
export class AddressTexts {
  readonly #family: Family;
  readonly #words: number;
  readonly #keys: Uint32Array;
  readonly #texts: string[] = new Array<string>(TEXT_SLOTS).fill('');

  constructor(family: Family) {
    this.#family = family;
    this.#words = addressSize(family) / 4;
    this.#keys = new Uint32Array(TEXT_SLOTS * this.#words);
  }

  /** The text of the address whose octets begin at `at` in `view`. */
  read(view: DataView, at: number): string {
    let hash = 0;
    for (let word = 0; word < this.#words; word++) hash = Math.imul(hash ^ view.getUint32(at + word * 4), 0x9e37_79b1);
    const slot = (hash >>> 16) & (TEXT_SLOTS - 1);
    const cached = this.#texts[slot];
    if (cached && this.#matches(slot, view, at)) return cached;
    const text = formatIpAddress(new Uint8Array(view.buffer, view.byteOffset + at, addressSize(this.#family)));
    for (let word = 0; word < this.#words; word++)
      this.#keys[slot * this.#words + word] = view.getUint32(at + word * 4);
    this.#texts[slot] = text;
    return text;
  }

  #matches(slot: number, view: DataView, at: number): boolean {
    for (let word = 0; word < this.#words; word++) {
      if (this.#keys[slot * this.#words + word] !== view.getUint32(at + word * 4)) return false;
    }
    return true;
  }
}

/** Entries of a {@link AddressOctets}; when full it starts anew. */
const MAX_OCTETS_ENTRIES = 1024;

/** Octets of addresses given as text. */
export class AddressOctets {
  readonly #family: Family;
  readonly #known = new Map<string, Uint8Array>();

  constructor(family: Family) {
    this.#family = family;
  }

  /** @returns `undefined` when the text is no address of the family. */
  get(text: string): Uint8Array | undefined {
    const known = this.#known.get(text);
    if (known) return known;
    const octets = parseIpAddress(text);
    if (octets?.length !== addressSize(this.#family)) return undefined;
    if (this.#known.size >= MAX_OCTETS_ENTRIES) this.#known.clear();
    this.#known.set(text, octets);
    return octets;
  }
}
