/** Control messages of one end of a tunnel in a capture that are not acknowledged yet (RFC 2661 section 5.8). */

/** Messages that wait at a time; windows are far smaller. */
const MAX_WAITING = 64;
/** Not acknowledged for so long, or sent so often, a message is lost: ms, times. */
const LOST_MS = 3000;
const LOST_TIMES = 3;

interface Sent {
  readonly name: string;
  readonly first: number;
  times: number;
}

export class Outstanding {
  /** By Ns. */
  readonly #waiting = new Map<number, Sent>();
  #lastAcknowledged: number | undefined;
  #lastSent = 0;

  sent(name: string, ns: number, time: number): void {
    this.#lastSent = time;
    const known = this.#waiting.get(ns);
    if (known !== undefined && known.name === name) known.times += 1;
    else if (this.#waiting.size < MAX_WAITING) this.#waiting.set(ns, { name, first: time, times: 1 });
  }

  /** Everything before this Nr, which is a serial number. */
  acknowledge(nr: number): void {
    for (const [ns, { first }] of this.#waiting) {
      const ahead = (nr - ns) & 0xffff;
      if (ahead === 0 || ahead >= 0x8000) continue;
      this.#waiting.delete(ns);
      this.#lastAcknowledged = first;
    }
  }

  has(name: string): boolean {
    return [...this.#waiting.values()].some((sent) => sent.name === name);
  }

  /** The first message that never was acknowledged, although there was time for it. */
  lost(now: number): Sent | undefined {
    return [...this.#waiting.values()].find(({ first, times }) => times >= LOST_TIMES || now - first >= LOST_MS);
  }

  /** Whether the last message was acknowledged long enough ago for an answer to be missing. */
  acknowledgedSince(now: number): boolean {
    return this.#waiting.size === 0 && this.#lastAcknowledged !== undefined && now - this.#lastAcknowledged >= LOST_MS;
  }

  /** Since the last message, whole seconds. */
  seconds(now: number): number {
    return Math.max(1, Math.round((now - this.#lastSent) / 1000));
  }
}
