import { ByteReader, DecodeError } from '../protocol/bytes.ts';
import { readAnyDer } from '../protocol/ike/crypto/der.ts';

/** Tags in certificates beside those of {@link ../protocol/ike/crypto/der.ts}. */
export const TAG = {
  boolean: 1,
  integer: 2,
  bitString: 3,
  octetString: 4,
  objectIdentifier: 6,
  enumerated: 10,
  utcTime: 23,
  generalizedTime: 24,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Context-specific: `[0]` is 0x80, or 0xa0 where it has values in it. */
export function context(number: number, form: 'primitive' | 'constructed'): number {
  return (form === 'primitive' ? 0x80 : 0xa0) | number;
}

export interface DerElement {
  readonly tag: number;
  readonly contents: Uint8Array;
  /** With tag and length. */
  readonly whole: Uint8Array;
}

/** Values one after the other, as they stand in a SEQUENCE. All results are views. */
export class DerReader {
  readonly #octets: Uint8Array;
  readonly #reader: ByteReader;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
    this.#reader = new ByteReader(octets);
  }

  get done(): boolean {
    return this.#reader.remaining === 0;
  }

  /** Tag of the next value; `undefined` at the end. */
  get tag(): number | undefined {
    return this.#octets[this.#reader.offset];
  }

  /** The next value, whatever it is. @throws DecodeError when there is no whole one. */
  any(what: string): DerElement {
    const start = this.#reader.offset;
    const { tag, contents } = readAnyDer(this.#reader, what);
    return { tag, contents, whole: this.#octets.subarray(start, this.#reader.offset) };
  }

  /** The next value. @throws DecodeError when it has another tag. */
  next(tag: number, what: string): DerElement {
    const element = this.any(what);
    if (element.tag !== tag) throw new DecodeError(`${what}: tag ${tag} wanted, ${element.tag} seen`);
    return element;
  }

  /** The next value, if it has this tag; else nothing is read. @throws DecodeError when it is not whole. */
  optional(tag: number, what: string): DerElement | undefined {
    return this.tag === tag ? this.any(what) : undefined;
  }

  /** What is inside the next value. @throws DecodeError when it has another tag. */
  inside(tag: number, what: string): DerReader {
    return new DerReader(this.next(tag, what).contents);
  }

  /** @throws DecodeError when something is left. */
  end(what: string): void {
    if (!this.done) throw new DecodeError(`${what}: ${this.#reader.remaining} octets too many`);
  }
}

/** A value that is all of `octets`. @throws DecodeError when something follows it. */
export function onlyDer(octets: Uint8Array, tag: number, what: string): DerReader {
  const reader = new DerReader(octets);
  const inside = reader.inside(tag, what);
  reader.end(what);
  return inside;
}

/** A small number. @throws DecodeError when it is negative or larger than 2^31. */
export function smallInteger(contents: Uint8Array, what: string): number {
  if (contents.length === 0 || contents.length > 4 || (contents[0] ?? 0) >= 0x80)
    throw new DecodeError(`${what}: no number from 0 to 2147483647`);
  return contents.reduce((sum, octet) => sum * 256 + octet, 0);
}

/** BIT STRING of whole octets. @throws DecodeError when bits are left over. */
export function wholeOctets(contents: Uint8Array, what: string): Uint8Array {
  if (contents[0] !== 0) throw new DecodeError(`${what}: unused bits`);
  return contents.subarray(1);
}

/** Named bits of a BIT STRING, the first of them bit 0 (X.690 section 8.6). @throws DecodeError when it is none. */
export function namedBits(contents: Uint8Array, what: string): ReadonlySet<number> {
  const [unused = 8, ...octets] = contents;
  if (unused > 7 || octets.length > 4) throw new DecodeError(`${what}: no list of bits`);
  const bits = octets.flatMap((octet, at) =>
    [0, 1, 2, 3, 4, 5, 6, 7].flatMap((bit) => ((octet & (0x80 >>> bit)) === 0 ? [] : [at * 8 + bit])),
  );
  return new Set(bits);
}

/**
 * UTCTime or GeneralizedTime as RFC 5280 section 4.1.2.5 has them: seconds and `Z`, nothing else.
 * @returns ms since 1970. @throws DecodeError when it is no such time.
 */
export function time({ tag, contents }: DerElement, what: string): number {
  const text = Buffer.from(contents).toString('latin1');
  const digits = tag === TAG.utcTime ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits)?.slice(1).map(Number);
  if (parts === undefined || (tag !== TAG.utcTime && tag !== TAG.generalizedTime))
    throw new DecodeError(`${what}: no time`);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59)
    throw new DecodeError(`${what}: no time that there is`);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
