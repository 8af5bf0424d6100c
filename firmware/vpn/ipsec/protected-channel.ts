import type { SaKey } from '../../dataplane/data-plane.ts';
import type { ChildSa, IkePeer, TrafficSelector } from '../../protocol/ike/ike-types.ts';
import { childProtocol } from '../../protocol/ike/proposals.ts';
import type { Failure, Instant } from '../../protocol/machine.ts';
import type { UdpEndpoint, UdpPath } from '../../protocol/udp-path.ts';
import type { ChannelId } from './channel.ts';
import type { InsidePorts } from './ike-connections.ts';
import { type IkeRef, refKey } from './ike-endpoints.ts';
import type { ChannelSa, IpsecOutput } from './ipsec-output.ts';
import type { WorkingOffer } from './ipsec-types.ts';
import { saLifetimes } from './sa-lifetimes.ts';

/** A pair of SAs of a channel, as it stands in the data plane. */
export interface Pair {
  readonly key: SaKey;
  /** The child SA. */
  readonly ref: IkeRef;
  child: ChildSa;
  /** The IKE SA that it belongs to now. */
  ike: IkeRef;
  /** Where its packets go; the peer may move. */
  path: UdpPath;
  /** The data plane follows the peer by itself: it is behind a NAT. */
  followPeer: boolean;
  /** The peer may not have it yet. */
  receiveOnly: boolean;
  /** Another one has taken over. */
  replaced: boolean;
}

/** How this side has called. */
export interface Dial {
  readonly remoteAddress: string;
  /** Absent in tunnel mode. */
  readonly ports?: InsidePorts;
  readonly attempt: WorkingOffer;
}

/** Who is at the other end, once it is proved: two with all of this alike are one peer, which has come back. */
export interface PeerMark {
  readonly identity: string;
  readonly remote: UdpEndpoint;
  readonly selectors: string;
}

export interface ChannelOptions {
  readonly id: ChannelId;
  readonly connection: string;
  readonly dial?: Dial;
  readonly emit: (output: IpsecOutput) => void;
}

/**
 * A channel in the data plane: one policy, and the SA pairs that protect it, of which one sends. There is always one to
 * send by while there is any at all, and a new one is there before the old one goes.
 */
export class ProtectedChannel {
  readonly id: ChannelId;
  readonly connection: string;
  readonly dial: Dial | undefined;
  readonly #emit: (output: IpsecOutput) => void;
  readonly #pairs: Pair[] = [];
  #sending: Pair | undefined;
  /** Its policy is in the data plane. */
  #installed = false;
  mark: PeerMark | undefined;
  up = false;
  /** Anything authentic has come in by it. */
  heard = false;
  /** It has lost its last pair, and ends then unless another one comes. */
  graceUntil: Instant | undefined;
  /** The IKE SA that had it. */
  lostIke: IkeRef | undefined;
  /** Why the last pair went. */
  lastFailure: Failure | undefined;

  constructor({ id, connection, dial, emit }: ChannelOptions) {
    this.id = id;
    this.connection = connection;
    this.dial = dial;
    this.#emit = emit;
  }

  get pairs(): readonly Pair[] {
    return this.#pairs;
  }

  get sending(): Pair | undefined {
    return this.#sending;
  }

