/** A pair of ESP SAs as the engine holds it: the two SAs, the way to the peer, and what is to be told of them. */
import type { PacketCipherFactory } from '../../../hal/packet-cipher.ts';
import { EncodeError } from '../../protocol/bytes.ts';
import type { EspCipher } from '../../protocol/esp/cipher.ts';
import { InboundSa, type OuterHeader } from '../../protocol/esp/inbound-sa.ts';
import { onesComplementSum } from '../../protocol/esp/internet-checksum.ts';
import { OutboundSa } from '../../protocol/esp/outbound-sa.ts';
import { addressOctets, type Selector } from '../../protocol/esp/selectors.ts';
import type { Instant, RandomSource } from '../../protocol/machine.ts';
import type { UdpPath } from '../../protocol/udp-path.ts';
import type { SaCounters, SaKey, SaSpec, SocketId } from '../data-plane.ts';
import type { Policy } from './policy-table.ts';
import { TokenBucket } from './token-bucket.ts';

/** Reports of a moved peer: a NAT that remaps does so every few minutes; one that flaps must not fill the queue. */
const MOVES_PER_SECOND = 1;
const MOVES_BURST = 3;

export class SaPair {
  readonly key: SaKey;
  readonly policy: Policy;
  readonly outbound: OutboundSa;
  readonly inbound: InboundSa;
  #socket: SocketId;
  #path: UdpPath;
  #followPeer: boolean;
  /** Transport mode: the selectors' hosts, which stand for the addresses of the outer header. */
  #outer: OuterHeader;
  /** Sum of the 16-bit words of both addresses in {@link outer}, for checksums. */
  #addressSum: number;
  /** An authentic packet came in, and was told of. */
  heard = false;
  /** The peer has moved, and that was not told yet. */
  moved = false;
  readonly moves = new TokenBucket(MOVES_PER_SECOND, MOVES_BURST);
  packetsSent = 0;
  octetsSent = 0;
  /** Beside what the SAs themselves refuse. */
  readonly drops = { sendFailed: 0, wrongInside: 0 };

  /**
   * @throws HalError when there is no such cipher or a key has the wrong length, EncodeError when anything else makes
   *   no sense. Nothing is left open then.
   */
  constructor(spec: SaSpec, policy: Policy, ciphers: PacketCipherFactory, random: RandomSource, now: Instant) {
    const { extendedSequenceNumbers, lifetimes } = spec;
    this.key = spec.key;
    this.policy = policy;
    this.#socket = spec.socket;
    this.#path = spec.path;
    this.#followPeer = spec.followPeer;
    this.#outer = outerOf(spec);
    this.#addressSum = addressSumOf(this.#outer);
    const opened: EspCipher[] = [];
    const cipherOf = (direction: 'seal' | 'open'): EspCipher => {
      const { encryption, encryptionKey, integrity, integrityKey } =
        direction === 'seal' ? spec.outbound : spec.inbound;
      const cipher = ciphers.open({
        encryption,
        encryptionKey,
        ...(integrity === undefined ? {} : { integrity }),
        ...(integrityKey === undefined ? {} : { integrityKey }),
        direction,
      });
      opened.push(cipher);
      return cipher;
    };
    try {
      const common = { extendedSequenceNumbers, lifetimes };
      const outbound = { ...common, spi: spec.outbound.spi, cipher: cipherOf('seal'), random };
      this.outbound = new OutboundSa(outbound, now);
      const inbound = {
        ...common,
        spi: spec.inbound.spi,
        cipher: cipherOf('open'),
        mode: spec.mode,
        localSelectors: spec.localSelectors,
        remoteSelectors: spec.remoteSelectors,
        ...(spec.replayWindow === undefined ? {} : { replayWindow: spec.replayWindow }),
      };
      this.inbound = new InboundSa(inbound, now);
    } catch (error) {
      for (const cipher of opened) cipher.close();
      throw error;
    }
  }

  /** The socket by which it sends. */
  get socket(): SocketId {
    return this.#socket;
  }

  /** Where it sends to, and from. */
  get path(): UdpPath {
    return this.#path;
  }

  get followPeer(): boolean {
    return this.#followPeer;
  }

  /** For {@link InboundSa.open}, as soon as its traffic class is set. */
  get outer(): OuterHeader {
    return this.#outer;
  }

  get addressSum(): number {
    return this.#addressSum;
  }

  /** Replaces path, socket, selectors and lifetimes. @throws EncodeError when they make no sense. */
  program(spec: SaSpec): void {
    const outer = outerOf(spec);
    this.inbound.reprogram(spec);
    this.outbound.lifetime.replaceLimits(spec.lifetimes);
    this.#outer = outer;
    this.#addressSum = addressSumOf(outer);
    this.#socket = spec.socket;
    this.#path = spec.path;
    this.#followPeer = spec.followPeer;
    this.moved = false;
  }

  /** From now on it sends there. */
  moveTo(address: string, port: number): void {
    this.#path = { ...this.#path, remote: { address, port } };
    this.moved = true;
  }

  /** Wipes the keys. */
  close(): void {
    this.outbound.close();
    this.inbound.close();
  }

  counters(): SaCounters {
    const { inbound, outbound } = this;
    return {
      key: this.key,
      packetsReceived: inbound.lifetime.packets,
      octetsReceived: inbound.lifetime.octets,
      packetsSent: this.packetsSent,
      octetsSent: this.octetsSent,
      drops: {
        ...inbound.refusals,
        expired: inbound.refusals.expired + outbound.refusals.expired,
        noRoom: outbound.refusals.noRoom,
        ...this.drops,
      },
    };
  }
}

function outerOf({ mode, localSelectors, remoteSelectors }: SaSpec): OuterHeader {
  const [local, remote] = [hostOf(localSelectors), hostOf(remoteSelectors)];
  if (mode === 'transport' && local.length !== remote.length) {
    throw new EncodeError('the selectors of an SA in transport mode are of different address families');
  }
  return { local, remote, trafficClass: 0 };
}

/** The first address of the first selector: in transport mode there is no other. */
function hostOf(selectors: readonly Selector[]): Uint8Array {
  const [selector] = selectors;
  if (selector === undefined) throw new EncodeError('an SA without selectors may carry nothing');
  return addressOctets(selector.firstAddress);
}

function addressSumOf({ local, remote }: OuterHeader): number {
  return onesComplementSum(local, 0, local.length) + onesComplementSum(remote, 0, remote.length);
}
