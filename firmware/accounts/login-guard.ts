/** How often somebody may try to log in: by account, and by address. */
import { parseIpv4, parseIpv6 } from '../protocol/ip-address.ts';
import { BackOff } from './back-off.ts';

const MINUTE = 60_000;
const ENTRIES = 1024;

/** A stranger who fails on purpose must not keep the owner out for long; one guess a minute finds no password. */
const BY_ACCOUNT = { free: 4, base: 1000, most: MINUTE, entries: ENTRIES, forget: 60 * MINUTE };
/** Many people may be behind one address, and one stranger may try many names from it. */
const BY_ADDRESS = { free: 10, base: 1000, most: 15 * MINUTE, entries: ENTRIES, forget: 60 * MINUTE };

/** `from` of whoever stands before the router: no stranger on the network can use that one's attempts up. */
export const CONSOLE = 'console' as const;

export class LoginGuard {
  readonly #accounts = new BackOff(BY_ACCOUNT);
  readonly #addresses = new BackOff(BY_ADDRESS);

  /** How long this one has to wait yet, ms; 0: not at all. @param now monotonic, ms. */
  wait(user: string, from: string, now: number): number {
    const byAccount = this.#accounts.remaining(accountKey(user, from), now);
    return Math.max(byAccount, from === CONSOLE ? 0 : this.#addresses.remaining(addressKey(from), now));
  }

  /** Before anything is judged. */
  begin(user: string, from: string, now: number): void {
    this.#accounts.count(accountKey(user, from), now);
    if (from !== CONSOLE) this.#addresses.count(addressKey(from), now);
  }

  /** It was right as far as it went, and is not finished. */
  unfinished(user: string, from: string): void {
    this.#accounts.takeBack(accountKey(user, from));
    this.#addresses.takeBack(addressKey(from));
  }

  /** What this address did wrong with other names stays. */
  succeeded(user: string, from: string): void {
    this.#accounts.forgive(accountKey(user, from));
    this.#addresses.takeBack(addressKey(from));
  }
}

function accountKey(user: string, from: string): string {
  return `${from === CONSOLE ? CONSOLE : 'network'} ${user}`;
}

/** IPv6 by /64, since everybody there has all of its addresses. */
function addressKey(from: string): string {
  const groups = parseIpv4(from) === undefined ? parseIpv6(from) : undefined;
  if (groups === undefined) return from;
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isMapped) return groups.slice(0, 4).join(':');
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}
