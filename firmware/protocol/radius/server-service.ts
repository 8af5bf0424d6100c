/** One service of one server: whether it answers, what is asked there, and the numbers by which answers are told. */

import { canonicalIp } from '../ip-address.ts';
import type { Failure, Instant } from '../machine.ts';
import type { UdpEndpoint } from '../udp-path.ts';
import { serverFailure, type Trouble, type TroubledServer } from './client-failures.ts';
import type { RadiusCounters, RadiusServerOptions, RadiusServerView, RadiusService } from './client-types.ts';

/** Identifiers of one octet (RFC 2865 section 3). */
const IDENTIFIERS = 256;

/** A packet that was sent and may still be answered. */
export interface OpenQuestion<Owner> {
  readonly owner: Owner;
  readonly authenticator: Uint8Array;
}

/** How a server may be asked at present: not at all, with as much patience as configured, or once to see if it is back. */
export type Standing = 'trusted' | 'on-trial' | 'dead';

export class ServerService<Owner> {
  readonly index: number;
  readonly service: RadiusService;
  readonly options: RadiusServerOptions;
  readonly port: number;
  readonly #open = new Map<number, OpenQuestion<Owner>>();
  #nextIdentifier: number;
  #address: string | undefined;
  #state: RadiusServerView['state'] = 'untried';
  #deadUntil: Instant = Number.NEGATIVE_INFINITY;
  /** Somebody asks whether it is back; nobody else has to wait for that. */
  #onTrial = false;
  #lastAnswer: Instant = Number.NEGATIVE_INFINITY;
  #failure: Failure | undefined;
  readonly #counters = {
    requests: 0,
    retransmissions: 0,
    answers: 0,
    timeouts: 0,
    duplicates: 0,
    unproved: 0,
    malformed: 0,
  };

  /** @param firstIdentifier after a restart not the one of before: the server may remember its answers for a while. */
  constructor(index: number, service: RadiusService, options: RadiusServerOptions, firstIdentifier: number) {
    this.index = index;
    this.service = service;
    this.options = options;
    this.port = service === 'authentication' ? options.port : options.accountingPort;
    this.#nextIdentifier = firstIdentifier;
    this.#address = canonicalIp(options.host);
  }

  get endpoint(): UdpEndpoint | undefined {
    return this.#address === undefined ? undefined : { address: this.#address, port: this.port };
  }

  /** Answers from where it was before are no answers any more. */
  set address(address: string) {
    this.#address = address;
  }

  get silent(): boolean {
    return this.#state === 'silent';
  }

  get view(): RadiusServerView {
    const { endpoint } = this;
    return {
      host: this.options.host,
      service: this.service,
      state: this.#state,
      counters: { ...this.#counters },
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    };
  }

  count(what: keyof RadiusCounters): void {
    this.#counters[what] += 1;
  }

  standing(now: Instant): Standing {
    if (this.#state !== 'silent') return 'trusted';
    return now >= this.#deadUntil && !this.#onTrial ? 'on-trial' : 'dead';
  }

  /** One question is to find out whether it is back. */
  beginTrial(): void {
    this.#onTrial = true;
  }

  endTrial(): void {
    this.#onTrial = false;
  }

  /** It has given a good answer. @returns whether it was silent before. */
  answered(now: Instant): boolean {
    const returned = this.#state === 'silent';
    this.count('answers');
    this.#state = 'answers';
    this.#failure = undefined;
    this.#lastAnswer = now;
    return returned;
  }

  /**
   * A question got no answer. @param since when it was asked first: whoever answered others meanwhile is not dead.
   * @returns why, when the server counts as dead from now on and did not before.
   */
  gaveNoAnswer(now: Instant, since: Instant, trouble: Trouble, deadMs: number): Failure | undefined {
    this.#failure = serverFailure(this.#named, trouble);
    if (this.#lastAnswer > since) return undefined;
    const before = this.#state;
    this.#state = 'silent';
    this.#deadUntil = now + deadMs;
    return before === 'silent' ? undefined : this.#failure;
  }

  failure(trouble: Trouble): Failure {
    return serverFailure(this.#named, trouble);
  }

  /** A number that no open question has; `undefined` when all have been given out. */
  freeIdentifier(): number | undefined {
    for (let tried = 0; tried < IDENTIFIERS; tried += 1) {
      const identifier = this.#nextIdentifier;
      // In turn: the longer a number rests, the less a late answer can be taken for another's.
      this.#nextIdentifier = (identifier + 1) % IDENTIFIERS;
      if (!this.#open.has(identifier)) return identifier;
    }
    return undefined;
  }

  open(identifier: number, question: OpenQuestion<Owner>): void {
    this.#open.set(identifier, question);
  }

  question(identifier: number): OpenQuestion<Owner> | undefined {
    return this.#open.get(identifier);
  }

  close(identifier: number): void {
    this.#open.delete(identifier);
  }

  get #named(): TroubledServer {
    return { host: this.options.host, service: this.service, port: this.port, endpoint: this.endpoint };
  }
}
