/**
 * Who may begin: half-open IKE SAs, their limits, and the COOKIE that is asked for under load (RFC 7296 section 2.6).
 */
import type { Instant, RandomSource } from '../../machine.ts';
import { formatEndpoint, type UdpEndpoint } from '../../udp-path.ts';
import { spiKey } from '../message-header.ts';
import { RateLimit } from '../rate-limit.ts';
import { CookieMaker } from './cookie.ts';
import type { IkeSa } from './ike-sa.ts';
import type { IkeV2Limits } from './settings.ts';

/** Unprotected answers other than a COOKIE: a second, and at once. Section 2.21.4 asks for a limit. */
const ANSWERS_PER_SECOND = 20;
const ANSWERS_BURST = 50;

export type Verdict =
  | { readonly kind: 'welcome' }
  /** Ask for it before anything else is done. */
  | { readonly kind: 'cookie'; readonly cookie: Uint8Array }
  | { readonly kind: 'refused' };

export class Admission {
  readonly #limits: IkeV2Limits;
  readonly #cookies: CookieMaker;
  readonly #answers = new RateLimit(ANSWERS_PER_SECOND, ANSWERS_BURST);
  /** Of all callers whose SA lives, by what a repeated first message has in common with the first. */
  readonly #byCaller = new Map<string, IkeSa>();
  readonly #callers = new Map<IkeSa, string>();
  readonly #halfOpen = new Map<IkeSa, string>();
  readonly #perAddress = new Map<string, number>();

  constructor(limits: IkeV2Limits, random: RandomSource) {
    this.#limits = limits;
    this.#cookies = new CookieMaker(random);
  }

  /** Half-open IKE SAs. */
  get halfOpen(): number {
    return this.#halfOpen.size;
  }

  /** The IKE SA that a first message has made before. */
  find(spiI: Uint8Array, remote: UdpEndpoint): IkeSa | undefined {
    return this.#byCaller.get(callerKey(spiI, remote));
  }

  /** Whether a first message is to be gone into. Cheap: no more than a hash. */
  judge(
    now: Instant,
    spiI: Uint8Array,
    remote: UdpEndpoint,
    nonce: Uint8Array,
    cookie: Uint8Array | undefined,
  ): Verdict {
    if (this.#halfOpen.size >= this.#limits.cookieThreshold) {
      if (cookie === undefined || !this.#cookies.verify(now, cookie, remote, spiI, nonce)) {
        return { kind: 'cookie', cookie: this.#cookies.make(now, remote, spiI, nonce) };
      }
    }
    const full = this.#halfOpen.size >= this.#limits.halfOpen;
    const crowd = (this.#perAddress.get(remote.address) ?? 0) >= this.#limits.halfOpenPerAddress;
    return full || crowd ? { kind: 'refused' } : { kind: 'welcome' };
  }

  /** Whether an unprotected answer may be given now. */
  answers(now: Instant): boolean {
    return this.#answers.allows(now);
  }

  /** A caller's IKE SA is half-open. */
  opened(sa: IkeSa): void {
    const { address } = sa.path.remote;
    const key = callerKey(sa.spiI, sa.path.remote);
    this.#byCaller.set(key, sa);
    this.#callers.set(sa, key);
    this.#halfOpen.set(sa, address);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
  }

  /** Looks at what became of an IKE SA. */
  update(sa: IkeSa): void {
    const address = this.#halfOpen.get(sa);
    if (address !== undefined && sa.state.name !== 'half-open') {
      this.#halfOpen.delete(sa);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
    }
    const key = this.#callers.get(sa);
    if (key !== undefined && sa.state.name === 'gone') {
      this.#callers.delete(sa);
      if (this.#byCaller.get(key) === sa) this.#byCaller.delete(key);
    }
  }
}

function callerKey(spiI: Uint8Array, remote: UdpEndpoint): string {
  return `${spiKey(spiI)} ${formatEndpoint(remote)}`;
}
