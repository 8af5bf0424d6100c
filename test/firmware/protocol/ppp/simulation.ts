/** Two PPP machines, or one and a scripted peer, on a wire in memory with a clock that the test turns. */
import type { Failure, Instant, RandomSource } from '../../../../firmware/protocol/machine.ts';
import { PppLink } from '../../../../firmware/protocol/ppp/link.ts';
import type { PppLinkOptions, PppOutput } from '../../../../firmware/protocol/ppp/link-types.ts';
import { type ConfigurationOption, decodeOptions, encodeOptions } from '../../../../firmware/protocol/ppp/options.ts';
import { type ControlPacket, decodePacket, encodeFrame } from '../../../../firmware/protocol/ppp/packet.ts';
import { protocolName } from '../../../../firmware/protocol/ppp/protocol-numbers.ts';
import type { ProxiedStart } from '../../../../firmware/protocol/ppp/proxied-start.ts';

/** A seeded generator (mulberry32): the same seed, the same run. */
export class TestRandom implements RandomSource {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In 0..1, without 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.next() * 256));
  }
}

/** A packet on the wire, its protocol known. */
export interface Sighting {
  readonly protocol: number;
  readonly packet: ControlPacket;
}

export function parseFrame(frame: Uint8Array): Sighting {
  return { protocol: ((frame[0] ?? 0) << 8) | (frame[1] ?? 0), packet: decodePacket(frame.subarray(2)) };
}

/** What happens to a frame: passed on after so many ms, or lost. */
export type Wire = (frame: Uint8Array, from: 'a' | 'b') => number | 'lost';

export const PERFECT: Wire = () => 1;

/** A link and all it ever said. */
export class Station {
  readonly link: PppLink;
  readonly events: Exclude<PppOutput, { kind: 'send' | 'trace' }>[] = [];
  readonly traces: string[] = [];
  readonly sent: Sighting[] = [];

  constructor(options: PppLinkOptions, random: RandomSource) {
    this.link = new PppLink(options, random);
  }

  /** Takes what the machine wants done. @returns the frames for the wire. */
  drain(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (let output = this.link.poll(); output !== undefined; output = this.link.poll()) {
      if (output.kind === 'send') {
        frames.push(output.frame);
        this.sent.push(parseFrame(output.frame));
      } else if (output.kind === 'trace') {
        this.traces.push(`${output.direction} ${output.protocol} ${output.message}`);
      } else {
        this.events.push(output);
      }
    }
    return frames;
  }

  get failure(): Failure | undefined {
    return this.events.find((event) => event.kind === 'down')?.failure;
  }

  get isDone(): boolean {
    return this.failure !== undefined;
  }

  get isOpen(): boolean {
    return this.link.view.phase === 'open';
  }

  /** `phase establish`, `link-up`, `authenticated we` ...: the order of things. */
  get story(): string[] {
    return this.events.map((event) => {
      if (event.kind === 'phase') return `phase ${event.phase}`;
      return event.kind === 'authenticated' ? `authenticated ${event.who}` : event.kind;
    });
  }

  sentOf(protocol: number, code: number): ControlPacket[] {
    return this.sent.filter((s) => s.protocol === protocol && s.packet.code === code).map((s) => s.packet);
  }

  eventsOf<Kind extends PppOutput['kind']>(kind: Kind): Extract<PppOutput, { kind: Kind }>[] {
    return this.events.filter((event): event is Extract<PppOutput, { kind: Kind }> & typeof event => {
      return event.kind === kind;
    });
  }
}

/** Two links on a wire. */
export class Pair {
  readonly a: Station;
  readonly b: Station;
  now: Instant = 0;
  wire: Wire;
  readonly #flying: { at: Instant; order: number; to: Station; frame: Uint8Array }[] = [];
  #order = 0;

  constructor(a: PppLinkOptions, b: PppLinkOptions, wire: Wire = PERFECT, seed = 1) {
    this.a = new Station(a, new TestRandom(seed));
    this.b = new Station(b, new TestRandom(seed + 1_000_003));
    this.wire = wire;
  }

