import { describe, expect, it } from 'vitest';
import { formatEndpoint, type UdpEndpoint } from '../../../../firmware/protocol/udp-path.ts';
import { dial, OFFICE, servedSettings, settings, TestNetwork, TestSite } from './two-sites.ts';

const NAT_ADDRESS = '198.51.100.1';
const IDENTITY = { kind: 'ipv4', value: '192.168.1.10' } as const;

/** Rekeys often. */
const OFTEN = { childLifetime: 600, ikeLifetime: 1500, dpdSeconds: 60 };

/** Gives every inside end a port of its own outside. */
class Nat {
  readonly #outside = new Map<string, number>();
  readonly #inside = new Map<number, UdpEndpoint>();
  #lastPort = 30_000;

  translate(end: UdpEndpoint): UdpEndpoint {
    if (!end.address.startsWith('10.')) return end;
    const key = formatEndpoint(end);
    const port = this.#outside.get(key) ?? ++this.#lastPort;
    this.#outside.set(key, port);
    this.#inside.set(port, end);
    return { address: NAT_ADDRESS, port };
  }

  restore(end: UdpEndpoint): UdpEndpoint {
    return end.address === NAT_ADDRESS ? (this.#inside.get(end.port) ?? end) : end;
  }

  /** Every mapping is lost. */
  reboot(): void {
    this.#outside.clear();
    this.#inside.clear();
  }
}

function behindNat(version: 1 | 2, clients: number) {
  const nat = new Nat();
  const office = new TestSite(OFFICE, 50);
  const branches = Array.from({ length: clients }, (_, index) => new TestSite(`10.0.0.${index + 1}`, index + 1));
  const network = new TestNetwork(office, ...branches);
  network.translate = (end) => nat.translate(end);
  network.restore = (end) => nat.restore(end);
  office.machine.setConnections(network.now, [servedSettings(version, OFTEN)]);
  office.machine.serve(network.now, 'callers');
  for (const { machine } of branches)
    machine.setConnections(network.now, [settings(version, { ...OFTEN, localId: IDENTITY })]);
  return { nat, office, branches, network };
}

describe.each([1, 2] as const)('behind a NAT, with IKEv%i', (version) => {
  it('keeps clients of one address and one identity apart, through rekeys', () => {
    const { office, branches, network } = behindNat(version, 3);
    for (const branch of branches) dial(network, branch);
    network.run(5);
    expect(office.up.size).toBe(3);
    network.traffic = true;
    network.run(3600);
    expect(network.unopened).toBe(0);
    expect(office.up.size).toBe(3);
    expect(office.all('channel-up')).toHaveLength(3);
    for (const branch of branches) expect(branch.all('channel-down')).toEqual([]);
    const ends = [...office.up.keys()].map((channel) =>
      formatEndpoint(office.sending(channel)?.path.remote ?? NOWHERE),
    );
    expect(new Set(ends).size).toBe(3);
  });

  it('keeps the mapping alive every 20 seconds, on the inside only', () => {
    const { office, branches, network } = behindNat(version, 1);
    const [branch] = branches;
    if (branch === undefined) throw new Error('no client');
    dial(network, branch);
    network.run(101);
    expect(branch.all('nat-keepalive')).toHaveLength(5);
    expect(branch.last('nat-keepalive').path.remote).toEqual({ address: OFFICE, port: 4500 });
    expect(office.all('nat-keepalive')).toEqual([]);
  });

  it('follows a client that the NAT has remapped, in the same channel', () => {
    const { nat, office, branches, network } = behindNat(version, 2);
    for (const branch of branches) dial(network, branch);
    network.run(5);
    const before = new Map([...office.up.keys()].map((channel) => [channel, office.sending(channel)?.path.remote]));
    nat.reboot();
    network.traffic = true;
    network.run(60);
    expect([...office.up.keys()]).toEqual([...before.keys()]);
    for (const [channel, end] of before) {
      expect(office.sending(channel)?.path.remote.address).toBe(NAT_ADDRESS);
      expect(office.sending(channel)?.path.remote).not.toEqual(end);
    }
    network.unopened = 0;
    network.run(1800);
    expect(network.unopened).toBe(0);
    expect(office.up.size).toBe(2);
  });
});

const NOWHERE: UdpEndpoint = { address: '0.0.0.0', port: 0 };
