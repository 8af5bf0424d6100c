/** ESP packets for tests, sealed by the cipher of the data plane, with keys that are no secret. */
import { espHeadroom, espOctets, putEspHeader, putEspTrailer } from '../../../../../firmware/protocol/esp/packet.ts';
import { PACKET_ENCRYPTIONS, PACKET_INTEGRITIES } from '../../../../../hal/packet-cipher-suite.ts';
import { PortablePacketCipherFactory } from '../../../../../hal/portable/packet-cipher.ts';

export interface SealedEsp {
  readonly packet: Uint8Array;
  readonly encryptionKey: Uint8Array;
  readonly integrityKey: Uint8Array;
}

export interface SealOptions {
  readonly encryption: string;
  readonly integrity?: string;
  readonly spi: number;
  readonly sequence: number;
  /** High half of a 64-bit sequence number; absent: it has 32 bits. */
  readonly sequenceHigh?: number;
  readonly nextHeader: number;
  readonly payload: Uint8Array;
}

export function sealEsp(options: SealOptions): SealedEsp {
  const { encryption, integrity, spi, sequence, sequenceHigh = -1, nextHeader, payload } = options;
  const suite = PACKET_ENCRYPTIONS.get(encryption);
  const encryptionKey = pattern((suite?.keyOctets ?? 0) + (suite?.saltOctets ?? 0), 0x11);
  const integrityKey = pattern(PACKET_INTEGRITIES.get(integrity ?? '')?.keyOctets ?? 0, 0x77);
  const spec = { encryption, encryptionKey, direction: 'seal' } as const;
  const cipher = new PortablePacketCipherFactory().open(
    integrity === undefined ? spec : { ...spec, integrity, integrityKey },
  );
  const packet = new Uint8Array(espOctets(cipher, payload.length));
  putEspHeader(packet, 0, spi, sequence);
  packet.set(pattern(cipher.ivOctets, 0x5a), 8);
  packet.set(payload, espHeadroom(cipher));
  putEspTrailer(packet, espHeadroom(cipher), payload.length, cipher, nextHeader);
  cipher.seal(packet, 0, packet.length, sequenceHigh);
  return { packet, encryptionKey, integrityKey };
}

function pattern(length: number, first: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (first + at) & 0xff);
}
