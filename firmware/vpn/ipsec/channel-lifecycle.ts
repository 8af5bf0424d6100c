import { peerKey, peerText } from '../../protocol/ike/identity.ts';
import type { ChildSa, IkeOutput } from '../../protocol/ike/ike-types.ts';
import { IKE_PORT } from '../../protocol/ike/nat.ts';
import type { Failure, Instant, RandomSource } from '../../protocol/machine.ts';
import type { Step } from '../steps.ts';
import { ChannelTable, type Found } from './channel-table.ts';
import type { ConnectionRecord } from './connection-record.ts';
import { EarlySteps } from './early-steps.ts';
import { IkeEndpoints, type IkeEndpointsOptions, type IkeRef, type IkeVersion, refKey } from './ike-endpoints.ts';
import { IkeRecord } from './ike-record.ts';
import { childGone, networkTaken, nobodyServes } from './ipsec-failures.ts';
import type { IpsecOutput } from './ipsec-output.ts';
import { selectorsKey, selectorWords } from './ipsec-views.ts';
import { moveStep } from './move-step.ts';
import type { Pair, PeerMark, ProtectedChannel } from './protected-channel.ts';
import { firstOverlap } from './selector-overlap.ts';

/** How long a channel whose last SAs the peer has deleted waits for others while the IKE SA stands, ms. */
const GRACE_MS = 5_000;

/** The same where they went against the will of both: as long as the machines of IKE try to get others, and a little more. */
const EXPIRED_GRACE_MS = 25_000;

/** Channels in one IKE SA in transport mode: a caller needs one, and another one while it changes its port. */
const MAX_CHANNELS = 8;

type OutputOf<Kind extends IkeOutput['kind']> = Extract<IkeOutput, { kind: Kind }>;

export interface ChannelLifecycleOptions extends IkeEndpointsOptions {
  /** A number that no policy or SA of the data plane has had. */
  readonly newId: () => number;
  readonly emit: (output: IpsecOutput) => void;
}

/** From what the machines of IKE say to the life of channels: which child SA belongs to which, and when one ends. */
export class ChannelLifecycle {
  readonly ike: IkeEndpoints;
  readonly channels: ChannelTable;
  /** By {@link refKey}. */
  readonly ikes = new Map<string, IkeRecord>();
  connections: ReadonlyMap<string, ConnectionRecord> = new Map();
  readonly #emit: (output: IpsecOutput) => void;
  readonly #newId: () => number;
  readonly #early = new EarlySteps();

  constructor(options: ChannelLifecycleOptions, random: RandomSource) {
    this.ike = new IkeEndpoints(options, random);
    this.channels = new ChannelTable(options.emit);
    this.#emit = options.emit;
    this.#newId = options.newId;
  }

  /** Takes what the machines of IKE want done. */
  settle(now: Instant): void {
    for (let next = this.ike.poll(); next !== undefined; next = this.ike.poll()) {
      this.#handle(now, next.version, next.output);
    }
    for (const ike of this.ikes.values()) this.#noteRefusal(ike);
  }

  /**
   * The channel is over: the peer is told, unless something else of its IKE SA goes on.
   * @param failure for its owner; absent: that is who wants it so.
   */
  end(now: Instant, channel: ProtectedChannel, failure: Failure | undefined): void {
    const { id, connection, dial, up } = channel;
    const ikes = this.#ikesOf(channel);
    this.channels.delete(channel);
    for (const ike of ikes) if (!this.#serves(ike)) this.close(now, ike);
    const record = this.connections.get(connection);
    // A server's caller that hung up is nothing that has gone wrong.
    const calls = record?.settings.mode === 'tunnel' && record.settings.remote !== 'any';
    if (record !== undefined && (dial !== undefined || calls)) record.failure = failure;
    if (failure === undefined) return;
    const refused = failure.cause === 'refused' || failure.cause === 'no-proposal';
    if (dial === undefined && refused) this.#note(connection, failure);
    if (dial !== undefined && !up) record?.plan.failed(dial.attempt, failure);
    this.#emit({ kind: 'channel-down', channel: id, connection, failure });
  }

  /** The IKE SA ends, and nothing is said of it any more. */
  close(now: Instant, ike: IkeRecord): void {
    if (ike.closed) return;
    ike.closed = true;
    this.ike.close(now, ike.ref);
  }

  /** A channel needs the IKE SA. */
  #serves(ike: IkeRecord): boolean {
    const dialled = ike.channel !== undefined && this.channels.get(ike.channel) !== undefined;
    return dialled || this.channels.ofIke(ike.ref).length > 0;
  }

