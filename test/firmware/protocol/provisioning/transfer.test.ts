import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BLOCK_OCTETS,
  encodeFrame,
  encodeJson,
  MAX_BUNDLE,
} from '../../../../firmware/protocol/provisioning/frames.ts';
import { Receiver, type ReceiverOutput } from '../../../../firmware/protocol/provisioning/receiver.ts';
import { Sender, type SenderOutput } from '../../../../firmware/protocol/provisioning/sender.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { frameTypes, GOOD, READY, TransferBench } from './cable.ts';

const BLOCKS = 12;
const BUNDLE = new SeededRandom(1).bytes(BLOCKS * BLOCK_OCTETS - 100);

describe('a bundle', () => {
  it('arrives as it is, block by block, and the result comes back', () => {
    const bench = new TransferBench(BUNDLE, GOOD, 1).run();
    expect(bench.bundles).toEqual([BUNDLE]);
    expect(bench.acknowledged).toBe(BUNDLE.length);
    expect(bench.result).toEqual({ ok: true, lines: ['revision 1 is in force'] });
    expect(bench.ended).toBe('free');
    expect(bench.failed).toBeUndefined();
  });

  it.each([1, BLOCK_OCTETS - 1, BLOCK_OCTETS, BLOCK_OCTETS + 1])('of %i octets arrives, too', (octets) => {
    const bundle = BUNDLE.subarray(0, octets);
    expect(new TransferBench(bundle, GOOD, 1).run().bundles).toEqual([Uint8Array.from(bundle)]);
  });

  it('that the router refuses is told in its words', () => {
    const bench = new TransferBench(BUNDLE, GOOD, 1);
    bench.answer = { ok: false, lines: ['it is for another router'] };
    expect(bench.run().result).toEqual({ ok: false, lines: ['it is for another router'] });
  });

  it('arrives over a line that loses, changes and doubles octets, or the sender says that it did not', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.constantFrom(0, 1e-4, 1e-3),
        fc.constantFrom(0, 1e-4, 1e-3),
        (seed, rate, doubled) => {
          const bench = new TransferBench(BUNDLE, { lost: rate, changed: rate, doubled }, seed).run();
          // Nothing but the whole bundle is ever handed on, and at most once.
          expect(bench.bundles.length).toBeLessThanOrEqual(1);
          for (const bundle of bench.bundles) expect(bundle).toEqual(BUNDLE);
          expect((bench.result === undefined) !== (bench.failed === undefined)).toBe(true);
          if (bench.result !== undefined) expect(bench.bundles).toHaveLength(1);
          // A frame has 500 octets: at one bad octet in 10,000 every block comes through in ten tries.
          if (rate < 1e-3 && doubled < 1e-3) expect(bench.failed).toBeUndefined();
          expect(bench.receiver).toBeUndefined();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is given up by both ends on a line that is worse than that', () => {
    const bench = new TransferBench(BUNDLE, { lost: 0.05, changed: 0.05, doubled: 0.05 }, 3).run();
    expect(bench.bundles).toEqual([]);
    expect(bench.failed).toMatch(/the cable/);
  });
});

describe('a cable that is pulled', () => {
  it.each(Array.from({ length: BLOCKS + 1 }, (_, block) => block))('after block %i leaves nothing', (block) => {
    const bench = new TransferBench(BUNDLE, GOOD, 1);
    bench.pullAfter = Math.min(BUNDLE.length, block * BLOCK_OCTETS);
    bench.run();
    expect(bench.bundles).toEqual([]);
    expect(bench.result).toBeUndefined();
    // After the last one the sender says that this was all, and cannot know whether that arrives.
    expect(bench.failed).toMatch(block < BLOCKS ? /nothing was changed: check the cable/ : /is not known: look at/);
    expect(bench.ended).toBe('the other end has fallen silent');
  });

  it('before the router has answered is told', () => {
    const bench = new TransferBench(BUNDLE, GOOD, 1);
    bench.pulled = true;
    bench.run();
    expect(bench.failed).toMatch(/does not answer: check the cable/);
  });
});

