/** The PPP IPv6 Control Protocol (RFC 5072 section 3). */
import type { Failure, Instant, RandomSource } from '../machine.ts';
import { quoted } from './failure-text.ts';
import type { RestartPolicy } from './fsm.ts';
import { type Ipv6Agreement, Ipv6cpOptions } from './ipv6cp-policy.ts';
import type { Ipv6cpPolicy } from './link-types.ts';
import { Negotiation } from './negotiation.ts';
import type { FinishCause } from './negotiation-types.ts';
import type { ControlPacket } from './packet.ts';
import { PPP_IPV6CP } from './protocol-numbers.ts';

export interface Ipv6cpHost {
  send(protocol: number, packet: ControlPacket, quiet: boolean): void;
  ipv6cpUp(now: Instant, agreement: Ipv6Agreement): void;
  ipv6cpDown(now: Instant): void;
  /** It rests: the peer says nothing, closed it or rejected it. A Configure-Request of the peer wakes it again. */
  ipv6cpRests(now: Instant, failure: Failure): void;
  /** The two will not agree. */
  ipv6cpFailed(now: Instant, failure: Failure): void;
  readonly peerMru: number;
}

export class Ipv6cp {
  readonly #negotiation: Negotiation;

  constructor(policy: Ipv6cpPolicy, restart: RestartPolicy, random: RandomSource, host: Ipv6cpHost) {
    const options = new Ipv6cpOptions(policy, random);
    this.#negotiation = new Negotiation('IPV6CP', restart, options, {
      get peerMru() {
        return host.peerMru;
      },
      send: (packet, repeated) => host.send(PPP_IPV6CP, packet, repeated),
      up: (now) => {
        const { agreement } = options;
        if (agreement === undefined) host.ipv6cpFailed(now, namelessFailure());
        else host.ipv6cpUp(now, agreement);
      },
      down: (now) => host.ipv6cpDown(now),
      finished: (now, cause) => host.ipv6cpRests(now, this.#finishFailure(cause)),
      fail: (now, failure) => host.ipv6cpFailed(now, failure),
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

  /** The peer sent a Protocol-Reject for IPv6CP or IPv6. */
  protocolRejected(now: Instant): void {
    this.#negotiation.protocolRejected(now);
  }

  tick(now: Instant): void {
    this.#negotiation.tick(now);
  }

  nextDeadline(): Instant | undefined {
    return this.#negotiation.nextDeadline();
  }

  /** Why it is not up when its time is over. */
  timeoutFailure(): Failure {
    const text = this.#negotiation.peerTerminateText;
    if (text !== undefined) return closedFailure(text);
    return {
      step: 'IPV6CP',
      reason: this.#negotiation.heard
        ? 'the peer did not come to terms with us about IPv6 interface identifiers'
        : 'the peer accepted the link but said nothing about IPv6',
      remedy: "check that IPv6 is enabled for this user at the peer, and look into the peer's log",
    };
  }

  /** The peer does not speak IPv6CP at all. */
  static rejectedFailure(): Failure {
    return {
      step: 'IPV6CP',
      reason: 'the peer rejected IPV6CP, so it would carry no IPv6',
      remedy: 'enable IPv6 for this link at the peer, or switch it off here',
    };
  }

  #finishFailure(cause: FinishCause): Failure {
    switch (cause) {
      case 'terminated by peer':
        return closedFailure(this.#negotiation.peerTerminateText);
      case 'rejected by peer':
        return Ipv6cp.rejectedFailure();
      case 'no answer':
      case 'closed':
        return this.timeoutFailure();
    }
  }
}

function closedFailure(text: Uint8Array | undefined): Failure {
  return {
    step: 'IPV6CP',
    reason: `the peer closed IPV6CP${quoted(text)}`,
    remedy: "look into the peer's log for its reason",
  };
}

/** RFC 5072 section 4.1: there is no default to fall back on. */
function namelessFailure(): Failure {
  return {
    step: 'IPV6CP',
    reason: 'the peer names no IPv6 interface identifier, even when told one',
    remedy: 'check the IPv6 settings for this user at the peer',
  };
}
