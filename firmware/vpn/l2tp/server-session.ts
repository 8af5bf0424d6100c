import { isIpv6Text } from '../../protocol/ip-prefix.ts';
import type { L2tpOutput } from '../../protocol/l2tp/endpoint-types.ts';
import type { Failure, Instant, RandomSource } from '../../protocol/machine.ts';
import { earliest } from '../../protocol/ppp/deadlines.ts';
import { PppLink } from '../../protocol/ppp/link.ts';
import type { Ipv4Assignment, PppAuthentication, PppOutput } from '../../protocol/ppp/link-types.ts';
import type { UdpPath } from '../../protocol/udp-path.ts';
import type { Step } from '../steps.ts';
import type { AddressPool } from './address-pool.ts';
import { type ServerIpv6, SessionIpv6 } from './server-ipv6.ts';
import { closedShape, type LinkShape, openingShape, openShape, type SessionShape } from './session-shape.ts';

export interface ServerUser {
  readonly password: string;
  /** Always this address instead of one of the pool. */
  readonly address?: string;
  /** Always this /64, CIDR, instead of one of the IPv6 pool. */
  readonly ipv6Prefix?: string;
  /** Networks behind this user, CIDR of both families: routed to it, and allowed as its sources. */
  readonly routes?: readonly string[];
}

export interface ServerSessionOptions {
  readonly hostName: string;
  readonly localAddress: string;
  readonly dns: readonly string[];
  readonly users: Readonly<Record<string, ServerUser>>;
  readonly authentication: readonly PppAuthentication[];
  readonly mru: number;
  /** Absent: IPv6 is refused. */
  readonly ipv6?: ServerIpv6;
}

export type ServerSessionOutput =
  | { readonly kind: 'put-session'; readonly shape: SessionShape }
  | { readonly kind: 'ppp-send'; readonly frame: Uint8Array }
  | {
      readonly kind: 'user-up';
      readonly user: string;
      readonly address: string;
      /** CIDR: the address, and the networks behind the user. */
      readonly prefixes: readonly string[];
    }
  | { readonly kind: 'user-down'; readonly user: string; readonly address: string }
  /** IPv6 of a user that is up stands, or is gone: what is routed to it, CIDR. */
  | {
      readonly kind: 'user-ipv6';
      readonly user: string;
      readonly prefix?: string;
      readonly prefixes: readonly string[];
    }
  | ({ readonly kind: 'step' } & Step)
  | { readonly kind: 'down'; readonly failure: Failure };

/** One call of a server: the PPP link inside it, and the address that it holds. */
export class ServerSession {
  readonly id: string;
  readonly tunnelId: number;
  readonly sessionId: number;
  readonly ppp: PppLink;
  readonly #options: ServerSessionOptions;
  readonly #pool: AddressPool;
  readonly #outputs: ServerSessionOutput[] = [];
  #shape: SessionShape;
  #link: LinkShape | undefined;
  #address: string | undefined;
  #pooled = false;
  #user: string | undefined;
  #up = false;
  readonly #random: RandomSource;
  #ipv6: SessionIpv6 | undefined;
  /** Of the IPv6 pool, as long as the session lasts. */
  #pooledPrefix: string | undefined;

