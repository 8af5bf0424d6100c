/** When a client dials, and when it stops: on demand, after silence, after too many failures. */
import { describe, expect, it } from 'vitest';
import { DriverBench } from './driver-bench.ts';

const ON_DEMAND = { onDemand: true, idleSeconds: 5 };

/** Packets wait on the client's interface. */
function traffic({ branch }: DriverBench): void {
  const [id] = branch.dataPlane.interfaces.keys();
  if (id === undefined) throw new Error('there is no interface');
  branch.dataPlane.listener({ kind: 'traffic', interface: id });
}

async function armed(client: ConstructorParameters<typeof DriverBench>[0] = {}): Promise<DriverBench> {
  const bench = new DriverBench(client, {}, undefined, ON_DEMAND);
  await bench.server.start();
  bench.client.arm();
  await bench.run(1);
  return bench;
}

describe('a client that dials on demand', () => {
  it('has its interface, which holds packets, and its routes before it dials', async () => {
    const bench = await armed();
    expect(bench.client.state).toBe('down');
    expect(bench.client.waitsForTraffic).toBe(true);
    expect([...bench.branch.dataPlane.interfaces.values()]).toMatchObject([
      { name: 'l2tp-hq', mtu: 1400, hold: { packets: 64, milliseconds: 30_000 } },
    ]);
    expect(bench.branch.networks.standing.get('l2tp-hq')).toMatchObject({
      localAddress: '',
      prefixes: ['10.99.0.0/16'],
    });
    expect(bench.branch.dataPlane.sockets.size).toBe(0);
  });

  it('dials when packets wait, and its session takes them from that same interface', async () => {
    const bench = await armed();
    const [id] = bench.branch.dataPlane.interfaces.keys();
    traffic(bench);
    await bench.run(2);
    expect(bench.client.state).toBe('up');
    expect(bench.client.waitsForTraffic).toBe(false);
    const [session] = bench.branch.dataPlane.sessions.values();
    expect(session?.network).toMatchObject({ interface: id, destinations: ['0.0.0.0/0'] });
    expect(bench.branch.networks.standing.get('l2tp-hq')).toMatchObject({ localAddress: '10.98.0.16' });
    expect(bench.branch.steps).toContain('demand: packets wait for the connection: dialling');
  });

  it('lets go what waits only when the peer has had time to set its routes back', async () => {
    const bench = await armed();
    traffic(bench);
    await bench.run(0.4);
    expect(bench.client.machine.state).toBe('up');
    expect([...bench.branch.dataPlane.sessions.values()].map(({ network }) => network)).toEqual([undefined]);
    await bench.run(0.6);
    expect([...bench.branch.dataPlane.sessions.values()][0]?.network).toBeDefined();
    expect(bench.client.state).toBe('up');
  });

  it('hangs up after silence, keeps interface and routes, and dials again', async () => {
    const bench = await armed();
    traffic(bench);
    await bench.run(9);
    expect(bench.client.state).toBe('down');
    expect(bench.branch.steps).toContain('idle: no packet either way for 5 s: hanging up');
    expect(bench.branch.dataPlane.sessions.size).toBe(0);
    expect(bench.branch.networks.standing.get('l2tp-hq')).toMatchObject({ localAddress: '' });
    traffic(bench);
    await bench.run(2);
    expect(bench.client.state).toBe('up');
  });

  it('stays up while packets come', async () => {
    const bench = await armed();
    traffic(bench);
    await bench.run(2);
    const [key] = bench.branch.dataPlane.sessions.keys();
    for (let second = 1; second < 12; second += 1) {
      bench.branch.dataPlane.received.set(key ?? 0, second);
      await bench.run(1);
    }
    expect(bench.client.state).toBe('up');
    await bench.run(7);
    expect(bench.client.state).toBe('down');
  });

  it('does not dial any more once somebody has disconnected it, until somebody connects it', async () => {
    const bench = await armed();
    traffic(bench);
    await bench.run(2);
    const gone = bench.client.disconnect();
    await bench.run(2);
    await gone;
    expect(bench.branch.dataPlane.interfaces.size).toBe(0);
    expect(bench.branch.networks.standing.size).toBe(0);
    expect(bench.client.waitsForTraffic).toBe(false);
    bench.client.connect();
    await bench.run(2);
    expect(bench.client.state).toBe('up');
    await bench.run(7);
    expect(bench.client.waitsForTraffic).toBe(true);
  });

  it('leaves nothing behind when it is stopped', async () => {
    const bench = await armed();
    const stopping = bench.client.stop();
    await bench.run(2);
    await stopping;
    expect(bench.branch.dataPlane.leftovers).toBe(0);
    expect(bench.branch.networks.standing.size).toBe(0);
    expect(bench.clock.nextTimer).toBeUndefined();
  });

  it('says why it cannot stand ready', async () => {
    const bench = new DriverBench({}, {}, undefined, ON_DEMAND);
    bench.branch.networks.refused.up = 'no such table';
    bench.client.arm();
    await bench.settle();
    expect(bench.branch.states).toEqual(['failed interface: l2tp-hq could not be set up: no such table']);
    expect(bench.branch.dataPlane.interfaces.size).toBe(0);
  });
});

describe('a client that may fail so many times', () => {
  const WRONG = { password: 'wrong', maxFail: 2 };

  it('dials no more afterwards, says so, and begins again when it is told to', async () => {
    const bench = new DriverBench(WRONG);
    await bench.server.start();
    bench.client.connect();
    await bench.run(120);
    const failures = bench.branch.states.filter((state) => state.startsWith('failed'));
    expect(failures).toHaveLength(2);
    expect(failures[1]).toContain('given up after 2 failed attempts in a row');
    expect(bench.client.state).toBe('failed');
    expect(bench.client.failure?.remedy).toContain('then connect again');
    bench.client.connect();
    await bench.run(120);
    expect(bench.branch.states.filter((state) => state.startsWith('failed'))).toHaveLength(4);
  });

  it('dials on demand again when packets come after a minute, and not before', async () => {
    const bench = await armed(WRONG);
    traffic(bench);
    await bench.run(30);
    const failed = (): number => bench.branch.states.filter((state) => state.startsWith('failed')).length;
    expect(failed()).toBe(2);
    traffic(bench);
    await bench.run(20);
    expect(failed()).toBe(2);
    await bench.run(60);
    traffic(bench);
    await bench.run(2);
    expect(failed()).toBeGreaterThan(2);
  });
});
