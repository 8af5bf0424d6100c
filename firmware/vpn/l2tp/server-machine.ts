import { L2tpEndpoint } from '../../protocol/l2tp/endpoint.ts';
import type { L2tpCounters, L2tpOutput, TunnelView } from '../../protocol/l2tp/endpoint-types.ts';
import type { Failure, Instant, Machine, RandomSource } from '../../protocol/machine.ts';
import { TERMINATE_CAUSE } from '../../protocol/radius/attribute-table.ts';
import type { UdpEndpoint, UdpPath } from '../../protocol/udp-path.ts';
import { DeadlineQueue } from '../deadline-queue.ts';
import type { RadiusAnswer } from '../radius/session-judge.ts';
import { terminateCause } from '../radius/terminate-cause.ts';
import { AddressPool } from './address-pool.ts';
import { pppDisconnect } from './disconnect-cause.ts';
import { OutgoingDesk } from './outgoing-desk.ts';
import { ServerIpv6 } from './server-ipv6.ts';
import { ServerSession } from './server-session.ts';
import type { ServerSessionOutput } from './server-session-types.ts';
import type { L2tpServerOptions, L2tpServerOutput } from './server-types.ts';
import { sessionNames } from './session-names.ts';
import { SessionNeighbours } from './session-neighbours.ts';
import type { SessionRadius } from './session-users.ts';
import { Switchboard } from './switchboard.ts';

/** A tunnel without sessions is of no use to anybody; it is cleared after this time, ms. */
const EMPTY_TUNNEL_MS = 60_000;

/** CDN result codes (RFC 2661 section 4.4.2): loss of carrier, with error, administrative. */
const CDN_ADMINISTRATIVE = 3;
const STOP_CLEAR = 1;
const STOP_SHUTDOWN = 6;

const REPLACED: Failure = {
  step: 'replaced',
  reason: 'the same user logged in again from elsewhere',
  remedy: 'give every branch a user of its own',
};

/** One L2TP server (an LNS): any number of tunnels, each with any number of PPP sessions. Without hands. */
export class L2tpServerMachine implements Machine<L2tpServerOutput> {
  readonly #options: L2tpServerOptions;
  readonly #random: RandomSource;
  readonly #endpoint: L2tpEndpoint;
  readonly #pool: AddressPool;
  readonly #ipv6: ServerIpv6 | undefined;
  readonly #sessions = new Map<string, ServerSession>();
  readonly #sessionsOf = new Map<number, Set<ServerSession>>();
  /** Those that were given an input and not asked since what they want done. */
  readonly #touched = new Set<ServerSession>();
  readonly #deadlines = new DeadlineQueue<ServerSession>((session) => session.nextDeadline());
  readonly #emptySince = new Map<number, Instant>();
  readonly #remotes = new Map<number, UdpEndpoint>();
  readonly #outputs: L2tpServerOutput[] = [];
  readonly #neighbours: SessionNeighbours;
  readonly #sessionRadius: SessionRadius | undefined;
  readonly switchboard: Switchboard;
  readonly #desk: OutgoingDesk;
  #shuttingDown = false;

