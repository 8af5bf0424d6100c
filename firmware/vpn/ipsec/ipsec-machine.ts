import type { WallTime } from '../../certificates/certificate-failures.ts';
import type { SaKey } from '../../dataplane/data-plane.ts';
import type { LifetimeUnit } from '../../protocol/esp/lifetime.ts';
import type { IkeConnection, IkeSecrets } from '../../protocol/ike/ike-types.ts';
import { IKE_PORT } from '../../protocol/ike/nat.ts';
import type { Failure, Instant, Machine, RandomSource } from '../../protocol/machine.ts';
import { sameEndpoint, type UdpEndpoint, type UdpPath } from '../../protocol/udp-path.ts';
import { internalFailure } from '../steps.ts';
import type { ChannelId } from './channel.ts';
import { ChannelLifecycle } from './channel-lifecycle.ts';
import { ConnectionRecord } from './connection-record.ts';
import { ikeProofs } from './ike-authentication.ts';
import { answererConnection, callerConnection, type InsidePorts } from './ike-connections.ts';
import { type IkeEndpointsOptions, type IkeRef, refKey } from './ike-endpoints.ts';
import { IkeRecord } from './ike-record.ts';
import {
  addressChanged,
  alreadyDialled,
  childGone,
  configurationChanged,
  noSuchConnection,
  shuttingDown,
  usedUp,
  waitsForCallers,
} from './ipsec-failures.ts';
import type { IpsecOutput } from './ipsec-output.ts';
import type { IpsecConnectionInfo, IpsecConnectionSettings, WorkingOffer } from './ipsec-types.ts';
import { connectionInfo } from './ipsec-views.ts';
import type { Destination } from './local-addresses.ts';

export interface IpsecMachineOptions extends IkeEndpointsOptions {
  /** A number that no policy or SA of the data plane has had. */
  readonly newId: () => number;
  /** The wall clock, by which certificates of peers are judged. */
  readonly wall: () => WallTime;
  /** What worked for a connection the last time. */
  readonly remembered?: (connection: string) => WorkingOffer | undefined;
}

export interface DialRequest {
  readonly connection: string;
  /** IP address of the peer. */
  readonly remoteAddress: string;
  /** IP address of this side on the way there. */
  readonly localAddress: string;
  /** In transport mode. */
  readonly ports?: InsidePorts;
  /** Ports 500 and 4500 are taken here: of the one socket there is, for UDP encapsulation. */
  readonly ephemeralPort?: number;
}

/** Both versions of IKE and all channels: who is called, who may call, and which SAs protect what. */
export class IpsecMachine implements Machine<IpsecOutput> {
  readonly #remembered: (connection: string) => WorkingOffer | undefined;
  readonly #wall: () => WallTime;
  readonly #outputs: IpsecOutput[] = [];
  readonly #life: ChannelLifecycle;
  /** Names of connections on which calls are taken. */
  readonly #served = new Set<string>();
  #ended = false;

  constructor(options: IpsecMachineOptions, random: RandomSource) {
    this.#remembered = options.remembered ?? (() => undefined);
    this.#wall = options.wall;
    this.#life = new ChannelLifecycle({ ...options, emit: (output) => this.#outputs.push(output) }, random);
  }

