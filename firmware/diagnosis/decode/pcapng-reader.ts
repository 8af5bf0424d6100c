/** The pcapng format: blocks in sections, each section with a byte order and interfaces of its own. */
import type { ByteQueue } from './byte-queue.ts';
import { type CapturedPacket, CaptureError, type FormatReader, MAX_CAPTURED } from './capture-types.ts';
import { BLOCK, BYTE_ORDER_MAGIC, INTERFACE_OPTION } from './pcapng-format.ts';

/** Block Type and Block Total Length before the body, Block Total Length again behind it, octets. */
const BLOCK_HEADER = 8;
const BLOCK_OVERHEAD = 12;
/** Header and Byte-Order Magic: as much of a section header as is needed to read its length. */
const SECTION_START = 12;
/** Largest block that is read rather than stepped over, octets: a packet with room for options. */
const MAX_BLOCK = MAX_CAPTURED + 65_536;
/** Interfaces of a section that are remembered: far more than any machine has. */
const MAX_INTERFACES = 4096;

/** Blocks that carry something of interest. */
const READ: ReadonlySet<number> = new Set([
  BLOCK.interfaceDescription,
  BLOCK.packet,
  BLOCK.simplePacket,
  BLOCK.enhancedPacket,
]);

/** Code of what ends options. */
const OPTION_END = 0;

interface Interface {
  readonly linkType: number;
  /** Octets; 0 for no limit. */
  readonly snapLength: number;
  /** Ticks of a timestamp per millisecond. */
  readonly ticksPerMs: number;
  /** Added to every timestamp, ms. */
  readonly offsetMs: number;
}

/** Whether the first four octets of a file, read in network order, are those of a pcapng file. */
export function isPcapngMagic(magic: number): boolean {
  return magic === BLOCK.sectionHeader;
}

export class PcapngReader implements FormatReader {
  #littleEndian = false;
  #interfaces: Interface[] = [];
  #frame = 0;
  /** Of the last packet that had a timestamp: a Simple Packet has none. */
  #time = 0;

  next(queue: ByteQueue): CapturedPacket | undefined {
    for (;;) {
      const block = this.#block(queue);
      if (block === undefined) return undefined;
      if (block === 'skipped') continue;
      const packet = this.#read(block.type, block.body);
      if (packet !== undefined) return packet;
    }
  }

  /** The next block. Those that carry nothing of interest are stepped over, however long they are. */
  #block(queue: ByteQueue): { readonly type: number; readonly body: DataView } | 'skipped' | undefined {
    if (queue.skipping) return undefined;
    const start = queue.peek(BLOCK_HEADER);
    if (start === undefined) return undefined;
    if (start.getUint32(0) === BLOCK.sectionHeader) {
      const section = queue.peek(SECTION_START);
      if (section === undefined) return undefined;
      this.#beginSection(section);
    }
    const type = start.getUint32(0, this.#littleEndian);
    const length = start.getUint32(4, this.#littleEndian);
    if (length < BLOCK_OVERHEAD || length % 4 !== 0) throw this.#damaged(`a block with a length of ${length}`);
    if (!READ.has(type)) {
      queue.skip(length);
      return 'skipped';
    }
    if (length > MAX_BLOCK) throw this.#damaged(`a block of ${length} octets`);
    if (queue.available < length) return undefined;
    const block = queue.take(length);
    return { type, body: new DataView(block.buffer, block.byteOffset + BLOCK_HEADER, length - BLOCK_OVERHEAD) };
  }

  #beginSection(section: DataView): void {
    const bigEndian = section.getUint32(8) === BYTE_ORDER_MAGIC;
    if (!bigEndian && section.getUint32(8, true) !== BYTE_ORDER_MAGIC) {
      throw new CaptureError('a section of it has no byte order: it is no pcapng file, or damaged', this.#frame > 0);
    }
    this.#littleEndian = !bigEndian;
    this.#interfaces = [];
  }

  #read(type: number, body: DataView): CapturedPacket | undefined {
    switch (type) {
      case BLOCK.interfaceDescription:
        this.#addInterface(body);
        return undefined;
      case BLOCK.simplePacket:
        return this.#simplePacket(body);
      case BLOCK.packet:
        return this.#packet(body, this.#u16(body, 0), 4);
      default:
        return this.#packet(body, this.#u32(body, 0), 4);
    }
  }

  /** Enhanced Packet and the old Packet differ in how the interface is told. @param at of the timestamp */
  #packet(body: DataView, interfaceId: number, at: number): CapturedPacket {
    const from = this.#interfaces[interfaceId];
    if (from === undefined) throw this.#damaged(`a packet of interface ${interfaceId}, which is not described`);
    const ticks = this.#u32(body, at) * 2 ** 32 + this.#u32(body, at + 4);
    this.#time = ticks / from.ticksPerMs + from.offsetMs;
    const captured = this.#u32(body, at + 8);
    return this.#captured(body, at + 16, captured, Math.max(captured, this.#u32(body, at + 12)), from.linkType);
  }

  #simplePacket(body: DataView): CapturedPacket {
    const from = this.#interfaces[0];
    if (from === undefined) throw this.#damaged('a packet of an interface that is not described');
    const original = this.#u32(body, 0);
    const snapLength = from.snapLength === 0 ? original : from.snapLength;
    return this.#captured(body, 4, Math.min(original, snapLength, body.byteLength - 4), original, from.linkType);
  }

  #captured(body: DataView, at: number, length: number, original: number, linkType: number): CapturedPacket {
    if (length > MAX_CAPTURED || at + length > body.byteLength) throw this.#damaged(`a packet of ${length} octets`);
    this.#frame += 1;
    const bytes = new Uint8Array(body.buffer, body.byteOffset + at, length);
    return { frame: this.#frame, time: this.#time, linkType, bytes, originalLength: original };
  }

  #addInterface(body: DataView): void {
    if (this.#interfaces.length >= MAX_INTERFACES) throw this.#damaged(`more than ${MAX_INTERFACES} interfaces`);
    const linkType = this.#u16(body, 0);
    const snapLength = this.#u32(body, 4);
    let ticksPerMs = 1000;
    let offsetMs = 0;
    for (let at = 8; at + 4 <= body.byteLength; ) {
      const code = this.#u16(body, at);
      const length = this.#u16(body, at + 2);
      if (code === OPTION_END || at + 4 + length > body.byteLength) break;
      if (code === INTERFACE_OPTION.timestampResolution && length === 1) ticksPerMs = ticksOf(body.getUint8(at + 4));
      if (code === INTERFACE_OPTION.timestampOffset && length === 8)
        offsetMs = Number(body.getBigInt64(at + 4, this.#littleEndian)) * 1000;
      at += 4 + length + ((4 - (length % 4)) % 4);
    }
    this.#interfaces.push({ linkType, snapLength, ticksPerMs, offsetMs });
  }

  #u16(body: DataView, at: number): number {
    if (at + 2 > body.byteLength) throw this.#damaged('a block that is too short');
    return body.getUint16(at, this.#littleEndian);
  }

  #u32(body: DataView, at: number): number {
    if (at + 4 > body.byteLength) throw this.#damaged('a block that is too short');
    return body.getUint32(at, this.#littleEndian);
  }

  #damaged(what: string): CaptureError {
    return new CaptureError(`behind frame ${this.#frame} it has ${what}: the file is damaged`, true);
  }
}

/** if_tsresol: a negative power of ten, or of two where the highest bit is set. */
function ticksOf(resolution: number): number {
  return (resolution & 0x80) === 0 ? 10 ** resolution / 1000 : 2 ** (resolution & 0x7f) / 1000;
}
