import { describe, expect, it } from 'vitest';
import { DriverBench, SERVER } from './driver-bench.ts';

/** Runs the clock while the client is being stopped. */
async function stop(bench: DriverBench): Promise<void> {
  let stopped = false;
  const stopping = bench.client.stop().then(() => {
    stopped = true;
  });
  for (let step = 0; !stopped && step < 100; step += 1) await bench.run(0.1);
  await stopping;
}

describe('a client that is stopped', () => {
  it('opens no socket when the name is resolved only afterwards', async () => {
    const bench = new DriverBench();
    const name = Promise.withResolvers<readonly string[]>();
    bench.resolve = () => name.promise;
    bench.client.connect();
    await stop(bench);
    name.resolve([SERVER.address]);
    await bench.settle();
    expect(bench.branch.dataPlane.leftovers).toBe(0);
    expect(bench.clock.nextTimer).toBeUndefined();
  });

  it('closes the socket that was being opened', async () => {
    const bench = new DriverBench();
    const opening = Promise.withResolvers<void>();
    bench.branch.dataPlane.gates.set('openSocket', opening.promise);
    bench.client.connect();
    await bench.settle();
    const stopping = stop(bench);
    opening.resolve();
    await stopping;
    expect(bench.branch.dataPlane.leftovers).toBe(0);
  });

  it('removes the TUN that was being made', async () => {
    const bench = new DriverBench();
    const making = Promise.withResolvers<void>();
    await bench.server.start();
    bench.branch.dataPlane.gates.set('addInterface', making.promise);
    bench.client.connect();
    await bench.run(1);
    expect(bench.client.state).toBe('connecting');
    const stopping = stop(bench);
    making.resolve();
    await stopping;
    expect(bench.branch.dataPlane.leftovers).toBe(0);
    expect(bench.branch.networks.standing.size).toBe(0);
    expect(bench.branch.states).not.toContain('up');
  });

  it('removes TUN and socket although the routes cannot be removed', async () => {
    const bench = new DriverBench();
    await bench.up();
    bench.branch.networks.refused.down = 'no space is left on the device';
    await stop(bench);
    expect(bench.branch.dataPlane.leftovers).toBe(0);
  });

  it('is stopped, and does not reject, when the data plane is gone', async () => {
    const bench = new DriverBench();
    await bench.up();
    bench.branch.dataPlane.fail();
    await stop(bench);
    expect(bench.branch.networks.standing.size).toBe(0);
    expect(bench.client.state).toBe('down');
  });

  it('does not dial when somebody connects meanwhile', async () => {
    const bench = new DriverBench();
    await bench.up();
    bench.cut = true;
    const stopping = stop(bench);
    bench.client.connect();
    await stopping;
    expect(bench.branch.dataPlane.leftovers).toBe(0);
    expect(bench.client.state).toBe('down');
  });

  it('leaves no timer', async () => {
    const bench = new DriverBench();
    await bench.up();
    await stop(bench);
    await bench.server.stop();
    expect(bench.clock.nextTimer).toBeUndefined();
  });
});

describe('a client whose network changes while its TUN is being made', () => {
  it('never says up for a network that is gone', async () => {
    const bench = new DriverBench();
    const making = Promise.withResolvers<void>();
    await bench.server.start();
    bench.branch.dataPlane.gates.set('addInterface', making.promise);
    bench.client.connect();
    await bench.run(1);
    const ended = bench.client.disconnect();
    await bench.run(1);
    making.resolve();
    await bench.run(1);
    await ended;
    expect(bench.branch.states).not.toContain('up');
    expect(bench.branch.dataPlane.interfaces.size).toBe(0);
    expect(bench.branch.networks.standing.size).toBe(0);
  });

  it('does not let the failure of an earlier attempt end the present one', async () => {
    const bench = new DriverBench();
    const routing = Promise.withResolvers<void>();
    await bench.server.start();
    bench.branch.networks.gate = routing.promise;
    bench.client.connect();
    await bench.run(1);
    void bench.client.disconnect();
    await bench.run(1);
    bench.client.connect();
    await bench.run(1);
    bench.branch.networks.refused.up = 'the device vanished';
    bench.branch.networks.gate = undefined;
    routing.resolve();
    await Promise.resolve();
    bench.branch.networks.refused = {};
    await bench.run(1);
    expect(bench.client.state).toBe('up');
    expect(bench.branch.states.filter((state) => state.startsWith('failed'))).toEqual([]);
  });
});

