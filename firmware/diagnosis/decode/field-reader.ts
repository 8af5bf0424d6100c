/** Reading the fields of a message so that a field which cannot be read is known by its name and its place. */
import type { DecodeFault } from './decoded.ts';

/** A field of a message is not what its specification allows, or is not there. */
export class FieldError extends Error {
  override readonly name = 'FieldError';
  readonly fault: DecodeFault;

  constructor(offset: number, field: string, reason: string) {
    super(`${field} at offset ${offset}: ${reason}`);
    this.fault = { offset, field, reason };
  }
}

/** What `act` returns, or the fault that it ended with. Errors of any other kind are ours and go on. */
export function faultOf(act: () => void): DecodeFault | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof FieldError) return error.fault;
    throw error;
  }
}

/** A part of a captured packet. */
export interface Octets {
  readonly bytes: Uint8Array;
  /** Octets that the packet had behind `bytes` on the wire and that were not captured (the capture's snap length). */
  readonly missing: number;
}

/** Whole octets, nothing missing. */
export function whole(bytes: Uint8Array): Octets {
  return { bytes, missing: 0 };
}

/**
 * Octets `from`..`to` of a packet. `to` may be beyond what was captured, and is then counted as missing as far as the
 * packet had it.
 */
export function slice(octets: Octets, from: number, to = octets.bytes.length + octets.missing): Octets {
  const { bytes, missing } = octets;
  const end = Math.min(to, bytes.length + missing);
  return {
    bytes: bytes.subarray(Math.min(from, bytes.length), Math.min(end, bytes.length)),
    missing: Math.max(0, end - Math.max(bytes.length, from)),
  };
}

/** Reads network-order fields. */
export class FieldReader {
  readonly #octets: Octets;
  readonly #base: number;
  #at = 0;

  /** @param base offset of the first octet in its message, for faults. */
  constructor(octets: Octets, base = 0) {
    this.#octets = octets;
    this.#base = base;
  }

  /** Octets that were captured and are not read yet. */
  get remaining(): number {
    return this.#octets.bytes.length - this.#at;
  }

  /** Nothing is left, captured or not. */
  get done(): boolean {
    return this.remaining === 0 && this.#octets.missing === 0;
  }

  /** Of the next octet in the message. */
  get offset(): number {
    return this.#base + this.#at;
  }

  u8(field: string): number {
    return this.#number(1, field);
  }

  u16(field: string): number {
    return this.#number(2, field);
  }

  /** Unsigned. */
  u32(field: string): number {
    return this.#number(4, field);
  }

  /** The next octets, a view. @throws FieldError when there are fewer. */
  bytes(length: number, field: string): Uint8Array {
    if (length < 0 || length > this.remaining) throw this.#short(length, field);
    this.#at += length;
    return this.#octets.bytes.subarray(this.#at - length, this.#at);
  }

  /** Whatever is left, a view, possibly empty. @throws FieldError when some of it was not captured. */
  rest(field = 'rest'): Uint8Array {
    return this.bytes(this.remaining + this.#octets.missing, field);
  }

  /** A reader of the next octets, which are stepped over here. @throws FieldError when there are fewer. */
  part(length: number, field: string): FieldReader {
    const base = this.offset;
    return new FieldReader(whole(this.bytes(length, field)), base);
  }

  /** @param at offset in the message; of the next octet when absent. @throws FieldError always. */
  fail(field: string, reason: string, at = this.offset): never {
    throw new FieldError(at, field, reason);
  }

  #number(length: number, field: string): number {
    let value = 0;
    for (const octet of this.bytes(length, field)) value = value * 256 + octet;
    return value;
  }

  #short(length: number, field: string): FieldError {
    const { missing } = this.#octets;
    const reason =
      missing > 0 && length <= this.remaining + missing
        ? `the capture was cut short here: ${missing} octets of the packet are not in it`
        : `${length} octets wanted, ${this.remaining + missing} left`;
    return new FieldError(this.offset, field, reason);
  }
}
