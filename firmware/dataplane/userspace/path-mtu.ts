/**
 * Path MTUs that the network has reported (RFC 1191, RFC 8201), by remote address. Anybody who can guess the headers
 * of a packet may forge such a report: it is believed within bounds, and for a while.
 */
import type { Instant } from '../../protocol/machine.ts';

/**
 * Least MTU that is believed, octets. IPv4: the least that the kernel believes (net.ipv4.route.min_pmtu). Above it,
 * packets would be made that the kernel refuses for as long as somebody repeats a forged report.
 */
export const MIN_PATH_MTU_IPV4 = 552;
/** IPv6: what every link carries (RFC 8200 section 5). */
export const MIN_PATH_MTU_IPV6 = 1280;
/** Time after which a larger one is tried again (RFC 1191 section 6.3), ms; the kernel keeps its own as long. */
const MAX_AGE_MS = 10 * 60 * 1000;
/** Paths remembered: more than the peers of a busy head office; the oldest is forgotten first. */
const MAX_PATHS = 4096;

interface Report {
  readonly mtu: number;
  readonly until: Instant;
}

export class PathMtus {
  readonly #reports = new Map<string, Report>();

  /** Whether nothing is known of any path, so that nobody need ask. */
  get empty(): boolean {
    return this.#reports.size === 0;
  }

  /** @param mtu octets of the largest IP packet that fits, as reported. */
  learn(address: string, mtu: number, now: Instant): void {
    const least = address.includes(':') ? MIN_PATH_MTU_IPV6 : MIN_PATH_MTU_IPV4;
    this.#reports.delete(address);
    this.#reports.set(address, { mtu: Math.max(mtu, least), until: now + MAX_AGE_MS });
    if (this.#reports.size <= MAX_PATHS) return;
    for (const oldest of this.#reports.keys()) {
      this.#reports.delete(oldest);
      return;
    }
  }

  /** Octets of the largest IP packet to that address; infinite where nothing is known. */
  to(address: string, now: Instant): number {
    const report = this.#reports.get(address);
    if (report === undefined) return Number.POSITIVE_INFINITY;
    if (now < report.until) return report.mtu;
    this.#reports.delete(address);
    return Number.POSITIVE_INFINITY;
  }
}
