/**
 * What the engine was programmed with: sockets, interfaces and sessions, and the two look-ups that packets need, from
 * tunnel and session id to session, and from inner destination to session.
 */
import type {
  InterfaceId,
  InterfaceSpec,
  SessionCounters,
  SessionKey,
  SessionSpec,
  SocketId,
  SocketSpec,
} from '../data-plane.ts';
import type { LineId, LineSessionSpec } from '../ppp-carrier.ts';
import type { Arrival, GlobalDrops } from './forwarder-ports.ts';
import { HeldPackets } from './held-packets.ts';
import { Ipv4PrefixTable } from './ipv4-prefix-table.ts';
import { Ipv6PrefixTable } from './ipv6-prefix-table.ts';
import { L2tpSession } from './l2tp-session.ts';
import { LineSession } from './line-session.ts';
import { prepareNetwork, type SessionNetwork } from './ppp-session.ts';

/** Either kind. */
export type Session = L2tpSession | LineSession;

/** A socket with the sessions whose messages come in by it. */
export class SocketSessions {
  readonly spec: SocketSpec;
  readonly #sessions = new Map<number, L2tpSession>();
  /** Remote addresses of the sessions, or their bearers, with how many sessions each has. */
  readonly #peers = new Map<string | number, number>();

  constructor(spec: SocketSpec) {
    this.spec = spec;
  }

  /** @param tunnelId and `sessionId`: ours, 0..65535. */
  session(tunnelId: number, sessionId: number): L2tpSession | undefined {
    return this.#sessions.get(tunnelId * 0x10000 + sessionId);
  }

  /** Whether there is a session with whoever sent this: by the bearer, where there is one, else by the address. */
  isPeer({ bearer, remoteAddress }: Arrival): boolean {
    return this.#peers.has(bearer ?? remoteAddress);
  }

  add(session: L2tpSession): void {
    const { localTunnelId, localSessionId, path } = session.spec;
    this.#sessions.set(localTunnelId * 0x10000 + localSessionId, session);
    const peer = path.bearer ?? path.remote.address;
    this.#peers.set(peer, (this.#peers.get(peer) ?? 0) + 1);
  }

  remove(session: L2tpSession): void {
    const { localTunnelId, localSessionId, path } = session.spec;
    // The ids may have passed on to another session already.
    if (this.session(localTunnelId, localSessionId) === session) {
      this.#sessions.delete(localTunnelId * 0x10000 + localSessionId);
    }
    const peer = path.bearer ?? path.remote.address;
    const left = (this.#peers.get(peer) ?? 0) - 1;
    if (left > 0) this.#peers.set(peer, left);
    else this.#peers.delete(peer);
  }
}

/** A TUN with the sessions that take packets from it. */
interface SessionInterface {
  readonly prefixes: Ipv4PrefixTable<Session>;
  readonly prefixes6: Ipv6PrefixTable<Session>;
  /** Whether senders inside are told of packets that do not fit. */
  readonly sendsErrors: boolean;
}

export class SessionTable {
  readonly #sockets = new Map<SocketId, SocketSessions>();
  readonly #interfaces = new Map<InterfaceId, SessionInterface>();
  readonly #sessions = new Map<SessionKey, Session>();
  readonly #onLines = new Map<LineId, LineSession>();
  /** Of the interfaces where packets may wait. */
  readonly #holds = new Map<InterfaceId, HeldPackets>();
  readonly #drops: GlobalDrops;

  /** @param drops where packets are counted that waited in vain. */
  constructor(drops: GlobalDrops) {
    this.#drops = drops;
  }

  addSocket(spec: SocketSpec): void {
    this.#sockets.set(spec.id, new SocketSessions(spec));
  }

  /** Its sessions go with it. */
  removeSocket(id: SocketId): void {
    for (const session of this.#sessions.values()) {
      if (session.kind === 'l2tp' && session.spec.socket === id) this.removeSession(session.key);
    }
    this.#sockets.delete(id);
  }

