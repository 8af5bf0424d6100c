/** The last events of the router with their numbers, for readers that were away for a moment. */
import type { RouterEvent } from './router-control.ts';

/** Events kept: an attempt of each of some ten connections, step by step. At some 200 octets each they cost 50 KB. */
export const EVENTS_KEPT = 256;

export interface NumberedEvent {
  readonly id: string;
  readonly event: RouterEvent;
}

export class EventHistory {
  /** Of this run of the router: numbers begin anew in the next one. */
  readonly #run: string;
  readonly #events: NumberedEvent[] = [];
  #next = 1;

  /** @param run letters and digits, another one at each start. */
  constructor(run: string) {
    this.#run = run;
  }

  /** Gives the event its number; the oldest one goes. */
  add(event: RouterEvent): NumberedEvent {
    const numbered = { id: `${this.#run}-${this.#next++}`, event };
    this.#events.push(numbered);
    if (this.#events.length > EVENTS_KEPT) this.#events.shift();
    return numbered;
  }

  /** What came after an event, oldest first; `undefined` when that cannot be told. @param id as a stranger sends it. */
  since(id: string): readonly NumberedEvent[] | undefined {
    const [, run, digits] = /^([0-9a-z]+)-([0-9]{1,15})$/.exec(id) ?? [];
    if (run !== this.#run || digits === undefined) return undefined;
    const missed = this.#next - 1 - Number(digits);
    if (missed < 0 || missed > this.#events.length) return undefined;
    return missed === 0 ? [] : this.#events.slice(-missed);
  }
}