  #ikesOf(channel: ProtectedChannel): readonly IkeRecord[] {
    const keys = new Set(channel.pairs.map(({ ike }) => refKey(ike)));
    if (channel.lostIke !== undefined) keys.add(refKey(channel.lostIke));
    return [...this.ikes.values()].filter(
      (ike) => !ike.replaced && (ike.channel === channel.id || keys.has(refKey(ike.ref))),
    );
  }

  #handle(now: Instant, version: IkeVersion, output: IkeOutput): void {
    switch (output.kind) {
      case 'send': {
        const { datagram, path } = output;
        this.#emit({ kind: 'send', datagram, path, encapsulation: path.local.port !== IKE_PORT });
        return;
      }
      case 'trace':
        this.#trace({ version, id: output.ikeId }, output);
        return;
      case 'ike-up':
        this.#ikeUp(now, { version, id: output.ikeId }, output);
        return;
      case 'child-up':
        this.#childUp(now, version, output);
        return;
      case 'child-send': {
        const found = this.channels.byChild({ version, id: output.childId });
        found?.channel.sendBy(found.pair);
        return;
      }
      case 'child-down': {
        const found = this.channels.byChild({ version, id: output.childId });
        if (found !== undefined) this.#childDown(now, found, output.failure);
        return;
      }
      case 'path':
        this.#moved(now, { version, id: output.ikeId }, output);
        return;
      case 'ike-down':
        this.#ikeDown(now, { version, id: output.ikeId }, output);
        return;
    }
  }

  #trace(ref: IkeRef, { direction, message, detail }: OutputOf<'trace'>): void {
    const step: Step = { direction, step: message, ...(detail === undefined ? {} : { detail }) };
    const ike = this.ikes.get(refKey(ref));
    if (ike === undefined) this.#early.keep(ref, step);
    else this.#emit({ kind: 'step', connection: ike.connection, step });
  }

  #tellEarly(ref: IkeRef, connection: string): void {
    for (const step of this.#early.take(ref)) this.#emit({ kind: 'step', connection, step });
  }

  #ikeUp(now: Instant, ref: IkeRef, { connection, peer, path, replaces, configuration }: OutputOf<'ike-up'>): void {
    this.#tellEarly(ref, connection);
    const key = refKey(ref);
    const ike = this.ikes.get(key) ?? new IkeRecord(ref, connection, path);
    this.ikes.set(key, ike);
    ike.established(now, peer, path);
    ike.configuration = configuration;
    const old = replaces === undefined ? undefined : this.ikes.get(refKey({ ...ref, id: replaces }));
    if (old === undefined) return;
    ike.channel ??= old.channel;
    ike.configuration ??= old.configuration;
    ike.hadChild ||= old.hadChild;
    old.channel = undefined;
    this.channels.adopt(old.ref, ref, path);
    // IKEv1 says nothing more about it; IKEv2 lets it end by itself.
    if (ref.version === 1) this.ikes.delete(refKey(old.ref));
    else old.replaced = true;
  }

  #childUp(now: Instant, version: IkeVersion, { child, replaces, receiveOnly }: OutputOf<'child-up'>): void {
    const ike = this.ikes.get(refKey({ version, id: child.ikeId }));
    if (ike === undefined || ike.peer === undefined) return;
    const before = replaces === undefined ? undefined : this.channels.byChild({ version, id: replaces });
    const mark: PeerMark = {
      identity: peerKey(ike.peer),
      remote: ike.path.remote,
      selectors: selectorsKey(child.localSelectors, child.remoteSelectors),
    };
    const taken = before === undefined ? this.#takenBy(ike, child, mark) : undefined;
    const channel = taken === undefined ? (before?.channel ?? this.#channelFor(ike, child, mark)) : undefined;
    if (channel === undefined) {
      this.#turnAway(now, ike, taken ?? nobodyServes(ike.connection));
      return;
    }
    if (channel.mark === undefined && this.#hasTooMany(ike, child)) {
      this.channels.delete(channel);
      this.close(now, ike);
      return;
    }
    channel.mark = mark;
    ike.hadChild = true;
    const pair: Pair = {
      key: this.#newId(),
      ref: { version, id: child.id },
      child,
      ike: ike.ref,
      path: child.path,
      followPeer: ike.peer.natRemote && child.udpEncapsulation,
      receiveOnly: receiveOnly ?? false,
      replaced: false,
    };
    this.channels.add(channel, pair, before?.pair);
    if (!channel.up) this.#up(channel, ike);
  }

  /** The channel that a child SA without predecessor belongs to; `undefined`: nobody wants it. */
  #channelFor(ike: IkeRecord, { mode }: ChildSa, mark: PeerMark): ProtectedChannel | undefined {
    const { connection } = ike;
    const dialled = ike.channel === undefined ? undefined : this.channels.get(ike.channel);
    // In transport mode all is for the one who called; in tunnel mode IKEv1 has a child SA for each pair of networks.
    if (dialled !== undefined && (mode === 'transport' || dialled.mark === undefined)) return dialled;
    const known = this.channels.ofPeer(connection, mark);
    if (known !== undefined && !(mode === 'transport' && this.#livesOn(known, ike))) return known;
    const record = this.connections.get(connection);
    if (dialled === undefined && !record?.served) return undefined;
    // Both sides call at once: one channel is enough for what lies between the same networks.
    const calling = mode === 'tunnel' && this.channels.of(connection).find((other) => other.mark === undefined);
    if (calling && calling.dial?.remoteAddress === mark.remote.address) return calling;
    return this.channels.create(this.#newId(), connection);
  }

  /**
   * It stands by another IKE SA, which in IKEv2 is another caller's: one that had lost it would have said INITIAL_CONTACT,
   * and else what it lost ends by itself. In IKEv1 a rekey looks no different from another call.
   */
  #livesOn({ pairs }: ProtectedChannel, { ref }: IkeRecord): boolean {
    return ref.version === 2 && pairs.some(({ ike }) => refKey(ike) !== refKey(ref));
  }

  #hasTooMany({ ref }: IkeRecord, { mode }: ChildSa): boolean {
    return mode === 'transport' && this.channels.ofIke(ref).length >= MAX_CHANNELS;
  }

  #up(channel: ProtectedChannel, ike: IkeRecord): void {
    channel.up = true;
    const { id, connection, dial, insidePath: path } = channel;
    const record = this.connections.get(connection);
    if (record !== undefined) record.failure = undefined;
    // The peer may have called while this side did: that says nothing about what this side has tried.
    const offer = dial && ike.channel === id ? record?.plan.worked(dial.attempt) : undefined;
    if (offer !== undefined) this.#emit({ kind: 'remember', connection, offer });
    const { configuration } = ike;
    const assigned = configuration === undefined ? {} : { configuration };
    this.#emit({ kind: 'channel-up', channel: id, connection, path, initiator: dial !== undefined, ...assigned });
  }

  #childDown(now: Instant, found: Found, failure: Failure | undefined): void {
    const { channel, pair } = found;
    this.channels.remove(found);
    if (channel.pairs.length > 0) return;
    channel.lostIke = pair.ike;
    channel.lastFailure = failure ?? childGone();
    channel.graceUntil = now + (failure === undefined ? GRACE_MS : EXPIRED_GRACE_MS);
  }

  #moved(now: Instant, ref: IkeRef, { path, peer }: OutputOf<'path'>): void {
    const ike = this.ikes.get(refKey(ref));
    if (ike !== undefined) {
      const step = moveStep(ike.path, path, peer !== undefined);
      if (ike.peer !== undefined && peer === undefined && step !== undefined) ike.movedFrom = ike.path.remote;
      if (peer === undefined) ike.path = path;
      else ike.moved(now, peer, path);
      if (step !== undefined) this.#emit({ kind: 'step', connection: ike.connection, step });
    }
    for (const channel of this.channels.ofIke(ref)) channel.move(ref, path, peer);
  }

  #ikeDown(now: Instant, ref: IkeRef, { connection, failure }: OutputOf<'ike-down'>): void {
    const key = refKey(ref);
    const ike = this.ikes.get(key);
    this.ikes.delete(key);
    if (ike?.replaced || ike?.closed) return;
    this.#tellEarly(ref, connection);
    const dialled = ike?.channel === undefined ? undefined : this.channels.get(ike.channel);
    const lost = this.channels.all().filter(({ pairs, lostIke }) => {
      return pairs.length === 0 && lostIke !== undefined && refKey(lostIke) === key;
    });
    if (dialled !== undefined && dialled.pairs.length === 0 && !lost.includes(dialled)) lost.push(dialled);
    for (const channel of lost) this.end(now, channel, failure);
    // What the peer just ended by itself is no news; what was refused is.
    const turnedAway = ike?.peer === undefined || (!ike.hadChild && failure.cause !== undefined);
    if (failure === ike?.refusal) return;
    if (turnedAway && dialled === undefined) this.#note(connection, failure);
  }

  /** A caller whose IKE SA stands, and whose child SA does not. */
  #noteRefusal(ike: IkeRecord): void {
    if (ike.peer === undefined || ike.hadChild || ike.channel !== undefined) return;
    const refusal = this.ike.refusalOf(ike.ref);
    if (refusal === undefined || refusal === ike.refusal) return;
    ike.refusal = refusal;
    this.#note(ike.connection, refusal);
  }

  /** Why a caller may not have the networks that it comes with: another one has them. */
  #takenBy(ike: IkeRecord, { mode, localSelectors, remoteSelectors }: ChildSa, mark: PeerMark): Failure | undefined {
    if (mode !== 'tunnel' || ike.channel !== undefined || ike.peer === undefined) return undefined;
    for (const { mark: other, pairs } of this.channels.of(ike.connection)) {
      const [pair] = pairs;
      // Who comes back from elsewhere takes its own place.
      if (pair === undefined || other === undefined || other.identity === mark.identity) continue;
      if (firstOverlap(localSelectors, pair.child.localSelectors) === undefined) continue;
      const network = firstOverlap(remoteSelectors, pair.child.remoteSelectors);
      const holder = this.ikes.get(refKey(pair.ike))?.peer;
      if (network === undefined || holder === undefined) continue;
      return networkTaken(peerText(ike.peer), selectorWords(network), peerText(holder));
    }
    return undefined;
  }

  #turnAway(now: Instant, ike: IkeRecord, failure: Failure): void {
    this.#note(ike.connection, failure);
    this.close(now, ike);
  }

  /** A caller was turned away, or gave up. */
  #note(connection: string, failure: Failure): void {
    const record = this.connections.get(connection);
    // What a stranger is told is no news for a connection by which this side calls.
    if (record === undefined || this.channels.of(connection).some(({ dial }) => dial !== undefined)) return;
    record.failure = failure;
    record.turnedAway = true;
  }
}
