/**
 * The life of an SA in seconds, octets and packets (RFC 4301 section 4.4.2.1): at the soft limit it is to be replaced,
 * at the hard limit it is dead.
 */
import { EncodeError } from '../bytes.ts';
import type { Instant, Machine } from '../machine.ts';

/** `soft` at most `hard`; both above zero. */
export interface LifetimeLimit {
  readonly soft: number;
  readonly hard: number;
}

/** What is absent is without limit. */
export interface SaLifetimes {
  readonly seconds?: LifetimeLimit;
  /** Of payload, before padding. */
  readonly octets?: LifetimeLimit;
  readonly packets?: LifetimeLimit;
}

/** What ran out. `sequence`: the sequence numbers, which must never wrap. */
export type LifetimeUnit = keyof SaLifetimes | 'sequence';

/** Each comes once in the life of an SA, the soft one first unless both are due at once. */
export type LifetimeEvent =
  /** Time to negotiate the successor. */
  | { readonly kind: 'lifetime-soft'; readonly unit: LifetimeUnit }
  /** The SA carries nothing any more. */
  | { readonly kind: 'lifetime-hard'; readonly unit: LifetimeUnit };

const NO_LIMIT: LifetimeLimit = { soft: Number.POSITIVE_INFINITY, hard: Number.POSITIVE_INFINITY };

export class SaLifetime implements Machine<LifetimeEvent> {
  readonly #began: Instant;
  readonly #sequenceLimit: LifetimeLimit;
  #octetLimit = NO_LIMIT;
  #packetLimit = NO_LIMIT;
  #softAt = Number.POSITIVE_INFINITY;
  #hardAt = Number.POSITIVE_INFINITY;
  readonly #events: LifetimeEvent[] = [];
  #octets = 0;
  #packets = 0;
  #softReached = false;
  #expired = false;

  /**
   * @param now when the SA began.
   * @param sequence packets until sequence numbers run low and out; absent: this side does not number packets.
   * @throws EncodeError when a limit is not positive or soft is above hard.
   */
  constructor(lifetimes: SaLifetimes, now: Instant, sequence?: LifetimeLimit) {
    this.#began = now;
    this.#sequenceLimit = sequence ?? NO_LIMIT;
    this.#limit(lifetimes);
  }

  /**
   * Other limits from now on. What was carried counts, and so do the seconds since the SA began; an SA that is dead
   * stays dead, and a soft limit that was reached is not told again.
   * @throws EncodeError as the constructor; the limits stay as they were.
   */
  replaceLimits(lifetimes: SaLifetimes): void {
    this.#limit(lifetimes);
    this.#compareCarried();
  }

  /** Whether a hard limit was reached. It stays so. */
  get expired(): boolean {
    return this.#expired;
  }

  /** Octets of payload carried so far. */
  get octets(): number {
    return this.#octets;
  }

  /** Packets carried so far. */
  get packets(): number {
    return this.#packets;
  }

  /** Whether a packet with this many octets of payload may still be carried. One that would be too many ends the SA. */
  admits(octets: number, now: Instant): boolean {
    if (this.#expired) return false;
    if (now >= this.#softAt) this.tick(now);
    if (this.#octets + octets > this.#octetLimit.hard) this.#expire('octets');
    return !this.#expired;
  }

  /** Counts a packet that was carried. */
  count(octets: number): void {
    this.#octets += octets;
    this.#packets += 1;
    this.#compareCarried();
  }

  tick(now: Instant): void {
    this.#compare('seconds', now, this.#softAt, this.#hardAt);
  }

  nextDeadline(): Instant | undefined {
    if (this.#expired) return undefined;
    const at = this.#softReached ? this.#hardAt : this.#softAt;
    return Number.isFinite(at) ? at : undefined;
  }

  poll(): LifetimeEvent | undefined {
    return this.#events.length === 0 ? undefined : this.#events.shift();
  }

  #limit(lifetimes: SaLifetimes): void {
    const seconds = limitOf('seconds', lifetimes.seconds);
    const octets = limitOf('octets', lifetimes.octets);
    this.#packetLimit = limitOf('packets', lifetimes.packets);
    this.#octetLimit = octets;
    this.#softAt = this.#began + seconds.soft * 1000;
    this.#hardAt = this.#began + seconds.hard * 1000;
  }

  #compareCarried(): void {
    this.#compare('octets', this.#octets, this.#octetLimit.soft, this.#octetLimit.hard);
    this.#compare('packets', this.#packets, this.#packetLimit.soft, this.#packetLimit.hard);
    this.#compare('sequence', this.#packets, this.#sequenceLimit.soft, this.#sequenceLimit.hard);
  }

  #compare(unit: LifetimeUnit, used: number, soft: number, hard: number): void {
    if (used < soft || this.#expired) return;
    this.#reachSoft(unit);
    if (used >= hard) this.#expire(unit);
  }

  #reachSoft(unit: LifetimeUnit): void {
    if (this.#softReached) return;
    this.#softReached = true;
    this.#events.push({ kind: 'lifetime-soft', unit });
  }

  #expire(unit: LifetimeUnit): void {
    this.#reachSoft(unit);
    this.#expired = true;
    this.#events.push({ kind: 'lifetime-hard', unit });
  }
}

function limitOf(unit: LifetimeUnit, limit: LifetimeLimit | undefined): LifetimeLimit {
  if (limit === undefined) return NO_LIMIT;
  if (limit.soft > 0 && limit.soft <= limit.hard) return limit;
  throw new EncodeError(`limits of ${limit.soft} and ${limit.hard} ${unit} are no lifetime`);
}
