import { describe, expect, it } from 'vitest';
import { DSL_GATEWAY, LTE_GATEWAY, UplinkBench } from './uplink-bench.ts';

describe('two uplinks of the same priority', () => {
  const shares = (bench: UplinkBench) =>
    bench.applied.map(({ name, share, carries }) => `${name} ${share ?? '-'}${carries ? ' *' : ''}`);

  it('share the traffic by their weights, and the heavier one has the VPNs', async () => {
    const bench = await new UplinkBench().start({ priority: 1 }, { priority: 1, weight: 2 });
    expect(shares(bench)).toEqual(['dsl 1', 'lte 2 *']);
    expect(bench.lastWords).toBe('dsl and lte share the traffic, 1 to 2');
    expect(['dsl', 'lte'].map((name) => bench.manager.carries(name))).toEqual([true, true]);
  });

  it('do not share where the kernel cannot: the heavier one carries all of it', async () => {
    const bench = await new UplinkBench(1, false).start({ priority: 1 }, { priority: 1, weight: 2 });
    expect(shares(bench)).toEqual(['dsl -', 'lte - *']);
    expect(['dsl', 'lte'].map((name) => bench.manager.carries(name))).toEqual([false, true]);
  });

  it('one that fails and comes back takes no VPN from an equal one', async () => {
    const bench = await new UplinkBench().start({ priority: 1 }, { priority: 1 });
    expect(shares(bench)).toEqual(['dsl 1 *', 'lte 1']);
    bench.silent.add(LTE_GATEWAY);
    await bench.run(10_000);
    expect(shares(bench)).toEqual(['dsl - *', 'lte -']);
    expect(bench.lastWords).toBe('dsl carries the traffic alone');
    bench.silent.delete(LTE_GATEWAY);
    await bench.run(120_000);
    expect(shares(bench)).toEqual(['dsl 1 *', 'lte 1']);
    bench.silent.add(DSL_GATEWAY);
    await bench.until('lte');
    expect(shares(bench)).toEqual(['dsl -', 'lte - *']);
    expect(bench.lastWords).toMatch(/^dsl left: .*; lte carries the traffic$/);
    bench.silent.delete(DSL_GATEWAY);
    await bench.run(120_000);
    // Nothing is better by dsl: what moved to lte stays there.
    expect(shares(bench)).toEqual(['dsl 1', 'lte 1 *']);
  });
});