  constructor(options: L2tpServerOptions, random: RandomSource) {
    this.#options = options;
    this.#random = random;
    const fixed = Object.values(options.users).flatMap((user) => user.address ?? []);
    this.#pool = new AddressPool(options.pool, [options.localAddress, ...fixed]);
    const fixedPrefixes = Object.values(options.users).flatMap((user) => user.ipv6Prefix ?? []);
    this.#ipv6 = options.ipv6 && new ServerIpv6(options.ipv6, fixedPrefixes, random);
    const { hostName, secret, hideAvps, hello, limits, radius } = options;
    this.#sessionRadius = radius && { ...radius, sessionName: sessionNames(random) };
    const review = radius?.review ?? (() => undefined);
    this.#neighbours = new SessionNeighbours(
      { ...options, ...(options.ipv6 ? { ipv6Pool: options.ipv6.pool } : {}), review },
      this.#pool,
      () => this.#sessions.values(),
    );
    this.#endpoint = new L2tpEndpoint(
      {
        hostName,
        accept: { hideAvps, ...(secret === undefined ? {} : { secret }) },
        ...(hello ? { hello } : {}),
        dscp: options.data?.dscp ?? 0,
        ...(limits ? { limits } : {}),
      },
      random,
    );
    this.switchboard = new Switchboard(options.forward ?? [], {
      endpoint: this.#endpoint,
      emit: (output) => this.#outputs.push(output),
      occupied: (now, tunnelId, occupied) => {
        if (occupied) this.#emptySince.delete(tunnelId);
        else this.#emptySince.set(tunnelId, now);
      },
    });
    this.#desk = new OutgoingDesk(options.calls ?? [], {
      endpoint: this.#endpoint,
      callState: (name, state, failure) =>
        this.#outputs.push({ kind: 'call-state', name, state, ...(failure ? { failure } : {}) }),
    });
  }

  /** Calls a branch, and again when the call ends. */
  call(now: Instant, name: string): void {
    this.#desk.connect(now, name);
    this.#drain(now);
  }

  hangUp(now: Instant, name: string): void {
    this.#desk.disconnect(now, name);
    this.#drain(now);
  }

  /** A call of ours to a branch; `undefined` when there is none of this name. */
  callView(name: string): ReturnType<OutgoingDesk['view']> {
    return this.#desk.view(name);
  }

  receive(now: Instant, datagram: Uint8Array, path: UdpPath): void {
    this.#endpoint.receive(now, datagram, path);
    this.#drain(now);
  }

  /** A bare PPP frame of the session `id`. */
  receiveFrame(now: Instant, id: string, frame: Uint8Array): void {
    if (!this.switchboard.receiveFrame(id, frame)) this.#touch(this.#sessions.get(id))?.receive(now, frame);
    this.#drain(now);
  }

  pathError(now: Instant, remote: UdpEndpoint, code: string): void {
    this.#endpoint.pathError(now, remote, code);
    this.#drain(now);
  }

  /** A protected channel is gone: everything in it ends with that failure, and nobody is told. */
  bearerGone(now: Instant, bearer: number, failure: Failure): void {
    this.#endpoint.closeBearer(now, bearer, failure);
    this.#drain(now);
  }

  /** User packets came in on these sessions: their peers live. */
  dataReceived(now: Instant, ids: Iterable<string>): void {
    for (const id of ids) {
      const session = this.#touch(this.#sessions.get(id));
      if (!session) continue;
      this.#endpoint.dataReceived(now, session.tunnelId);
      session.ppp.dataReceived(now);
    }
    this.#drain(now);
  }

  /** A RADIUS server has answered what a session asked. */
  answered(now: Instant, id: string, verification: number, answer: RadiusAnswer): void {
    this.#touch(this.#sessions.get(id))?.answered(now, verification, answer);
    this.#drain(now);
  }

  /** None has, and none will. */
  unanswered(now: Instant, id: string, verification: number, failure: Failure): void {
    this.#touch(this.#sessions.get(id))?.unanswered(now, verification, failure);
    this.#drain(now);
  }

  /** Something outside the protocols failed: ends that session with that reason. */
  fail(now: Instant, id: string, failure: Failure): void {
    const session = this.#sessions.get(id);
    if (session) this.#close(now, session, failure);
    else this.switchboard.fail(now, id, failure);
    this.#drain(now);
  }

  /** StopCCN to every peer; the machine is quiet once they are acknowledged or given up. */
  shutdown(now: Instant): void {
    this.#shuttingDown = true;
    for (const session of this.#sessions.values()) this.#touch(session)?.farewell();
    // Before the StopCCNs, behind which nothing arrives.
    this.#drain(now);
    this.#endpoint.shutdown(now, { resultCode: STOP_SHUTDOWN });
    this.#drain(now);
  }

  /** The server's own address inside every session. */
  get localAddress(): string {
    return this.#options.localAddress;
  }

  /** Its IPv6 addresses inside, with their prefix lengths; none where IPv6 is refused. */
  get ipv6Addresses(): readonly string[] {
    return this.#ipv6?.addresses ?? [];
  }

  /** The server's own IPv6 address inside every session. */
  get ipv6LocalAddress(): string | undefined {
    return this.#ipv6?.localAddress;
  }

  /** Nothing more will be sent unless somebody asks. */
  get quiet(): boolean {
    return this.#endpoint.idle;
  }

  /** Those that carry something or may come to; a closed one that still answers retransmissions is history. */
  get tunnels(): readonly TunnelView[] {
    return this.#endpoint.tunnels().filter((tunnel) => tunnel.state !== 'closing');
  }

  get counters(): L2tpCounters {
    return this.#endpoint.counters;
  }

  session(tunnelId: number, sessionId: number): ServerSession | undefined {
    return this.#sessions.get(sessionKey(tunnelId, sessionId));
  }

  tick(now: Instant): void {
    this.#endpoint.tick(now);
    this.#desk.tick(now);
    for (const session of this.#deadlines.takeDue(now)) this.#touch(session)?.tick(now);
    for (const [tunnelId, since] of this.#emptySince) {
      if (now < since + EMPTY_TUNNEL_MS) continue;
      this.#emptySince.delete(tunnelId);
      if (this.#desk.awaits(tunnelId)) continue;
      this.#endpoint.closeTunnel(now, tunnelId, { resultCode: STOP_CLEAR, message: 'no session in this tunnel' });
    }
    this.#drain(now);
  }

  nextDeadline(): Instant | undefined {
    let earliest = this.#endpoint.nextDeadline() ?? Number.POSITIVE_INFINITY;
    earliest = Math.min(earliest, this.#desk.nextDeadline() ?? Number.POSITIVE_INFINITY);
    earliest = Math.min(earliest, this.#deadlines.first?.at ?? Number.POSITIVE_INFINITY);
    for (const since of this.#emptySince.values()) earliest = Math.min(earliest, since + EMPTY_TUNNEL_MS);
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  poll(): L2tpServerOutput | undefined {
    return this.#outputs.shift();
  }

  /** The session, which is about to get an input. */
  #touch(session: ServerSession | undefined): ServerSession | undefined {
    if (session) this.#touched.add(session);
    return session;
  }

  /** Takes what the endpoint and the sessions that had an input want done, until none has more. */
  #drain(now: Instant): void {
    for (;;) {
      const l2tp = this.#endpoint.poll();
      if (l2tp) {
        this.#onL2tp(now, l2tp);
        continue;
      }
      const [session] = this.#touched;
      if (!session) return;
      const output = session.poll(now);
      if (output) {
        this.#onSession(now, session, output);
      } else {
        this.#touched.delete(session);
        this.#deadlines.update(session);
      }
    }
  }

  #onL2tp(now: Instant, output: L2tpOutput): void {
    if (this.switchboard.onL2tp(now, output)) return;
    this.#desk.onL2tp(now, output);
    switch (output.kind) {
      case 'send':
        this.#outputs.push(output);
        return;
      case 'trace': {
        const id = sessionKey(output.tunnelId, output.sessionId);
        this.#outputs.push({ kind: 'step', id, direction: output.direction, step: output.message });
        return;
      }
      case 'tunnel-up':
        this.#remotes.set(output.tunnelId, output.path.remote);
        if (this.switchboard.target(output.tunnelId) === undefined) this.#emptySince.set(output.tunnelId, now);
        return;
      case 'tunnel-path':
        for (const session of this.#sessionsOf.get(output.tunnelId) ?? []) this.#touch(session)?.move(output.path);
        return;
      case 'tunnel-down': {
        this.#emptySince.delete(output.tunnelId);
        const remote = this.#remotes.get(output.tunnelId);
        this.#remotes.delete(output.tunnelId);
        if (remote) this.#outputs.push({ kind: 'tunnel-ended', remote, failure: output.failure });
        return;
      }
      case 'session-opening':
        this.#open(now, output);
        return;
      case 'session-up':
        this.#touch(this.session(output.tunnelId, output.sessionId))?.start(now, output);
        return;
      case 'session-down': {
        const session = this.session(output.tunnelId, output.sessionId);
        if (session) this.#close(now, session, output.failure);
        return;
      }
      default:
        return;
    }
  }

  #open(now: Instant, opening: Extract<L2tpOutput, { kind: 'session-opening' }>): void {
    const id = sessionKey(opening.tunnelId, opening.sessionId);
    this.#emptySince.delete(opening.tunnelId);
    const { hostName, localAddress, dns, users, authentication, mru, proxyAuthentication = 'off' } = this.#options;
    const session = new ServerSession(
      id,
      opening,
      {
        ...{ hostName, localAddress, dns, users, authentication, mru, proxyAuthentication },
        ...(this.#options.data ? { data: this.#options.data } : {}),
        ...(this.#ipv6 ? { ipv6: this.#ipv6 } : {}),
        ...(this.#sessionRadius ? { radius: this.#sessionRadius } : {}),
        handOver: (name) => this.switchboard.targetOf(name) !== undefined,
      },
      this.#neighbours,
      this.#random,
    );
    this.#sessions.set(id, session);
    const siblings = this.#sessionsOf.get(session.tunnelId) ?? new Set();
    this.#sessionsOf.set(session.tunnelId, siblings.add(session));
    // Before the answer that comes next: the caller's first frame may be right behind it.
    for (let output = session.poll(now); output; output = session.poll(now)) this.#onSession(now, session, output);
    this.#touch(session);
  }

  #onSession(now: Instant, session: ServerSession, output: ServerSessionOutput): void {
    switch (output.kind) {
      case 'put-session':
      case 'ppp-send':
      case 'step':
      case 'ask':
      case 'user-ipv6':
        this.#outputs.push({ ...output, id: session.id });
        return;
      case 'user-down':
        this.#desk.network(session.tunnelId, session.sessionId, false);
        this.#outputs.push({ ...output, id: session.id });
        return;
      case 'user-up':
        if (output.unique) this.#evict(now, session, output.user);
        this.#desk.network(session.tunnelId, session.sessionId, true);
        this.#outputs.push({ ...output, id: session.id });
        return;
      case 'handed-over':
        this.#handOver(now, session, output);
        return;
      case 'down':
        this.#close(now, session, output.failure);
        return;
    }
  }

  /** The caller is none of this server's any more; its session in the data plane stays. */
  #handOver(now: Instant, session: ServerSession, handed: Extract<ServerSessionOutput, { kind: 'handed-over' }>): void {
    const { id, tunnelId, sessionId, shape } = session;
    this.#forget(session);
    this.switchboard.take(now, { id, tunnelId, sessionId, shape }, handed);
  }

  #forget(session: ServerSession): void {
    this.#sessions.delete(session.id);
    this.#touched.delete(session);
    const siblings = this.#sessionsOf.get(session.tunnelId);
    siblings?.delete(session);
    if (siblings?.size === 0) this.#sessionsOf.delete(session.tunnelId);
  }

  /** A user with an address or routes of its own can only be in one place: the newest login is the true one. */
  #evict(now: Instant, newest: ServerSession, user: string): void {
    for (const session of [...this.#sessions.values()]) {
      if (session !== newest && session.user === user) this.#close(now, session, REPLACED);
    }
  }

  #close(now: Instant, session: ServerSession, failure: Failure): void {
    if (!this.#sessions.has(session.id)) return;
    this.#forget(session);
    this.#desk.failed(session.tunnelId, session.sessionId, failure);
    const cause = this.#shuttingDown ? TERMINATE_CAUSE.adminReboot : terminateCause(failure);
    for (const output of session.end(now, failure, cause)) this.#onSession(now, session, output);
    this.#outputs.push({ kind: 'remove-session', id: session.id });
    const user = session.user;
    this.#outputs.push({ kind: 'session-ended', id: session.id, failure, ...(user === undefined ? {} : { user }) });
    const tunnel = this.#endpoint.tunnel(session.tunnelId);
    if (!tunnel || tunnel.state === 'closing') return;
    if (tunnel.sessions.some((view) => view.sessionId === session.sessionId)) {
      const disconnect = pppDisconnect(failure, session.spoken);
      this.#endpoint.closeSession(now, session.tunnelId, session.sessionId, {
        resultCode: CDN_ADMINISTRATIVE,
        message: wordsForPeer(failure),
        ...(disconnect === undefined ? {} : { pppDisconnect: disconnect }),
      });
    }
    // Calls that were handed on are there, too.
    if (this.#endpoint.tunnel(session.tunnelId)?.sessions.length === 0) this.#emptySince.set(session.tunnelId, now);
  }
}

/** Which RADIUS servers there are, and how they are, is nothing for the peer. */
function wordsForPeer({ step, reason }: Failure): string {
  if (step === 'RADIUS') return 'authentication: users cannot be judged here at present';
  return `${step}: ${reason}`.slice(0, 200);
}

function sessionKey(tunnelId: number, sessionId: number): string {
  return `${tunnelId}/${sessionId}`;
}
