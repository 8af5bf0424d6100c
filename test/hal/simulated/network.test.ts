import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import { SimulatedEntropy } from '../../../hal/simulated/entropy.ts';
import { SimulatedHandles } from '../../../hal/simulated/handles.ts';
import { SimulatedNetwork, type SimulatedNetworkOptions } from '../../../hal/simulated/network.ts';
import type { UdpSocket } from '../../../hal/udp-socket.ts';
import { newDatagramInfo } from '../contract/udp-socket.ts';

const OPTIONS = { family: 4, address: '0.0.0.0', port: 0, mark: 0 } as const;

function twoHosts(options: SimulatedNetworkOptions = {}): { network: SimulatedNetwork; a: UdpSocket; b: UdpSocket } {
  const network = new SimulatedNetwork(new SimulatedHandles(), options);
  const a = network.udpSockets(['10.0.0.1']).open({ ...OPTIONS, dontFragment: true });
  const b = network.udpSockets(['10.0.0.2']).open({ ...OPTIONS, port: 1701 });
  return { network, a, b };
}

const send = (from: UdpSocket, to: string, port: number, length = 1): string | undefined =>
  from.send(new Uint8Array(length), to, port, '0.0.0.0');

/** How many datagrams wait. */
function drain(socket: UdpSocket): number {
  const info = newDatagramInfo();
  let count = 0;
  while (socket.receive(new Uint8Array(2000), info)) count++;
  return count;
}

describe('the simulated network', () => {
  it('carries datagrams between hosts at once', () => {
    const { a, b } = twoHosts();
    expect(send(a, '10.0.0.2', 1701)).toBeUndefined();
    expect(drain(b)).toBe(1);
  });

  it('carries them after its delay', () => {
    const clock = new SimulatedClock();
    const { a, b } = twoHosts({ delay: 30, clock });
    send(a, '10.0.0.2', 1701);
    clock.advance(29);
    expect(drain(b)).toBe(0);
    clock.advance(1);
    expect(drain(b)).toBe(1);
  });

  it('loses about the share that it should, the same ones for the same seed', () => {
    const arrived = (): number => {
      const { a, b } = twoHosts({ loss: 0.3, entropy: new SimulatedEntropy(7) });
      for (let count = 0; count < 1000; count++) send(a, '10.0.0.2', 1701);
      return drain(b);
    };
    expect(arrived()).toBeGreaterThan(640);
    expect(arrived()).toBeLessThan(760);
    expect(arrived()).toBe(arrived());
  });

  it('loses what its filter drops', () => {
    const { network, a, b } = twoHosts();
    network.filter = (datagram) => (datagram.bytes.length === 2 ? 'drop' : 'deliver');
    for (const length of [1, 2, 3]) send(a, '10.0.0.2', 1701, length);
    expect(drain(b)).toBe(2);
  });

  it('is silent about a host that is not there, and reports a port that nobody has', () => {
    const { a } = twoHosts();
    expect(send(a, '10.0.0.3', 1701)).toBeUndefined();
    expect(a.readError()).toBeUndefined();
    send(a, '10.0.0.2', 1702);
    expect(a.readError()?.code).toBe('ECONNREFUSED');
  });

  it('refuses a datagram over its MTU with DF, and names the MTU', () => {
    const { a, b } = twoHosts({ mtu: 1400 });
    expect(send(a, '10.0.0.2', 1701, 1373)).toBe('EMSGSIZE');
    expect(a.readError()).toEqual({ code: 'EMSGSIZE', remoteAddress: '10.0.0.2', remotePort: 1701, mtu: 1400 });
    expect(send(a, '10.0.0.2', 1701, 1372)).toBeUndefined();
    expect(send(b, '10.0.0.1', a.localPort, 1373)).toBeUndefined();
  });

  it('loses the first datagram that is too large for a router on the way, reports it, and refuses the next', () => {
    const { network, a, b } = twoHosts();
    network.narrowPaths.set('10.0.0.2', 1300);
    expect(send(a, '10.0.0.2', 1701, 1273)).toBeUndefined();
    expect(drain(b)).toBe(0);
    expect(a.readError()).toEqual({ code: 'EMSGSIZE', remoteAddress: '10.0.0.2', remotePort: 1701, mtu: 1300 });
    expect(send(a, '10.0.0.2', 1701, 1273)).toBe('EMSGSIZE');
    expect(send(a, '10.0.0.2', 1701, 1272)).toBeUndefined();
    expect(drain(b)).toBe(1);
  });

  it('passes a datagram without DF through a narrow path', () => {
    const { network, a, b } = twoHosts();
    network.narrowPaths.set('10.0.0.1', 1300);
    expect(send(b, '10.0.0.1', a.localPort, 1400)).toBeUndefined();
    expect(drain(a)).toBe(1);
  });

  it('tells the traffic class that routers left in the header', () => {
    const { network, a, b } = twoHosts();
    network.trafficClass = () => 3;
    send(a, '10.0.0.2', 1701);
    const info = newDatagramInfo();
    expect(b.receive(new Uint8Array(10), info)).toBe(true);
    expect(info.trafficClass).toBe(3);
  });

  it('keeps loopback within each host', () => {
    const { a, b } = twoHosts();
    send(a, '127.0.0.1', 1701);
    expect(drain(b)).toBe(0);
    expect(a.readError()?.remoteAddress).toBe('127.0.0.1');
  });

  it('delivers nothing to a socket that was closed on the way', () => {
    const clock = new SimulatedClock();
    const { a, b } = twoHosts({ delay: 30, clock });
    send(a, '10.0.0.2', 1701);
    b.close();
    clock.advance(30);
    expect(a.readError()?.code).toBe('ECONNREFUSED');
  });
});

