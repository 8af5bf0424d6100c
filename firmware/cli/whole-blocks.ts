/** Lets a pcapng file through block by block, so that what was written is whole wherever it ends. */
import { ByteQueue } from '../diagnosis/decode/byte-queue.ts';

/** Block Type and Block Total Length, octets. */
const BLOCK_START = 8;

/** Of files in little endian, as the router writes them. */
export class WholeBlocks {
  readonly #queue = new ByteQueue();

  /** The blocks that are complete with these octets: views, good until the next call. */
  *push(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    this.#queue.push(chunk);
    for (;;) {
      const length = this.#queue.peek(BLOCK_START)?.getUint32(4, true);
      if (length === undefined || length > this.#queue.available) return;
      yield this.#queue.take(Math.max(length, BLOCK_START));
    }
  }
}
