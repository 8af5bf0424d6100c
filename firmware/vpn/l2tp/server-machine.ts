import { hex } from '../../protocol/bytes.ts';
import { L2tpEndpoint } from '../../protocol/l2tp/endpoint.ts';
import type {
  EndpointLimits,
  HelloPolicy,
  L2tpCounters,
  L2tpOutput,
  TunnelView,
} from '../../protocol/l2tp/endpoint-types.ts';
import type { Failure, Instant, Machine, RandomSource } from '../../protocol/machine.ts';
import type { PppAuthentication } from '../../protocol/ppp/link-types.ts';
import { TERMINATE_CAUSE } from '../../protocol/radius/attribute-table.ts';
import type { UdpEndpoint, UdpPath } from '../../protocol/udp-path.ts';
import { DeadlineQueue } from '../deadline-queue.ts';
import type { RadiusAnswer } from '../radius/session-judge.ts';
import { terminateCause } from '../radius/terminate-cause.ts';
import type { Step } from '../steps.ts';
import { AddressPool } from './address-pool.ts';
import { ServerIpv6, type ServerIpv6Options } from './server-ipv6.ts';
import { ServerSession } from './server-session.ts';
import type { ServerSessionOutput } from './server-session-types.ts';
import { SessionNeighbours } from './session-neighbours.ts';
import type { DataOptions, SessionShape } from './session-shape.ts';
import type { SessionRadius } from './session-users.ts';
import { type ForwardTarget, Switchboard } from './switchboard.ts';
import type { GrantSurroundings, ServerUser } from './user-grant.ts';

export interface L2tpServerOptions {
  readonly hostName: string;
  readonly localAddress: string;
  /** `first-last` */
  readonly pool: string;
  readonly dns: readonly string[];
  /** Absent: IPv6 is refused. */
  readonly ipv6?: ServerIpv6Options;
  readonly users: Readonly<Record<string, ServerUser>>;
  readonly authentication: readonly PppAuthentication[];
  readonly secret?: string;
  readonly hideAvps: boolean;
  readonly mru: number;
  readonly data?: DataOptions;
  readonly hello?: Partial<HelloPolicy>;
  readonly limits?: Partial<EndpointLimits>;
  /** RADIUS servers judge who is not among the users. */
  readonly radius?: ServerRadius;
  /** Other servers, to which callers are handed on by their name. */
  readonly forward?: readonly ForwardTarget[];
}

/** What RADIUS needs of a server. */
export interface ServerRadius extends Omit<SessionRadius, 'sessionName'> {
  /** What the router says to an address or a route that RADIUS grants; `undefined`: nothing against it. */
  readonly review: GrantSurroundings['review'];
}

/** An output of a session, with its id. */
type OfSession<Kind extends ServerSessionOutput['kind']> = Extract<ServerSessionOutput, { kind: Kind }> & {
  readonly id: string;
};

/** Data-plane keys of sessions are handed out by the driver's caller, since they are unique over all of the router. */
export type L2tpServerOutput =
  | { readonly kind: 'send'; readonly datagram: Uint8Array; readonly path: UdpPath }
  | { readonly kind: 'put-session'; readonly id: string; readonly shape: SessionShape }
  | { readonly kind: 'remove-session'; readonly id: string }
  | { readonly kind: 'ppp-send'; readonly id: string; readonly frame: Uint8Array }
  /** A user's network stands or is gone, or its proof wants to be judged by a RADIUS server. */
  | OfSession<'user-up' | 'user-down' | 'user-ipv6' | 'ask'>
  /** A session ended; for the log. */
  | { readonly kind: 'session-ended'; readonly id: string; readonly user?: string; readonly failure: Failure }
  | { readonly kind: 'tunnel-ended'; readonly remote: UdpEndpoint; readonly failure: Failure }
  | ({ readonly kind: 'step'; readonly id: string } & Step);

/** A tunnel without sessions is of no use to anybody; it is cleared after this time, ms. */
const EMPTY_TUNNEL_MS = 60_000;

/** CDN result codes (RFC 2661 section 4.4.2): loss of carrier, with error, administrative. */
const CDN_ADMINISTRATIVE = 3;
const STOP_CLEAR = 1;
const STOP_SHUTDOWN = 6;

/** Octets by which the Acct-Session-Ids of this run differ from those of all others. */
const RUN_OCTETS = 8;

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
    for (const session of this.#deadlines.takeDue(now)) this.#touch(session)?.tick(now);
    for (const [tunnelId, since] of this.#emptySince) {
      if (now < since + EMPTY_TUNNEL_MS) continue;
      this.#emptySince.delete(tunnelId);
      this.#endpoint.closeTunnel(now, tunnelId, { resultCode: STOP_CLEAR, message: 'no session in this tunnel' });
    }
    this.#drain(now);
  }

  nextDeadline(): Instant | undefined {
    let earliest = this.#endpoint.nextDeadline() ?? Number.POSITIVE_INFINITY;
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
    const { hostName, localAddress, dns, users, authentication, mru } = this.#options;
    const session = new ServerSession(
      id,
      opening,
      {
        ...{ hostName, localAddress, dns, users, authentication, mru },
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
      case 'user-down':
      case 'user-ipv6':
        this.#outputs.push({ ...output, id: session.id });
        return;
      case 'user-up':
        if (output.unique) this.#evict(now, session, output.user);
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
    const cause = this.#shuttingDown ? TERMINATE_CAUSE.adminReboot : terminateCause(failure);
    for (const output of session.end(now, failure, cause)) this.#onSession(now, session, output);
    this.#outputs.push({ kind: 'remove-session', id: session.id });
    const user = session.user;
    this.#outputs.push({ kind: 'session-ended', id: session.id, failure, ...(user === undefined ? {} : { user }) });
    const tunnel = this.#endpoint.tunnel(session.tunnelId);
    if (!tunnel || tunnel.state === 'closing') return;
    if (tunnel.sessions.some((view) => view.sessionId === session.sessionId)) {
      this.#endpoint.closeSession(now, session.tunnelId, session.sessionId, {
        resultCode: CDN_ADMINISTRATIVE,
        message: wordsForPeer(failure),
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

/** Acct-Session-Ids of this run: random octets and a number. */
function sessionNames(random: RandomSource): () => string {
  const run = hex(random.bytes(RUN_OCTETS));
  let count = 0;
  return () => {
    count += 1;
    return `${run}-${count}`;
  };
}

function sessionKey(tunnelId: number, sessionId: number): string {
  return `${tunnelId}/${sessionId}`;
}
