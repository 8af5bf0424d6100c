import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CounterSums } from '../../../firmware/monitoring/counter-sums.ts';
import { type MetricFamily, writeExposition } from '../../../firmware/monitoring/exposition.ts';
import { LoopDelay } from '../../../firmware/monitoring/loop-delay.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import { parseExposition } from '../../support/exposition-parser.ts';

const up: MetricFamily = {
  name: 'culvert_connection_up',
  help: 'Whether it is up.',
  type: 'gauge',
  samples: [
    { labels: { kind: 'l2tp', name: 'hq' }, value: 1 },
    { labels: { kind: 'ipsec', name: 'plant' }, value: 0 },
  ],
};
const total: MetricFamily = { name: 'culvert_x_total', help: 'a\\b\nc', type: 'counter', samples: [{ value: 1e21 }] };

describe('the text format of Prometheus', () => {
  it('has help and type of each family, then its series', () => {
    expect(writeExposition([up, total], 10)).toEqual({
      text: [
        '# HELP culvert_connection_up Whether it is up.',
        '# TYPE culvert_connection_up gauge',
        'culvert_connection_up{kind="l2tp",name="hq"} 1',
        'culvert_connection_up{kind="ipsec",name="plant"} 0',
        '# HELP culvert_x_total a\\\\b\\nc',
        '# TYPE culvert_x_total counter',
        'culvert_x_total 1e+21',
        '',
      ].join('\n'),
      leftOut: 0,
    });
  });

  it('has no family without series, and says infinity as Go does', () => {
    const none = { ...up, samples: [] };
    const infinite = { ...total, samples: [{ value: Infinity }] };
    const { text } = writeExposition([none, infinite], 10);
    expect(text).not.toContain('culvert_connection_up');
    expect(text).toContain('culvert_x_total +Inf\n');
  });

  it('bounds the number of series, and counts those that are not there', () => {
    const many = {
      ...up,
      samples: Array.from({ length: 9 }, (_, index) => ({ labels: { name: `${index}` }, value: 1 })),
    };
    const { text, leftOut } = writeExposition([up, many, total], 5);
    expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toHaveLength(5);
    expect(leftOut).toBe(7);
  });

  it('brings any label back as it was', () => {
    const label = fc.string({ unit: 'binary', maxLength: 60 });
    fc.assert(
      fc.property(
        fc.uniqueArray(label, { minLength: 1, maxLength: 5, selector: (text) => text.toWellFormed() }),
        (values) => {
          const family = { ...up, samples: values.map((name) => ({ labels: { name }, value: 1 })) };
          const parsed = parseExposition(writeExposition([family], 10).text).get(up.name);
          expect(parsed?.samples.map(({ labels }) => labels['name'])).toEqual(
            values.map((text) => text.toWellFormed()),
          );
        },
      ),
    );
  });
});

describe('sums of counters whose owners come and go', () => {
  const owner = (key: string, name: string, octets: number) => ({ key, name, counts: new Map([['octets', octets]]) });
  const names = new Set(['hq', 'plant']);
  const octets = (sums: CounterSums, name: string) => sums.sums.get(name)?.get('octets');

  it('never fall', () => {
    const sums = new CounterSums();
    sums.observe([owner('a', 'hq', 100), owner('b', 'hq', 10), owner('c', 'plant', 1)], names);
    expect([octets(sums, 'hq'), octets(sums, 'plant')]).toEqual([110, 1]);
    // A rekey: another SA counts from nothing.
    sums.observe([owner('b', 'hq', 15), owner('d', 'hq', 3)], names);
    expect([octets(sums, 'hq'), octets(sums, 'plant')]).toEqual([118, 1]);
  });

  it('know an owner that has the key of an earlier one', () => {
    const sums = new CounterSums();
    sums.observe([owner('a', 'hq', 100)], names);
    sums.observe([owner('a', 'hq', 30)], names);
    expect(octets(sums, 'hq')).toBe(130);
  });

  it('are forgotten with their name', () => {
    const sums = new CounterSums();
    sums.observe([owner('a', 'hq', 100)], names);
    sums.observe([], new Set(['plant']));
    expect([...sums.sums.keys()]).toEqual([]);
  });
});

describe('the delay of the control loop', () => {
  it('is counted by how late timers came', () => {
    const clock = new SimulatedClock();
    let late = 0;
    const delay = new LoopDelay({
      now: () => clock.now() + late,
      wall: () => clock.wall(),
      setTimer: (at, callback) => clock.setTimer(at, callback),
    });
    delay.start();
    clock.advance(400);
    late = 80;
    clock.advance(200);
    const samples = delay.samples;
    expect(samples.at(-1)).toEqual({ suffix: '_count', value: 3 });
    expect(samples.at(-2)?.value).toBeCloseTo(0.08);
    const bucket = (le: string) => samples.find(({ labels }) => labels?.['le'] === le)?.value;
    expect(['0.002', '0.05', '0.1', '+Inf'].map(bucket)).toEqual([2, 2, 3, 3]);
    delay.stop();
    expect(clock.nextTimer).toBeUndefined();
  });
});
