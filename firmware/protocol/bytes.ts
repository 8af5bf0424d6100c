/**
 * Bounds-checked reading and writing of network-order bytes.
 *
 * A short read throws {@link DecodeError}; nothing is ever clamped. Every codec of this project reads through
 * {@link ByteReader}, so that a stranger's datagram can raise this one error and no other.
 */

/** A message from the wire is not what its specification allows. The only error a codec throws on decode. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

/** A value does not fit the field it was meant for: a mistake of the caller, never of the peer. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError';
}

/** Reads big-endian fields from a view on bytes it does not own. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Octets not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** Octets read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** @throws DecodeError when no octet is left. */
  u8(what: string): number {
    return this.#at(this.#take(1, what));
  }

  /** @throws DecodeError when fewer than 2 octets are left. */
  u16(what: string): number {
    const at = this.#take(2, what);
    return (this.#at(at) << 8) | this.#at(at + 1);
  }

  /** Unsigned. @throws DecodeError when fewer than 4 octets are left. */
  u32(what: string): number {
    const at = this.#take(4, what);
    return ((this.#at(at) << 24) | (this.#at(at + 1) << 16) | (this.#at(at + 2) << 8) | this.#at(at + 3)) >>> 0;
  }

  /** Unsigned. @throws DecodeError when fewer than 8 octets are left. */
  u64(what: string): bigint {
    return (BigInt(this.u32(what)) << 32n) | BigInt(this.u32(what));
  }

  /** The next `length` octets, a view, not a copy. @throws DecodeError when fewer are left. */
  bytes(length: number, what: string): Uint8Array {
    const at = this.#take(length, what);
    return this.#bytes.subarray(at, at + length);
  }

  /** All that is left, a view, possibly empty. */
  rest(): Uint8Array {
    return this.bytes(this.remaining, 'rest');
  }

  /** Steps over `length` octets. @throws DecodeError when fewer are left. */
  skip(length: number, what: string): void {
    this.#take(length, what);
  }

  #take(length: number, what: string): number {
    if (!Number.isInteger(length) || length < 0 || length > this.remaining) {
      throw new DecodeError(`${what}: ${length} octets wanted at offset ${this.#offset}, ${this.remaining} left`);
    }
    const at = this.#offset;
    this.#offset += length;
    return at;
  }

  #at(index: number): number {
    const value = this.#bytes[index];
    if (value === undefined) throw new DecodeError(`no octet at ${index}`);
    return value;
  }
}

/** Writes big-endian fields into a buffer that grows. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  /** @param capacity first size of the buffer in octets; it doubles when needed. */
  constructor(capacity = 128) {
    this.#bytes = new Uint8Array(Math.max(capacity, 16));
  }

  /** Octets written so far. */
  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    this.#range(value, 0xff);
    const at = this.#grow(1);
    this.#bytes[at] = value;
    return this;
  }

  u16(value: number): this {
    this.#range(value, 0xffff);
    const at = this.#grow(2);
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
    return this;
  }

  u32(value: number): this {
    this.#range(value, 0xffffffff);
    const at = this.#grow(4);
    this.#bytes[at] = value >>> 24;
    this.#bytes[at + 1] = value >>> 16;
    this.#bytes[at + 2] = value >>> 8;
    this.#bytes[at + 3] = value;
    return this;
  }

  u64(value: bigint): this {
    if (value < 0n || value > 0xffffffffffffffffn) throw new EncodeError(`${value} does not fit 64 bits`);
    return this.u32(Number(value >> 32n)).u32(Number(value & 0xffffffffn));
  }

  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** Overwrites two octets written earlier: lengths that are known last. */
  patchU16(at: number, value: number): this {
    this.#range(value, 0xffff);
    if (!Number.isInteger(at) || at < 0 || at + 2 > this.#length) throw new EncodeError(`no field at ${at}`);
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
    return this;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #grow(length: number): number {
    const at = this.#length;
    const needed = at + length;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#length = needed;
    return at;
  }

  #range(value: number, max: number): void {
    if (!Number.isInteger(value) || value < 0 || value > max) throw new EncodeError(`${value} is not in 0..${max}`);
  }
}

const utf8 = new TextEncoder();

/** The UTF-8 octets of `text`. */
export function utf8Bytes(text: string): Uint8Array {
  return utf8.encode(text);
}

/** `bytes` in lower-case hexadecimal, without separators. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** The octets of all `parts`, one after the other. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
