/** Router events as server-sent events (WHATWG HTML, section 9.2): one `data:` line of JSON per event. */
import type { FastifyReply } from 'fastify';
import { sendProblem } from './problem.ts';
import type { RouterControl, RouterEvent } from './router-control.ts';

/** Readers at a time: the web UI's pages and a few waiting commands. */
export const MAX_EVENT_READERS = 32;

/** Octets that may wait for a reader beyond the kernel's buffer. A reader that is further behind is cut off. */
export const MAX_EVENT_BACKLOG = 256 * 1024;

/** One per API. */
export class EventStreams {
  readonly #control: RouterControl;
  #readers = 0;

  constructor(control: RouterControl) {
    this.#control = control;
  }

  /** Answers a request with the stream; it ends when the reader goes, falls behind, or the server closes. */
  open(reply: FastifyReply): FastifyReply {
    if (this.#readers >= MAX_EVENT_READERS)
      return sendProblem(reply, {
        status: 503,
        detail: `${MAX_EVENT_READERS} clients read the events already`,
        remedy: 'close one of them',
      });
    reply.hijack();
    const response = reply.raw;
    this.#readers++;
    const unsubscribe = this.#control.onEvent((event) => {
      if (response.destroyed) return;
      response.write(frame(event));
      if (response.writableLength > MAX_EVENT_BACKLOG) response.destroy();
    });
    response.once('close', () => {
      this.#readers--;
      unsubscribe();
    });
    response.on('error', () => response.destroy());
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    // A comment: tells the reader that from here on it misses nothing.
    response.write(': subscribed\n\n');
    return reply;
  }
}

function frame(event: RouterEvent): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}
