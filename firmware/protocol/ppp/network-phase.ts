/**
 * The Network-Layer Protocol phase (RFC 1661 section 3.6): IPCP and IPv6CP side by side, each with a fate of its own.
 * The link needs one of them, IPCP wherever that is spoken; that one has a time limit, and its failure is the link's.
 */
import type { Failure, Instant, RandomSource } from '../machine.ts';
import { earliest } from './deadlines.ts';
import type { RestartPolicy } from './fsm.ts';
import { Ipcp } from './ipcp.ts';
import { IpcpClientPolicy, type IpcpPolicyMachine, IpcpServerPolicy, type Ipv4Agreement } from './ipcp-policy.ts';
import { Ipv6cp } from './ipv6cp.ts';
import type { Ipv6Agreement } from './ipv6cp-policy.ts';
import type { IpcpPolicy, Ipv4Assignment, PppLinkOptions } from './link-types.ts';
import type { ControlPacket } from './packet.ts';
import { PPP_IP, PPP_IPCP, PPP_IPV6, PPP_IPV6CP } from './protocol-numbers.ts';

export interface NetworkHost {
  send(protocol: number, packet: ControlPacket, quiet: boolean): void;
  /** IPv4 passes. */
  networkUp(agreement: Ipv4Agreement): void;
  networkDown(): void;
  /** IPv6 passes. */
  ipv6Up(agreement: Ipv6Agreement): void;
  ipv6Down(): void;
  /** The protocol that the link needs is opened, or not any more. */
  opened(open: boolean): void;
  fail(now: Instant, failure: Failure): void;
  readonly peerMru: number;
}

type NetworkOptions = Pick<PppLinkOptions, 'ipcp' | 'ipv6cp' | 'mru' | 'mtu'>;

/** What a link with IPv6 must carry (RFC 8200 section 5, RFC 5072 section 2), octets. */
export const MIN_IPV6_MTU = 1280;

export class NetworkPhase {
  readonly #options: NetworkOptions;
  readonly #restart: RestartPolicy;
  readonly #limitMs: number;
  readonly #random: RandomSource;
  readonly #host: NetworkHost;
  /** Given once; a renegotiation finds it again. */
  #assigned: { readonly user: string | undefined; readonly assignment: Ipv4Assignment } | undefined;
  #entered = false;
  #ipcp: Ipcp | undefined;
  #ipv6cp: Ipv6cp | undefined;
  #upBy: Instant | undefined;
  #agreement: Ipv4Agreement | undefined;
  #ipv6Agreement: Ipv6Agreement | undefined;
  /** Settled before; a renegotiation begins with it, so that addresses stay. */
  #interfaceId: Uint8Array | undefined;

  /** @param limitMs how long the protocol that the link needs may take, ms. */
  constructor(
    options: NetworkOptions,
    restart: RestartPolicy,
    limitMs: number,
    random: RandomSource,
    host: NetworkHost,
  ) {
    if (options.ipcp === undefined && options.ipv6cp === undefined) {
      throw new TypeError('a PPP link needs a network protocol: IPCP, IPv6CP or both');
    }
    this.#options = options;
    this.#restart = restart;
    this.#limitMs = limitMs;
    this.#random = random;
    this.#host = host;
  }

  /** What was agreed, while IPCP is opened. */
  get agreement(): Ipv4Agreement | undefined {
    return this.#agreement;
  }

  /** What was agreed, while IPv6CP is opened. */
  get ipv6Agreement(): Ipv6Agreement | undefined {
    return this.#ipv6Agreement;
  }

  /** Whether the phase has begun, and not ended. */
  get entered(): boolean {
    return this.#entered;
  }

  /** Whether this control protocol, or the user packets that it is for, are spoken here; not once the two cannot agree. */
  speaks(protocol: number): boolean {
    switch (protocol) {
      case PPP_IP:
      case PPP_IPCP:
        return this.#options.ipcp !== undefined;
      case PPP_IPV6:
      case PPP_IPV6CP:
        return this.#options.ipv6cp !== undefined && (!this.#entered || this.#ipv6cp !== undefined);
      default:
        return false;
    }
  }

  /** @param user that the peer proved to be, if it had to. */
  enter(now: Instant, user: string | undefined): void {
    const { ipcp } = this.#options;
    const policy = ipcp === undefined ? undefined : this.#policyFor(ipcp, user);
    if (policy !== undefined && 'reason' in policy) {
      this.#host.fail(now, policy);
      return;
    }
    this.#entered = true;
    this.#upBy = now + this.#limitMs;
    if (policy !== undefined) {
      this.#ipcp = this.#newIpcp(policy);
      this.#ipcp.start(now);
    }
    if (this.#isWideEnough) {
      this.#ipv6cp = this.#newIpv6cp();
      this.#ipv6cp?.start(now);
    } else if (this.#isIpv6Needed) {
      this.#host.fail(now, tooNarrowFailure());
    }
  }

  /** LCP left Opened, or the link ends. */
  leave(): void {
    this.#entered = false;
    this.#ipcp = undefined;
    this.#ipv6cp = undefined;
    this.#upBy = undefined;
    this.#ipv6Down();
    this.#down();
  }

  /** Takes an IPCP or IPv6CP packet. @throws DecodeError when it cannot be read. */
  receive(now: Instant, protocol: number, packet: ControlPacket): void {
    if (protocol === PPP_IPCP) this.#ipcp?.receive(now, packet);
    else this.#ipv6cp?.receive(now, packet);
  }

