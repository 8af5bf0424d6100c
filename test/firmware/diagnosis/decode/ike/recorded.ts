/** Messages of two IKEv2 machines as a capture would have them, and the keys to read them. */
import type { DecodedBody, MessagePlace } from '../../../../../firmware/diagnosis/decode/decoded.ts';
import { IkeDecoder } from '../../../../../firmware/diagnosis/decode/ike/ike-decoder.ts';
import type { DecodeKeys } from '../../../../../firmware/diagnosis/decode/keys/decode-keys.ts';
import { parseKeyText } from '../../../../../firmware/diagnosis/decode/keys/key-files.ts';
import { keyLines } from '../../../../../firmware/diagnosis/decode/keys/key-writer.ts';
import type { IkeSecrets } from '../../../../../firmware/protocol/ike/ike-types.ts';
import type { UdpEndpoint } from '../../../../../firmware/protocol/udp-path.ts';
import type { Flying, Harness } from '../../../protocol/ike/v2/harness.ts';

export interface Recorded {
  readonly octets: Uint8Array;
  readonly source: UdpEndpoint;
  readonly destination: UdpEndpoint;
}

/** Lets two machines talk until they have said all, and keeps what they said. */
export function record(harness: Harness): readonly Recorded[] {
  const messages: Recorded[] = [];
  harness.drain();
  while (harness.flying.length > 0) {
    const [first] = harness.flying;
    if (first === undefined) break;
    harness.flying = harness.flying.slice(1);
    messages.push(seen(first, harness));
    harness.deliver(first);
  }
  return messages;
}

function seen({ from, datagram, path }: Flying, { translate }: Harness): Recorded {
  return {
    octets: datagram,
    source: from === 'left' ? translate(path.local) : path.local,
    destination: path.remote,
  };
}

export function placeOf({ source, destination }: Omit<Recorded, 'octets'>, frame = 1): MessagePlace {
  return { frame, time: frame * 10, source, destination };
}

/** What the keys of one side, written out and read in, look like to the decoder. */
export function keysOf(secrets: readonly IkeSecrets[]): DecodeKeys {
  return parseKeyText(secrets.flatMap((one) => keyLines(one).map(({ line }) => line)).join('\n'), 'keys');
}

export function decodeAll(messages: readonly Recorded[], keys: DecodeKeys): readonly DecodedBody[] {
  const decoder = new IkeDecoder(keys);
  return messages.flatMap((message, index) => decoder.decode(message.octets, placeOf(message, index + 1)));
}
