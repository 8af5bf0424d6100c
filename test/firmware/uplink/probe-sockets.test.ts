import type { Duplex } from 'node:stream';
import { encode } from 'dns-packet';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ProbeTarget } from '../../../firmware/config/probe-target.ts';
import { ProbeSockets } from '../../../firmware/uplink/probe-sockets.ts';
import { DataPlaneDispatch } from '../../../firmware/vpn/data-plane-dispatch.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import { SimulatedIcmpSocketFactory } from '../../../hal/simulated/icmp-socket.ts';
import { SimulatedTcpConnector } from '../../../hal/simulated/tcp-connector.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { FakeDataPlane } from '../vpn/fake-data-plane.ts';

const VIA = { device: 'eth1', address: '10.22.0.9' } as const;
const HTTP: ProbeTarget = { kind: 'http', address: '192.0.2.1', port: 80, host: '192.0.2.1', path: '/health?x=1' };
const TCP: ProbeTarget = { kind: 'tcp', address: '192.0.2.1', port: 443 };
const DNS: ProbeTarget = { kind: 'dns', address: '192.0.2.53', name: 'example.com' };
const ICMP: ProbeTarget = { kind: 'icmp', address: '192.0.2.1' };

describe('the sockets of probes', () => {
  let clock: SimulatedClock;
  let icmp: SimulatedIcmpSocketFactory;
  let tcp: SimulatedTcpConnector;
  let plane: FakeDataPlane;
  let sockets: ProbeSockets;
  let said: string[];

  beforeEach(() => {
    clock = new SimulatedClock();
    icmp = new SimulatedIcmpSocketFactory();
    tcp = new SimulatedTcpConnector();
    plane = new FakeDataPlane();
    said = [];
    const dispatch = new DataPlaneDispatch(plane, () => undefined);
    const services = { clock, random: new SeededRandom(1), icmp, connector: tcp, dispatch, mark: 193 };
    sockets = new ProbeSockets(services, VIA, {
      answered: (id) => void said.push(`${id} answered`),
      refused: (id, why) => void said.push(`${id} ${why}`),
    });
  });

  async function settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) await new Promise((done) => setImmediate(done));
    clock.advance(20);
  }

  function serve(port: number, answer: string | undefined): string[] {
    const heard: string[] = [];
    tcp.listen('192.0.2.1', port, (stream: Duplex) => {
      stream.on('data', (chunk: Buffer) => {
        heard.push(chunk.toString());
        if (answer !== undefined) stream.write(answer);
      });
    });
    return heard;
  }

  it('TCP: a connection is an answer, a refused one is none', async () => {
    serve(443, undefined);
    sockets.ask(1, TCP);
    sockets.ask(2, { ...TCP, port: 444 });
    await settle();
    expect(said.toSorted()).toEqual(['1 answered', '2 no connection (ECONNREFUSED)']);
    expect(tcp.asked[0]).toMatchObject({ device: 'eth1', localAddress: '10.22.0.9', mark: 193 });
  });

  it.each([
    ['HTTP/1.1 200 OK\r\n\r\n', '1 answered'],
    ['HTTP/1.0 302 Found\r\n', '1 answered'],
    ['HTTP/1.1 503 Service Unavailable\r\n', '1 the answer was 503'],
    ['x'.repeat(100), '1 what came is no HTTP'],
  ])('HTTP: %j', async (answer, expected) => {
    const heard = serve(80, answer);
    sockets.ask(1, HTTP);
    await settle();
    expect(said).toEqual([expected]);
    expect(heard[0]).toMatch(/^GET \/health\?x=1 HTTP\/1\.1\r\nHost: 192\.0\.2\.1\r\n/);
  });

  it('HTTP: nothing is said of a question that is not waited for any more', async () => {
    serve(80, undefined);
    sockets.ask(1, HTTP);
    await settle();
    sockets.forget(1);
    await settle();
    expect(said).toEqual([]);
  });

  it('DNS: any answer of that server to that question will do, and nothing else', async () => {
    sockets.ask(1, DNS);
    await settle();
    const [socket] = plane.sockets.values();
    expect(socket).toMatchObject({ purpose: 'datagram', address: '10.22.0.9', device: 'eth1', mark: 193 });
    const query = plane.sent[0]?.bytes ?? new Uint8Array();
    const id = ((query[0] ?? 0) << 8) | (query[1] ?? 0);
    const answer = (name: string, from = '192.0.2.53'): void => {
      const bytes = encode({ type: 'response', id, flags: 3, questions: [{ name, type: 'A', class: 'IN' }] });
      const path = { remote: { address: from, port: 53 }, local: { address: VIA.address, port: 5 } };
      plane.listener({ kind: 'datagram', socket: socket?.id ?? 0, path, bytes, interfaceIndex: 2 });
    };
    answer('example.com', '192.0.2.54');
    answer('example.org');
    expect(said).toEqual([]);
    answer('example.com');
    expect(said).toEqual(['1 answered']);
  });

  it('ICMP: an echo of somebody else, or from somewhere else, is no answer', async () => {
    sockets.ask(1, ICMP);
    const request = icmp.sent[0]?.message ?? new Uint8Array();
    const reply = (change: (message: Uint8Array) => void): Uint8Array => {
      const message = Uint8Array.from(request);
      message[0] = 0;
      change(message);
      const view = new DataView(message.buffer);
      view.setUint16(2, 0);
      let sum = 0;
      for (let at = 0; at < message.length; at += 2) sum += view.getUint16(at);
      view.setUint16(2, ~((sum & 0xffff) + (sum >>> 16)) & 0xffff);
      return message;
    };
    icmp.arrive(4, { message: reply((message) => message.set([0x11, 0x22], 4)), from: '192.0.2.1' });
    icmp.arrive(4, { message: reply((message) => message.set([0xff], message.length - 1)), from: '192.0.2.1' });
    icmp.arrive(4, { message: reply(() => undefined), from: '192.0.2.9' });
    icmp.arrive(4, { message: Uint8Array.of(0, 0), from: '192.0.2.1' });
    clock.advance(20);
    expect(said).toEqual([]);
    icmp.arrive(4, { message: reply(() => undefined), from: '192.0.2.1' });
    clock.advance(20);
    expect(said).toEqual(['1 answered']);
  });

  it('says why it cannot ask: no such device', async () => {
    icmp.devices = new Set(['eth0']);
    sockets.ask(1, ICMP);
    expect(said).toEqual(['1 There is no network device eth1 to send by']);
  });

  it('leave nothing open', async () => {
    serve(80, undefined);
    for (const [id, target] of [ICMP, DNS, HTTP].entries()) sockets.ask(id, target);
    await settle();
    sockets.close();
    await settle();
    expect(icmp.running).toBe(0);
    expect(plane.sockets.size).toBe(0);
    expect(said).toEqual([]);
  });
});
