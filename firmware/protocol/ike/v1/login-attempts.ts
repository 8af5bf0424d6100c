/** How many wrong passwords may come from one place: whoever has the key of a group has time to try the passwords of its users. */
import { hex } from '../../bytes.ts';
import type { Instant } from '../../machine.ts';
import { addressOctets } from '../address-octets.ts';

/** Wrong ones until no password from there is looked at, and after how long one of them is forgiven, ms. */
const MAX_WRONG = 10;
const FORGIVEN_AFTER_MS = 30_000;

/** Places that are remembered, the latest. */
const MAX_PLACES = 1024;

/** Octets of an IPv6 address that say where it is: whoever is in a /64 has all of its addresses. */
const IPV6_PLACE_OCTETS = 8;

interface Wrong {
  readonly count: number;
  readonly at: Instant;
}

/** By address and not by user, or a stranger could keep a user out. Of many users behind one NAT only the wrong ones count. */
export class LoginAttempts {
  readonly #wrong = new Map<string, Wrong>();

  /** Whether a password from this address is looked at. */
  allows(now: Instant, address: string): boolean {
    return this.#count(now, placeOf(address)) <= MAX_WRONG - 1;
  }

  /** A password from this address was wrong. */
  failed(now: Instant, address: string): void {
    const place = placeOf(address);
    const count = Math.min(MAX_WRONG, this.#count(now, place) + 1);
    this.#wrong.delete(place);
    this.#wrong.set(place, { count, at: now });
    const [oldest] = this.#wrong.keys();
    if (this.#wrong.size > MAX_PLACES && oldest !== undefined) this.#wrong.delete(oldest);
  }

  #count(now: Instant, place: string): number {
    const wrong = this.#wrong.get(place);
    return wrong === undefined ? 0 : Math.max(0, wrong.count - (now - wrong.at) / FORGIVEN_AFTER_MS);
  }
}

function placeOf(address: string): string {
  return address.includes(':') ? hex(addressOctets(address).subarray(0, IPV6_PLACE_OCTETS)) : address;
}
