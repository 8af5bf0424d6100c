/** One reader of the event stream, and how far it is behind. */
import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../hal/clock.ts';
import type { EventTopic } from './event-schemas.ts';
import { EVENT_STREAM_TYPE } from './media-types.ts';
import type { StreamNotice } from './router-control.ts';

/** Octets that may wait for a reader beyond the kernel's buffer. A reader that is further behind is cut off. */
export const MAX_EVENT_BACKLOG = 256 * 1024;

/** Octets that wait now and then for a reader that keeps up. */
const SOME_BACKLOG = 16 * 1024;

/** How long a reader that is cut off has to read what waits for it, ms: the reason is at its end. */
export const LAST_WORDS_MS = 10_000;

/** When a client tries again after the stream broke, ms. */
const RETRY_MS = 2_000;

export class EventReader {
  readonly topics: ReadonlySet<EventTopic>;
  readonly #response: ServerResponse;
  readonly #clock: Pick<Clock, 'now' | 'setTimer'>;
  readonly #onEnd: (() => void)[] = [];
  #ended = false;
  #lastWords: Timer | undefined;

  constructor(
    response: ServerResponse,
    topics: ReadonlySet<EventTopic>,
    clock: Pick<Clock, 'now' | 'setTimer'>,
    onClose: () => void,
  ) {
    this.topics = topics;
    this.#response = response;
    this.#clock = clock;
    response.once('close', () => {
      this.#lastWords?.cancel();
      this.end();
      onClose();
    });
    response.on('error', () => response.destroy());
    response.writeHead(200, { 'content-type': EVENT_STREAM_TYPE, 'cache-control': 'no-store' });
    response.write(`retry: ${RETRY_MS}\n\n`);
  }

  /** Much waits for it already: what is told again in a moment need not be told now. */
  get behind(): boolean {
    return this.#response.writableLength > SOME_BACKLOG;
  }

  /** Called once, when nothing more is told. */
  onEnd(listener: () => void): void {
    if (this.#ended) listener();
    else this.#onEnd.push(listener);
  }

  /** @param data JSON without line feeds. */
  tell(event: string, data: string, id?: string): void {
    this.#write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`);
  }

  comment(text: string): void {
    this.#write(`: ${text}\n\n`);
  }

  /** Tells nothing any more. */
  end(): void {
    this.#ended = true;
    for (const listener of this.#onEnd.splice(0)) listener();
  }

  #write(frame: string): void {
    if (this.#ended || this.#response.destroyed) return;
    this.#response.write(frame);
    const octets = this.#response.writableLength;
    if (octets <= MAX_EVENT_BACKLOG) return;
    const notice: StreamNotice = {
      detail: `the reader is ${octets} octets behind, of ${MAX_EVENT_BACKLOG} at most`,
      remedy: 'read faster, or listen to fewer topics, and open the stream again with the last id',
    };
    this.end();
    this.#response.end(`event: end\ndata: ${JSON.stringify(notice)}\n\n`);
    this.#lastWords = this.#clock.setTimer(this.#clock.now() + LAST_WORDS_MS, () => this.#response.destroy());
  }
}
