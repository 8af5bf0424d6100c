/** SAs of AH for tests: both ends of one, and packets to send through it. */
import { AhInboundSa, type AhInboundSaSettings } from '../../../../firmware/protocol/ah/inbound-sa.ts';
import { AhOutboundSa } from '../../../../firmware/protocol/ah/outbound-sa.ts';
import type { OpenedPacket } from '../../../../firmware/protocol/esp/receiving-sa.ts';
import { addressOctets } from '../../../../firmware/protocol/esp/selectors.ts';
import type { SealedPacket, SendingSaSettings } from '../../../../firmware/protocol/esp/sending-sa.ts';
import { LinuxPacketCipherFactory } from '../../../../hal/linux/packet-cipher.ts';
import { PACKET_INTEGRITIES } from '../../../../hal/packet-cipher-suite.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { ANYWHERE, LOCAL, OUTER, REMOTE, SPI } from '../esp/harness.ts';

const authenticators = new LinuxPacketCipherFactory();

/** The key of every SA here with that algorithm. */
export function ahKey(integrity: string): Uint8Array {
  return new SeededRandom(4).bytes(PACKET_INTEGRITIES.get(integrity)?.keyOctets ?? 0);
}

export interface AhPair {
  readonly outbound: AhOutboundSa;
  readonly inbound: AhInboundSa;
}

export type AhPairSettings = Partial<AhInboundSaSettings & Pick<SendingSaSettings, 'lastSequence'>>;

/** The ends of one SA from {@link REMOTE} to {@link LOCAL}, both begun at instant 0. */
export function ahPair(integrity = 'sha256', settings: AhPairSettings = {}): AhPair {
  const { lastSequence = 0, ...inbound } = settings;
  const integrityKey = ahKey(integrity);
  const authenticator = () => authenticators.openAuthenticator({ integrity, integrityKey });
  const common = { spi: SPI, extendedSequenceNumbers: false, lifetimes: {} };
  const { extendedSequenceNumbers = false } = settings;
  const ends = { local: addressOctets(REMOTE), remote: addressOctets(LOCAL) };
  return {
    outbound: new AhOutboundSa(
      { ...common, extendedSequenceNumbers, authenticator: authenticator(), ends, lastSequence },
      0,
    ),
    inbound: new AhInboundSa(
      {
        ...common,
        authenticator: authenticator(),
        mode: 'tunnel',
        localSelectors: [ANYWHERE],
        remoteSelectors: [ANYWHERE],
        ...inbound,
      },
      0,
    ),
  };
}

/** The IPv4 packet with AH around another one. @throws Error when the SA refuses. */
export function sealAh(outbound: AhOutboundSa, inner: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(outbound.sealedOctets(inner.length));
  bytes.set(inner, outbound.headroom);
  const into: SealedPacket = { offset: -1, length: -1 };
  const verdict = outbound.seal(bytes, outbound.headroom, inner.length, 4, 0, into);
  if (verdict !== 'sealed') throw new Error(verdict);
  return bytes.slice(into.offset, into.offset + into.length);
}

/** What comes out of a copy of a packet, or the verdict in words. */
export function openAh(inbound: AhInboundSa, packet: Uint8Array, length = packet.length): Uint8Array | string {
  const bytes = packet.slice();
  const into: OpenedPacket = { offset: -1, length: -1, nextHeader: -1 };
  const verdict = inbound.open(bytes, 0, length, OUTER, 0, into);
  return verdict === 'deliver' ? bytes.slice(into.offset, into.offset + into.length) : verdict;
}
