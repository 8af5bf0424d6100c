import type { L2tpOutput } from '../../protocol/l2tp/endpoint-types.ts';
import type { Failure, Instant, RandomSource } from '../../protocol/machine.ts';
import { PppLink } from '../../protocol/ppp/link.ts';
import type { Ipv4Assignment, PppAuthentication, PppOutput } from '../../protocol/ppp/link-types.ts';
import type { UdpPath } from '../../protocol/udp-path.ts';
import type { Step } from '../steps.ts';
import type { AddressPool } from './address-pool.ts';
import { closedShape, type LinkShape, openingShape, openShape, type SessionShape } from './session-shape.ts';

export interface ServerUser {
  readonly password: string;
  /** Always this address instead of one of the pool. */
  readonly address?: string;
  /** Networks behind this user, CIDR: routed to it, and allowed as its sources. */
  readonly routes?: readonly string[];
}

export interface ServerSessionOptions {
  readonly hostName: string;
  readonly localAddress: string;
  readonly dns: readonly string[];
  readonly users: Readonly<Record<string, ServerUser>>;
  readonly authentication: readonly PppAuthentication[];
  readonly mru: number;
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

  poll(): ServerSessionOutput | undefined {
    for (;;) {
      const ready = this.#outputs.shift();
      if (ready) return ready;
      const output = this.ppp.poll();
      if (!output) return undefined;
      this.#onPpp(output);
    }
  }

  /** Ends PPP without asking the peer, gives the address back. @returns the user that is down by that, if any. */
  end(now: Instant, failure: Failure): readonly ServerSessionOutput[] {
    this.ppp.abort(now, failure);
    const left: ServerSessionOutput[] = [];
    for (let output = this.poll(); output; output = this.poll()) {
      if (output.kind === 'user-down') left.push(output);
    }
    if (this.#up) left.push(...this.#userDown());
    this.#releaseAddress();
    return left;
  }

  #onPpp(output: PppOutput): void {
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
    const prefixes = [`${peerAddress}/32`, ...(this.#account(user)?.routes ?? [])];
    this.#up = true;
    // First, because it makes an earlier session of the same user go, which has the same prefixes.
    this.#outputs.push({ kind: 'user-up', user, address: peerAddress, prefixes });
    this.#put(openShape(this.#shape, this.#link, { destinations: prefixes, sources: prefixes }));
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
