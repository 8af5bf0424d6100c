/**
 * Keeps reports of path errors few: an unreachable peer makes one error per packet sent, and the control plane needs
 * to hear of it once a second at most.
 */
import type { Instant } from '../../protocol/machine.ts';
import type { SocketId } from '../data-plane.ts';

/**
 * Shortest distance between two reports of one error on one path, ms: well below any retransmission time-out's cap.
 */
const REPORT_INTERVAL_MS = 1000;
/** Paths and errors remembered: more than the peers of a busy head office; the oldest is forgotten first. */
const MAX_REMEMBERED = 4096;

export class PathErrorLimiter {
  readonly #reportedAt = new Map<string, Instant>();

  /** Whether this error should be reported now; it then counts as reported. */
  admit(socket: SocketId, address: string, port: number, code: string, now: Instant): boolean {
    const key = `${socket} ${address} ${port} ${code}`;
    const last = this.#reportedAt.get(key);
    if (last !== undefined && now - last < REPORT_INTERVAL_MS) return false;
    this.#reportedAt.delete(key);
    this.#reportedAt.set(key, now);
    if (this.#reportedAt.size > MAX_REMEMBERED) this.#forgetOldest();
    return true;
  }

  #forgetOldest(): void {
    for (const key of this.#reportedAt.keys()) {
      this.#reportedAt.delete(key);
      return;
    }
  }
}
