/** What the decoder says of packets, for tests. */
import { decodeCapture } from '../../../../firmware/diagnosis/decode/decode-capture.ts';
import type { DecodeOptions } from '../../../../firmware/diagnosis/decode/decode-options.ts';
import type { DecodedMessage } from '../../../../firmware/diagnosis/decode/decoded.ts';
import { inChunks, LINKTYPE_RAW, pcapFile } from '../../../support/capture-builder.ts';

/** Of a file. @param chunk octets that are read at a time */
export async function decodedFile(
  file: Uint8Array,
  options?: DecodeOptions,
  chunk = 65_536,
): Promise<readonly DecodedMessage[]> {
  const messages: DecodedMessage[] = [];
  for await (const message of decodeCapture(inChunks(file, chunk), options)) messages.push(message);
  return messages;
}

/** Of packets in a pcap file. Default: they begin with the IP header. */
export async function decodedPackets(
  packets: readonly Uint8Array[],
  options?: DecodeOptions,
  linkType = LINKTYPE_RAW,
): Promise<readonly DecodedMessage[]> {
  return await decodedFile(
    pcapFile(
      packets.map((bytes) => ({ bytes })),
      { linkType },
    ),
    options,
  );
}