  addInterface({ id, address, hold }: Pick<InterfaceSpec, 'id' | 'address' | 'hold'>): void {
    if (hold !== undefined) this.#holds.set(id, new HeldPackets(hold, this.#drops));
    this.#interfaces.set(id, {
      prefixes: new Ipv4PrefixTable(),
      prefixes6: new Ipv6PrefixTable(),
      sendsErrors: address !== undefined || hold !== undefined,
    });
  }

  /** Sessions that use it lose their network. */
  removeInterface(id: InterfaceId): void {
    this.#interfaces.delete(id);
    this.#holds.delete(id);
    for (const session of this.#sessions.values()) {
      if (session.network?.interface === id) session.network = undefined;
    }
  }

  /** Its session goes with it. */
  removeLine(id: LineId): void {
    const session = this.#onLines.get(id);
    if (session !== undefined) this.removeSession(session.key);
  }

  /**
   * Adds a session, or replaces the one of the same key, which keeps its counters and sequence numbers. A key that has
   * a session of the other kind keeps it.
   * @throws RangeError when a prefix of it is none.
   */
  putSession(spec: SessionSpec | LineSessionSpec): void {
    const asked = spec.network === undefined ? undefined : prepareNetwork(spec.network);
    const network = asked !== undefined && this.#interfaces.has(asked.interface) ? asked : undefined;
    const present = this.#sessions.get(spec.key);
    if ('line' in spec) this.#putOnLine(spec, present, network);
    else this.#putInL2tp(spec, present, network);
  }

  removeSession(key: SessionKey): void {
    const session = this.#sessions.get(key);
    if (session === undefined) return;
    this.#unlink(session);
    this.#sessions.delete(key);
  }

  socket(id: SocketId): SocketSessions | undefined {
    return this.#sockets.get(id);
  }

  session(key: SessionKey): Session | undefined {
    return this.#sessions.get(key);
  }

  onLine(line: LineId): LineSession | undefined {
    return this.#onLines.get(line);
  }

  /** The session of this interface that takes packets to `destination`, an unsigned 32-bit IPv4 address. */
  sessionTo(from: InterfaceId, destination: number): Session | undefined {
    return this.#interfaces.get(from)?.prefixes.lookup(destination);
  }

  /** The same for the IPv6 address at `bytes[at..at+16)`. */
  sessionTo6(from: InterfaceId, bytes: Uint8Array, at: number): Session | undefined {
    return this.#interfaces.get(from)?.prefixes6.lookup(bytes, at);
  }

  /** What waits on that interface for a session, where anything may. */
  held(on: InterfaceId): HeldPackets | undefined {
    return this.#holds.get(on);
  }

  get holds(): Iterable<HeldPackets> {
    return this.#holds.values();
  }

  /** Whether senders inside are told of packets that do not fit. */
  sendsErrors(to: InterfaceId): boolean {
    return this.#interfaces.get(to)?.sendsErrors ?? false;
  }

  counters(): readonly SessionCounters[] {
    return [...this.#sessions.values()].map((session) => session.counters());
  }

  #putInL2tp(spec: SessionSpec, present: Session | undefined, network: SessionNetwork | undefined): void {
    if (present?.kind === 'line') return;
    if (present !== undefined) this.#unlink(present);
    const session = present ?? new L2tpSession(spec);
    session.program(spec, network);
    this.#link(session);
  }

  #putOnLine(spec: LineSessionSpec, present: Session | undefined, network: SessionNetwork | undefined): void {
    if (present?.kind === 'l2tp' || (present !== undefined && present.line !== spec.line)) return;
    if (present !== undefined) this.#unlink(present);
    const session = present ?? new LineSession(spec);
    session.program(network);
    this.#link(session);
  }

  #link(session: Session): void {
    this.#sessions.set(session.key, session);
    if (session.kind === 'l2tp') this.#sockets.get(session.spec.socket)?.add(session);
    else this.#onLines.set(session.line, session);
    const { network } = session;
    if (network === undefined) return;
    const tables = this.#interfaces.get(network.interface);
    for (const prefix of network.destinations) tables?.prefixes.add(prefix, session);
    for (const prefix of network.destinations6) tables?.prefixes6.add(prefix, session);
  }

  #unlink(session: Session): void {
    if (session.kind === 'l2tp') this.#sockets.get(session.spec.socket)?.remove(session);
    else this.#onLines.delete(session.line);
    const { network } = session;
    if (network === undefined) return;
    const tables = this.#interfaces.get(network.interface);
    for (const prefix of network.destinations) tables?.prefixes.remove(prefix, session);
    for (const prefix of network.destinations6) tables?.prefixes6.remove(prefix, session);
  }
}
