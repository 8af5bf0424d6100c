import type { UdpEndpoint } from '../../firmware/protocol/udp-path.ts';
import type { CapturedDatagram } from '../support/pcapng.ts';
import type { SeededRandom } from '../support/seeded-random.ts';

/** How badly the network behaves; probabilities 0..1, times in ms. */
export interface Weather {
  readonly loss: number;
  readonly duplicate: number;
  /** Each datagram takes between these times, on its own: a spread reorders. */
  readonly delay: readonly [number, number];
}

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** A network in virtual time: datagrams are lost, doubled and overtaken as the seed says; nothing waits for real. */
export class LossyNetwork {
  readonly #random: SeededRandom;
  readonly #hosts = new Map<string, (bytes: Uint8Array, from: UdpEndpoint, to: UdpEndpoint) => void>();
  readonly #events: Event[] = [];
  readonly captured: CapturedDatagram[] = [];
  weather: Weather;
  #now = 0;
  #order = 0;

  constructor(random: SeededRandom, weather: Weather) {
    this.#random = random;
    this.weather = weather;
  }

  /** Virtual milliseconds. */
  get now(): number {
    return this.#now;
  }

  attach(end: UdpEndpoint, receive: (bytes: Uint8Array, from: UdpEndpoint, to: UdpEndpoint) => void): void {
    this.#hosts.set(`${end.address}:${end.port}`, receive);
  }

  send(from: UdpEndpoint, to: UdpEndpoint, bytes: Uint8Array): void {
    const copies = this.#random.next() < this.weather.duplicate ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const lost = this.#random.next() < this.weather.loss;
      const comment = lost ? 'lost' : copy === 1 ? 'duplicate' : undefined;
      this.captured.push({ at: this.#now, from, to, bytes, ...(comment ? { comment } : {}) });
      if (lost) continue;
      const [least, most] = this.weather.delay;
      const delay = least + this.#random.next() * (most - least);
      this.at(this.#now + delay, () => this.#hosts.get(`${to.address}:${to.port}`)?.(bytes, from, to));
    }
  }

  at(time: number, run: () => void): void {
    const event = { at: time, order: this.#order, run };
    this.#order += 1;
    let index = this.#events.length;
    while (index > 0 && later(this.#events[index - 1], event)) index -= 1;
    this.#events.splice(index, 0, event);
  }

  /** Runs events until `done` says so or virtual time reaches `limit`. @returns whether `done` came true. */
  runUntil(limit: number, done: () => boolean): boolean {
    while (!done()) {
      const event = this.#events[0];
      if (!event || event.at > limit) {
        this.#now = limit;
        return done();
      }
      this.#events.shift();
      this.#now = Math.max(this.#now, event.at);
      event.run();
    }
    return true;
  }
}

function later(a: Event | undefined, b: Event): boolean {
  return a !== undefined && (a.at > b.at || (a.at === b.at && a.order > b.order));
}
