import { describe, expect, it } from 'vitest';
import { DSL_GATEWAY, LTE_GATEWAY, UplinkBench } from './uplink-bench.ts';

const SILENCE = { step: 'DPD', reason: 'the peer is silent', remedy: 'none', cause: 'silence' } as const;

describe('two uplinks', () => {
  it('both stand, each with a table of its own, and the one of the best rank carries the traffic', async () => {
    const bench = await new UplinkBench().start();
    expect(bench.applied).toMatchObject([
      { name: 'dsl', device: 'eth0', address: '10.21.0.9/24', gateway: DSL_GATEWAY, slot: 0, carries: true },
      { name: 'lte', device: 'eth1', slot: 1, carries: false },
    ]);
    expect(bench.said.map(({ text }) => text)).toContain('dsl carries the traffic');
  });

  it('each is asked by its own device, from its own address, past the tunnels', async () => {
    const bench = await new UplinkBench().start();
    const ways = new Set(
      bench.icmp.sent.map(({ remoteAddress, options: { device, address, mark } }) =>
        [remoteAddress, device, address, mark].join(' '),
      ),
    );
    expect([...ways].toSorted()).toEqual(['10.21.0.1 eth0 10.21.0.9 193', '10.22.0.1 eth1 10.22.0.9 193']);
  });

  it('a silent one is left within three seconds, with its cause in words, and gone back to after its holding time', async () => {
    const bench = await new UplinkBench().start();
    const moved = bench.moved;
    bench.silent.add(DSL_GATEWAY);
    expect(await bench.until('lte')).toBeLessThanOrEqual(3_000);
    expect(bench.lastWords).toBe(
      'dsl left: 3 answers lost one after the other (icmp 10.21.0.1); lte carries the traffic',
    );
    expect(bench.moved).toBe(moved + 1);
    bench.silent.clear();
    const back = await bench.until('dsl');
    expect(back).toBeGreaterThan(9_000);
    expect(back).toBeLessThan(12_000);
    expect(bench.lastWords).toBe('dsl is well again and comes before lte; it carries the traffic');
    // Its table stood all the while: make before break.
    expect(bench.applied.map(({ name }) => name)).toEqual(['dsl', 'lte']);
  });

  it('one whose cable is pulled is left within half a second', async () => {
    const bench = await new UplinkBench().start();
    bench.links.plug('eth0', false);
    expect(await bench.until('lte')).toBeLessThanOrEqual(500);
    expect(bench.lastWords).toBe('dsl left: no carrier on eth0; lte carries the traffic');
    bench.links.plug('eth0', true);
    await bench.until('dsl');
    expect(bench.lastWords).toBe('dsl is well again and comes before lte; it carries the traffic');
  });

  it('one that loses 40 % is left, and comes back ever more seldom', async () => {
    const bench = await new UplinkBench(7).start();
    bench.loss.set(DSL_GATEWAY, 40);
    await bench.until('lte');
    expect(bench.lastWords).toMatch(/^dsl left: .*lost.*; lte carries the traffic$/);
    await bench.run(600_000);
    const switches = bench.said.filter(({ text }) => text.includes('carries the traffic')).length;
    expect(switches).toBeLessThan(12);
    bench.loss.clear();
    await bench.until('dsl');
    expect(bench.carrying).toBe('dsl');
  });

  it('when both are silent nothing changes any more, and none is left without another', async () => {
    const bench = await new UplinkBench().start();
    bench.silent.add(DSL_GATEWAY).add(LTE_GATEWAY);
    await bench.run(20_000);
    const before = bench.carrying;
    await bench.run(60_000);
    expect(bench.carrying).toBe(before);
    expect(before).toBeDefined();
  });

  it('a peer that is silent by one that answers has the other one tried, and the doubt is over after a while', async () => {
    const bench = await new UplinkBench().start();
    bench.manager.connectionState('hq', 'up');
    bench.manager.connectionState('hq', 'failed', SILENCE);
    expect(await bench.until('lte')).toBeLessThan(100);
    expect(bench.lastWords).toBe(
      'dsl left: the peer of hq is silent by it, although its probes are answered; lte carries the traffic',
    );
    bench.manager.connectionState('hq', 'up');
    expect(await bench.until('dsl')).toBeGreaterThan(55_000);
  });

  it('the silence of a peer by both is a fault of the peer', async () => {
    const bench = await new UplinkBench().start();
    bench.manager.connectionState('hq', 'up');
    bench.manager.connectionState('hq', 'failed', SILENCE);
    await bench.until('lte');
    bench.manager.connectionState('hq', 'failed', SILENCE);
    await bench.until('dsl', 1_000);
    expect(bench.carrying).toBe('dsl');
  });

  it('a metered one is asked thirty times less often while it carries nothing, and as often as any when it does', async () => {
    const bench = await new UplinkBench().start({}, { metered: true });
    const count = (gateway: string) => bench.icmp.sent.filter(({ remoteAddress }) => remoteAddress === gateway).length;
    const [dsl, lte] = [count(DSL_GATEWAY), count(LTE_GATEWAY)];
    await bench.run(60_000);
    expect(count(DSL_GATEWAY) - dsl).toBeGreaterThanOrEqual(119);
    expect(count(LTE_GATEWAY) - lte).toBeLessThanOrEqual(5);
    bench.silent.add(DSL_GATEWAY);
    expect(await bench.until('lte')).toBeLessThanOrEqual(3_000);
    const carrying = count(LTE_GATEWAY);
    await bench.run(10_000);
    expect(count(LTE_GATEWAY) - carrying).toBeGreaterThanOrEqual(19);
  });

  it('a cold one is connected when it is needed, and let go some seconds after it is not any more', async () => {
    const bench = await new UplinkBench().start({}, { standby: 'cold' });
    expect(bench.applied.map(({ name }) => name)).toEqual(['dsl']);
    bench.silent.add(DSL_GATEWAY);
    expect(await bench.until('lte')).toBeLessThanOrEqual(3_500);
    bench.silent.clear();
    await bench.until('dsl');
    expect(bench.applied.map(({ name }) => name)).toEqual(['dsl', 'lte']);
    await bench.run(12_000);
    expect(bench.applied.map(({ name }) => name)).toEqual(['dsl']);
  });

  it('one that is disconnected by hand stays down until it is connected again', async () => {
    const bench = await new UplinkBench().start();
    await bench.manager.disconnect('dsl');
    expect(await bench.until('lte')).toBeLessThan(100);
    await bench.run(30_000);
    expect(bench.carrying).toBe('lte');
    expect(bench.lastWords).toContain('dsl left: it was disconnected on request');
    bench.manager.connect('dsl');
    await bench.until('dsl', 60_000);
    expect(bench.carrying).toBe('dsl');
  });

  it('another configuration leaves alone what is unchanged', async () => {
    const bench = await new UplinkBench().start();
    const sockets = bench.icmp.running;
    const dsl = bench.manager.uplinks.get('dsl');
    await bench.configure({}, { priority: 9 });
    await bench.run(3_000);
    expect(bench.manager.uplinks.get('dsl')).toBe(dsl);
    expect(bench.carrying).toBe('dsl');
    expect(bench.icmp.running).toBe(sockets);
    await bench.manager.stop();
    expect(bench.icmp.running).toBe(0);
  });

  it.each([1, 2, 3, 4, 5])(
    'through a day of troubles (seed %i) it is never without a way while one is well',
    async (seed) => {
      const bench = await new UplinkBench(seed).start();
      const pick = (most: number) => (bench.random.bytes(1)[0] ?? 0) % most;
      for (let round = 0; round < 60; round += 1) {
        bench.silent.clear();
        bench.loss.clear();
        bench.links.plug('eth0', true);
        const trouble = pick(4);
        if (trouble === 0) bench.silent.add(DSL_GATEWAY);
        if (trouble === 1) bench.loss.set(DSL_GATEWAY, 10 + pick(60));
        if (trouble === 2) bench.links.plug('eth0', false);
        await bench.run(4_000 + pick(100) * 100);
        const well = [...bench.manager.uplinks.values()].filter(({ health }) => health.verdict === 'well');
        const carrier = bench.manager.carrier?.health.verdict;
        expect(bench.carrying).toBe(bench.manager.carrying);
        if (well.length > 0)
          expect(
            carrier,
            bench.said
              .slice(-5)
              .map(({ text }) => text)
              .join('\n'),
          ).toBe('well');
      }
    },
  );
});
