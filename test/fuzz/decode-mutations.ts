/** Small captures of every kind, and what becomes of them when somebody means harm. */
import { readFileSync } from 'node:fs';
import { CaptureReader } from '../../firmware/diagnosis/decode/capture-reader.ts';
import { ByteWriter, concatBytes } from '../../firmware/protocol/bytes.ts';
import { ethernet, ipv4, ipv6, LINKTYPE_ETHERNET, LINKTYPE_RAW, pcapFile, udp } from '../support/capture-builder.ts';
import { EVERY_PAYLOAD } from '../support/every-message.ts';
import { PcapngSection } from '../support/pcapng-builder.ts';
import type { SeededRandom } from '../support/seeded-random.ts';

/** Packets of one capture at most. */
const MAX_PACKETS = 6;
const PORTS = [1701, 1701, 1701, 500, 4500, 40_000];
/** What lengths, counts and offsets are set to. */
const TELLING = [0, 1, 2, 3, 4, 5, 6, 0x7f, 0x80, 0xff, 0x3ff, 0x400, 0x7fff, 0x8000, 0xfffe, 0xffff];

/** The keys that open {@link esp}'s packets, in Wireshark's format. */
export const NULL_KEYS = '"IPv4","*","*","0x00001000","NULL","","NULL",""';

/** Octets of an Ethernet header. */
const ETHERNET = 14;

/** IP packets that real peers sent. */
const REAL: readonly Uint8Array[] = ['xl2tpd', 'l2tpns'].flatMap((peer) => {
  const file = readFileSync(new URL(`../firmware/diagnosis/captures/${peer}.pcap`, import.meta.url));
  return [...new CaptureReader().push(file)].map(({ bytes }) => bytes.subarray(ETHERNET));
});

/** A capture, mutated or not (one in sixteen is left as it is). */
export function strangeCapture(random: SeededRandom): Uint8Array {
  const packets: Uint8Array[] = [];
  const count = 1 + random.int(MAX_PACKETS);
  for (let index = 0; index < count; index += 1) packets.push(...packetsOf(random));
  if (random.int(4) === 0) shuffle(random, packets);
  if (random.int(4) === 0) packets.push(...packets.slice(0, 1 + random.int(packets.length)));
  const damaged = packets.map((packet) => (random.int(2) === 0 ? mutated(random, packet) : packet));
  const file = fileOf(random, damaged);
  return random.int(3) === 0 ? mutated(random, file) : file;
}

/** One message as the IP packet that carries it, or as its fragments. */
function packetsOf(random: SeededRandom): readonly Uint8Array[] {
  if (random.int(4) === 0) {
    // Neighbours, so that answers meet their questions.
    const first = random.int(REAL.length);
    return REAL.slice(first, first + 1 + random.int(3));
  }
  const payload = EVERY_PAYLOAD[random.int(EVERY_PAYLOAD.length)] ?? new Uint8Array(0);
  const body = random.int(3) === 0 ? mutated(random, payload) : payload;
  const datagram = udp(body, PORTS[random.int(PORTS.length)], PORTS[random.int(PORTS.length)]);
  const id = random.int(4);
  switch (random.int(8)) {
    case 0:
      return pieces(random, datagram).map(([offset, part, more]) => ipv4(part, { id, offset, more }));
    case 1:
      return pieces(random, datagram).map(([offset, part, more]) => {
        const header = Uint8Array.of(17, 0, offset >>> 8, (offset & 0xf8) | (more ? 1 : 0), 0, 0, 0, id);
        return ipv6(concatBytes(header, part), { nextHeader: 44 });
      });
    case 2:
      return [ipv6(concatBytes(extensions(random), datagram), { nextHeader: 0 })];
    case 3:
      return [insideTunnel(ipv4(datagram))];
    case 4:
      return [ipv4(esp(datagram, 17), { protocol: 50 })];
    case 5:
      return [ipv4(udp(esp(ipv4(datagram), 4), 4500, 4500))];
    default:
      return [ipv4(datagram, { source: `192.0.2.${random.int(4)}`, destination: `192.0.2.${random.int(4)}` })];
  }
}

