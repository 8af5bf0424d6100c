/** What stands on both sides of a negotiation: the policy that knows the options, and the host that runs it. */
import type { Failure, Instant } from '../machine.ts';
import type { AutomatonEvent } from './fsm.ts';
import type { ConfigurationOption } from './options.ts';
import type { ControlPacket } from './packet.ts';

/** What a policy says of one option of the peer's Configure-Request. */
export type Judgement =
  | 'ack'
  | 'reject'
  | { readonly nak: ConfigurationOption }
  /** The link cannot come up like this. */
  | { readonly fail: Failure };

/** What the options of one protocol mean. */
export interface NegotiationPolicy {
  /** A new negotiation begins: what was agreed or refused before is forgotten. */
  reset(): void;
  /** The options of our next Configure-Request. */
  request(): readonly ConfigurationOption[];
  judge(option: ConfigurationOption): Judgement;
  /** Options to append to a Configure-Nak, because the peer should have asked for them (RFC 1661 section 5.3). */
  missing(options: readonly ConfigurationOption[]): readonly ConfigurationOption[];
  /** The peer's request is being acknowledged: these are its options now, and no others. */
  accept(options: readonly ConfigurationOption[]): void;
  /** Our request was acknowledged. @returns a failure when what it says is of no use. */
  acknowledged(): Failure | undefined;
  /** Our request was refused. @returns a failure when there is nothing left to ask for. */
  refused(kind: 'nak' | 'reject', options: readonly ConfigurationOption[]): Failure | undefined;
}

/** Why the automaton finished. */
export type FinishCause = 'no answer' | 'closed' | 'terminated by peer' | 'rejected by peer';

/** Who runs a negotiation. */
export interface NegotiationHost {
  /** @param repeated true for a retransmission. */
  send(packet: ControlPacket, repeated: boolean): void;
  /** This-Layer-Up. */
  up(now: Instant): void;
  /** This-Layer-Down. */
  down(now: Instant): void;
  /** This-Layer-Finished. */
  finished(now: Instant, cause: FinishCause): void;
  /** The negotiation has no way on; the host ends the link. */
  fail(now: Instant, failure: Failure): void;
  /** A Terminate-Request came, and has been acknowledged. */
  terminated(now: Instant): void;
  /** A code of this protocol beyond the seven common ones. @returns the event, or `undefined` for: ignore it. */
  extraCode(now: Instant, packet: ControlPacket): AutomatonEvent | undefined;
  /** A Code-Reject for a code beyond the seven common ones. */
  codeRejected(code: number): void;
  /** Largest packet that the peer takes, octets. */
  readonly peerMru: number;
}
