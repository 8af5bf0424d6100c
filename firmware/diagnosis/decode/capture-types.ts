/** What comes out of a capture file, whichever its format. */
import type { ByteQueue } from './byte-queue.ts';

export interface CapturedPacket {
  /** 1-based number in the file. */
  readonly frame: number;
  /** Milliseconds since 1970, with as many decimals as the file has. */
  readonly time: number;
  /** LINKTYPE_ number: what the octets begin with. */
  readonly linkType: number;
  /** What was captured: a view that is good until the next chunk of the file is read. */
  readonly bytes: Uint8Array;
  /** Octets that the packet had on the wire. */
  readonly originalLength: number;
}

/** A file that is no capture, or one that cannot be read on. The message says why, without a full stop. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
  /** Whether the file is a capture as far as it could be read. */
  readonly partly: boolean;

  constructor(message: string, partly: boolean) {
    super(message);
    this.partly = partly;
  }
}

/**
 * Largest packet that is believed, octets: as much as the common tools write. A larger one is a sign of a damaged file.
 */
export const MAX_CAPTURED = 262_144;

/** Reads packets of one format from a queue of octets. */
export interface FormatReader {
  /** The next packet; `undefined` until there are more octets. @throws CaptureError when the file is damaged. */
  next(queue: ByteQueue): CapturedPacket | undefined;
}
