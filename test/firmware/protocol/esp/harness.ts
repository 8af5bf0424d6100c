/** SAs for tests: pairs with keys that a seed determines, and packets to send through them. */
import type { EspCipher } from '../../../../firmware/protocol/esp/cipher.ts';
import { InboundSa, type InboundSaSettings } from '../../../../firmware/protocol/esp/inbound-sa.ts';
import { OutboundSa, type OutboundSaSettings } from '../../../../firmware/protocol/esp/outbound-sa.ts';
import type { OpenedPacket } from '../../../../firmware/protocol/esp/receiving-sa.ts';
import { addressOctets, type Selector } from '../../../../firmware/protocol/esp/selectors.ts';
import type { SealedPacket } from '../../../../firmware/protocol/esp/sending-sa.ts';
import { LinuxPacketCipherFactory } from '../../../../hal/linux/packet-cipher.ts';
import type { PacketCipherSpec } from '../../../../hal/packet-cipher.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

export type Suite = Omit<PacketCipherSpec, 'direction'>;

export const SPI = 0xc0ffee01;

export const GCM: Suite = { encryption: 'aes128gcm16', encryptionKey: new SeededRandom(1).bytes(20) };
export const CBC: Suite = {
  encryption: 'aes256',
  encryptionKey: new SeededRandom(2).bytes(32),
  integrity: 'sha256',
  integrityKey: new SeededRandom(3).bytes(32),
};

export const LOCAL = '192.0.2.1';
export const REMOTE = '198.51.100.2';

/** Everything that `first` and `last` hold; any protocol and port unless said otherwise. */
export function selector(first: string, last = first, rest: Partial<Selector> = {}): Selector {
  return { protocol: 0, firstPort: 0, lastPort: 65_535, firstAddress: first, lastAddress: last, ...rest };
}

export const ANYWHERE = selector('0.0.0.0', '255.255.255.255');
export const ANYWHERE_IPV6 = selector('::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff');

const ciphers = new LinuxPacketCipherFactory();

export function cipherOf(suite: Suite, direction: 'seal' | 'open'): EspCipher {
  return ciphers.open({ ...suite, direction });
}

export interface Pair {
  readonly outbound: OutboundSa;
  readonly inbound: InboundSa;
}

/** Two ends of one SA, both begun at instant 0. */
export function pair(
  suite: Suite = GCM,
  settings: Partial<InboundSaSettings & Pick<OutboundSaSettings, 'lastSequence'>> = {},
): Pair {
  const { lastSequence = 0, ...inbound } = settings;
  const common = { spi: SPI, extendedSequenceNumbers: settings.extendedSequenceNumbers ?? false };
  return {
    outbound: new OutboundSa(
      { ...common, cipher: cipherOf(suite, 'seal'), random: new SeededRandom(9), lifetimes: {}, lastSequence },
      0,
    ),
    inbound: new InboundSa(
      {
        ...common,
        cipher: cipherOf(suite, 'open'),
        mode: 'transport',
        localSelectors: [ANYWHERE, ANYWHERE_IPV6],
        remoteSelectors: [ANYWHERE, ANYWHERE_IPV6],
        lifetimes: {},
        ...inbound,
      },
      0,
    ),
  };
}

export const OUTER = { local: addressOctets(LOCAL), remote: addressOctets(REMOTE), trafficClass: 0 };

/** The ESP packet around a payload. @throws Error when the SA refuses. */
export function seal(outbound: OutboundSa, payload: Uint8Array, nextHeader = 17, now = 0): Uint8Array {
  const bytes = new Uint8Array(outbound.sealedOctets(payload.length));
  bytes.set(payload, outbound.headroom);
  const into: SealedPacket = { offset: -1, length: -1 };
  const verdict = outbound.seal(bytes, outbound.headroom, payload.length, nextHeader, now, into);
  if (verdict !== 'sealed') throw new Error(verdict);
  return bytes.slice(into.offset, into.offset + into.length);
}

/** What comes out of a copy of a packet: the payload, or the verdict in words. */
export function open(
  inbound: InboundSa,
  packet: Uint8Array,
  { outer = OUTER, now = 0 } = {},
): { readonly payload: Uint8Array; readonly nextHeader: number } | string {
  const bytes = packet.slice();
  const into: OpenedPacket = { offset: -1, length: -1, nextHeader: -1 };
  const verdict = inbound.open(bytes, 0, bytes.length, outer, now, into);
  if (verdict !== 'deliver') return verdict;
  return { payload: bytes.slice(into.offset, into.offset + into.length), nextHeader: into.nextHeader };
}

export function octets(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
}

/** An IPv4 packet with a right header checksum. */
export function ipv4Packet(
  source: string,
  destination: string,
  protocol: number,
  payload: Uint8Array,
  { trafficClass = 0, fragment = 0 } = {},
): Uint8Array {
  const packet = Buffer.alloc(20 + payload.length);
  packet[0] = 0x45;
  packet[1] = trafficClass;
  packet.writeUInt16BE(packet.length, 2);
  packet.writeUInt16BE(fragment, 6);
  packet[8] = 64;
  packet[9] = protocol;
  packet.set(addressOctets(source), 12);
  packet.set(addressOctets(destination), 16);
  packet.set(payload, 20);
  packet.writeUInt16BE(checksum(packet.subarray(0, 20)), 10);
  return new Uint8Array(packet);
}

/** An IPv6 packet. `next` is the Next Header of what `payload` begins with. */
export function ipv6Packet(
  source: string,
  destination: string,
  next: number,
  payload: Uint8Array,
  trafficClass = 0,
): Uint8Array {
  const packet = Buffer.alloc(40 + payload.length);
  packet.writeUInt32BE(0x6000_0000 + trafficClass * 0x10_0000, 0);
  packet.writeUInt16BE(payload.length, 4);
  packet[6] = next;
  packet[7] = 64;
  packet.set(addressOctets(source), 8);
  packet.set(addressOctets(destination), 24);
  packet.set(payload, 40);
  return new Uint8Array(packet);
}

/** A UDP datagram; its checksum is right for these addresses. */
export function udp(
  source: string,
  destination: string,
  sourcePort: number,
  destinationPort: number,
  data: Uint8Array,
): Uint8Array {
  const datagram = Buffer.alloc(8 + data.length);
  datagram.writeUInt16BE(sourcePort, 0);
  datagram.writeUInt16BE(destinationPort, 2);
  datagram.writeUInt16BE(datagram.length, 4);
  datagram.set(data, 8);
  datagram.writeUInt16BE(transportChecksum(source, destination, 17, datagram) || 0xffff, 6);
  return new Uint8Array(datagram);
}

/** What the checksum field would have to hold; 0 when a right one is in it already. */
export function transportChecksum(source: string, destination: string, protocol: number, segment: Uint8Array): number {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(segment.length);
  return checksum(
    Buffer.concat([
      addressOctets(source),
      addressOctets(destination),
      length,
      Uint8Array.of(0, 0, 0, protocol),
      segment,
      new Uint8Array(segment.length % 2),
    ]),
  );
}

/** RFC 1071, straight: of an even number of octets. 0 over a header that holds a right checksum. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0n;
  for (let i = 0; i < bytes.length; i += 2) sum += BigInt((bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0));
  return 0xffff - (sum === 0n ? 0 : Number((sum - 1n) % 0xffffn) + 1);
}
