import { isIpv6Text } from '../../protocol/ip-prefix.ts';
import type { L2tpOutput } from '../../protocol/l2tp/endpoint-types.ts';
import type { Failure, Instant, RandomSource } from '../../protocol/machine.ts';
import { earliest } from '../../protocol/ppp/deadlines.ts';
import { PppLink } from '../../protocol/ppp/link.ts';
import type { Ipv4Assignment, PppOutput, Verdict } from '../../protocol/ppp/link-types.ts';
import { MIN_IPV6_MTU } from '../../protocol/ppp/network-phase.ts';
import type { UdpPath } from '../../protocol/udp-path.ts';
import type { RadiusAnswer } from '../radius/session-judge.ts';
import { proxiedStart } from './proxy-avps.ts';
import { type ServerIpv6, SessionIpv6 } from './server-ipv6.ts';
import type { ServerSessionOptions, ServerSessionOutput } from './server-session-types.ts';
import type { SessionNeighbours } from './session-neighbours.ts';
import { closedShape, type LinkShape, openingShape, openShape, type SessionShape } from './session-shape.ts';
import { SessionUsers } from './session-users.ts';
import { NOTHING_GRANTED, reviewGrant, type UserGrant } from './user-grant.ts';

/** What a peer is told that could not be judged. */
const NOBODY_JUDGES: Failure = {
  step: 'authentication',
  reason: 'users cannot be judged here at present',
  remedy: 'try again later',
};

const POOL_USED_UP: Failure = {
  step: 'IPCP',
  reason: 'every address of the pool is in use',
  remedy: 'enlarge the pool of this server',
};

/** What becomes of the LCP that a LAC negotiated. */
const TAKEN_OVER = 'what the LAC agreed on with the caller stands';
const NOT_TAKEN_OVER = 'what the LAC agreed on with the caller does not suit this server: LCP begins anew';

/** One call of a server: the PPP link inside it, and the address that it holds. */
export class ServerSession {
  readonly id: string;
  readonly tunnelId: number;
  readonly sessionId: number;
  readonly ppp: PppLink;
  readonly #options: ServerSessionOptions;
  readonly #neighbours: SessionNeighbours;
  readonly #users: SessionUsers;
  readonly #outputs: ServerSessionOutput[] = [];
  #shape: SessionShape;
  #link: LinkShape | undefined;
  #address: string | undefined;
  #user: string | undefined;
  #spoken: string | undefined;
  #grant: UserGrant = NOTHING_GRANTED;
  #up = false;
  /** When the time is up that the user was given. */
  #ends: Instant | undefined;
  /** Why the last proof could not be judged. */
  #unavailable: Failure | undefined;
  readonly #random: RandomSource;
  #ipv6: SessionIpv6 | undefined;
  /** Of the IPv6 pool, as long as the session lasts. */
  #pooledPrefix: string | undefined;