  start(): this {
    this.a.link.start(this.now);
    this.b.link.start(this.now);
    return this;
  }

  /** Turns the clock to `until`, or to the moment when `stop` holds. */
  run(until: Instant, stop: () => boolean = () => false): this {
    for (;;) {
      this.#launch(this.a, this.b, 'a');
      this.#launch(this.b, this.a, 'b');
      if (stop()) return this;
      const next = Math.min(
        this.#flying[0]?.at ?? Number.POSITIVE_INFINITY,
        this.a.link.nextDeadline() ?? Number.POSITIVE_INFINITY,
        this.b.link.nextDeadline() ?? Number.POSITIVE_INFINITY,
      );
      if (next > until) {
        this.now = until;
        return this;
      }
      this.now = Math.max(this.now, next);
      while ((this.#flying[0]?.at ?? Number.POSITIVE_INFINITY) <= this.now) {
        const arriving = this.#flying.shift();
        arriving?.to.link.receive(this.now, arriving.frame);
      }
      this.a.link.tick(this.now);
      this.b.link.tick(this.now);
    }
  }

  #launch(from: Station, to: Station, name: 'a' | 'b'): void {
    for (const frame of from.drain()) {
      const fate = this.wire(frame, name);
      if (fate === 'lost') continue;
      this.#order += 1;
      this.#flying.push({ at: this.now + fate, order: this.#order, to, frame });
    }
    this.#flying.sort((x, y) => x.at - y.at || x.order - y.order);
  }
}

/** One link, and a peer that the test plays by hand. */
export class Solo extends Station {
  now: Instant = 0;
  #seen = 0;

  constructor(options: PppLinkOptions, seed = 1) {
    super(options, new TestRandom(seed));
  }

  begin(proxied?: ProxiedStart): this {
    this.link.start(this.now, proxied);
    this.drain();
    return this;
  }

  /** The peer says something. */
  hear(protocol: number, code: number, identifier: number, data: Uint8Array | readonly number[] = []): this {
    return this.hearFrame(encodeFrame(protocol, { code, identifier, data: Uint8Array.from(data) }));
  }

  hearOptions(protocol: number, code: number, identifier: number, options: readonly ConfigurationOption[]): this {
    return this.hear(protocol, code, identifier, encodeOptions(options));
  }

  hearFrame(frame: Uint8Array): this {
    this.link.receive(this.now, frame);
    this.drain();
    return this;
  }

  /** Time goes by with nobody speaking. */
  wait(ms: number): this {
    const until = this.now + ms;
    for (;;) {
      const next = this.link.nextDeadline();
      if (next === undefined || next > until) break;
      this.now = Math.max(this.now, next);
      this.link.tick(this.now);
      this.drain();
    }
    this.now = until;
    return this;
  }

  /** What was sent since this was last asked. */
  news(): Sighting[] {
    const news = this.sent.slice(this.#seen);
    this.#seen = this.sent.length;
    return news;
  }

  /** The same in short: `LCP 1`, `CHAP 2` ... */
  newsInShort(): string[] {
    return this.news().map(({ protocol, packet }) => `${protocolName(protocol)} ${packet.code}`);
  }

  /** The last packet of a protocol and code. */
  last(protocol: number, code: number): ControlPacket {
    const packet = this.sentOf(protocol, code).at(-1);
    if (packet === undefined) throw new Error(`no ${protocolName(protocol)} packet with code ${code} was sent`);
    return packet;
  }

  lastOptions(protocol: number, code: number): ConfigurationOption[] {
    return decodeOptions(this.last(protocol, code).data);
  }

  /** The peer acknowledges our last Configure-Request. */
  hearAck(protocol: number): this {
    const { identifier, data } = this.last(protocol, 1);
    return this.hear(protocol, 2, identifier, data);
  }
}

export function option(type: number, ...data: readonly number[]): ConfigurationOption {
  return { type, data: Uint8Array.from(data) };
}
