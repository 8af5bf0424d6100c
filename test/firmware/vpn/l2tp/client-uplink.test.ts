import { describe, expect, it } from 'vitest';
import { DriverBench } from './driver-bench.ts';

const DOWN = { step: 'uplink', reason: 'the uplink lte has no address', remedy: 'wait' };

/** A bench that notes from which address of this side each datagram is sent. */
class UplinkBench extends DriverBench {
  readonly locals: string[] = [];

  constructor() {
    super();
    const { dataPlane } = this.branch;
    const send = dataPlane.sendDatagram.bind(dataPlane);
    dataPlane.sendDatagram = (socket, path, bytes) => {
      this.locals.push(path.local.address);
      send(socket, path, bytes);
    };
  }
}

describe('an L2TP client on one of several uplinks', () => {
  it('calls from the address that it is told, and from any where it is told none', async () => {
    const bench = new UplinkBench();
    bench.localAddress = async () => '10.21.0.9';
    bench.client.connect();
    await bench.run(1);
    expect([...new Set(bench.locals)]).toEqual(['10.21.0.9']);
    const free = new UplinkBench();
    free.client.connect();
    await free.run(1);
    expect(free.locals[0]).toBe('0.0.0.0');
  });

  it('dials anew at once from the other address when the way out is another one, and says why', async () => {
    const bench = new UplinkBench();
    bench.localAddress = async () => '10.21.0.9';
    bench.cut = true;
    bench.client.connect();
    await bench.run(1);
    bench.localAddress = async () => '10.22.0.9';
    await bench.client.uplinkChanged();
    await bench.settle();
    expect(bench.client.state).toBe('connecting');
    expect(bench.locals.at(-1)).toBe('10.22.0.9');
  });

  it('stays where its own address is the same', async () => {
    const bench = new UplinkBench();
    bench.localAddress = async () => '10.21.0.9';
    bench.cut = true;
    bench.client.connect();
    await bench.run(1);
    const calls = bench.locals.length;
    await bench.client.uplinkChanged();
    await bench.settle();
    expect(bench.locals).toHaveLength(calls);
  });

  it('does not wait any longer for its next attempt when there is another way out', async () => {
    const bench = new UplinkBench();
    bench.localAddress = async () => DOWN;
    bench.client.connect();
    await bench.run(30);
    expect(bench.client.state).toBe('failed');
    expect(bench.client.failure).toEqual(DOWN);
    expect(bench.locals).toEqual([]);
    bench.localAddress = async () => '10.22.0.9';
    await bench.client.uplinkChanged();
    await bench.settle();
    expect(bench.client.state).toBe('connecting');
    expect([...new Set(bench.locals)]).toEqual(['10.22.0.9']);
  });

  it('that nobody has connected is not dialled by it', async () => {
    const bench = new UplinkBench();
    await bench.client.uplinkChanged();
    await bench.run(5);
    expect(bench.client.state).toBe('down');
  });
});