  /** The peer sent a Protocol-Reject for a control protocol, or for the user packets that it is for. */
  protocolRejected(now: Instant, protocol: number): void {
    if (protocol === PPP_IPCP || (protocol === PPP_IP && this.#agreement !== undefined)) {
      if (this.#ipcp !== undefined) this.#host.fail(now, Ipcp.rejectedFailure());
    } else if (protocol === PPP_IPV6CP || (protocol === PPP_IPV6 && this.#ipv6Agreement !== undefined)) {
      this.#ipv6cp?.protocolRejected(now);
    }
  }

  tick(now: Instant): void {
    this.#ipcp?.tick(now);
    this.#ipv6cp?.tick(now);
    if (this.#upBy === undefined || now < this.#upBy) return;
    this.#upBy = undefined;
    const failure = this.#ipcp?.timeoutFailure() ?? this.#ipv6cp?.timeoutFailure();
    if (failure !== undefined) this.#host.fail(now, failure);
  }

  nextDeadline(): Instant | undefined {
    return earliest(this.#ipcp?.nextDeadline(), this.#ipv6cp?.nextDeadline(), this.#upBy);
  }

  /** Whether IPv6 has its least MTU both ways. */
  get #isWideEnough(): boolean {
    const { mru, mtu = mru } = this.#options;
    return Math.min(mru, mtu, this.#host.peerMru) >= MIN_IPV6_MTU;
  }

  get #isIpv6Needed(): boolean {
    return this.#options.ipcp === undefined;
  }

  #newIpcp(policy: IpcpPolicyMachine): Ipcp {
    const host = this.#host;
    return new Ipcp(policy, this.#restart, this.#limitMs, {
      get peerMru() {
        return host.peerMru;
      },
      send: (protocol, packet, quiet) => host.send(protocol, packet, quiet),
      ipcpUp: (_at, agreement) => {
        this.#upBy = undefined;
        this.#agreement = agreement;
        host.networkUp(agreement);
        host.opened(true);
      },
      ipcpDown: (at) => {
        this.#upBy = at + this.#limitMs;
        this.#down();
      },
      fail: (at, failure) => host.fail(at, failure),
    });
  }

  #newIpv6cp(): Ipv6cp | undefined {
    if (this.#options.ipv6cp === undefined) return undefined;
    const policy = { ...this.#options.ipv6cp, ...(this.#interfaceId && { interfaceId: this.#interfaceId }) };
    const host = this.#host;
    // The time limit ends what is needed, not the Restart counter; what is not needed need not be asked for as long.
    const inTime = Math.ceil(this.#limitMs / this.#restart.intervalMs) + 1;
    const maxConfigure = this.#isIpv6Needed ? Math.max(this.#restart.maxConfigure, inTime) : this.#restart.maxConfigure;
    return new Ipv6cp(policy, { ...this.#restart, maxConfigure }, this.#random, {
      get peerMru() {
        return host.peerMru;
      },
      send: (protocol, packet, quiet) => host.send(protocol, packet, quiet),
      ipv6cpUp: (_at, agreement) => {
        this.#ipv6Agreement = agreement;
        this.#interfaceId = agreement.localInterfaceId;
        host.ipv6Up(agreement);
        if (!this.#isIpv6Needed) return;
        this.#upBy = undefined;
        host.opened(true);
      },
      ipv6cpDown: (at) => {
        if (this.#isIpv6Needed) this.#upBy = at + this.#limitMs;
        this.#ipv6Down();
      },
      ipv6cpRests: (at, failure) => {
        if (this.#isIpv6Needed) host.fail(at, failure);
      },
      ipv6cpFailed: (at, failure) => {
        if (this.#isIpv6Needed) host.fail(at, failure);
        // From here on it is a protocol that is not spoken: the peer is told so when it goes on.
        else this.#ipv6cp = undefined;
      },
    });
  }

  #down(): void {
    if (this.#agreement === undefined) return;
    this.#agreement = undefined;
    this.#host.networkDown();
    this.#host.opened(false);
  }

  #ipv6Down(): void {
    if (this.#ipv6Agreement === undefined) return;
    this.#ipv6Agreement = undefined;
    this.#host.ipv6Down();
    if (this.#isIpv6Needed) this.#host.opened(false);
  }

  #policyFor(policy: IpcpPolicy, user: string | undefined): IpcpPolicyMachine | Failure {
    if (policy.role === 'client') return new IpcpClientPolicy(policy.requestDns, policy.address);
    if (this.#assigned === undefined) {
      const assignment = policy.assign(user);
      if ('reason' in assignment) return assignment;
      this.#assigned = { user, assignment };
    } else if (this.#assigned.user !== user) {
      return {
        step: 'authentication',
        reason: 'the peer renegotiated the link and then proved to be another user',
        remedy: 'let every user connect with a link of its own',
      };
    }
    return new IpcpServerPolicy(this.#assigned.assignment);
  }
}

function tooNarrowFailure(): Failure {
  return {
    step: 'IPV6CP',
    reason: `the link carries packets of less than ${MIN_IPV6_MTU} octets, which every link with IPv6 must carry`,
    remedy: 'enlarge the MRU at both ends',
  };
}
