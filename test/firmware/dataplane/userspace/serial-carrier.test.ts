import { describe, expect, it } from 'vitest';
import {
  AsyncFrameDecoder,
  AsyncFrameEncoder,
  longestCoding,
} from '../../../../firmware/protocol/hdlc/async-framing.ts';
import type { SimulatedLineEnd } from '../../../../hal/simulated/octet-line.ts';
import { LINE, LinesBench, SESSION } from './lines-bench.ts';
import { ipv4Packet } from './packets.ts';

const PACKET = ipv4Packet({
  source: '10.99.0.1',
  destination: '203.0.113.5',
  payload: Uint8Array.of(0, 0x11, 0x7e, 0x7d),
});
const ANSWER = ipv4Packet({ source: '203.0.113.5', destination: '10.99.0.1' });
const LCP = Uint8Array.of(0xc0, 0x21, 1, 9, 0, 4);

class SerialBench extends LinesBench {
  readonly far: SimulatedLineEnd;
  readonly #near: SimulatedLineEnd;
  readonly frames: Uint8Array[] = [];
  readonly raw: number[] = [];
  readonly #decoder = new AsyncFrameDecoder(2000, (buffer, length) => this.frames.push(buffer.slice(0, length)));

  constructor(room?: number) {
    super();
    [this.#near, this.far] = this.lines.pair(room);
    this.#decoder.accm = 0;
  }

  async start(peerAccm?: number): Promise<this> {
    const carrier = { kind: 'serial', descriptor: this.#near.handle } as const;
    await this.open(carrier, peerAccm === undefined ? {} : { peerAccm });
    return this;
  }

  get near(): SimulatedLineEnd {
    return this.#near;
  }

  /** The far end takes what is there. */
  take(): void {
    const into = new Uint8Array(4096);
    for (let length = this.far.read(into); length > 0; length = this.far.read(into)) {
      this.raw.push(...into.subarray(0, length));
      this.#decoder.push(into, 0, length);
    }
  }

  /** Until nothing moves any more. */
  async exchange(): Promise<void> {
    for (let seen = -1; seen !== this.raw.length; ) {
      seen = this.raw.length;
      await this.settle();
      this.take();
    }
  }

  say(ppp: Uint8Array): void {
    const coded = new Uint8Array(longestCoding(ppp.length));
    const encoder = new AsyncFrameEncoder();
    encoder.accm = 0;
    this.far.write(coded.subarray(0, encoder.write(ppp, 0, ppp.length, coded, 0)));
  }
}

describe('PPP on a serial line', () => {
  it('codes packets, with every control character escaped until the peer asks for less', async () => {
    const bench = await new SerialBench().start();
    bench.tun.inject(PACKET);
    await bench.exchange();
    expect(bench.frames).toEqual([Uint8Array.of(0xff, 0x03, 0x00, 0x21, ...PACKET)]);
    expect(bench.raw.filter((octet) => octet < 0x20)).toEqual([]);
    const relaxed = await new SerialBench().start(0);
    relaxed.tun.inject(PACKET);
    await relaxed.exchange();
    expect(relaxed.frames).toEqual(bench.frames);
    expect(relaxed.raw.length).toBeLessThan(bench.raw.length - 5);
  });

  it('takes packets and control frames, the latter to the control plane', async () => {
    const bench = await new SerialBench().start(0);
    bench.say(Uint8Array.of(0xff, 0x03, ...LCP));
    bench.say(Uint8Array.of(0x21, ...ANSWER));
    await bench.settle();
    expect(bench.tun.taken()).toEqual([ANSWER]);
    expect(bench.events).toEqual([{ kind: 'ppp-frame', session: SESSION, frame: LCP }]);
  });

  it('drops a damaged frame alone', async () => {
    const bench = await new SerialBench().start(0);
    let damaged = false;
    bench.near.garble = (octet) => {
      if (damaged || octet !== ANSWER[12]) return octet;
      damaged = true;
      return octet ^ 1;
    };
    bench.say(Uint8Array.of(0x21, ...ANSWER));
    bench.say(Uint8Array.of(0x21, ...ANSWER));
    await bench.settle();
    expect(bench.tun.taken()).toEqual([ANSWER]);
  });

  it('keeps what a slow line does not take at once, whole and in order', async () => {
    const bench = await new SerialBench(100).start(0);
    const packets = Array.from({ length: 20 }, (_, index) =>
      ipv4Packet({ source: '10.99.0.1', destination: '203.0.113.5', payload: new Uint8Array(90).fill(index + 0x30) }),
    );
    for (const packet of packets) bench.tun.inject(packet);
    await bench.exchange();
    expect(bench.frames.map((ppp) => ppp.subarray(4))).toEqual(packets);
    expect(await bench.drops()).toEqual({});
  });

  it('drops user packets at the end of a full queue, and no control frame, which goes first', async () => {
    const bench = await new SerialBench(100).start(0);
    const big = ipv4Packet({
      source: '10.99.0.1',
      destination: '203.0.113.5',
      payload: new Uint8Array(1400).fill(0x41),
    });
    for (let count = 0; count < 100; count += 1) bench.tun.inject(big);
    await bench.settle();
    bench.dataPlane.sendPppFrame(SESSION, LCP);
    const { sendFailed = 0 } = await bench.drops();
    expect(sendFailed).toBeGreaterThan(40);
    expect(sendFailed).toBeLessThan(60);
    await bench.exchange();
    expect(bench.frames).toHaveLength(101 - sendFailed);
    // Behind the one that the line had begun to take.
    expect(bench.frames[1]).toEqual(Uint8Array.of(0xff, 0x03, ...LCP));
  });

  it('gives a line up that takes nothing while control frames pile up', async () => {
    const bench = await new SerialBench(100).start(0);
    const echo = new Uint8Array(1500).fill(0x41);
    for (let count = 0; count < 300; count += 1) bench.dataPlane.sendPppFrame(SESSION, echo);
    await bench.settle();
    expect(bench.events).toEqual([{ kind: 'carrier-lost', line: LINE, reason: 'the line takes nothing any more' }]);
  });

  it('says that it was hung up, once, whether it reads or writes', async () => {
    const reading = await new SerialBench().start(0);
    reading.far.hangUp();
    await reading.settle();
    await reading.settle();
    expect(reading.events).toEqual([
      { kind: 'carrier-lost', line: LINE, reason: 'the line was unplugged or hung up (EIO)' },
    ]);
    const writing = await new SerialBench().start(0);
    writing.far.hangUp();
    writing.dataPlane.sendPppFrame(SESSION, LCP);
    writing.dataPlane.sendPppFrame(SESSION, LCP);
    await writing.settle();
    expect(writing.events.map(({ kind }) => kind)).toEqual(['carrier-lost']);
  });

  it('hears that the modem has ended the call', async () => {
    const bench = await new SerialBench().start(0);
    bench.say(Uint8Array.of(0x21, ...ANSWER));
    bench.far.write(Buffer.from('\r\nNO CARRIER\r\n'));
    await bench.settle();
    expect(bench.tun.taken()).toEqual([ANSWER]);
    expect(bench.events).toEqual([
      { kind: 'carrier-lost', line: LINE, reason: 'the modem says NO CARRIER: the call has ended' },
    ]);
  });

  it('lets go of the line when it is closed', async () => {
    const bench = await new SerialBench().start(0);
    await bench.dataPlane.closeLine(LINE);
    bench.say(Uint8Array.of(0x21, ...ANSWER));
    await bench.settle();
    expect(bench.tun.taken()).toEqual([]);
    expect(bench.near.read(new Uint8Array(100))).toBeGreaterThan(0);
  });
});