describe('the technician', () => {
  it('can break it off, and the line is free at once', () => {
    const bench = new TransferBench(BUNDLE, GOOD, 1);
    const refuses = () => 'it is for another router';
    const other = new TransferBench(BUNDLE, GOOD, 1, refuses).run();
    expect(other.failed).toBe('it is for another router');
    expect(other.ended).toBe('it was broken off');
    bench.sender.cancel();
    expect(bench.run().failed).toMatch(/broken off, and nothing was changed: send it again/);
    expect(bench.bundles).toEqual([]);
  });

  it.each([
    ['the header', 0, /pulled \(EIO\), and nothing was changed: plug it in/],
    ['the last block', 2, /pulled \(EIO\), and nothing was changed: plug it in/],
    ['that this was all', 3, /whether the router has the whole bundle is not known: look at "show history"/],
    ['all, and knows that it has come', 4, /the router has the whole bundle and goes on: look at "show history"/],
  ] as const)('is told what the router has when the cable is pulled after %s was sent', (_, acknowledged, words) => {
    const sender = new Sender(BUNDLE.subarray(0, BLOCK_OCTETS + 1), () => undefined, 0);
    sender.octets(encodeFrame('R', 0, encodeJson(READY)), 0);
    for (let sequence = 0; sequence < acknowledged; sequence += 1) sender.octets(encodeFrame('A', sequence), 0);
    polled(sender);
    sender.lost('EIO');
    const [failed, ...more] = polled(sender);
    expect(failed?.kind === 'failed' && failed.reason).toMatch(words);
    sender.cancel();
    expect([more, polled(sender)]).toEqual([[], []]);
  });
});

function polled(sender: Sender): SenderOutput[] {
  const all: SenderOutput[] = [];
  for (let output = sender.poll(); output !== undefined; output = sender.poll()) all.push(output);
  return all;
}

describe('the end of the router', () => {
  function receiver(...sent: readonly Uint8Array[]): {
    readonly machine: Receiver;
    readonly outputs: () => ReceiverOutput[];
  } {
    const machine = new Receiver(READY, 0);
    const outputs = (): ReceiverOutput[] => {
      const all: ReceiverOutput[] = [];
      for (let output = machine.poll(); output !== undefined; output = machine.poll()) all.push(output);
      return all;
    };
    outputs();
    for (const octets of sent) machine.octets(octets, 0);
    return { machine, outputs };
  }

  const header = (octets: unknown, sha256: unknown = '0'.repeat(64)) =>
    encodeFrame('H', 0, encodeJson({ octets, sha256 }));
  const types = (outputs: readonly ReceiverOutput[]) =>
    outputs.map((output) => (output.kind === 'send' ? frameTypes(output.octets) : output.kind)).join(' ');

  it.each([MAX_BUNDLE + 1, 0, -1, 1.5, '10', undefined])('refuses what is announced with %s octets', (octets) => {
    expect(types(receiver(header(octets)).outputs())).toBe('F');
  });

  it('takes no more than was announced', () => {
    expect(types(receiver(header(3), encodeFrame('D', 1, new Uint8Array(4))).outputs())).toBe('A F');
  });

  it('hands nothing on whose digest is another', () => {
    const { outputs } = receiver(header(3), encodeFrame('D', 1, new Uint8Array(3)), encodeFrame('E', 2));
    expect(types(outputs())).toBe('A A F');
  });

  it('acknowledges what comes twice, and asks for what is missing', () => {
    const block = (sequence: number) => encodeFrame('D', sequence, Uint8Array.of(1));
    expect(types(receiver(header(9), block(1), block(1), block(3)).outputs())).toBe('A A A N');
  });

  it('is ended by ^C, by silence, and by nobody', () => {
    expect(types(receiver(Uint8Array.of(3)).outputs())).toBe('end');
    expect(types(receiver(header(9), Uint8Array.of(3)).outputs())).toBe('A end');
    const all = [header(1), encodeFrame('D', 1, new Uint8Array(1)), encodeFrame('E', 2)];
    const wrong = receiver(...all);
    expect(types(wrong.outputs())).toBe('A A F');
    wrong.machine.octets(Uint8Array.of(3), 0);
    expect(wrong.outputs()).toEqual([{ kind: 'end' }]);
    const { machine, outputs } = receiver();
    for (let now = 0; now <= 30_000; now += 1000) machine.tick(now);
    expect(types(outputs())).toBe('R R R R R R R R R end');
    expect(machine.nextDeadline()).toBeUndefined();
  });

  it('takes a ^C for noise where noise makes it: within a frame', () => {
    const text = Buffer.from(encodeFrame('D', 1, Uint8Array.of(8, 32, 130))).toString('latin1');
    expect(text).toContain('C');
    const { machine, outputs } = receiver(header(3), Buffer.from(text.replace('C', '\u0003'), 'latin1'));
    machine.octets(Buffer.from(text, 'latin1'), 0);
    expect(types(outputs())).toBe('A N A');
    machine.octets(Buffer.from('what somebody has typed\u0003', 'latin1'), 0);
    expect(types(outputs())).toBe('end');
  });

  it('survives whatever a stranger sends', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (chunks) => {
        const { outputs } = receiver(header(100), ...chunks);
        expect(outputs().filter(({ kind }) => kind === 'bundle')).toEqual([]);
      }),
    );
  });
});
