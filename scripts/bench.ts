/** Measures the packet ciphers, a whole SA on top of them, and forwarding with and without; run it through scripts/bench. */
import { randomBytes } from 'node:crypto';
import { InboundSa } from '../firmware/protocol/esp/inbound-sa.ts';
import { OutboundSa } from '../firmware/protocol/esp/outbound-sa.ts';
import type { OpenedPacket } from '../firmware/protocol/esp/receiving-sa.ts';
import { addressOctets, type Selector } from '../firmware/protocol/esp/selectors.ts';
import type { SealedPacket } from '../firmware/protocol/esp/sending-sa.ts';
import { LinuxPacketCipherFactory } from '../hal/linux/packet-cipher.ts';
import type { PacketCipherFactory, PacketCipherSpec } from '../hal/packet-cipher.ts';
import { PACKET_ENCRYPTIONS, PACKET_INTEGRITIES } from '../hal/packet-cipher-suite.ts';
import { PortablePacketCipherFactory } from '../hal/portable/packet-cipher.ts';
import { forwarding } from './bench-forwarding.ts';
import { lineForwarding } from './bench-lines.ts';

const SUITES = [
  ['aes128gcm16'],
  ['aes256gcm16'],
  ['chacha20poly1305'],
  ['aes128ccm16'],
  ['aes128ctr', 'sha256'],
  ['aes128', 'sha1'],
  ['aes256', 'sha256'],
  ['3des', 'sha1'],
] as const;

/** Octets of text: a multiple of every block. */
const TEXT = 1424;
/** Of UDP, L2TP and PPP, and the trailer of ESP: with them an IP packet makes up that text. */
const FORWARDING_HEADERS = 8 + 6 + 1 + 2;
/** Rounds per engine, of which the median counts. */
const ROUNDS = 7;
/** Length of a round, milliseconds. */
const ROUND_MS = 40;
const HEADER = 8;
const SPI = 0x1000;

type Suite = (typeof SUITES)[number];
/** What is done `times` times. */
type Work = (times: number) => void;

function specOf([encryption, integrity]: Suite): Omit<PacketCipherSpec, 'direction'> {
  const row = PACKET_ENCRYPTIONS.get(encryption);
  const encryptionKey = randomBytes((row?.keyOctets ?? 0) + (row?.saltOctets ?? 0));
  if (integrity === undefined) return { encryption, encryptionKey };
  const integrityKey = randomBytes(PACKET_INTEGRITIES.get(integrity)?.keyOctets ?? 0);
  return { encryption, encryptionKey, integrity, integrityKey };
}

function sealing(factory: PacketCipherFactory, suite: Suite): Work {
  const cipher = factory.open({ ...specOf(suite), direction: 'seal' });
  const length = HEADER + cipher.ivOctets + TEXT + cipher.icvOctets;
  const packet = randomBytes(length);
  return (times) => {
    for (let i = 0; i < times; i++) cipher.seal(packet, 0, length, -1);
  };
}

/** Seals and opens: with sequence numbers, padding, IVs, replay window, selectors, lifetimes. */
function wholeSa(factory: PacketCipherFactory, suite: Suite): Work {
  const any: Selector = {
    protocol: 0,
    firstPort: 0,
    lastPort: 65_535,
    firstAddress: '0.0.0.0',
    lastAddress: '255.255.255.255',
  };
  const common = { spi: SPI, extendedSequenceNumbers: true, lifetimes: {} };
  const spec = specOf(suite);
  const random = { bytes: (length: number): Uint8Array => randomBytes(length) };
  const outbound = new OutboundSa({ ...common, random, cipher: factory.open({ ...spec, direction: 'seal' }) }, 0);
  const selectors = { localSelectors: [any], remoteSelectors: [any] };
  const cipher = factory.open({ ...spec, direction: 'open' });
  const inbound = new InboundSa({ ...common, ...selectors, cipher, mode: 'transport' }, 0);
  const outer = { local: addressOctets('192.0.2.1'), remote: addressOctets('192.0.2.2'), trafficClass: 0 };
  const bytes = new Uint8Array(2048);
  const sealed: SealedPacket = { offset: 0, length: 0 };
  const opened: OpenedPacket = { offset: 0, length: 0, nextHeader: 0 };
  return (times) => {
    for (let i = 0; i < times; i++) {
      outbound.seal(bytes, 64, TEXT - 2, 17, 0, sealed);
      const verdict = inbound.open(bytes, sealed.offset, sealed.length, outer, 0, opened);
      if (verdict !== 'deliver') throw new Error(`a packet was refused: ${verdict}`);
    }
  };
}

/** Microseconds for one. */
function timeOf(work: Work, times: number): number {
  const start = process.hrtime.bigint();
  work(times);
  return Number(process.hrtime.bigint() - start) / 1000 / times;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Medians of both, taken in turns. */
function compare(first: Work, second: Work): readonly [number, number] {
  const sides = [first, second].map((work) => {
    work(2000);
    return { work, times: Math.ceil((ROUND_MS * 1000) / timeOf(work, 500)), results: [] as number[] };
  });
  for (let round = 0; round < ROUNDS; round++) {
    for (const { work, times, results } of sides) results.push(timeOf(work, times));
  }
  const [a, b] = sides.map(({ results }) => median(results));
  return [a ?? Number.NaN, b ?? Number.NaN];
}

const evp = new LinuxPacketCipherFactory();
const portable = new PortablePacketCipherFactory();
if (evp.engine !== 'evp') console.log('This Node does not export EVP: both columns are node:crypto.');
console.log(`Microseconds per packet of ${TEXT} octets, medians of ${ROUNDS} rounds, Node ${process.versions.node}.`);
for (const [title, make] of [
  ['cipher alone, sealing', sealing],
  ['whole SA, sealing and opening', wholeSa],
] as const) {
  console.log(`\n${title.padEnd(32)}     EVP   node:crypto   ratio`);
  for (const suite of SUITES) {
    const [fast, slow] = compare(make(evp, suite), make(portable, suite));
    const cells = [fast.toFixed(2).padStart(8), slow.toFixed(2).padStart(13), (slow / fast).toFixed(1).padStart(7)];
    console.log(`  ${suite.join(' + ').padEnd(30)} ${cells.join(' ')}`);
  }
}

console.log('\nforwarding, TUN to TUN, no kernel     ESP      in clear   ratio');
for (const suite of SUITES) {
  const keys = specOf(suite);
  const common = { octets: TEXT - FORWARDING_HEADERS, random: { bytes: (length: number) => randomBytes(length) } };
  const protection = { factory: evp, keys };
  const [inside, clear] = compare(forwarding({ ...common, protection }), forwarding(common));
  const cells = [inside.toFixed(2).padStart(8), clear.toFixed(2).padStart(13), (inside / clear).toFixed(1).padStart(7)];
  console.log(`  ${suite.join(' + ').padEnd(30)} ${cells.join(' ')}`);
}

const random = { bytes: (length: number) => randomBytes(length) };
const [pppoe, serial] = compare(
  lineForwarding('pppoe', { octets: TEXT, random }),
  lineForwarding('serial', { octets: TEXT, random }),
);
const megabits = (microseconds: number): string => ((TEXT * 8) / microseconds).toFixed(0).padStart(8);
console.log('\nforwarding over a line, TUN to TUN    us       Mbit/s');
console.log(`  PPPoE                        ${pppoe.toFixed(2).padStart(9)} ${megabits(pppoe)}`);
console.log(`  serial, coded and decoded    ${serial.toFixed(2).padStart(9)} ${megabits(serial)}`);
