/** pcapng files for tests, made block by block. */
import { concatBytes } from '../../firmware/protocol/bytes.ts';

/** Writes the blocks of one section in one byte order. */
export class PcapngSection {
  readonly #littleEndian: boolean;
  readonly #blocks: Uint8Array[] = [];

  constructor(littleEndian = true) {
    this.#littleEndian = littleEndian;
    this.block(0x0a0d0d0a, concatBytes(this.u32(0x1a2b3c4d), this.u16(1), this.u16(0), new Uint8Array(8).fill(0xff)));
  }

  /** An Interface Description with options `[code, value]`. */
  interface(linkType: number, options: readonly (readonly [number, Uint8Array])[] = [], snapLength = 0): this {
    const list = options.map(([code, value]) => concatBytes(this.u16(code), this.u16(value.length), padded(value)));
    const end = options.length === 0 ? new Uint8Array(0) : this.u32(0);
    return this.block(1, concatBytes(this.u16(linkType), this.u16(0), this.u32(snapLength), ...list, end));
  }

  /** An Enhanced Packet. @param ticks of the interface's resolution */
  enhanced(interfaceId: number, ticks: bigint, bytes: Uint8Array, original = bytes.length): this {
    return this.block(6, concatBytes(this.u32(interfaceId), ...this.#packet(ticks, bytes, original)));
  }

  /** The Packet block of earlier files. */
  old(interfaceId: number, ticks: bigint, bytes: Uint8Array): this {
    return this.block(2, concatBytes(this.u16(interfaceId), this.u16(0), ...this.#packet(ticks, bytes, bytes.length)));
  }

  /** A Simple Packet. */
  simple(bytes: Uint8Array, original = bytes.length): this {
    return this.block(3, concatBytes(this.u32(original), padded(bytes)));
  }

  block(type: number, body: Uint8Array): this {
    const length = this.u32(12 + body.length);
    this.#blocks.push(concatBytes(this.u32(type), length, body, length));
    return this;
  }

  finish(): Uint8Array {
    return concatBytes(...this.#blocks);
  }

  u16(value: number): Uint8Array {
    const bytes = new Uint8Array(2);
    new DataView(bytes.buffer).setUint16(0, value, this.#littleEndian);
    return bytes;
  }

  u32(value: number): Uint8Array {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, this.#littleEndian);
    return bytes;
  }

  #packet(ticks: bigint, bytes: Uint8Array, original: number): readonly Uint8Array[] {
    const time = [this.u32(Number(ticks >> 32n)), this.u32(Number(ticks & 0xffffffffn))];
    return [...time, this.u32(bytes.length), this.u32(original), padded(bytes)];
  }
}

function padded(bytes: Uint8Array): Uint8Array {
  return concatBytes(bytes, new Uint8Array((4 - (bytes.length % 4)) % 4));
}
