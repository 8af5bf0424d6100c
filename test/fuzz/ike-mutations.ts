/** What strangers make of messages that they have seen. */
import { concatBytes } from '../../firmware/protocol/bytes.ts';
import type { SeededRandom } from '../support/seeded-random.ts';

const HEADER_OCTETS = 28;
/** Numbers at which readers stumble. */
const EXTREMES = [0, 1, 3, 4, 7, 8, 27, 28, 0x7f, 0x80, 0xff] as const;

/** One that is not the message itself, mostly. */
export function mutated(random: SeededRandom, message: Uint8Array): Uint8Array {
  let octets = Uint8Array.from(message);
  for (let times = 1 + random.int(3); times > 0; times -= 1) octets = once(random, octets);
  // Half of them say the truth about their length: those get deeper.
  if (octets.length >= HEADER_OCTETS && random.int(2) === 0) {
    new DataView(octets.buffer, octets.byteOffset).setUint32(24, octets.length);
  }
  return octets;
}

function once(random: SeededRandom, octets: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(octets);
  if (copy.length === 0) return copy;
  const at = random.int(copy.length);
  switch (random.int(10)) {
    case 0:
      return copy.slice(0, at);
    case 1:
      return Uint8Array.from(concatBytes(copy, random.bytes(random.int(40))));
    case 2:
      // A part again: a payload twice, with luck.
      return Uint8Array.from(concatBytes(copy.subarray(0, at), copy.subarray(random.int(copy.length))));
    case 3:
      // Another initiator: a new exchange at a responder.
      copy.set(random.bytes(Math.min(8, copy.length)));
      return copy;
    case 4:
      // A number of the header.
      copy[16 + random.int(8)] = random.int(256);
      return copy.slice(0, octets.length);
    case 5:
      copy[at] = EXTREMES[random.int(EXTREMES.length)] ?? 0;
      return copy;
    case 6:
      copy.fill(random.int(2) * 255, at, at + random.int(16));
      return copy;
    case 7:
      copy.set(random.bytes(Math.min(copy.length - at, 1 + random.int(32))), at);
      return copy;
    default:
      for (let flips = 1 + random.int(4); flips > 0; flips -= 1) {
        const where = random.int(copy.length);
        copy[where] = (copy[where] ?? 0) ^ (1 << random.int(8));
      }
      return copy;
  }
}

/** Random octets, sometimes behind a header that makes sense. */
export function noise(random: SeededRandom, version: 1 | 2): Uint8Array {
  const octets = random.bytes(random.int(600));
  if (octets.length < HEADER_OCTETS || random.int(3) === 0) return octets;
  const exchanges = version === 1 ? [2, 4, 5, 6, 32] : [34, 35, 36, 37];
  octets[17] = version << 4;
  octets[18] = exchanges[random.int(exchanges.length)] ?? 0;
  octets[19] = [0x00, 0x01, 0x08, 0x20, 0x28][random.int(5)] ?? 0;
  if (random.int(2) === 0) octets.fill(0, 8, 16);
  if (random.int(2) === 0) octets.fill(0, 20, 24);
  new DataView(octets.buffer, octets.byteOffset).setUint32(24, octets.length);
  return octets;
}

/** A fragment of IKEv1 (payload 132) with a part of a message, under that message's cookies. */
export function fragmentV1(random: SeededRandom, message: Uint8Array): Uint8Array {
  if (message.length < HEADER_OCTETS) return message;
  const part = message.subarray(random.int(4) === 0 ? random.int(message.length) : 0);
  const header = Uint8Array.from(message.subarray(0, HEADER_OCTETS));
  header[16] = 132;
  header[19] = 0;
  header.fill(0, 20, 24);
  const payload = concatBytes(
    Uint8Array.of(0, 0, (part.length + 8) >> 8, (part.length + 8) & 255, 0, random.int(3), 1 + random.int(3)),
    Uint8Array.of(random.int(2)),
    part,
  );
  const whole = concatBytes(header, payload);
  new DataView(whole.buffer, whole.byteOffset).setUint32(24, whole.length);
  return whole;
}