  /**
   * Other connections from now on. What is unchanged keeps running; what goes or has changed loses its channels.
   * @throws RangeError, MaterialError when one holds what cannot be negotiated; then those before stay.
   */
  setConnections(now: Instant, settings: readonly IpsecConnectionSettings[]): void {
    const before = this.#life.connections;
    const next = new Map<string, ConnectionRecord>();
    for (const entry of settings) {
      const known = before.get(entry.name);
      const same = known?.isOf(entry) ? known : undefined;
      next.set(entry.name, same ?? this.#record(now, entry));
    }
    if (!this.#ended) this.#life.ike.setAnswered(answerersOf(next));
    for (const [name, record] of before) {
      if (next.get(name) === record) continue;
      for (const channel of this.#life.channels.of(name)) this.#life.end(now, channel, configurationChanged());
      this.#closeIkes(now, (ike) => ike.connection === name);
    }
    this.#life.connections = next;
    for (const record of next.values()) record.served = this.#served.has(record.name);
    this.#settle(now);
  }

  /** Calls a peer. `channel-up` follows, or `channel-down` with the reason. @param id a number as `newId` gives them. */
  dial(now: Instant, id: ChannelId, request: DialRequest): void {
    const { connection, remoteAddress } = request;
    const record = this.#life.connections.get(connection);
    const refusal = this.#refusal(record, request);
    if (record === undefined || refusal !== undefined) {
      const failure = refusal ?? noSuchConnection(connection);
      this.#outputs.push({ kind: 'channel-down', channel: id, connection, failure });
      return;
    }
    this.#knowAddress(record, remoteAddress);
    const { ports, ephemeralPort } = request;
    const attempt = record.plan.next(ephemeralPort !== undefined);
    const dial = { remoteAddress, attempt, ...(ports === undefined ? {} : { ports }) };
    const channel = this.#life.channels.create(id, connection, dial);
    try {
      const path = {
        local: { address: request.localAddress, port: ephemeralPort ?? attempt.port },
        remote: { address: remoteAddress, port: attempt.port },
      };
      const called = callerConnection(record.settings, record.proofs, attempt, remoteAddress, ports);
      const ref = this.#life.ike.initiate(now, called, path);
      const ike = new IkeRecord(ref, connection, path);
      ike.channel = id;
      this.#life.ikes.set(refKey(ref), ike);
    } catch (error) {
      this.#life.end(now, channel, internalFailure(error));
    }
    this.#settle(now);
  }

  /** A call could not even be begun: `channel-down` follows. */
  cannotDial(now: Instant, id: ChannelId, connection: string, failure: Failure): void {
    const record = this.#life.connections.get(connection);
    if (record !== undefined) record.failure = failure;
    this.#outputs.push({ kind: 'channel-down', channel: id, connection, failure });
    this.#settle(now);
  }

  /** Its owner wants the channel no more: the peer is told, and nothing more is said of it here. */
  close(now: Instant, id: ChannelId): void {
    const channel = this.#life.channels.get(id);
    if (channel !== undefined) this.#life.end(now, channel, undefined);
    this.#settle(now);
  }

  /** Something here went wrong with the channel. */
  fail(now: Instant, id: ChannelId, failure: Failure): void {
    const channel = this.#life.channels.get(id);
    if (channel !== undefined) this.#life.end(now, channel, failure);
    this.#settle(now);
  }

  /** The user of the channel never got an answer through it. */
  reportMute(id: ChannelId): void {
    const channel = this.#life.channels.get(id);
    const plan = channel && this.#life.connections.get(channel.connection)?.plan;
    if (channel?.dial !== undefined) plan?.mute(channel.dial.attempt, channel.udpEncapsulation);
  }

  /** Calls on the connection are taken from now on. */
  serve(now: Instant, connection: string): void {
    this.#served.add(connection);
    const record = this.#life.connections.get(connection);
    if (record !== undefined) record.served = true;
    this.#settle(now);
  }

  /** No calls any more; channels that were taken end, without another word here. */
  unserve(now: Instant, connection: string): void {
    this.#served.delete(connection);
    const record = this.#life.connections.get(connection);
    if (record !== undefined) record.served = false;
    for (const channel of this.#life.channels.of(connection)) {
      if (channel.dial === undefined) this.#life.end(now, channel, undefined);
    }
    this.#closeIkes(now, (ike) => ike.connection === connection && ike.channel === undefined);
    this.#settle(now);
  }

  /** One datagram without non-ESP marker, from port 500 or from a socket of UDP encapsulation. */
  receive(now: Instant, datagram: Uint8Array, path: UdpPath): void {
    this.#life.ike.receive(now, datagram, path);
    this.#settle(now);
  }

  /** A fault of the program while a datagram of this peer was handled: what stands with that peer ends. */
  failPeer(now: Instant, remote: UdpEndpoint, failure: Failure): void {
    for (const ike of [...this.#life.ikes.values()]) {
      if (ike.replaced || !sameEndpoint(ike.path.remote, remote)) continue;
      const dialled = ike.channel === undefined ? undefined : this.#life.channels.get(ike.channel);
      const channels = new Set(this.#life.channels.ofIke(ike.ref));
      if (dialled !== undefined) channels.add(dialled);
      for (const channel of channels) this.#life.end(now, channel, failure);
      this.#life.close(now, ike);
    }
    this.#settle(now);
  }

  /** Authentic packets came in by these pairs. */
  saReceived(now: Instant, keys: readonly SaKey[]): void {
    for (const key of keys) {
      const found = this.#life.channels.bySa(key);
      if (found === undefined) continue;
      found.channel.heard = true;
      this.#life.ike.espReceived(now, found.pair.ref);
    }
    this.#settle(now);
  }

  saLifetime(now: Instant, key: SaKey, limit: 'soft' | 'hard', unit: LifetimeUnit): void {
    const found = this.#life.channels.bySa(key);
    // The machines of IKE watch the clock themselves.
    if (found === undefined || unit === 'seconds') return;
    const { channel, pair } = found;
    const others = channel.pairs.filter((other) => other !== pair);
    const heir = others.findLast(({ replaced }) => !replaced);
    if (limit === 'soft') this.#life.ike.rekeyChild(now, pair.ref);
    else if (heir === undefined) this.#life.end(now, channel, usedUp(unit));
    else if (channel.sending === pair) channel.sendBy(heir);
    this.#settle(now);
  }

  /** An authentic, fresh packet of the pair came from elsewhere. */
  saMoved(now: Instant, key: SaKey, path: UdpPath): void {
    const found = this.#life.channels.bySa(key);
    if (found !== undefined) this.#life.ike.peerMoved(now, found.pair.ref, path);
    this.#settle(now);
  }

  /** ESP came in for an SPI that is not here. @param path with ports 0 where it came bare. */
  unknownSpi(now: Instant, spi: number, path: UdpPath): void {
    const { local, remote } = path;
    const toIke = { local: { ...local, port: IKE_PORT }, remote: { ...remote, port: IKE_PORT } };
    this.#life.ike.unknownSpi(now, spi, remote.port === 0 ? toIke : path);
    this.#settle(now);
  }

  /** Where the IKE SAs lead that this side opened: whoever knows tells of the address of this side on the way there. */
  get destinations(): readonly Destination[] {
    const opened = [...this.#life.ikes.values()].filter(({ replaced, channel }) => !replaced && channel !== undefined);
    const found = opened.map(({ connection, path }) => ({ connection, remote: path.remote.address }));
    return [...new Map(found.map((one) => [`${one.connection} ${one.remote}`, one])).values()];
  }

  /**
   * This side's address on the way of a connection to `remote` is `local`. What stands from another one goes on from there where the peer
   * knows MOBIKE; else the channel ends, to be dialled again.
   */
  localAddress(now: Instant, { connection, remote }: Destination, local: string): void {
    for (const ike of [...this.#life.ikes.values()]) {
      if (ike.connection !== connection) continue;
      const elsewhere = ike.path.remote.address === remote && ike.path.local.address !== local;
      const channel = ike.channel === undefined ? undefined : this.#life.channels.get(ike.channel);
      if (!elsewhere || ike.replaced || ike.closed || channel === undefined) continue;
      if (this.#life.ike.addressChanged(now, ike.ref, local)) continue;
      this.#life.end(now, channel, addressChanged(ike.path.local.address, local));
    }
    this.#settle(now);
  }

  /** The network reported an error: a hint. @param code errno name. */
  pathError(now: Instant, remote: UdpEndpoint, code: string): void {
    this.#life.ike.pathError(now, remote, code);
    this.#settle(now);
  }

  /** Ends all: the peers are told, owners of channels as well. */
  shutdown(now: Instant): void {
    this.#ended = true;
    this.#life.ike.setAnswered([]);
    for (const channel of this.#life.channels.all()) this.#life.end(now, channel, shuttingDown());
    this.#served.clear();
    for (const view of this.#life.ike.views(now)) if (view.state !== 'replaced') this.#life.ike.close(now, view);
    this.#settle(now);
  }

  /** Nothing is up, and no goodbye waits for its answer. */
  get quiet(): boolean {
    return this.#life.ike.idle;
  }

  channel(
    id: ChannelId,
  ): { readonly heard: boolean; readonly udpEncapsulation: boolean; readonly up: boolean } | undefined {
    return this.#life.channels.get(id);
  }

  /** @param wall the wall clock at `now`, ms. */
  views(now: Instant, wall: number): readonly IpsecConnectionInfo[] {
    const views = this.#life.ike.views(now);
    const movedFrom = (ike: IkeRef) => this.#life.ikes.get(refKey(ike))?.movedFrom;
    return [...this.#life.connections.values()].map((record) => {
      const ofRecord = views.filter(({ connection }) => connection === record.name);
      return connectionInfo(record, wall - (now - record.since), ofRecord, this.#life.channels, movedFrom);
    });
  }

  /** Keys of all SAs in use, for somebody who asked for them: never for a status, and never to be logged. */
  secrets(): readonly IkeSecrets[] {
    return this.#life.ike.secrets();
  }

  tick(now: Instant): void {
    this.#life.ike.tick(now);
    for (const channel of this.#life.channels.all()) {
      if (channel.graceUntil === undefined || now < channel.graceUntil) continue;
      this.#life.end(now, channel, channel.lastFailure ?? childGone());
    }
    for (const ike of this.#life.ikes.values()) {
      if (ike.keepaliveDue(now)) this.#outputs.push({ kind: 'nat-keepalive', path: ike.path });
    }
    this.#settle(now);
  }

  nextDeadline(): Instant | undefined {
    const deadlines = [
      this.#life.ike.nextDeadline(),
      ...this.#life.channels.all().map(({ graceUntil }) => graceUntil),
      ...[...this.#life.ikes.values()].map(({ deadline }) => deadline),
    ].filter((deadline) => deadline !== undefined);
    return deadlines.length === 0 ? undefined : Math.min(...deadlines);
  }

  poll(): IpsecOutput | undefined {
    return this.#outputs.shift();
  }

  #record(now: Instant, settings: IpsecConnectionSettings): ConnectionRecord {
    const proofs = ikeProofs(settings, this.#wall);
    return new ConnectionRecord(now, settings, proofs, this.#remembered(settings.name));
  }

  #settle(now: Instant): void {
    this.#life.settle(now);
    for (const record of this.#life.connections.values()) this.#tellState(now, record);
  }

  #tellState(now: Instant, record: ConnectionRecord): void {
    const { name, failure, turnedAway } = record;
    const state = record.stateWith(this.#life.channels.of(name));
    record.turnedAway = false;
    if (state === record.state && !turnedAway) return;
    if (state !== record.state) record.since = now;
    record.state = state;
    const told = failure !== undefined && (turnedAway || state === 'failed') ? { failure } : {};
    this.#outputs.push({ kind: 'state', connection: name, state, ...told });
  }

  /** Why this call cannot be made. */
  #refusal(record: ConnectionRecord | undefined, { connection, remoteAddress }: DialRequest): Failure | undefined {
    if (this.#ended) return shuttingDown();
    if (record === undefined) return noSuchConnection(connection);
    if (record.settings.remote === 'any') return waitsForCallers(connection);
    const inUse = this.#life.channels.of(connection).some(({ dial }) => {
      return record.settings.mode === 'tunnel' || dial?.remoteAddress === remoteAddress;
    });
    return inUse ? alreadyDialled(connection, remoteAddress) : undefined;
  }

  /** A name has got an address: its owner may call, too. */
  #knowAddress(record: ConnectionRecord, remoteAddress: string): void {
    if (record.knownAddress === remoteAddress) return;
    record.knownAddress = remoteAddress;
    this.#life.ike.setAnswered(answerersOf(this.#life.connections));
  }

  #closeIkes(now: Instant, which: (ike: IkeRecord) => boolean): void {
    for (const ike of [...this.#life.ikes.values()]) if (!ike.replaced && which(ike)) this.#life.close(now, ike);
  }
}

function answerersOf(connections: ReadonlyMap<string, ConnectionRecord>): readonly IkeConnection[] {
  return [...connections.values()].flatMap(
    ({ settings, proofs, knownAddress, leases }) => answererConnection(settings, proofs, knownAddress, leases) ?? [],
  );
}
