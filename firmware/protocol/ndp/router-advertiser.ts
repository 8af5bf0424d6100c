/**
 * The router's side of router discovery on one point-to-point link (RFC 4861 section 6.2), as a machine without hands:
 * it advertises when the link comes up, now and then, when asked, and one last time at the end.
 */
import { DecodeError } from '../bytes.ts';
import type { Instant, Machine, RandomSource } from '../machine.ts';
import { earliest } from '../ppp/deadlines.ts';
import { ALL_NODES, decodeRouterDiscovery, encodeAdvertisement, UNSPECIFIED } from './messages.ts';
import type { PrefixInformation } from './options.ts';

/** RFC 4861 section 6.2.1: MaxRtrAdvInterval and MinRtrAdvInterval, ms. */
const MAX_INTERVAL_MS = 600_000;
const MIN_INTERVAL_MS = 200_000;
/** AdvDefaultLifetime, seconds: three times MaxRtrAdvInterval. */
const ROUTER_LIFETIME_SECONDS = 1800;
/** RFC 4861 section 10: the first advertisements are closer to each other, since the first ones may be lost. */
const INITIAL_INTERVAL_MS = 16_000;
const INITIAL_ADVERTISEMENTS = 3;
/** MIN_DELAY_BETWEEN_RAS: advertisements to all nodes are at least so far apart, ms. */
const MIN_DELAY_MS = 3_000;
/** MAX_RA_DELAY_TIME: an answer waits at most so long, ms; so that one answer does for several questions. */
const MAX_ANSWER_DELAY_MS = 500;
/**
 * AdvValidLifetime and AdvPreferredLifetime, seconds. Far below the RFC's 30 and 7 days: a prefix belongs to one session,
 * and whoever dials again may get another one. It is above two hours, below which RFC 4862 section 5.5.3 lets nothing end.
 */
const VALID_SECONDS = 86_400;
const PREFERRED_SECONDS = 14_400;
/** RFC 8106 section 5.1: three times MaxRtrAdvInterval. */
const DNS_SECONDS = 1800;
/** RFC 4861 section 6.2.1, from the assigned numbers. */
const HOP_LIMIT = 64;

export interface RouterAdvertiserOptions {
  /** Our link-local address on the link. */
  readonly source: string;
  /** The /64 from which the peer makes its addresses. */
  readonly prefix?: string;
  /** IPv6 addresses of DNS servers. */
  readonly dns: readonly string[];
  /** Octets of the link. */
  readonly mtu: number;
}

/** An IPv6 packet for the peer. */
export type RouterAdvertiserOutput = { readonly kind: 'send'; readonly packet: Uint8Array };

export class RouterAdvertiser implements Machine<RouterAdvertiserOutput> {
  readonly #options: RouterAdvertiserOptions;
  readonly #random: RandomSource;
  readonly #outputs: RouterAdvertiserOutput[] = [];
  #initialLeft = INITIAL_ADVERTISEMENTS;
  /** The next advertisement to all nodes. */
  #next: Instant | undefined;
  #lastToAll: Instant | undefined;
  /** The answer to a solicitation, and to whom. */
  #answer: { readonly at: Instant; readonly to: string } | undefined;

  constructor(options: RouterAdvertiserOptions, random: RandomSource) {
    this.#options = options;
    this.#random = random;
  }

  /** The link is up. */
  start(now: Instant): void {
    this.#initialLeft = INITIAL_ADVERTISEMENTS;
    this.#advertiseToAll(now);
  }

  /** Takes an IPv6 packet; what is no valid Router Solicitation is dropped. */
  receive(now: Instant, packet: Uint8Array): void {
    if (this.#next === undefined) return;
    let source: string;
    try {
      const message = decodeRouterDiscovery(packet);
      if (message.kind !== 'solicitation') return;
      source = message.source;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return;
    }
    const delay = this.#draw(MAX_ANSWER_DELAY_MS);
    if (source === UNSPECIFIED) {
      const soonest = (this.#lastToAll ?? now - MIN_DELAY_MS) + MIN_DELAY_MS;
      this.#next = Math.min(this.#next, Math.max(now + delay, soonest));
    } else {
      this.#answer ??= { at: now + delay, to: source };
    }
  }

  /** This is no router any more: the peer is told, once (section 6.2.5). */
  stop(): void {
    if (this.#next === undefined) return;
    this.#next = undefined;
    this.#answer = undefined;
    this.#send(ALL_NODES, 0);
  }

  tick(now: Instant): void {
    if (this.#answer !== undefined && now >= this.#answer.at) {
      const { to } = this.#answer;
      this.#answer = undefined;
      this.#send(to, ROUTER_LIFETIME_SECONDS);
    }
    if (this.#next !== undefined && now >= this.#next) this.#advertiseToAll(now);
  }

  nextDeadline(): Instant | undefined {
    return earliest(this.#next, this.#answer?.at);
  }

  poll(): RouterAdvertiserOutput | undefined {
    return this.#outputs.shift();
  }

  #advertiseToAll(now: Instant): void {
    this.#lastToAll = now;
    this.#send(ALL_NODES, ROUTER_LIFETIME_SECONDS);
    const interval = MIN_INTERVAL_MS + this.#draw(MAX_INTERVAL_MS - MIN_INTERVAL_MS);
    this.#initialLeft = Math.max(0, this.#initialLeft - 1);
    this.#next = now + (this.#initialLeft > 0 ? Math.min(interval, INITIAL_INTERVAL_MS) : interval);
  }

  /** @param lifetimeSeconds of this router as the peer's default router; what goes with it at the end goes, too. */
  #send(destination: string, lifetimeSeconds: number): void {
    const { source, dns, mtu } = this.#options;
    const packet = encodeAdvertisement(
      {
        source,
        hopLimit: HOP_LIMIT,
        managed: false,
        other: false,
        lifetimeSeconds,
        mtu,
        prefixes: this.#prefixes(),
        dns: dns.length === 0 ? [] : [{ lifetimeSeconds: lifetimeSeconds === 0 ? 0 : DNS_SECONDS, servers: dns }],
      },
      destination,
    );
    this.#outputs.push({ kind: 'send', packet });
  }

  /** L is off: what has an address of the prefix is no neighbour, but behind the router (section 4.6.2). */
  #prefixes(): readonly PrefixInformation[] {
    const { prefix } = this.#options;
    if (prefix === undefined) return [];
    const lifetimes = { validSeconds: VALID_SECONDS, preferredSeconds: PREFERRED_SECONDS };
    return [{ prefix, length: 64, onLink: false, autonomous: true, ...lifetimes }];
  }

  /** A random whole number, 0..limit. */
  #draw(limit: number): number {
    const [high = 0, low = 0] = this.#random.bytes(2);
    return Math.floor((((high << 8) | low) / 0x10000) * (limit + 1));
  }
}
