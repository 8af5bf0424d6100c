/** A capture file, message by message. */
import { CaptureReader } from './capture-reader.ts';
import { CaptureError } from './capture-types.ts';
import type { DecodeOptions } from './decode-options.ts';
import type { DecodedMessage } from './decoded.ts';
import { FrameDecoder } from './frame-decoder.ts';

/**
 * Every message of a capture, in order. Memory does not grow with the file.
 * @param chunks the octets of a pcap or pcapng file, in chunks of any size
 * @throws CaptureError behind the last message that could be read, when the file is no capture, damaged or cut short
 */
export async function* decodeCapture(
  chunks: AsyncIterable<Uint8Array>,
  options: DecodeOptions = {},
): AsyncGenerator<DecodedMessage, void, undefined> {
  const reader = new CaptureReader();
  const decoder = new FrameDecoder(options);
  let fault: CaptureError | undefined;
  try {
    for await (const chunk of chunks) {
      for (const packet of reader.push(chunk)) yield* decoder.decode(packet);
    }
    reader.end();
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    fault = error;
  }
  yield* decoder.end();
  if (fault !== undefined) throw fault;
}