  constructor(
    id: string,
    opening: Extract<L2tpOutput, { kind: 'session-opening' }>,
    options: ServerSessionOptions,
    neighbours: SessionNeighbours,
    random: RandomSource,
  ) {
    this.id = id;
    this.tunnelId = opening.tunnelId;
    this.sessionId = opening.sessionId;
    this.#options = options;
    this.#neighbours = neighbours;
    this.#random = random;
    const { ipv6, users, radius } = options;
    const { tunnelId, sessionId } = opening;
    const call = { tunnelId, sessionId, peerAddress: opening.path.remote.address };
    this.#users = new SessionUsers(users, radius, call, random);
    this.ppp = new PppLink(
      {
        mru: options.mru,
        mtu: options.mru,
        authenticator: { name: options.hostName, methods: options.authentication, ...this.#users.judge },
        ipcp: { role: 'server', assign: (user) => this.#assign(user) },
        ...(options.handOver ? { handOver: options.handOver } : {}),
        ...(ipv6 ? { ipv6cp: { interfaceId: ipv6.interfaceId } } : {}),
      },
      random,
    );
    this.#shape = openingShape(opening, options.data ?? {});
    this.#put(this.#shape);
  }

  /** The name that the peer proved. */
  get user(): string | undefined {
    return this.#user;
  }

  get address(): string | undefined {
    return this.#address;
  }

  /** What is routed to the user, CIDR; empty while it is not up. */
  get prefixes(): readonly string[] {
    if (!this.#up || this.#address === undefined) return [];
    return [...this.#ipv4Networks(this.#address), ...(this.#ipv6?.networks(this.#grant.routes) ?? [])];
  }

  /** Whether user packets flow. */
  get up(): boolean {
    return this.#up;
  }

  /** While user packets of IPv6 flow. */
  get ipv6(): Pick<SessionIpv6, 'linkLocalAddress' | 'peerLinkLocalAddress' | 'prefix'> | undefined {
    return this.#up ? this.#ipv6 : undefined;
  }

  /** The last authentication protocol that was spoken. */
  get spoken(): string | undefined {
    return this.#spoken;
  }

  /** As the data plane has it. */
  get shape(): SessionShape {
    return this.#shape;
  }

  get mtu(): number | undefined {
    return this.#link?.mtu;
  }

  /** The call stands: LCP begins. */
  start(now: Instant, call: Extract<L2tpOutput, { kind: 'session-up' }>): void {
    if (call.sequencing) this.#put({ ...this.#shape, sequencing: true });
    this.#users.called(call);
    const proxied = call.proxy && proxiedStart(call.proxy, this.#options.proxyAuthentication ?? 'off');
    const adopted = this.ppp.start(now, proxied);
    if (proxied) this.#outputs.push({ kind: 'step', step: 'proxy LCP', detail: adopted ? TAKEN_OVER : NOT_TAKEN_OVER });
  }

  /** The peer's port moved. */
  move(path: UdpPath): void {
    this.#put({ ...this.#shape, path });
  }

  /** A RADIUS server has answered the question about that proof. */
  answered(now: Instant, verification: number, answer: RadiusAnswer): void {
    const { verdict, words } = this.#users.answered(answer);
    this.#outputs.push({ kind: 'step', direction: 'received', step: 'RADIUS', detail: words });
    this.#pronounce(now, verification, verdict);
  }

  /** No RADIUS server has, and none will. */
  unanswered(now: Instant, verification: number, failure: Failure): void {
    this.#users.unanswered();
    this.#pronounce(now, verification, { kind: 'unavailable', failure });
  }

  /** A bare PPP frame. */
  receive(now: Instant, frame: Uint8Array): void {
    if (this.#ipv6?.receive(now, frame) === true) this.ppp.dataReceived(now);
    else this.ppp.receive(now, frame);
  }

  /** The server goes down: the user's hosts are told that this is no router any more. */
  farewell(): void {
    this.#ipv6?.farewell();
  }

  tick(now: Instant): void {
    this.ppp.tick(now);
    this.#ipv6?.tick(now);
    if (this.#ends === undefined || now < this.#ends) return;
    this.#ends = undefined;
    this.#outputs.push({ kind: 'down', failure: timeIsUp(this.#grant.sessionTimeout ?? 0) });
  }

  nextDeadline(): Instant | undefined {
    return earliest(this.ppp.nextDeadline(), this.#ipv6?.nextDeadline(), this.#ends);
  }

  poll(now: Instant): ServerSessionOutput | undefined {
    for (;;) {
      const ready = this.#outputs.shift();
      if (ready) return ready;
      const output = this.ppp.poll();
      if (output) {
        this.#onPpp(now, output);
        continue;
      }
      const frame = this.#ipv6?.poll();
      return frame && { kind: 'ppp-send', frame };
    }
  }

  /**
   * Ends PPP without asking the peer, gives the address back.
   * @param cause Acct-Terminate-Cause.
   * @returns the user that is down by that, if any.
   */
  end(now: Instant, failure: Failure, cause: number): readonly ServerSessionOutput[] {
    const left = this.#userDown(cause);
    this.ppp.abort(now, failure);
    while (this.poll(now)) {
      // Nobody is left to be told.
    }
    this.#releaseAddress();
    this.#releasePrefix();
    return left;
  }

  #onPpp(now: Instant, output: PppOutput): void {
    switch (output.kind) {
      case 'send':
        this.#outputs.push({ kind: 'ppp-send', frame: output.frame });
        break;
      case 'trace':
        if (['PAP', 'CHAP', 'EAP'].includes(output.protocol)) this.#spoken = output.protocol;
        this.#outputs.push({ kind: 'step', direction: output.direction, step: `${output.protocol} ${output.message}` });
        break;
      case 'notice':
        this.#outputs.push({ kind: 'step', step: `${output.protocol} notice`, detail: output.text });
        break;
      case 'link-up':
        this.#link = output;
        break;
      case 'handed-over':
        this.#outputs.push(output);
        break;
      case 'verify':
        this.#verify(now, output);
        break;
      case 'authenticated':
        if (output.who === 'peer') this.#user = output.user;
        break;
      case 'network-up':
        this.#networkUp(now, output.peerAddress);
        break;
      case 'network-down':
        this.#put(closedShape(this.#shape));
        this.#outputs.push(...this.#userDown());
        break;
      case 'ipv6-up':
        this.#ipv6Up(now, output);
        break;
      case 'ipv6-down':
        this.#ipv6Down();
        break;
      case 'down':
        this.#outputs.push({ kind: 'down', failure: this.#ownWords(output.failure) });
        break;
      default:
        break;
    }
  }

  #verify(now: Instant, { id, proof }: Extract<PppOutput, { kind: 'verify' }>): void {
    const judgement = this.#users.judgeProof(proof);
    if (judgement.kind === 'verdict') {
      this.ppp.verdict(now, id, judgement.verdict);
      return;
    }
    this.#outputs.push({ kind: 'step', direction: 'sent', step: 'RADIUS', detail: judgement.words });
    this.#outputs.push({ ...judgement, verification: id });
  }

  /** Which RADIUS servers there are, and how they are, is nothing for a stranger: the peer hears less than the log. */
  #pronounce(now: Instant, verification: number, verdict: Verdict): void {
    if (verdict.kind === 'unavailable') this.#unavailable = verdict.failure;
    const told: Verdict = verdict.kind === 'unavailable' ? { kind: 'unavailable', failure: NOBODY_JUDGES } : verdict;
    this.ppp.verdict(now, verification, told);
  }

  #ownWords(failure: Failure): Failure {
    return failure === NOBODY_JUDGES ? (this.#unavailable ?? failure) : failure;
  }

  #networkUp(now: Instant, peerAddress: string): void {
    if (!this.#link) return;
    const user = this.#user ?? '';
    const prefixes = this.#ipv4Networks(peerAddress);
    const { address, ipv6Prefix, routes, idleTimeout, sessionTimeout } = this.#grant;
    const accounted = this.#users.begin(user, peerAddress, this.#grant);
    this.#up = true;
    this.#ends = sessionTimeout === undefined ? undefined : now + sessionTimeout * 1000;
    // First, because it makes an earlier session of the same user go, which has the same prefixes.
    this.#outputs.push({
      kind: 'user-up',
      user,
      address: peerAddress,
      prefixes,
      unique: address !== undefined || ipv6Prefix !== undefined || routes.length > 0,
      ...(idleTimeout === undefined ? {} : { idleMs: idleTimeout * 1000 }),
      ...(accounted ? { accounted } : {}),
    });
    this.#tellIpv6();
    this.#openSession();
    if (sessionTimeout !== undefined) this.ppp.tellTimeRemaining(sessionTimeout, 'the session ends then');
  }

  /** Opens the session for what is up. */
  #openSession(): void {
    if (!this.#link || !this.#up || this.#address === undefined) return;
    const networks = this.prefixes;
    const link = { ...this.#link, mtu: this.#narrowed(this.#link.mtu) };
    this.#put(openShape(this.#shape, link, { destinations: networks, sources: networks }));
  }

  /** The MTU of the link, or of the user where that is less, octets. */
  #narrowed(mtu: number): number {
    return Math.min(mtu, this.#grant.mtu ?? Number.POSITIVE_INFINITY);
  }

  #ipv4Networks(peerAddress: string): readonly string[] {
    return [`${peerAddress}/32`, ...this.#grant.routes.filter((route) => !isIpv6Text(route))];
  }

  #ipv6Up(now: Instant, up: Extract<PppOutput, { kind: 'ipv6-up' }>): void {
    const { ipv6 } = this.#options;
    if (!ipv6 || !this.#link) return;
    const mtu = this.#narrowed(this.#link.mtu);
    if (mtu < MIN_IPV6_MTU) {
      const detail = `the user may have packets of ${mtu} octets, and IPv6 needs ${MIN_IPV6_MTU}: there is none`;
      this.#outputs.push({ kind: 'step', step: 'IPv6', detail });
      return;
    }
    const prefix = this.#ipv6Prefix(ipv6);
    if (prefix === undefined) {
      const detail = 'every prefix of the IPv6 pool is in use: the user gets none; enlarge the pool of this server';
      this.#outputs.push({ kind: 'step', step: 'IPv6', detail });
    }
    this.#ipv6 = new SessionIpv6(up, { prefix, dns: ipv6.dns, mtu }, this.#random);
    this.#ipv6.start(now);
    this.#tellIpv6();
    this.#openSession();
  }

  #ipv6Down(): void {
    if (!this.#ipv6) return;
    this.#ipv6 = undefined;
    if (!this.#up) return;
    this.#outputs.push({ kind: 'user-ipv6', user: this.#user ?? '', prefixes: [] });
    this.#openSession();
  }

  /** Not before IPv4 is up, which makes the user known. What is of the link alone needs no route. */
  #tellIpv6(): void {
    if (!this.#ipv6 || !this.#up) return;
    const { prefix } = this.#ipv6;
    const [, ...prefixes] = this.#ipv6.networks(this.#grant.routes);
    const of = prefix === undefined ? {} : { prefix };
    this.#outputs.push({ kind: 'user-ipv6', user: this.#user ?? '', ...of, prefixes });
  }

  /** The same one when IPv6CP is negotiated anew. */
  #ipv6Prefix({ prefixes }: ServerIpv6): string | undefined {
    if (this.#grant.ipv6Prefix !== undefined) return this.#grant.ipv6Prefix;
    this.#pooledPrefix ??= prefixes.take(this.#user);
    return this.#pooledPrefix;
  }

  #releasePrefix(): void {
    if (this.#pooledPrefix !== undefined) this.#options.ipv6?.prefixes.release(this.#pooledPrefix);
    this.#pooledPrefix = undefined;
  }

  /** @param cause Acct-Terminate-Cause; absent: the user's doing. */
  #userDown(cause?: number): ServerSessionOutput[] {
    if (!this.#up || this.#address === undefined) return [];
    this.#up = false;
    this.#ends = undefined;
    const accounted = this.#users.finish(cause);
    return [{ kind: 'user-down', user: this.#user ?? '', address: this.#address, ...(accounted ? { accounted } : {}) }];
  }

  #assign(user: string | undefined): Ipv4Assignment | Failure {
    // A peer may renegotiate LCP and then prove to be another user.
    this.#releaseAddress();
    const { pool } = this.#neighbours;
    const granted = this.#users.granted(user);
    this.#grant = granted.grant;
    if (granted.fromOutside) {
      const { grant, remarks, failure } = reviewGrant(granted.fromOutside, this.#neighbours.around(this, user));
      this.#grant = grant;
      for (const detail of remarks) this.#outputs.push({ kind: 'step', step: 'RADIUS', detail });
      if (failure) return failure;
    }
    const { address, dns } = this.#grant;
    if (address !== undefined) {
      const refusal = this.#neighbours.refuse(this, user, address);
      if (refusal) return refusal;
      pool.claim(address);
    }
    this.#address = address ?? pool.take(user);
    if (this.#address === undefined) return POOL_USED_UP;
    const { localAddress } = this.#options;
    return { localAddress, peerAddress: this.#address, dns: dns.length > 0 ? dns : this.#options.dns };
  }

  #releaseAddress(): void {
    if (this.#address !== undefined) this.#neighbours.pool.release(this.#address);
    this.#address = undefined;
  }

  #put(shape: SessionShape): void {
    this.#shape = shape;
    this.#outputs.push({ kind: 'put-session', shape });
  }
}

/** How a session ends that RADIUS gave so much time and no more. */
function timeIsUp(seconds: number): Failure {
  return {
    step: 'Session-Timeout',
    reason: `the ${seconds} s are over that the RADIUS server gave this session`,
    remedy: 'dial in again, or let the RADIUS server give more time',
  };
}
