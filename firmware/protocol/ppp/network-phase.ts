/** The Network-Layer Protocol phase (RFC 1661 section 3.6): IPCP, its time limit, and the address a user was given. */
import type { Failure, Instant } from '../machine.ts';
import { earliest } from './deadlines.ts';
import type { RestartPolicy } from './fsm.ts';
import { Ipcp } from './ipcp.ts';
import { IpcpClientPolicy, type IpcpPolicyMachine, IpcpServerPolicy, type Ipv4Agreement } from './ipcp-policy.ts';
import type { IpcpPolicy, Ipv4Assignment } from './link-types.ts';
import type { ControlPacket } from './packet.ts';

export interface NetworkHost {
  send(protocol: number, packet: ControlPacket, quiet: boolean): void;
  networkUp(agreement: Ipv4Agreement): void;
  networkDown(): void;
  fail(now: Instant, failure: Failure): void;
  readonly peerMru: number;
}

export class NetworkPhase {
  readonly #policy: IpcpPolicy;
  readonly #restart: RestartPolicy;
  readonly #limitMs: number;
  readonly #host: NetworkHost;
  /** Given once; a renegotiation finds it again. */
  #assigned: { readonly user: string | undefined; readonly assignment: Ipv4Assignment } | undefined;
  #ipcp: Ipcp | undefined;
  #upBy: Instant | undefined;
  #agreement: Ipv4Agreement | undefined;

  /** @param limitMs how long IPCP may take, ms. */
  constructor(policy: IpcpPolicy, restart: RestartPolicy, limitMs: number, host: NetworkHost) {
    this.#policy = policy;
    this.#restart = restart;
    this.#limitMs = limitMs;
    this.#host = host;
  }

  /** What was agreed, while IPCP is opened. */
  get agreement(): Ipv4Agreement | undefined {
    return this.#agreement;
  }

  /** Whether the phase has begun, and not ended. */
  get entered(): boolean {
    return this.#ipcp !== undefined;
  }

  /** @param user that the peer proved to be, if it had to. */
  enter(now: Instant, user: string | undefined): void {
    const policy = this.#policyFor(user);
    if ('reason' in policy) {
      this.#host.fail(now, policy);
      return;
    }
    this.#upBy = now + this.#limitMs;
    const host = this.#host;
    this.#ipcp = new Ipcp(policy, this.#restart, this.#limitMs, {
      get peerMru() {
        return host.peerMru;
      },
      send: (protocol, packet, quiet) => host.send(protocol, packet, quiet),
      ipcpUp: (_at, agreement) => {
        this.#upBy = undefined;
        this.#agreement = agreement;
        host.networkUp(agreement);
      },
      ipcpDown: (at) => {
        this.#upBy = at + this.#limitMs;
        this.#down();
      },
      fail: (at, failure) => host.fail(at, failure),
    });
    this.#ipcp.start(now);
  }

  /** LCP left Opened, or the link ends. */
  leave(): void {
    this.#ipcp = undefined;
    this.#upBy = undefined;
    this.#down();
  }

  /** Takes an IPCP packet. @throws DecodeError when it cannot be read. */
  receive(now: Instant, packet: ControlPacket): void {
    this.#ipcp?.receive(now, packet);
  }

  tick(now: Instant): void {
    this.#ipcp?.tick(now);
    if (this.#ipcp === undefined || this.#upBy === undefined || now < this.#upBy) return;
    this.#upBy = undefined;
    this.#host.fail(now, this.#ipcp.timeoutFailure());
  }

  nextDeadline(): Instant | undefined {
    return earliest(this.#ipcp?.nextDeadline(), this.#upBy);
  }

  #down(): void {
    if (this.#agreement === undefined) return;
    this.#agreement = undefined;
    this.#host.networkDown();
  }

  #policyFor(user: string | undefined): IpcpPolicyMachine | Failure {
    const policy = this.#policy;
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