describe('a client that is told to disconnect', () => {
  it('is down at once and done when TUN and routes are gone', async () => {
    const bench = new DriverBench();
    await bench.up();
    const removing = Promise.withResolvers<void>();
    bench.branch.dataPlane.gates.set('removeInterface', removing.promise);
    let done = false;
    void bench.client.disconnect().then(() => {
      done = true;
    });
    await bench.run(1);
    expect(bench.client.state).toBe('down');
    expect(done).toBe(false);
    removing.resolve();
    await bench.run(1);
    expect(done).toBe(true);
    expect(bench.branch.states).toEqual(['connecting', 'up', 'down']);
  });

  it('dials anew when told to connect before the peer has agreed, and calls that no failure', async () => {
    const bench = new DriverBench();
    await bench.up();
    bench.cut = true;
    const ended = bench.client.disconnect();
    bench.client.connect();
    await ended;
    expect(bench.client.state).toBe('connecting');
    bench.cut = false;
    await bench.run(5);
    expect(bench.client.state).toBe('up');
    expect(bench.branch.states).toEqual(['connecting', 'up', 'down', 'connecting', 'up']);
  });

  it('attends only to the newest resolution', async () => {
    const bench = new DriverBench();
    const answers: PromiseWithResolvers<readonly string[]>[] = [];
    bench.resolve = () => {
      const answer = Promise.withResolvers<readonly string[]>();
      answers.push(answer);
      return answer.promise;
    };
    bench.client.connect();
    await bench.client.disconnect();
    bench.client.connect();
    answers[0]?.resolve(['2001:db8::1']);
    await bench.settle();
    expect(bench.branch.dataPlane.sockets.size).toBe(0);
    answers[1]?.resolve([SERVER.address]);
    await bench.settle();
    expect([...bench.branch.dataPlane.sockets.values()]).toMatchObject([{ family: 4 }]);
  });
});

describe('a client whose attempt fails', () => {
  it('waits with state failed and the reason, keeps the reason while it redials, and drops it when up', async () => {
    const bench = new DriverBench();
    bench.resolve = async () => ({ step: 'resolve', reason: 'no DNS server answers', remedy: 'check the uplink' });
    bench.client.connect();
    await bench.settle();
    expect(bench.client.state).toBe('failed');
    expect(bench.client.failure).toMatchObject({ step: 'resolve' });
    const name = Promise.withResolvers<readonly string[]>();
    bench.resolve = () => name.promise;
    await bench.run(1);
    expect(bench.client.state).toBe('connecting');
    expect(bench.client.failure).toMatchObject({ step: 'resolve' });
    await bench.server.start();
    name.resolve([SERVER.address]);
    await bench.run(1);
    expect(bench.client.state).toBe('up');
    expect(bench.client.failure).toBeUndefined();
  });

  it('fails with words, and not the process, when the data plane refuses its session', async () => {
    const bench = new DriverBench();
    await bench.server.start();
    bench.branch.dataPlane.refused.set('putSession', 'there is no interface 7');
    bench.client.connect();
    await bench.run(1);
    expect(bench.client.failure?.reason).toContain('there is no interface 7');
    bench.branch.dataPlane.refused.clear();
    await bench.run(10);
    expect(bench.client.state).toBe('up');
  });

  it('fails when resolving rejects', async () => {
    const bench = new DriverBench();
    bench.resolve = () => Promise.reject(new Error('a mistake'));
    bench.client.connect();
    await bench.settle();
    expect(bench.client.state).toBe('failed');
    expect(bench.client.failure?.reason).toContain('a mistake');
  });

  it('calls ever more slowly a server that takes the call and whose TUN never comes up', async () => {
    const bench = new DriverBench();
    await bench.server.start();
    bench.branch.dataPlane.refused.set('addInterface', 'there is no /dev/net/tun');
    bench.client.connect();
    await bench.run(60);
    const attempts = bench.branch.states.filter((state) => state.startsWith('failed interface')).length;
    expect(attempts).toBeGreaterThan(5);
    expect(attempts).toBeLessThan(25);
  });
});

describe('user packets as a sign of life', () => {
  it('keep a tunnel up without Hello and echo, and their end is noticed within 13 seconds', async () => {
    const bench = new DriverBench();
    await bench.up();
    const key = bench.client.sessionKey ?? 0;
    bench.cut = true;
    for (let count = 1; count <= 60; count += 1) {
      bench.branch.dataPlane.received.set(key, count);
      await bench.run(1);
    }
    expect(bench.client.state).toBe('up');
    expect(bench.branch.steps.filter((step) => /HELLO|Echo/.test(step))).toEqual([]);
    await bench.run(13);
    expect(bench.branch.states.at(-1)).not.toBe('up');
    expect(bench.branch.states.join()).toContain('failed hello');
  });

  it('are looked for only while the tunnel is up', async () => {
    const bench = new DriverBench();
    await bench.up();
    void bench.client.disconnect();
    await bench.run(120);
    expect(bench.clock.nextTimer).toBeUndefined();
  });
});
