/** A capture file of either format, chunk by chunk: octets in, packets out. */
import { ByteQueue } from './byte-queue.ts';
import { type CapturedPacket, CaptureError, type FormatReader } from './capture-types.ts';
import { isPcapMagic, PcapReader } from './pcap-reader.ts';
import { isPcapngMagic, PcapngReader } from './pcapng-reader.ts';

/** What compressed captures begin with, for better words. */
const GZIP_MAGIC = 0x1f8b;

export class CaptureReader {
  readonly #queue = new ByteQueue();
  #format: FormatReader | undefined;
  #frames = 0;

  /**
   * The packets that are complete with these octets. Their `bytes` are views: good until the next call.
   * @throws CaptureError when the file is no capture, or damaged from here on.
   */
  *push(chunk: Uint8Array): Generator<CapturedPacket, void, undefined> {
    this.#queue.push(chunk);
    this.#format ??= this.#recognise();
    if (this.#format === undefined) return;
    for (;;) {
      const packet = this.#format.next(this.#queue);
      if (packet === undefined) return;
      this.#frames = packet.frame;
      yield packet;
    }
  }

  /** The file has ended. @throws CaptureError when it ended too early. */
  end(): void {
    if (this.#format === undefined) throw new CaptureError('it is neither a pcap nor a pcapng file', false);
    if (this.#queue.available > 0 || this.#queue.skipping) {
      throw new CaptureError(`it ends in the middle of a record, behind frame ${this.#frames}`, true);
    }
  }

  #recognise(): FormatReader | undefined {
    const start = this.#queue.peek(4);
    if (start === undefined) return undefined;
    const magic = start.getUint32(0);
    if (isPcapMagic(magic)) return new PcapReader();
    if (isPcapngMagic(magic)) return new PcapngReader();
    if (magic >>> 16 === GZIP_MAGIC) throw new CaptureError('it is compressed by gzip: decompress it first', false);
    throw new CaptureError('it is neither a pcap nor a pcapng file', false);
  }
}
