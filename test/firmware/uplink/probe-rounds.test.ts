import { describe, expect, it } from 'vitest';
import { ProbeRounds, type RoundOutput, type RoundTarget } from '../../../firmware/uplink/probe-rounds.ts';

const TARGETS: readonly RoundTarget[] = ['192.0.2.1', '192.0.2.2'].map((address) => ({
  target: { kind: 'icmp', address },
  text: `icmp ${address}`,
}));

/** Asks, and has each target answer after its time; `undefined`: never. */
class Round {
  now = 0;
  readonly rounds: ProbeRounds;
  readonly log: { readonly at: number; readonly output: RoundOutput }[] = [];
  readonly delays: Record<string, number | undefined>;
  #answers: { readonly id: number; readonly at: number }[] = [];

  constructor(delays: Record<string, number | undefined>, targets = TARGETS) {
    this.delays = delays;
    this.rounds = new ProbeRounds({ targets, intervalMs: 500, timeoutMs: 1000, fall: 3 }, 0);
  }

  run(until: number): this {
    for (; this.now <= until; this.now += 10) {
      for (const { id } of this.#answers.filter(({ at }) => at <= this.now)) this.rounds.answered(this.now, id);
      this.#answers = this.#answers.filter(({ at }) => at > this.now);
      if ((this.rounds.nextDeadline() ?? 0) <= this.now) this.rounds.tick(this.now);
      for (let output = this.rounds.poll(); output !== undefined; output = this.rounds.poll()) {
        this.log.push({ at: this.now, output });
        if (output.kind !== 'ask') continue;
        const delay = this.delays[output.target.address];
        if (delay !== undefined) this.#answers.push({ id: output.id, at: this.now + delay });
      }
    }
    return this;
  }

  results(kind: 'answered' | 'lost', text?: string): readonly { readonly at: number; readonly output: RoundOutput }[] {
    return this.log.filter(({ output }) => output.kind === kind && (text === undefined || output.text === text));
  }

  asked(address: string, from = 0): number {
    return this.log.filter(({ at, output }) => at >= from && output.kind === 'ask' && output.target.address === address)
      .length;
  }
}

describe('rounds of probes', () => {
  it('ask at once, then in turn, and tell how long each took', () => {
    const round = new Round({ '192.0.2.1': 20, '192.0.2.2': 40 }).run(5_000);
    expect(round.asked('192.0.2.1') + round.asked('192.0.2.2')).toBe(11);
    expect(Math.abs(round.asked('192.0.2.1') - round.asked('192.0.2.2'))).toBeLessThan(2);
    expect(round.results('lost')).toEqual([]);
    expect(round.results('answered', 'icmp 192.0.2.2')[0]?.output).toMatchObject({ ms: 40 });
  });

  it('of a link that falls silent tell three losses within three seconds', () => {
    const round = new Round({ '192.0.2.1': 20, '192.0.2.2': 20 }).run(10_000);
    const [first, second] = Object.keys(round.delays);
    round.delays[first ?? ''] = undefined;
    round.delays[second ?? ''] = undefined;
    round.run(13_000);
    expect(round.results('lost').length).toBeGreaterThanOrEqual(3);
  });

  it('do not count a target that is silent alone, ask it seldom, and notice that it answers again', () => {
    const round = new Round({ '192.0.2.1': 20, '192.0.2.2': undefined }).run(20_000);
    expect(round.results('lost')).toHaveLength(3);
    expect(round.rounds.silentTargets).toEqual(['icmp 192.0.2.2']);
    const before = round.asked('192.0.2.2');
    round.run(40_000);
    expect(round.asked('192.0.2.2') - before).toBeLessThanOrEqual(5);
    round.delays['192.0.2.2'] = 20;
    round.run(60_000);
    expect(round.rounds.silentTargets).toEqual([]);
  });

  it('find a dead link as soon with one silent target as without', () => {
    const round = new Round({ '192.0.2.1': 20, '192.0.2.2': undefined }).run(20_000);
    const lost = round.results('lost').length;
    round.delays['192.0.2.1'] = undefined;
    round.run(23_500);
    expect(round.results('lost').length - lost).toBeGreaterThanOrEqual(3);
  });

  it('take no answer that comes too late, and none twice', () => {
    const round = new Round({ '192.0.2.1': 1500, '192.0.2.2': 1500 }).run(10_000);
    expect(round.results('answered')).toEqual([]);
    expect(round.results('lost').length).toBeGreaterThan(10);
  });

  it('ask less often when they are told so, and at once more often again', () => {
    const round = new Round({ '192.0.2.1': 20, '192.0.2.2': 20 }).run(2_000);
    round.rounds.setInterval(round.now, 15_000);
    const before = round.log.filter(({ output }) => output.kind === 'ask').length;
    round.run(32_000);
    expect(round.log.filter(({ output }) => output.kind === 'ask').length - before).toBe(2);
    round.rounds.setInterval(round.now, 500);
    const from = round.now;
    round.run(from + 1_000);
    expect(round.asked('192.0.2.1', from) + round.asked('192.0.2.2', from)).toBeGreaterThanOrEqual(2);
  });
});