  constructor(
    id: string,
    opening: Extract<L2tpOutput, { kind: 'session-opening' }>,
    options: ServerSessionOptions,
    pool: AddressPool,
    random: RandomSource,
  ) {
    this.id = id;
    this.tunnelId = opening.tunnelId;
    this.sessionId = opening.sessionId;
    this.#options = options;
    this.#pool = pool;
    this.#random = random;
    const { ipv6 } = options;
    this.ppp = new PppLink(
      {
        mru: options.mru,
        mtu: options.mru,
        authenticator: {
          name: options.hostName,
          methods: options.authentication,
          password: (user) => this.#account(user)?.password,
        },
        ipcp: { role: 'server', assign: (user) => this.#assign(user) },
        ...(ipv6 ? { ipv6cp: { interfaceId: ipv6.interfaceId } } : {}),
      },
      random,
    );
    this.#shape = openingShape(opening);
    this.#put(this.#shape);
  }

  /** The name that the peer proved. */
  get user(): string | undefined {
    return this.#user;
  }

  get address(): string | undefined {
    return this.#address;
  }

  /** Whether user packets flow. */
  get up(): boolean {
    return this.#up;
  }

  /** While user packets of IPv6 flow. */
  get ipv6(): Pick<SessionIpv6, 'linkLocalAddress' | 'peerLinkLocalAddress' | 'prefix'> | undefined {
    return this.#up ? this.#ipv6 : undefined;
  }

  get mtu(): number | undefined {
    return this.#link?.mtu;
  }

  /** The call stands: LCP begins. */
  start(now: Instant, sequencing: boolean): void {
    if (sequencing) this.#put({ ...this.#shape, sequencing: true });
    this.ppp.start(now);
  }

  /** The peer's port moved. */
  move(path: UdpPath): void {
    this.#put({ ...this.#shape, path });
  }

  /** A bare PPP frame. */
  receive(now: Instant, frame: Uint8Array): void {
    if (this.#ipv6?.receive(now, frame) !== true) this.ppp.receive(now, frame);
  }

  /** The server goes down: the user's hosts are told that this is no router any more. */
  farewell(): void {
    this.#ipv6?.farewell();
  }

  tick(now: Instant): void {
    this.ppp.tick(now);
    this.#ipv6?.tick(now);
  }

  nextDeadline(): Instant | undefined {
    return earliest(this.ppp.nextDeadline(), this.#ipv6?.nextDeadline());
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

  /** Ends PPP without asking the peer, gives the address back. @returns the user that is down by that, if any. */
  end(now: Instant, failure: Failure): readonly ServerSessionOutput[] {
    this.ppp.abort(now, failure);
    const left: ServerSessionOutput[] = [];
    for (let output = this.poll(now); output; output = this.poll(now)) {
      if (output.kind === 'user-down') left.push(output);
    }
    if (this.#up) left.push(...this.#userDown());
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
        this.#outputs.push({ kind: 'step', direction: output.direction, step: `${output.protocol} ${output.message}` });
        break;
      case 'link-up':
        this.#link = output;
        break;
      case 'authenticated':
        if (output.who === 'peer') this.#user = output.user;
        break;
      case 'network-up':
        this.#networkUp(output.peerAddress);
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
        this.#outputs.push({ kind: 'down', failure: output.failure });
        break;
      default:
        break;
    }
  }

  #networkUp(peerAddress: string): void {
    if (!this.#link) return;
    const user = this.#user ?? '';
    const prefixes = this.#ipv4Networks(peerAddress);
    this.#up = true;
    // First, because it makes an earlier session of the same user go, which has the same prefixes.
    this.#outputs.push({ kind: 'user-up', user, address: peerAddress, prefixes });
    this.#tellIpv6();
    this.#openSession();
  }

  /** Opens the session for what is up. */
  #openSession(): void {
    if (!this.#link || !this.#up || this.#address === undefined) return;
    const ipv6 = this.#ipv6?.networks(this.#routes) ?? [];
    const networks = [...this.#ipv4Networks(this.#address), ...ipv6];
    this.#put(openShape(this.#shape, this.#link, { destinations: networks, sources: networks }));
  }

  #ipv4Networks(peerAddress: string): readonly string[] {
    return [`${peerAddress}/32`, ...this.#routes.filter((route) => !isIpv6Text(route))];
  }

  get #routes(): readonly string[] {
    return this.#account(this.#user ?? '')?.routes ?? [];
  }

  #ipv6Up(now: Instant, up: Extract<PppOutput, { kind: 'ipv6-up' }>): void {
    const { ipv6 } = this.#options;
    if (!ipv6 || !this.#link) return;
    const prefix = this.#ipv6Prefix(ipv6);
    if (prefix === undefined) {
      const detail = 'every prefix of the IPv6 pool is in use: the user gets none; enlarge the pool of this server';
      this.#outputs.push({ kind: 'step', step: 'IPv6', detail });
    }
    this.#ipv6 = new SessionIpv6(up, { prefix, dns: ipv6.dns, mtu: this.#link.mtu }, this.#random);
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
    const [, ...prefixes] = this.#ipv6.networks(this.#routes);
    const of = prefix === undefined ? {} : { prefix };
    this.#outputs.push({ kind: 'user-ipv6', user: this.#user ?? '', ...of, prefixes });
  }

  /** The same one when IPv6CP is negotiated anew. */
  #ipv6Prefix({ prefixes }: ServerIpv6): string | undefined {
    const fixed = this.#user === undefined ? undefined : this.#account(this.#user)?.ipv6Prefix;
    if (fixed !== undefined) return fixed;
    this.#pooledPrefix ??= prefixes.take(this.#user);
    return this.#pooledPrefix;
  }

  #releasePrefix(): void {
    if (this.#pooledPrefix !== undefined) this.#options.ipv6?.prefixes.release(this.#pooledPrefix);
    this.#pooledPrefix = undefined;
  }

  #userDown(): ServerSessionOutput[] {
    if (!this.#up || this.#address === undefined) return [];
    this.#up = false;
    return [{ kind: 'user-down', user: this.#user ?? '', address: this.#address }];
  }

  #assign(user: string | undefined): Ipv4Assignment | Failure {
    const fixed = user === undefined ? undefined : this.#account(user)?.address;
    // A peer may renegotiate LCP and then prove to be another user.
    this.#releaseAddress();
    this.#pooled = fixed === undefined;
    this.#address = fixed ?? this.#pool.take(user);
    if (this.#address === undefined) {
      return {
        step: 'IPCP',
        reason: 'every address of the pool is in use',
        remedy: 'enlarge the pool of this server',
      };
    }
    return { localAddress: this.#options.localAddress, peerAddress: this.#address, dns: this.#options.dns };
  }

  #releaseAddress(): void {
    if (this.#address !== undefined && this.#pooled) this.#pool.release(this.#address);
    this.#address = undefined;
  }

  #account(user: string): ServerUser | undefined {
    // Names come from strangers: `constructor` and its like are nobody's account.
    return Object.hasOwn(this.#options.users, user) ? this.#options.users[user] : undefined;
  }

  #put(shape: SessionShape): void {
    this.#shape = shape;
    this.#outputs.push({ kind: 'put-session', shape });
  }
}
