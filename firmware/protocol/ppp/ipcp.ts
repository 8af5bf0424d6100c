/** The PPP Internet Protocol Control Protocol (RFC 1332). */
import type { Failure, Instant } from '../machine.ts';
import { quoted } from './failure-text.ts';
import type { RestartPolicy } from './fsm.ts';
import type { IpcpPolicyMachine, Ipv4Agreement } from './ipcp-policy.ts';
import { Negotiation } from './negotiation.ts';
import type { FinishCause } from './negotiation-types.ts';
import type { ControlPacket } from './packet.ts';
import { PPP_IPCP } from './protocol-numbers.ts';

export interface IpcpHost {
  send(protocol: number, packet: ControlPacket, quiet: boolean): void;
  ipcpUp(now: Instant, agreement: Ipv4Agreement): void;
  ipcpDown(now: Instant): void;
  /** IPCP is over, and with it the only network protocol of the link. */
  fail(now: Instant, failure: Failure): void;
  readonly peerMru: number;
}

export class Ipcp {
  readonly #negotiation: Negotiation;
  readonly #networkMs: number;

  /** @param networkMs how long the whole may take, ms. The peer may be waiting for an address itself, so no less. */
  constructor(policy: IpcpPolicyMachine, restart: RestartPolicy, networkMs: number, host: IpcpHost) {
    this.#networkMs = networkMs;
    // RFC 1332 section 2: give up only after a configurable time. The Restart counter must not be the first to expire.
    const maxConfigure = Math.max(restart.maxConfigure, Math.ceil(networkMs / restart.intervalMs) + 1);
    this.#negotiation = new Negotiation('IPCP', { ...restart, maxConfigure }, policy, {
      get peerMru() {
        return host.peerMru;
      },
      send: (packet, repeated) => host.send(PPP_IPCP, packet, repeated),
      up: (now) => host.ipcpUp(now, policy.agreement),
      down: (now) => host.ipcpDown(now),
      finished: (now, cause) => host.fail(now, this.#finishFailure(cause)),
      fail: (now, failure) => host.fail(now, failure),
      terminated: () => undefined,
      extraCode: () => 'RUC',
      codeRejected: () => undefined,
    });
  }

  start(now: Instant): void {
    this.#negotiation.start(now);
  }

  receive(now: Instant, packet: ControlPacket): void {
    this.#negotiation.receive(now, packet);
  }

  tick(now: Instant): void {
    this.#negotiation.tick(now);
  }

  nextDeadline(): Instant | undefined {
    return this.#negotiation.nextDeadline();
  }

  /** Why it is not up when its time is over. */
  timeoutFailure(): Failure {
    const seconds = Math.round(this.#networkMs / 1000);
    const text = this.#negotiation.peerTerminateText;
    if (text !== undefined) {
      return {
        step: 'IPCP',
        reason: `the peer closes IPCP instead of talking about IP addresses${quoted(text)}`,
        remedy: 'check that the peer has an IPv4 address for this user, and look into its log',
      };
    }
    return this.#negotiation.heard
      ? {
          step: 'IPCP',
          reason: `the peer did not come to terms with us about IP addresses within ${seconds} s`,
          remedy: "compare the peer's address settings with those of this side, or look into the peer's log",
        }
      : {
          step: 'IPCP',
          reason: `the peer accepted the link but said nothing about IP addresses for ${seconds} s`,
          remedy: "check that IPv4 is enabled for this user at the peer, and look into the peer's log",
        };
  }

  /** The peer does not speak IPCP at all. */
  static rejectedFailure(): Failure {
    return {
      step: 'IPCP',
      reason: 'the peer rejected IPCP, so it would carry no IPv4',
      remedy: 'enable IPv4 for this link at the peer',
    };
  }

  #finishFailure(cause: FinishCause): Failure {
    switch (cause) {
      case 'terminated by peer':
        return {
          step: 'IPCP',
          reason: `the peer closed IPCP${quoted(this.#negotiation.peerTerminateText)}`,
          remedy: "look into the peer's log for its reason",
        };
      case 'rejected by peer':
        return Ipcp.rejectedFailure();
      case 'no answer':
      case 'closed':
        return this.timeoutFailure();
    }
  }
}
