/** A pair of SAs of ESP or AH as the engine holds it: the two SAs, the way to the peer, and what is to be told of them. */
import type { PacketCipherFactory } from '../../../hal/packet-cipher.ts';
import { AhInboundSa } from '../../protocol/ah/inbound-sa.ts';
import { type AhEnds, AhOutboundSa } from '../../protocol/ah/outbound-sa.ts';
import { EncodeError } from '../../protocol/bytes.ts';
import { InboundSa } from '../../protocol/esp/inbound-sa.ts';
import { onesComplementSum } from '../../protocol/esp/internet-checksum.ts';
import { OutboundSa } from '../../protocol/esp/outbound-sa.ts';
import type { OuterHeader, ReceivingSa } from '../../protocol/esp/receiving-sa.ts';
import { addressOctets, type Selector } from '../../protocol/esp/selectors.ts';
import type { SendingSa } from '../../protocol/esp/sending-sa.ts';
import type { ChildKeys } from '../../protocol/ike/ike-types.ts';
import { childProtocol } from '../../protocol/ike/proposals.ts';
import type { Instant, RandomSource } from '../../protocol/machine.ts';
import type { UdpPath } from '../../protocol/udp-path.ts';
import type { SaCounters, SaKey, SaSpec, SocketId } from '../data-plane.ts';
import { integrityOf } from './command-check.ts';
import type { Policy } from './policy-table.ts';
import { TokenBucket } from './token-bucket.ts';

/** Reports of a moved peer: a NAT that remaps does so every few minutes; one that flaps must not fill the queue. */
const MOVES_PER_SECOND = 1;
const MOVES_BURST = 3;

export class SaPair {
  readonly key: SaKey;
  readonly policy: Policy;
  readonly protocol: 'esp' | 'ah';
  readonly outbound: SendingSa;
  readonly inbound: ReceivingSa;
  /** {@link outbound}, where it has to know where its packets go. */
  readonly #ah: AhOutboundSa | undefined;
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
    this.key = spec.key;
    this.policy = policy;
    this.protocol = childProtocol(spec.outbound);
    this.#socket = spec.socket;
    this.#path = spec.path;
    this.#followPeer = spec.followPeer;
    this.#outer = outerOf(spec);
    this.#addressSum = addressSumOf(this.#outer);
    const opened: { close(): void }[] = [];
    const kept = <Opened extends { close(): void }>(what: Opened): Opened => {
      opened.push(what);
      return what;
    };
    try {
      const { extendedSequenceNumbers, lifetimes } = spec;
      const out = { extendedSequenceNumbers, lifetimes, spi: spec.outbound.spi };
      const back = {
        extendedSequenceNumbers,
        lifetimes,
        spi: spec.inbound.spi,
        mode: spec.mode,
        localSelectors: spec.localSelectors,
        remoteSelectors: spec.remoteSelectors,
        ...(spec.replayWindow === undefined ? {} : { replayWindow: spec.replayWindow }),
      };
      if (this.protocol === 'ah') {
        const open = (keys: ChildKeys) => kept(ciphers.openAuthenticator(integrityOf(keys)));
        this.#ah = new AhOutboundSa({ ...out, authenticator: open(spec.outbound), ends: endsOf(spec) }, now);
        this.outbound = this.#ah;
        this.inbound = new AhInboundSa({ ...back, authenticator: open(spec.inbound) }, now);
      } else {
        const open = (keys: ChildKeys, direction: 'seal' | 'open') => kept(ciphers.open({ ...keys, direction }));
        this.outbound = new OutboundSa({ ...out, cipher: open(spec.outbound, 'seal'), random }, now);
        this.inbound = new InboundSa({ ...back, cipher: open(spec.inbound, 'open') }, now);
      }
    } catch (error) {
      for (const one of opened) one.close();
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
    this.#ah?.moveTo(endsOf(spec));
    this.inbound.reprogram(spec);
    this.outbound.lifetime.replaceLimits(spec.lifetimes);
    this.#outer = outer;
    this.#addressSum = addressSumOf(outer);
    this.#socket = spec.socket;
    this.#path = spec.path;
    this.#followPeer = spec.followPeer;
    this.moved = false;
  }

  /** From now on it sends there; not with AH, whose peer stays where it is. */
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

/** Between which addresses of the outer header its packets go. @throws EncodeError when one cannot be read. */
function endsOf({ path }: SaSpec): AhEnds {
  return { local: addressOctets(path.local.address), remote: addressOctets(path.remote.address) };
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