describe('ESP in the simulated network', () => {
  const ESP = { family: 4, address: '0.0.0.0', port: 0, mark: 0, protocol: 'esp', dontFragment: true } as const;

  it('is lost, delayed and refused by size as UDP is', () => {
    const clock = new SimulatedClock();
    const entropy = new SimulatedEntropy(7);
    const network = new SimulatedNetwork(new SimulatedHandles(), { loss: 0.3, entropy, delay: 30, clock, mtu: 1400 });
    const a = network.udpSockets(['10.0.0.1']).open(ESP);
    const b = network.udpSockets(['10.0.0.2']).open(ESP);
    expect(send(a, '10.0.0.2', 0, 1381)).toBe('EMSGSIZE');
    for (let count = 0; count < 1000; count++) expect(send(a, '10.0.0.2', 0, 1380)).toBeUndefined();
    clock.advance(29);
    expect(drain(b)).toBe(0);
    clock.advance(1);
    const arrived = drain(b);
    expect(arrived).toBeGreaterThan(640);
    expect(arrived).toBeLessThan(760);
  });

  it.each([
    ['10.0.0.1', '10.0.0.2', 4, 'ENOPROTOOPT'],
    ['fd00::1', 'fd00::2', 6, 'EPROTO'],
  ] as const)('reports from %s that %s does not know the protocol', (here, there, family, code) => {
    const network = new SimulatedNetwork(new SimulatedHandles());
    const socket = network.udpSockets([here]).open({ ...ESP, family, address: here });
    network.udpSockets([there]);
    expect(socket.send(new Uint8Array(1), there, 0, here)).toBeUndefined();
    expect(socket.readError()).toEqual({ code, remoteAddress: there, remotePort: 0, mtu: 0 });
  });

  it('shows the filter its protocol', () => {
    const network = new SimulatedNetwork(new SimulatedHandles());
    const seen: string[] = [];
    network.filter = ({ protocol, packetLength }) => {
      seen.push(`${protocol} ${packetLength}`);
      return 'drop';
    };
    const host = network.udpSockets(['10.0.0.1']);
    host.open(ESP).send(new Uint8Array(10), '10.0.0.2', 0, '0.0.0.0');
    host.open(OPTIONS).send(new Uint8Array(10), '10.0.0.2', 9, '0.0.0.0');
    expect(seen).toEqual(['esp 30', 'udp 38']);
  });
});