  get udpEncapsulation(): boolean {
    return (this.#sending ?? this.#pairs.at(-1))?.child.udpEncapsulation ?? false;
  }

  /** A new pair: it receives from now on, and sends unless it is to wait for {@link sendBy}. */
  add(pair: Pair, replaces?: Pair): void {
    if (!this.#installed) this.#putPolicy(pair, undefined);
    this.#installed = true;
    this.#pairs.push(pair);
    this.#putSa(pair);
    if (replaces !== undefined) replaces.replaced = true;
    // Where nothing else can be sent by, there is nothing to wait for.
    if (!pair.receiveOnly || this.#sending === undefined) this.#send(pair);
    this.graceUntil = undefined;
  }

  /** From now on it is sent by this pair. */
  sendBy(pair: Pair): void {
    pair.receiveOnly = false;
    this.#send(pair);
  }

  /** The pair goes; another one that stands takes over the sending. */
  remove(pair: Pair): void {
    const index = this.#pairs.indexOf(pair);
    if (index < 0) return;
    this.#pairs.splice(index, 1);
    if (this.#sending === pair) {
      const heir = bestOf(this.#pairs);
      if (heir === undefined) this.#putPolicy(pair, undefined);
      else this.#send(heir);
      this.#sending = heir;
    }
    this.#emit({ kind: 'remove-sa', sa: pair.key });
  }

  /** Pairs of that IKE SA send another way. @param peer what is known of NATs on it, where that may have changed. */
  move(ike: IkeRef, path: UdpPath, peer?: IkePeer): void {
    for (const pair of this.#pairs) {
      if (refKey(pair.ike) !== refKey(ike)) continue;
      pair.path = path;
      if (peer !== undefined) {
        const udpEncapsulation = peer.encapsulation !== undefined && childProtocol(pair.child.outbound) === 'esp';
        pair.child = { ...pair.child, udpEncapsulation };
        pair.followPeer = peer.natRemote && udpEncapsulation;
      }
      this.#putSa(pair);
    }
    if (this.mark !== undefined) this.mark = { ...this.mark, remote: path.remote };
  }

  /** Nothing of it is left in the data plane. */
  clear(): void {
    if (this.#sending !== undefined) this.#putPolicy(this.#sending, undefined);
    for (const { key } of this.#pairs.splice(0)) this.#emit({ kind: 'remove-sa', sa: key });
    this.#sending = undefined;
    if (this.#installed) this.#emit({ kind: 'remove-policy', channel: this.id });
    this.#installed = false;
  }

  /** Path of what goes through it. */
  get insidePath(): UdpPath {
    const pair = this.#sending ?? this.#pairs.at(-1);
    const { ports } = this.dial ?? {};
    const local = ports?.local ?? portOf(pair?.child.localSelectors);
    const remote = ports?.remote ?? portOf(pair?.child.remoteSelectors);
    return {
      local: { address: pair?.path.local.address ?? '', port: local },
      remote: { address: pair?.path.remote.address ?? '', port: remote },
      bearer: this.id,
    };
  }

  #send(pair: Pair): void {
    this.#sending = pair;
    this.#putPolicy(pair, pair.key);
  }

  #putPolicy({ child }: Pair, sa: SaKey | undefined): void {
    const { localSelectors, remoteSelectors } = child;
    const policy = { key: this.id, connection: this.connection, localSelectors, remoteSelectors };
    this.#emit({ kind: 'put-policy', policy: sa === undefined ? policy : { ...policy, sa } });
  }

  #putSa(pair: Pair): void {
    this.#emit({ kind: 'put-sa', sa: saOf(this.id, pair) });
  }
}

/** The newest that the peer has for certain and wants to keep, or the next best. */
function bestOf(pairs: readonly Pair[]): Pair | undefined {
  const newestFirst = pairs.toReversed();
  return (
    newestFirst.find(({ receiveOnly, replaced }) => !receiveOnly && !replaced) ??
    newestFirst.find(({ replaced }) => !replaced) ??
    newestFirst[0]
  );
}

function saOf(policy: ChannelId, { key, child, path, followPeer }: Pair): ChannelSa {
  const { udpEncapsulation, mode, inbound, outbound, localSelectors, remoteSelectors } = child;
  return {
    key,
    policy,
    udpEncapsulation,
    // Bare ESP has no ports, nor has AH.
    path: udpEncapsulation ? path : { remote: { ...path.remote, port: 0 }, local: { ...path.local, port: 0 } },
    mode,
    inbound: { ...inbound, spi: child.inboundSpi },
    outbound: { ...outbound, spi: child.outboundSpi },
    extendedSequenceNumbers: child.extendedSequenceNumbers,
    lifetimes: saLifetimes(child),
    localSelectors,
    remoteSelectors,
    followPeer,
  };
}

/** The one port that selectors allow; 0: any. */
function portOf(selectors: readonly TrafficSelector[] = []): number {
  const [first] = selectors;
  return first !== undefined && first.firstPort === first.lastPort ? first.firstPort : 0;
}
