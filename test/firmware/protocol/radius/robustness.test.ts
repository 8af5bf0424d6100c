import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RadiusClient } from '../../../../firmware/protocol/radius/client.ts';
import type { RadiusClientOutput } from '../../../../firmware/protocol/radius/client-types.ts';
import { CODE, readPacket } from '../../../../firmware/protocol/radius/packet.ts';
import { checkRequest } from '../../../../firmware/protocol/radius/sealing.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { accept, answer, Bench, FIRST, SECOND, SECRET, USER } from './harness.ts';

describe('a client among strangers', () => {
  it('believes nothing that does not prove itself, whatever it is, and throws nothing', () => {
    const bench = new Bench([FIRST]);
    bench.ask();
    const identifier = bench.asked[0]?.packet.identifier ?? 0;
    const codes = fc.constantFrom(2, 3, 5, 11, 1, 255);
    fc.assert(
      fc.property(codes, fc.uint8Array({ maxLength: 200 }), fc.boolean(), (code, body, fits) => {
        const octets = Uint8Array.from([code, identifier, 0, 20 + body.length, ...new Uint8Array(16), ...body]);
        const datagram = fits ? octets : octets.subarray(0, octets.length >> 1);
        bench.run((client, now) => client.receive(now, { address: FIRST, port: 1812 }, datagram));
        expect(bench.told).toEqual([]);
      }),
    );
  });

  it('believes no answer of which a single bit was changed on the way', () => {
    const bench = new Bench([FIRST]);
    bench.ask();
    const [asked] = bench.asked;
    const good = asked ? accept([{ name: 'framedIpAddress', value: '10.98.0.7' }])(asked) : new Uint8Array();
    for (let bit = 0; bit < good.length * 8; bit += 1) {
      const changed = new Uint8Array(good);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      bench.run((client, now) => client.receive(now, { address: FIRST, port: 1812 }, changed));
    }
    expect(bench.told).toEqual([]);
    bench.run((client, now) => client.receive(now, { address: FIRST, port: 1812 }, good));
    expect(bench.told.map(({ kind }) => kind)).toEqual(['answer']);
  });

  it('does not believe the answer to another question, though the same server gave it', () => {
    const bench = new Bench([FIRST]);
    bench.ask();
    bench.ask();
    const [first, second] = bench.asked;
    if (!first || !second) throw new Error('two questions were to be asked');
    const { identifier } = second.packet;
    const replayed = answer({ packet: { ...first.packet, identifier } }, CODE.accessAccept, []);
    bench.run((client, now) => client.receive(now, first.remote, replayed));
    expect(bench.told).toEqual([]);
  });
});

describe('a client over a network that loses', () => {
  it('gives each question one end, and each record to a server at least once', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 90 }), (seed, loss) => {
        const network = new LossyBench(seed, loss);
        network.run(40, 600_000);
        expect(network.ends.length).toBe(40);
        expect(new Set(network.ends).size).toBe(40);
        if (loss < 50) expect(network.client.recordsLeft).toBe(0);
      }),
      { numRuns: 25 },
    );
  });
});

/** Two servers, and a network that loses so many datagrams of a hundred either way, and repeats some. */
class LossyBench {
  readonly client: RadiusClient;
  /** Numbers of the questions that were answered or failed. */
  readonly ends: number[] = [];
  readonly #random: SeededRandom;
  readonly #loss: number;
  #now = 0;

  constructor(seed: number, loss: number) {
    this.#random = new SeededRandom(seed);
    this.#loss = loss;
    const one = { port: 1812, accountingPort: 1813, secret: SECRET, timeoutMs: 1000, tries: 3 };
    const servers = [FIRST, SECOND].map((host) => ({ ...one, host }));
    this.client = new RadiusClient({ servers, requireMessageAuthenticator: true, deadMs: 30_000 }, this.#random);
  }

  run(questions: number, ms: number): void {
    for (let count = 0; count < questions; count += 1) {
      this.client.ask(this.#now, USER);
      this.client.account(this.#now, { event: 'start', session: `s${count}`, attributes: [] });
      this.#drain();
    }
    for (let next = this.client.nextDeadline(); next !== undefined && next < ms; next = this.client.nextDeadline()) {
      this.#now = Math.max(this.#now, next);
      this.client.tick(this.#now);
      this.#drain();
    }
  }

  #drain(): void {
    for (let output = this.client.poll(); output; output = this.client.poll()) this.#handle(output);
  }

  #handle(output: RadiusClientOutput): void {
    if (output.kind === 'answer' || output.kind === 'failed') this.ends.push(output.question);
    if (output.kind !== 'send' || this.#lost()) return;
    const packet = readPacket(output.datagram);
    if (!checkRequest(packet, SECRET)) throw new Error('a request that proves nothing');
    const code = packet.code === CODE.accessRequest ? CODE.accessAccept : CODE.accountingResponse;
    const response = answer({ packet }, code, []);
    for (let copies = this.#random.int(3); copies >= 0; copies -= 1) {
      if (!this.#lost()) this.client.receive(this.#now, output.remote, response);
    }
  }

  #lost(): boolean {
    return this.#random.int(100) < this.#loss;
  }
}
