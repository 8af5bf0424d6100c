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

/** A NAT with one address outside: every end behind it gets a port of its own, and another one after each reboot. */
export class PortNat {
  readonly address: string;
  #nextPort = 20_000;
  readonly #ports = new Map<string, number>();
  readonly #ends = new Map<number, UdpEndpoint>();

  /** @param address outside. */
  constructor(address: string) {
    this.address = address;
  }

  /** What the outside sees of an end behind it. Raw IP has no port to change: that of the last who sent it comes back. */
  out(inside: UdpEndpoint): UdpEndpoint {
    const key = `${inside.address}:${inside.port}`;
    const port = inside.port === 0 ? 0 : (this.#ports.get(key) ?? this.#nextPort++);
    this.#ports.set(key, port);
    this.#ends.set(port, inside);
    return { address: this.address, port };
  }

  /** Whom something from outside is for; `undefined`: nobody has that port, and it is dropped. */
  in(port: number): UdpEndpoint | undefined {
    return this.#ends.get(port);
  }

  /** It was restarted: nothing reaches anybody behind it before he sends something, from another port then. */
  remap(): void {
    this.#ports.clear();
    this.#ends.clear();
  }
}

/** A network in virtual time: datagrams are lost, doubled and overtaken as the seed says; nothing waits for real. */
export class LossyNetwork {
  readonly #random: SeededRandom;
  readonly #hosts = new Map<string, (bytes: Uint8Array, from: UdpEndpoint, to: UdpEndpoint) => void>();
  readonly #events: Event[] = [];
  readonly #behind = new Map<string, PortNat>();
  readonly #nats = new Map<string, PortNat>();
  readonly captured: CapturedDatagram[] = [];
  /** Whether {@link captured} is filled: not over days. */
  capture = true;
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

  /** Datagrams on their way and timers. */
  get pending(): number {
    return this.#events.length;
  }

  attach(end: UdpEndpoint, receive: (bytes: Uint8Array, from: UdpEndpoint, to: UdpEndpoint) => void): void {
    this.#hosts.set(`${end.address}:${end.port}`, receive);
  }

  /** Puts a NAT before everything at an address. */
  hide(address: string, nat: PortNat): void {
    this.#behind.set(address, nat);
    this.#nats.set(nat.address, nat);
  }

  send(source: UdpEndpoint, to: UdpEndpoint, bytes: Uint8Array): void {
    const from = this.#behind.get(source.address)?.out(source) ?? source;
    const copies = this.#random.next() < this.weather.duplicate ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const lost = this.#random.next() < this.weather.loss;
      const comment = lost ? 'lost' : copy === 1 ? 'duplicate' : undefined;
      if (this.capture) this.captured.push({ at: this.#now, from, to, bytes, ...(comment ? { comment } : {}) });
      if (lost) continue;
      const [least, most] = this.weather.delay;
      const delay = least + this.#random.next() * (most - least);
      this.at(this.#now + delay, () => this.#deliver(bytes, from, to));
    }
  }

  #deliver(bytes: Uint8Array, from: UdpEndpoint, to: UdpEndpoint): void {
    const nat = this.#nats.get(to.address);
    const end = nat === undefined ? to : nat.in(to.port);
    if (end !== undefined) this.#hosts.get(`${end.address}:${end.port}`)?.(bytes, from, end);
  }

  at(time: number, run: () => void): void {
    const event = { at: time, order: this.#order, run };
    this.#order += 1;
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (later(this.#events[middle], event)) high = middle;
      else low = middle + 1;
    }
    this.#events.splice(low, 0, event);
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
