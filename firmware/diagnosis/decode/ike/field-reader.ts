/** Reading fields of a message so that a wrong one can be named, with the place where it stands. */
import type { DecodeFault } from '../decoded.ts';

/** A field cannot be read. The only error that describing a message throws; what was read before stays. */
export class FieldError extends Error {
  override readonly name = 'FieldError';
  readonly fault: DecodeFault;

  constructor(fault: DecodeFault) {
    super(`${fault.field} at offset ${fault.offset}: ${fault.reason}`);
    this.fault = fault;
  }
}

/** Big-endian fields of a part of a message; offsets are counted from the beginning of the message. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  readonly #base: number;
  #at = 0;

  /** @param base offset of the first octet of `bytes` in the message. */
  constructor(bytes: Uint8Array, base = 0) {
    this.#bytes = bytes;
    this.#base = base;
  }

  /** Of the next octet, in the message. */
  get offset(): number {
    return this.#base + this.#at;
  }

  /** Octets not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  /** @throws FieldError */
  u8(field: string): number {
    const at = this.#take(1, field);
    return this.#octet(at);
  }

  /** @throws FieldError */
  u16(field: string): number {
    const at = this.#take(2, field);
    return (this.#octet(at) << 8) | this.#octet(at + 1);
  }

  /** Unsigned. @throws FieldError */
  u32(field: string): number {
    const at = this.#take(4, field);
    const high = (this.#octet(at) << 24) | (this.#octet(at + 1) << 16);
    return (high | (this.#octet(at + 2) << 8) | this.#octet(at + 3)) >>> 0;
  }

  /** The next octets, a view. @throws FieldError */
  bytes(length: number, field: string): Uint8Array {
    const at = this.#take(length, field);
    return this.#bytes.subarray(at, at + length);
  }

  /** All that is left, a view. */
  rest(): Uint8Array {
    return this.bytes(this.remaining, 'rest');
  }

  /** A reader of the next octets, which are stepped over here. @throws FieldError */
  part(length: number, field: string): FieldReader {
    const base = this.offset;
    return new FieldReader(this.bytes(length, field), base);
  }

  /** @param at offset in the message; that of the next octet when absent. @throws FieldError always. */
  fail(field: string, reason: string, at = this.offset): never {
    throw new FieldError({ offset: at, field, reason });
  }

  #take(length: number, field: string): number {
    if (length < 0 || length > this.remaining) {
      const wanted = length === 1 ? '1 octet is' : `${length} octets are`;
      this.fail(field, `${wanted} wanted, ${this.remaining} left`);
    }
    const at = this.#at;
    this.#at += length;
    return at;
  }

  #octet(at: number): number {
    return this.#bytes[at] ?? 0;
  }
}

/** Does something with a message, and tells of the first field that could not be read. */
export function faultOf(describe: () => void): DecodeFault | undefined {
  try {
    describe();
    return undefined;
  } catch (error) {
    if (error instanceof FieldError) return error.fault;
    throw error;
  }
}
