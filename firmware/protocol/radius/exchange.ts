/**
 * One question on its way through the servers: sent, sent again, asked elsewhere (RFC 2865 section 2.4, RFC 5080
 * section 2.2.1). It decides when and where; `client.ts` writes and sends.
 */
import type { Failure, Instant, RandomSource } from '../machine.ts';
import type { RadiusAttribute } from './attribute-value.ts';
import { graver, type Trouble } from './client-failures.ts';
import type { ServerService } from './server-service.ts';

/** Waits double so often and then stay: a peer behind PPP waits, too. */
const MAX_DOUBLINGS = 2;
/** Spread of a wait, to each side (RFC 5080 section 2.2.1): routers that asked in step do not go on in step. */
const JITTER = 0.1;

export type Service = ServerService<Exchange>;

/** A server that shall be asked, and how often. */
export interface Candidate {
  readonly service: Service;
  readonly tries: number;
  readonly trial: boolean;
}

/** Told of a server that counts as dead from now on. */
export type OnDead = (now: Instant, service: Service, failure: Failure) => void;

/** What the client shall do for an exchange next. */
export type Next = 'send' | 'wait' | 'over';

export class Exchange {
  readonly id: number;
  /** The attributes as of that instant. */
  readonly attributes: (now: Instant) => readonly RadiusAttribute[];
  readonly #candidates: Candidate[];
  readonly #random: RandomSource;
  readonly #deadMs: number;
  /** No server is asked after this instant. */
  readonly #end: Instant;
  readonly #failures: Failure[] = [];
  /** Packets of this question that may be answered, at whatever server. */
  readonly #packets: { readonly service: Service; readonly identifier: number }[] = [];
  #sent = 0;
  #since: Instant;
  #deadline: Instant;
  #trouble: Trouble = { kind: 'silence' };
  /** This server's last chance: the network says that it is not there. */
  #lastChance = false;
  /** The packet that can be sent again as it is. */
  last: { readonly service: Service; readonly octets: Uint8Array; readonly attributes: string } | undefined;

  constructor(
    id: number,
    now: Instant,
    candidates: readonly Candidate[],
    attributes: (now: Instant) => readonly RadiusAttribute[],
    parts: { readonly random: RandomSource; readonly deadMs: number; readonly budgetMs: number },
  ) {
    this.id = id;
    this.attributes = attributes;
    this.#candidates = [...candidates];
    this.#random = parts.random;
    this.#deadMs = parts.deadMs;
    this.#end = now + parts.budgetMs;
    this.#since = now;
    this.#deadline = now;
    if (candidates[0]?.trial) candidates[0].service.beginTrial();
  }

  /** Who is being asked; `undefined` when there is nobody left. */
  get service(): Service | undefined {
    return this.#candidates[0]?.service;
  }

  get deadline(): Instant {
    return this.#deadline;
  }

  /** Whether this server was sent the question before. */
  get again(): boolean {
    return this.#sent > 0;
  }

  /** What every server did that was given up, in their order. */
  get failures(): readonly Failure[] {
    return this.#failures;
  }

  /** The question goes out, or would if the server's address were known. */
  sent(now: Instant): void {
    const { service } = this;
    if (!service) return;
    if (this.#sent === 0) this.#since = now;
    const full = service.options.timeoutMs * 2 ** Math.min(this.#sent, MAX_DOUBLINGS);
    this.#sent += 1;
    const [high = 0, low = 0] = this.#random.bytes(2);
    const spread = 1 - JITTER + 2 * JITTER * ((high * 256 + low) / 65_536);
    this.#deadline = Math.min(now + full * spread, this.#end);
  }

  /** A packet of this question went to that server under that number. */
  remember(service: Service, identifier: number): void {
    this.#packets.push({ service, identifier });
  }

  /** Something that is no answer came instead of one. */
  note(trouble: Trouble): void {
    this.#trouble = graver(this.#trouble, trouble);
  }

  /** The wait is over. @returns whether to send (again, or to the next server), or that this was the last. */
  timeout(now: Instant, onDead: OnDead): Next {
    const [candidate] = this.#candidates;
    if (!candidate) return 'over';
    if (now < this.#deadline) return 'wait';
    candidate.service.count('timeouts');
    // Another question has found meanwhile that it is dead; then there is no use in insisting while there is another.
    const known = candidate.service.standing(now) === 'dead' && !candidate.trial && this.#candidates.length > 1;
    if (this.#sent < candidate.tries && !this.#lastChance && !known && now < this.#end) return 'send';
    return this.giveUp(now, onDead);
  }

  /** The network or the resolver says that this server cannot be asked: a hint, which costs it its further tries. */
  hint(now: Instant, trouble: Trouble, onDead: OnDead): Next {
    this.note(trouble);
    if (this.#candidates.length > 1) return this.giveUp(now, onDead);
    this.#lastChance = true;
    return trouble.kind === 'unresolved' ? this.giveUp(now, onDead) : 'wait';
  }

  /** This server is given up, and the next one asked. */
  giveUp(now: Instant, onDead: OnDead): Next {
    const candidate = this.#candidates.shift();
    if (!candidate) return 'over';
    const { service } = candidate;
    this.#failures.push(service.failure(this.#trouble));
    const dead = service.gaveNoAnswer(now, this.#since, this.#trouble, this.#deadMs);
    if (candidate.trial) service.endTrial();
    if (dead) onDead(now, service, dead);
    this.#sent = 0;
    this.#trouble = { kind: 'silence' };
    this.#lastChance = false;
    this.last = undefined;
    const next = this.#candidates[0];
    if (!next || now >= this.#end) return 'over';
    if (next.trial) next.service.beginTrial();
    return 'send';
  }

  /** Nothing of it can be answered any more. */
  end(): void {
    if (this.#candidates[0]?.trial) this.#candidates[0].service.endTrial();
    for (const { service, identifier } of this.#packets) service.close(identifier);
    this.#packets.length = 0;
    this.#candidates.length = 0;
  }
}
