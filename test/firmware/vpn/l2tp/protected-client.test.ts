import { describe, expect, it } from 'vitest';
import { ProtectedBench } from './protected-bench.ts';

const DEAD = { step: 'DPD', reason: 'the IKE peer is silent', remedy: 'check the path' };

describe('a client with IPsec', () => {
  it('opens a protected socket and never another one, and dials L2TP through its channel', async () => {
    const bench = new ProtectedBench();
    const branch = bench.branch();
    await bench.server.start();
    branch.client.connect();
    await bench.run(1);
    expect(branch.client.state).toBe('up');
    expect(bench.opened).toEqual(['protected-l2tp 1701', 'protected-l2tp 1701']);
    const [socket] = branch.dataPlane.sockets.values();
    const [channel] = branch.channels.dialled;
    expect(channel?.request).toEqual({
      connection: 'hq',
      remoteAddress: '10.20.0.2',
      inside: { kind: 'l2tp', socket: socket?.id, localPort: 1701, remotePort: 1701 },
    });
    expect([...branch.dataPlane.sessions.values()]).toMatchObject([{ path: { bearer: channel?.id } }]);
  });

  it('uses the source port of its configuration inside', async () => {
    const bench = new ProtectedBench();
    const branch = bench.branch({ sourcePort: 5555 });
    branch.client.connect();
    await bench.settle();
    expect(bench.opened).toEqual(['protected-l2tp 5555']);
    expect(branch.channels.dialled[0]?.request.inside.localPort).toBe(5555);
  });

  it('sends nothing before the channel is up', async () => {
    const bench = new ProtectedBench();
    const branch = bench.branch();
    branch.client.connect();
    await bench.settle();
    await bench.run(60);
    expect(branch.dataPlane.sent).toEqual([]);
    expect(branch.steps.filter((step) => step === 'SCCRQ')).toEqual([]);
    expect(branch.client.state).toBe('connecting');
    expect(branch.channels.dialled).toHaveLength(1);
  });

  it('fails in words, again and again, and sends nothing, when there is no IPsec service', async () => {
    const bench = new ProtectedBench();
    const branch = bench.branch({}, false);
    branch.client.connect();
    await bench.run(30);
    expect(branch.states).toContain('failed IPsec: this router has no IPsec service that could protect the connection');
    expect(branch.states.length).toBeGreaterThan(4);
    expect(new Set(bench.opened)).toEqual(new Set(['protected-l2tp 1701']));
    expect(branch.steps.filter((step) => step === 'SCCRQ')).toEqual([]);
  });

  it('fails in words, and not the process, when the channel cannot even be asked for', async () => {
    const bench = new ProtectedBench();
    const branch = bench.branch();
    branch.channels.dial = () => {
      throw new Error('there is no connection hq');
    };
    branch.client.connect();
    await bench.settle();
    expect(branch.client.state).toBe('failed');
    expect(branch.client.failure?.reason).toContain('there is no connection hq');
  });

  it('gives the TUN its address', async () => {
    const bench = new ProtectedBench();
    const branch = bench.branch();
    await bench.server.start();
    branch.client.connect();
    await bench.run(1);
    expect([...branch.dataPlane.interfaces.values()]).toMatchObject([{ address: '10.98.0.16' }]);
    expect([...bench.office.dataPlane.interfaces.values()]).toMatchObject([{ address: '10.98.0.1' }]);
  });
});

describe('the channel of a client', () => {
  it('is closed when the client hangs up, after the StopCCN', async () => {
    const bench = new ProtectedBench();
    const branch = bench.branch();
    await bench.server.start();
    branch.client.connect();
    await bench.run(1);
    await bench.until(branch.client.disconnect());
    expect(branch.channels.dialled[0]?.log).toEqual(['up', 'close']);
    expect(bench.server.machine.tunnels).toEqual([]);
    expect(bench.office.steps.join()).toContain('tunnel ended');
  });

  it('is closed when the client is stopped, in whatever state', async () => {
    for (const seconds of [0, 0.2, 3]) {
      const bench = new ProtectedBench();
      const branch = bench.branch();
      await bench.server.start();
      branch.client.connect();
      await bench.run(seconds);
      branch.cut = true;
      await bench.until(branch.client.stop());
      expect(branch.channels.open).toEqual([]);
      expect(branch.dataPlane.leftovers).toBe(0);
    }
  });

  it('is closed when the client is stopped while it is being set up', async () => {
    const bench = new ProtectedBench();
    const branch = bench.branch();
    branch.client.connect();
    await bench.settle();
    expect(branch.channels.open).toHaveLength(1);
    await bench.until(branch.client.stop());
    expect(branch.channels.dialled[0]?.log).toEqual(['close']);
    branch.channels.dialled[0]?.up();
    await bench.run(1);
    expect(branch.dataPlane.sent).toEqual([]);
  });

  it('takes the connection down with its own failure when it ends, and is asked for again', async () => {
    const bench = new ProtectedBench();
    const branch = bench.branch();
    await bench.server.start();
    branch.client.connect();
    await bench.run(1);
    const key = branch.client.sessionKey;
    branch.channels.dialled[0]?.down(DEAD);
    expect(branch.client.state).toBe('failed');
    expect(branch.client.failure).toEqual(DEAD);
    expect(branch.client.sessionKey).toBeUndefined();
    await bench.run(2);
    expect(branch.client.state).toBe('up');
    expect(branch.client.sessionKey).not.toBe(key);
    expect(branch.channels.dialled).toHaveLength(2);
    expect(branch.channels.open).toHaveLength(1);
  });

  it('of an earlier attempt is not listened to', async () => {
    const bench = new ProtectedBench();
    const branch = bench.branch();
    branch.client.connect();
    await bench.settle();
    await branch.client.disconnect();
    branch.client.connect();
    await bench.settle();
    const [old, present] = branch.channels.dialled;
    if (!old || !present) throw new Error('two channels are asked for');
    old.up();
    await bench.run(1);
    expect(branch.steps).not.toContain('SCCRQ');
    await bench.server.start();
    bench.join(present);
    await bench.run(1);
    old.listener.down(DEAD);
    await bench.run(1);
    expect(branch.states).toEqual(['connecting', 'down', 'connecting', 'up']);
  });

  it('is told that it was mute before it is closed, and the failure says what it knows of ESP', async () => {
    const bench = new ProtectedBench();
    const branch = bench.branch();
    await bench.server.start();
    branch.cut = true;
    branch.channels.onDial = (channel) => {
      channel.heard = false;
      channel.udpEncapsulation = branch.channels.dialled.length > 1;
      bench.join(channel);
    };
    branch.client.connect();
    await bench.run(50);
    expect(branch.channels.dialled[0]?.log).toEqual(['up', 'report-mute', 'close']);
    const failures = branch.states.filter((state) => state.startsWith('failed'));
    expect(failures[0]).toContain('failed ESP: the key exchange succeeded, but nothing came back');
    expect(failures[0]).toContain('IP protocol 50');
    expect(failures[1]).toContain('UDP port 4500');
  });

  it('is not called mute when something was heard by it', async () => {
    const bench = new ProtectedBench();
    const branch = bench.branch();
    await bench.server.start();
    branch.cut = true;
    branch.client.connect();
    await bench.run(24);
    expect(branch.channels.dialled[0]?.log).toEqual(['up', 'close']);
    expect(branch.states.join()).toContain('failed SCCRQ');
  });
});
