import { formatIpAddress, ipNetworkOf, isIpv6Text, parseIpPrefix } from '../../protocol/ip-prefix.ts';
import { linkLocalAddress } from '../../protocol/ipv6-address.ts';
import type { Instant, RandomSource } from '../../protocol/machine.ts';
import { RouterAdvertiser } from '../../protocol/ndp/router-advertiser.ts';
import { randomInterfaceIdentifier } from '../../protocol/ppp/interface-identifier.ts';
import type { PppOutput } from '../../protocol/ppp/link-types.ts';
import { isIpv6Frame, packetOf, userFrame } from './ipv6-frame.ts';
import { PrefixPool } from './prefix-pool.ts';

/** IPv6 of a server, as configured. */
export interface ServerIpv6Options {
  /** CIDR; each session gets a /64 of it. */
  readonly pool: string;
  /** Default: the first address of the pool. */
  readonly localAddress?: string;
  readonly dns: readonly string[];
}

/** What all sessions of a server have in common in IPv6. */
export class ServerIpv6 {
  readonly dns: readonly string[];
  readonly localAddress: string;
  /** Eight octets; the same in all sessions, which share an interface. */
  readonly interfaceId: Uint8Array;
  readonly prefixes: PrefixPool;

  /** @param fixed prefixes of users, which others do not get. */
  constructor({ pool, localAddress, dns }: ServerIpv6Options, fixed: readonly string[], random: RandomSource) {
    this.dns = dns;
    this.localAddress = localAddress ?? firstAddress(pool);
    this.interfaceId = randomInterfaceIdentifier(random);
    this.prefixes = new PrefixPool(pool, [this.localAddress, ...fixed]);
  }

  /** Of the server's interface, with their prefix lengths. */
  get addresses(): readonly string[] {
    return [`${linkLocalAddress(this.interfaceId)}/64`, `${this.localAddress}/128`];
  }
}

/** IPv6 of a session whose IPv6CP is opened: its prefix is advertised. Without hands; one for each opening. */
export class SessionIpv6 {
  readonly linkLocalAddress: string;
  readonly peerLinkLocalAddress: string;
  /** A /64, CIDR; absent where there was none left. */
  readonly prefix: string | undefined;
  readonly #advertiser: RouterAdvertiser;

  constructor(
    up: Extract<PppOutput, { kind: 'ipv6-up' }>,
    options: { readonly prefix: string | undefined; readonly dns: readonly string[]; readonly mtu: number },
    random: RandomSource,
  ) {
    this.linkLocalAddress = linkLocalAddress(up.localInterfaceId);
    this.peerLinkLocalAddress = linkLocalAddress(up.peerInterfaceId);
    this.prefix = options.prefix;
    const network = options.prefix?.split('/')[0];
    this.#advertiser = new RouterAdvertiser(
      {
        source: this.linkLocalAddress,
        dns: options.dns,
        mtu: options.mtu,
        ...(network === undefined ? {} : { prefix: network }),
      },
      random,
    );
  }

  /** What the peer may send from, and what is sent to it, CIDR. @param routes networks behind the user, both families. */
  networks(routes: readonly string[]): readonly string[] {
    const own = this.prefix === undefined ? [] : [this.prefix];
    return [`${this.peerLinkLocalAddress}/128`, ...own, ...routes.filter(isIpv6Text)];
  }

  start(now: Instant): void {
    this.#advertiser.start(now);
  }

  /** The last advertisement: this is no router any more. */
  farewell(): void {
    this.#advertiser.stop();
  }

  /** Takes a bare PPP frame. @returns false when it is not of IPv6. */
  receive(now: Instant, frame: Uint8Array): boolean {
    if (!isIpv6Frame(frame)) return false;
    this.#advertiser.receive(now, packetOf(frame));
    return true;
  }

  tick(now: Instant): void {
    this.#advertiser.tick(now);
  }

  nextDeadline(): Instant | undefined {
    return this.#advertiser.nextDeadline();
  }

  /** A bare PPP frame for the peer. */
  poll(): Uint8Array | undefined {
    const output = this.#advertiser.poll();
    return output && userFrame(output.packet);
  }
}

function firstAddress(pool: string): string {
  const prefix = parseIpPrefix(pool);
  if (prefix === undefined) throw new RangeError(`${pool} is no prefix`);
  return formatIpAddress({ family: prefix.family, address: ipNetworkOf(prefix).address + 1n });
}