/** A user's packet in an L2TP session. */
function insideTunnel(packet: Uint8Array): Uint8Array {
  return ipv4(udp(new ByteWriter().u16(2).u16(9).u16(4).u16(0x21).bytes(packet).finish()));
}

/** An ESP packet that is not encrypted, for keys that say so. */
function esp(payload: Uint8Array, nextHeader: number): Uint8Array {
  return concatBytes(Uint8Array.of(0, 0, 0x10, 0, 0, 0, 0, 1), payload, Uint8Array.of(0, nextHeader));
}

function extensions(random: SeededRandom): Uint8Array {
  const next = [60, 43, 51, 17];
  return concatBytes(...next.map((header) => Uint8Array.of(header, 0, random.int(256), 0, 0, 0, 0, 0)));
}

function pieces(random: SeededRandom, datagram: Uint8Array): (readonly [number, Uint8Array, boolean])[] {
  const size = 8 * (1 + random.int(12));
  const parts: (readonly [number, Uint8Array, boolean])[] = [];
  for (let at = 0; at < datagram.length; at += size) {
    parts.push([at, datagram.subarray(at, at + size), at + size < datagram.length]);
  }
  if (random.int(2) === 0) shuffle(random, parts);
  if (random.int(4) === 0) parts.push(...parts.slice(0, 1));
  if (random.int(4) === 0) parts.splice(random.int(parts.length), 1);
  return parts;
}

function fileOf(random: SeededRandom, packets: readonly Uint8Array[]): Uint8Array {
  const framed = random.int(2) === 0;
  const linkType = framed ? LINKTYPE_ETHERNET : LINKTYPE_RAW;
  const frames = packets.map((packet) => (framed ? ethernet(packet, random.int(3) === 0 ? [5, 6] : []) : packet));
  const cut = (frame: Uint8Array) => (random.int(12) === 0 ? frame.subarray(0, random.int(frame.length + 1)) : frame);
  const littleEndian = random.int(2) === 0;
  if (random.int(2) === 0) {
    const written = frames.map((frame) => ({ bytes: cut(frame), originalLength: frame.length }));
    return pcapFile(written, { linkType, littleEndian, nanoseconds: random.int(2) === 0 });
  }
  const section = new PcapngSection(littleEndian).interface(linkType, [[9, Uint8Array.of(random.int(256))]]);
  for (const [index, frame] of frames.entries()) {
    const ticks = BigInt(index) * BigInt(random.int(1_000_000_000));
    const kind = random.int(8);
    if (kind < 2) section.simple(frame);
    else if (kind < 4) section.old(0, ticks, frame);
    else section.enhanced(0, ticks, cut(frame), frame.length);
  }
  return section.finish();
}

/** Some octets changed, a length made telling, an end cut off, a part copied elsewhere. */
export function mutated(random: SeededRandom, octets: Uint8Array): Uint8Array {
  if (octets.length === 0 || random.int(16) === 0) return octets;
  const out = octets.slice();
  const at = random.int(out.length);
  switch (random.int(6)) {
    case 0:
      for (let flips = 1 + random.int(4); flips > 0; flips -= 1) {
        const where = random.int(out.length);
        out[where] = (out[where] ?? 0) ^ (1 << random.int(8));
      }
      return out;
    case 1:
      return out.subarray(0, at);
    case 2: {
      const value = TELLING[random.int(TELLING.length)] ?? 0;
      out[at] = value >>> 8;
      if (at + 1 < out.length) out[at + 1] = value;
      return out;
    }
    case 3:
      out[at] = TELLING[random.int(TELLING.length)] ?? 0;
      return out;
    case 4:
      return concatBytes(out.subarray(0, at), random.bytes(random.int(9)), out.subarray(at));
    default:
      out.copyWithin(at, random.int(out.length));
      return out;
  }
}

function shuffle<Item>(random: SeededRandom, items: Item[]): void {
  for (let index = items.length - 1; index > 0; index -= 1) {
    const other = random.int(index + 1);
    const [a, b] = [items[index], items[other]];
    if (a !== undefined && b !== undefined) [items[index], items[other]] = [b, a];
  }
}
