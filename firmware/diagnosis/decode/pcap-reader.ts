/** The classic pcap format: a header, then records; either byte order, microseconds or nanoseconds. */
import type { ByteQueue } from './byte-queue.ts';
import { type CapturedPacket, CaptureError, type FormatReader, MAX_CAPTURED } from './capture-types.ts';

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
/** The link type has 28 bits; above them is the length of a frame check sequence. */
const LINK_TYPE_MASK = 0x0fffffff;
const LINK_TYPE_OFFSET = 20;

/** Magic number, read in network order: byte order of the file and units of a timestamp's fraction per millisecond. */
const MAGICS: ReadonlyMap<number, { readonly littleEndian: boolean; readonly perMs: number }> = new Map([
  [0xa1b2c3d4, { littleEndian: false, perMs: 1000 }],
  [0xd4c3b2a1, { littleEndian: true, perMs: 1000 }],
  [0xa1b23c4d, { littleEndian: false, perMs: 1_000_000 }],
  [0x4d3cb2a1, { littleEndian: true, perMs: 1_000_000 }],
]);

/** Whether the first four octets of a file, read in network order, are those of a pcap file. */
export function isPcapMagic(magic: number): boolean {
  return MAGICS.has(magic);
}

export class PcapReader implements FormatReader {
  #littleEndian = false;
  #perMs = 1000;
  #linkType: number | undefined;
  #frame = 0;

  next(queue: ByteQueue): CapturedPacket | undefined {
    if (this.#linkType === undefined && !this.#readHeader(queue)) return undefined;
    const header = queue.peek(RECORD_HEADER);
    if (header === undefined) return undefined;
    const captured = header.getUint32(8, this.#littleEndian);
    if (captured > MAX_CAPTURED) {
      throw new CaptureError(`frame ${this.#frame + 1} claims to have ${captured} octets: the file is damaged`, true);
    }
    if (queue.available < RECORD_HEADER + captured) return undefined;
    const seconds = header.getUint32(0, this.#littleEndian);
    const time = seconds * 1000 + header.getUint32(4, this.#littleEndian) / this.#perMs;
    const originalLength = Math.max(captured, header.getUint32(12, this.#littleEndian));
    queue.skip(RECORD_HEADER);
    this.#frame += 1;
    return { frame: this.#frame, time, linkType: this.#linkType ?? 0, bytes: queue.take(captured), originalLength };
  }

  #readHeader(queue: ByteQueue): boolean {
    const header = queue.peek(FILE_HEADER);
    if (header === undefined) return false;
    const kind = MAGICS.get(header.getUint32(0));
    if (kind === undefined) throw new CaptureError('it is no pcap file', false);
    this.#littleEndian = kind.littleEndian;
    this.#perMs = kind.perMs;
    this.#linkType = header.getUint32(LINK_TYPE_OFFSET, kind.littleEndian) & LINK_TYPE_MASK;
    queue.skip(FILE_HEADER);
    return true;
  }
}
