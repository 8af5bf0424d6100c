import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  blockEsp,
  blockEverything,
  blockUdp500,
  blockUdp4500,
  type Impairment,
  impair,
  limitRate,
  lose,
} from '../../scripts/lab/impairments.ts';
import { addBridge, connect, createNamespace, type Namespace } from '../../scripts/lab/namespaces.ts';
import { tryRun } from '../../scripts/lab/shell.ts';
import { describeWithNamespaces } from './needs.ts';

describeWithNamespaces('impairments', () => {
  let internet: Namespace;
  let left: Namespace;
  let right: Namespace;

  beforeAll(async () => {
    internet = await createNamespace('internet');
    [left, right] = [await createNamespace('left'), await createNamespace('right')];
    await addBridge(internet, 'br0');
    for (const [site, port, address] of [
      [left, 'vleft', '10.20.0.2/24'],
      [right, 'vright', '10.20.0.3/24'],
    ] as const) {
      const end = { namespace: site, device: 'eth0', addresses: [address] };
      await connect({ namespace: internet, device: port, bridge: 'br0' }, end);
    }
  });

  afterAll(() => {
    for (const namespace of [left, right, internet]) namespace?.delete();
  });

  /** Packets that arrive, of `count`. */
  async function pings(count: number): Promise<number> {
    const { stdout } = await tryRun(
      left.command('ping', '-q', '-c', `${count}`, '-i', '0.002', '-W', '0.2', '10.20.0.3'),
    );
    return Number(/(\d+) received/.exec(stdout)?.[1]);
  }

  /** A counter of the kernel of `right`, such as `Udp` and `NoPorts`. */
  async function counter(protocol: string, name: string): Promise<number> {
    const lines = (await right.run('cat', '/proc/net/snmp'))
      .split('\n')
      .filter((line) => line.startsWith(`${protocol}:`));
    const [names = [], values = []] = lines.map((line) => line.split(' '));
    return Number(values[names.indexOf(name)]);
  }

  /** Whether a datagram to this port is seen at the other side, where nobody listens. */
  async function udpArrives(port: number): Promise<boolean> {
    const before = await counter('Udp', 'NoPorts');
    await left.run('bash', '-c', `echo x >/dev/udp/10.20.0.3/${port}`);
    return (await counter('Udp', 'NoPorts')) > before;
  }

  /** Whether ESP is seen at the other side, where nobody knows the protocol. */
  async function espArrives(): Promise<boolean> {
    const before = await counter('Ip', 'InUnknownProtos');
    const script =
      'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 50).sendto(bytes(32), ("10.20.0.3", 0))';
    await left.run('python3', '-c', script);
    return (await counter('Ip', 'InUnknownProtos')) > before;
  }

  it.each<[string, Impairment, readonly [boolean, boolean, boolean, boolean]]>([
    ['UDP 500', blockUdp500, [false, true, true, true]],
    ['UDP 4500', blockUdp4500, [true, false, true, true]],
    ['ESP', blockEsp, [true, true, false, true]],
    ['everything', blockEverything, [false, false, false, false]],
  ])('block %s and nothing else, until the end', async (_what, impairment, expected) => {
    const arrives = async () => [
      await udpArrives(500),
      await udpArrives(4500),
      await espArrives(),
      (await pings(1)) === 1,
    ];
    const end = await impair(internet, impairment);
    expect(await arrives()).toEqual(expected);
    await end();
    await end(); // a second time is harmless
    expect(await arrives()).toEqual([true, true, true, true]);
    expect(await internet.run('nft', 'list', 'ruleset')).toBe('');
  });

  it('lose some packets, and let the others pass', async () => {
    const end = await impair(internet, lose(40));
    const received = await pings(100); // there and back: 36 are expected
    expect(received).toBeGreaterThan(5);
    expect(received).toBeLessThan(80);
    await end();
    expect(await pings(20)).toBe(20);
  });

  it('limit the rate', async () => {
    const flood = async () => {
      const options = ['-q', '-f', '-c', '300', '-s', '1400', '-W', '0.5'];
      const { stdout } = await tryRun(left.command('ping', ...options, '10.20.0.3'));
      return Number(/time (\d+)ms/.exec(stdout)?.[1]);
    };
    const end = await limitRate(internet, 4000);
    // 433 kilo-octets, of which 66 pass at once; the rest takes 0.7 s.
    expect(await flood()).toBeGreaterThan(500);
    await end();
    expect(await flood()).toBeLessThan(400);
  });
});
