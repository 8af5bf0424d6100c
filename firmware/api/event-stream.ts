/** Events, log lines and counters as server-sent events (WHATWG HTML, section 9.2): one `data:` line of JSON per event. */
import { randomBytes } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import type { Clock, Timer } from '../../hal/clock.ts';
import { countersEvent } from './counters-event.ts';
import { EventHistory, type NumberedEvent } from './event-history.ts';
import { EventReader } from './event-reader.ts';
import { EVENT_TOPICS, type EventTopic } from './event-schemas.ts';
import { sendProblem } from './problem.ts';
import type { RouterControl, StreamNotice } from './router-control.ts';

/** Readers at a time: the web UI's pages and a few waiting commands. */
export const MAX_EVENT_READERS = 32;

/** Between two looks at the counters, ms. */
export const COUNTERS_MS = 5_000;

/** Between two signs of life, ms: what stands between may close a connection that is silent for half a minute. */
export const HEARTBEAT_MS = 15_000;

const GAP: StreamNotice = {
  detail: 'it cannot be told what happened since the last event that was read',
  remedy: 'ask for the status: it has the state of everything',
};

export interface EventsRequest {
  readonly topics: ReadonlySet<EventTopic>;
  /** Of the last event that the reader has, where it was here before. */
  readonly lastEventId?: string;
}

/** The topics that a query names, `state` without one. @param query as `eventsQuery` has it. */
export function topicsOf(query: string | undefined): ReadonlySet<EventTopic> {
  const names = query?.split(',') ?? ['state'];
  return new Set(EVENT_TOPICS.filter((topic) => names.includes(topic)));
}

/** One per API. */
export class EventStreams {
  readonly #control: RouterControl;
  readonly #clock: Clock;
  readonly #history = new EventHistory(randomBytes(4).toString('hex'));
  readonly #forget: () => void;
  /** Those that are told something. */
  readonly #readers = new Set<EventReader>();
  /** Connections, those included that are only given time to read the end. */
  #open = 0;
  #heartbeat: Timer | undefined;
  #counters: Timer | undefined;

  constructor(control: RouterControl, clock: Clock) {
    this.#control = control;
    this.#clock = clock;
    this.#forget = control.onEvent((event) => {
      const numbered = this.#history.add(event);
      for (const reader of this.#readers) if (reader.topics.has('state')) tellState(reader, numbered);
    });
  }

  /** How many are told something. */
  get readers(): number {
    return this.#readers.size;
  }

  /** Nobody is told anything more. The connections are the server's to close. */
  close(): void {
    this.#forget();
    for (const reader of [...this.#readers]) reader.end();
  }

  /** Answers a request with the stream; it ends when the reader goes, falls behind, or the server closes. */
  open(reply: FastifyReply, { topics, lastEventId }: EventsRequest): FastifyReply {
    if (this.#open >= MAX_EVENT_READERS)
      return sendProblem(reply, {
        status: 503,
        detail: `${MAX_EVENT_READERS} clients read the events already`,
        remedy: 'close one of them',
      });
    reply.hijack();
    this.#open++;
    const reader = new EventReader(reply.raw, topics, this.#clock, () => this.#open--);
    this.#readers.add(reader);
    reader.onEnd(() => {
      this.#readers.delete(reader);
      this.#rest();
    });
    if (topics.has('log')) reader.onEnd(this.#control.onLog((line) => reader.tell('log', line)));
    if (topics.has('state') && lastEventId !== undefined) this.#resume(reader, lastEventId);
    // Tells the reader that from here on it misses nothing.
    reader.comment('subscribed');
    this.#heartbeat ??= this.#nextHeartbeat();
    if (topics.has('counters')) void this.#look(reader);
    return reply;
  }

  #resume(reader: EventReader, id: string): void {
    const missed = this.#history.since(id);
    if (missed === undefined) reader.tell('gap', JSON.stringify(GAP));
    for (const numbered of missed ?? []) tellState(reader, numbered);
  }

  #nextHeartbeat(): Timer {
    return this.#clock.setTimer(this.#clock.now() + HEARTBEAT_MS, () => {
      for (const reader of this.#readers) reader.comment('alive');
      this.#heartbeat = this.#readers.size === 0 ? undefined : this.#nextHeartbeat();
    });
  }

  get #counting(): readonly EventReader[] {
    return [...this.#readers].filter(({ topics }) => topics.has('counters'));
  }

  /** Tells one reader at once, or all that want to know; the next time is as long after the answer as after the question. */
  async #look(only?: EventReader): Promise<void> {
    const status = await this.#control.status().catch(() => undefined);
    if (status !== undefined) {
      const data = JSON.stringify(countersEvent(status, this.#clock.wall()));
      // Who is behind is told newer ones later.
      for (const reader of only === undefined ? this.#counting : [only])
        if (!reader.behind) reader.tell('counters', data);
    }
    if (this.#counting.length > 0) this.#counters ??= this.#nextLook();
  }

  #nextLook(): Timer {
    return this.#clock.setTimer(this.#clock.now() + COUNTERS_MS, () => {
      this.#counters = undefined;
      void this.#look();
    });
  }

  /** Without readers no timer runs. */
  #rest(): void {
    if (this.#readers.size === 0) {
      this.#heartbeat?.cancel();
      this.#heartbeat = undefined;
    }
    if (this.#counting.length === 0) {
      this.#counters?.cancel();
      this.#counters = undefined;
    }
  }
}

function tellState(reader: EventReader, { id, event }: NumberedEvent): void {
  reader.tell('state', JSON.stringify(event), id);
}
