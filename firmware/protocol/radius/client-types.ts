/** What goes into and comes out of the RADIUS client (`client.ts`). */
import type { Failure } from '../machine.ts';
import type { UdpEndpoint } from '../udp-path.ts';
import type { RadiusAttribute } from './attribute-value.ts';

/** A server does two things, on a port each, and may do one of them and not the other. */
export type RadiusService = 'authentication' | 'accounting';

export interface RadiusServerOptions {
  /** Address, or a name, which is looked up. */
  readonly host: string;
  readonly port: number;
  readonly accountingPort: number;
  /** Shared with this server. */
  readonly secret: Uint8Array;
  /** Wait for the first answer, ms; it doubles with every try. */
  readonly timeoutMs: number;
  /** How often one question is sent before another server is asked, 1 and more. */
  readonly tries: number;
}

export interface RadiusClientOptions {
  /** The preferred one first; one or more. */
  readonly servers: readonly RadiusServerOptions[];
  /** Take no answer about a user without a Message-Authenticator (CVE-2024-3596). */
  readonly requireMessageAuthenticator: boolean;
  /** How long a server that was silent is passed over while another one answers, ms. */
  readonly deadMs: number;
}

/** The meanings of Acct-Status-Type that the queue has to know. */
export type AccountingEvent = 'on' | 'off' | 'start' | 'interim' | 'stop';

export interface AccountingRecord {
  readonly event: AccountingEvent;
  /** Acct-Session-Id; records of one are told in their order. */
  readonly session: string;
  /** Without Acct-Delay-Time, which is added when the record is sent. */
  readonly attributes: readonly RadiusAttribute[];
}

export type RadiusClientOutput =
  /** Find the address of this server's host, then tell `addressed` or `unresolved`. */
  | { readonly kind: 'resolve'; readonly server: number; readonly host: string }
  | { readonly kind: 'send'; readonly remote: UdpEndpoint; readonly datagram: Uint8Array }
  /** The question is answered: Access-Accept, Access-Reject or Access-Challenge. */
  | {
      readonly kind: 'answer';
      readonly question: number;
      /** Which server; an answer to its challenge must go to the same one. */
      readonly server: number;
      readonly code: number;
      readonly attributes: readonly RadiusAttribute[];
    }
  /** Nobody answered, or nobody whose answer could be believed. */
  | { readonly kind: 'failed'; readonly question: number; readonly failure: Failure }
  /** A server is silent, or answers again. */
  | { readonly kind: 'silent'; readonly server: number; readonly service: RadiusService; readonly failure: Failure }
  | { readonly kind: 'answers'; readonly server: number; readonly service: RadiusService }
  /** The queue of accounting ran over: so many records will never be told. */
  | { readonly kind: 'accounting-lost'; readonly records: number };

export interface RadiusCounters {
  /** Questions, each counted once. */
  readonly requests: number;
  readonly retransmissions: number;
  readonly answers: number;
  /** Waits that ended without an answer. */
  readonly timeouts: number;
  /** Answers to no open question: late ones, second ones, or somebody's invention. */
  readonly duplicates: number;
  /** Answers whose proof was wrong or missing: another shared secret, or a forgery. */
  readonly unproved: number;
  readonly malformed: number;
}

/** One server as status tells it. */
export interface RadiusServerView {
  readonly host: string;
  readonly service: RadiusService;
  /** Where it is asked; absent while its name is not resolved. */
  readonly endpoint?: UdpEndpoint;
  readonly state: 'untried' | 'answers' | 'silent';
  readonly counters: RadiusCounters;
  /** Why the last question to it got no answer. */
  readonly failure?: Failure;
}
