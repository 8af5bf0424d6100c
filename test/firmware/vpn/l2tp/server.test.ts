import { describe, expect, it } from 'vitest';
import { DriverBench } from './driver-bench.ts';

/** Runs the clock while the server is being stopped. */
async function stop(bench: DriverBench): Promise<void> {
  let stopped = false;
  const stopping = bench.server.stop().then(() => {
    stopped = true;
  });
  for (let step = 0; !stopped && step < 100; step += 1) await bench.run(0.1);
  await stopping;
}

describe('a server whose listen address is not there', () => {
  it('says so once, stays failed while it tries again, and serves when the address comes', async () => {
    const bench = new DriverBench();
    bench.office.dataPlane.refused.set('openSocket', 'the address is not of this machine');
    await bench.server.start();
    await bench.run(60);
    expect(bench.office.states).toHaveLength(2);
    expect(bench.office.states[1]).toMatch(/^failed listen: .*the address is not of this machine/);
    expect(bench.server.state).toBe('failed');
    expect(bench.office.dataPlane.leftovers).toBe(0);
    bench.office.dataPlane.refused.clear();
    await bench.run(4);
    expect(bench.server.state).toBe('up');
    expect(bench.server.failure).toBeUndefined();
  });

  it('takes no calls while it has no TUN', async () => {
    const bench = new DriverBench();
    bench.office.dataPlane.refused.set('addInterface', 'there is no /dev/net/tun');
    await bench.server.start();
    expect(bench.server.state).toBe('failed');
    expect(bench.office.dataPlane.sockets.size).toBe(0);
  });
});

describe('a server that is stopped', () => {
  it('while it tries again, leaves neither socket nor TUN nor timer', async () => {
    const bench = new DriverBench();
    bench.office.dataPlane.refused.set('openSocket', 'the address is not of this machine');
    await bench.server.start();
    bench.office.dataPlane.refused.clear();
    const opening = Promise.withResolvers<void>();
    bench.office.dataPlane.gates.set('openSocket', opening.promise);
    await bench.run(4);
    const stopping = stop(bench);
    opening.resolve();
    await stopping;
    await bench.run(10);
    expect(bench.office.dataPlane.leftovers).toBe(0);
    expect(bench.server.state).toBe('down');
    expect(bench.office.states).not.toContain('up');
    expect(bench.clock.nextTimer).toBeUndefined();
  });

  it('does not reject when the data plane is gone', async () => {
    const bench = new DriverBench();
    await bench.up();
    bench.office.dataPlane.fail();
    await stop(bench);
    expect(bench.office.networks.standing.size).toBe(0);
    expect(bench.server.state).toBe('down');
  });

  it('removes TUN and socket although the routes cannot be removed', async () => {
    const bench = new DriverBench();
    await bench.up();
    bench.office.networks.refused.down = 'no space is left on the device';
    await stop(bench);
    expect(bench.office.dataPlane.leftovers).toBe(0);
  });
});

describe('a server with users', () => {
  it('routes what is behind a user, and not the address that its pool covers already', async () => {
    const bench = new DriverBench();
    await bench.up();
    expect(bench.office.networks.standing.get('l2tp-office')?.prefixes).toEqual(['10.98.0.16/29', '192.168.12.0/24']);
    void bench.client.disconnect();
    await bench.run(3);
    expect(bench.office.networks.standing.get('l2tp-office')?.prefixes).toEqual(['10.98.0.16/29']);
    expect(bench.office.dataPlane.sessions.size).toBe(0);
  });

  it('goes on serving when the routes of a user fail', async () => {
    const bench = new DriverBench();
    await bench.server.start();
    bench.office.networks.refused.up = 'the table is full';
    bench.client.connect();
    await bench.run(1);
    expect(bench.client.state).toBe('up');
    expect(bench.office.steps.join()).toContain('the table is full');
    expect(bench.server.state).toBe('up');
  });

  it('ends the one session that the data plane refuses, with words', async () => {
    const bench = new DriverBench();
    await bench.server.start();
    bench.office.dataPlane.refused.set('putSession', '10.0.0.0/99 is no prefix');
    bench.client.connect();
    await bench.run(1);
    expect(bench.office.steps.join()).toContain('10.0.0.0/99 is no prefix');
    expect(bench.office.dataPlane.sessions.size).toBe(0);
    bench.office.dataPlane.refused.clear();
    await bench.run(20);
    expect(bench.client.state).toBe('up');
  });

  it('takes their packets as a sign of life', async () => {
    const bench = new DriverBench();
    await bench.up();
    const [key = 0] = [...bench.office.dataPlane.sessions.keys()];
    bench.cut = true;
    for (let count = 1; count <= 60; count += 1) {
      bench.office.dataPlane.received.set(key, count);
      await bench.run(1);
    }
    expect(bench.office.dataPlane.sessions.size).toBe(1);
    await bench.run(14);
    expect(bench.office.dataPlane.sessions.size).toBe(0);
  });
});
