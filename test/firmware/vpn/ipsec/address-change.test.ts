import { describe, expect, it } from 'vitest';
import { LocalAddresses } from '../../../../firmware/vpn/ipsec/local-addresses.ts';
import { BRANCH, dial, OFFICE, servedSettings, settings, TestNetwork, TestSite } from './two-sites.ts';

const MOVED = '203.0.113.9';
const TUNNEL = { device: 'ipsec-hq', routing: 'policy', mtu: 1400, start: 'boot' } as const;

/** A branch that has called head office in tunnel mode, or for L2TP. */
function connected(version: 1 | 2, mode: 'tunnel' | 'transport') {
  const branch = new TestSite(BRANCH, 1);
  const office = new TestSite(OFFICE, 2);
  const network = new TestNetwork(branch, office);
  const at = (localSubnets: readonly string[], remoteSubnets: readonly string[]) =>
    mode === 'tunnel' ? { mode, tunnel: { ...TUNNEL, localSubnets, remoteSubnets } } : { mode };
  branch.machine.setConnections(network.now, [settings(version, at(['10.1.0.0/16'], ['10.2.0.0/16']))]);
  const called = { ...at(['10.2.0.0/16'], ['10.1.0.0/16']), localId: { kind: 'ipv4', value: OFFICE } as const };
  office.machine.setConnections(network.now, [servedSettings(version, called)]);
  office.machine.serve(network.now, 'callers');
  const channel = dial(network, branch);
  network.run(5);
  expect(branch.up.size).toBe(1);
  return { branch, office, network, channel };
}

function move({ branch, network }: ReturnType<typeof connected>, to = MOVED): void {
  const { destinations } = branch.machine;
  expect(destinations.map(({ remote }) => remote)).toEqual([OFFICE]);
  branch.address = to;
  for (const destination of destinations) branch.machine.localAddress(network.now, destination, to);
}

describe('this side has another address towards the peer', () => {
  it('a tunnel of IKEv2 goes on from there: both data planes send on the new way, under the same channel', () => {
    const both = connected(2, 'tunnel');
    const { branch, office, network, channel } = both;
    const keys = [branch, office].map(({ sas }) => [...sas.keys()]);
    move(both);
    network.settle();
    expect(branch.sending(channel)?.path.local.address).toBe(MOVED);
    network.run(2);
    const [there] = [...office.up.keys()];
    expect(office.sending(there ?? 0)?.path.remote.address).toBe(MOVED);
    expect([branch, office].map(({ sas }) => [...sas.keys()])).toEqual(keys);
    expect(branch.all('channel-down')).toEqual([]);
    expect(branch.all('step').some(({ step }) => step.detail?.includes('goes on from there'))).toBe(true);
    expect(office.all('step').some(({ step }) => step.detail?.includes('as it said itself'))).toBe(true);
    network.traffic = true;
    network.run(20_000);
    expect(network.unopened).toBe(0);
    expect(branch.machine.views(network.now, 0)[0]?.ikeSas[0]?.path.local.address).toBe(MOVED);
  });

  it.each([
    [1, 'tunnel'],
    [1, 'transport'],
    [2, 'transport'],
  ] as const)('a channel of IKEv%i in %s mode ends, and says that calling at once is worth it', (version, mode) => {
    const both = connected(version, mode);
    const { branch, network } = both;
    move(both);
    network.settle();
    expect(branch.last('channel-down').failure).toMatchObject({ step: 'address', cause: 'moved' });
    dial(network, branch);
    network.run(5);
    expect(branch.up.size).toBe(1);
    expect(branch.sending([...branch.up.keys()][0] ?? 0)?.path.local.address).toBe(MOVED);
  });

  it('nothing happens while it is the same one', () => {
    const both = connected(2, 'tunnel');
    const before = both.branch.outputs.length;
    move(both, BRANCH);
    both.network.settle();
    expect(both.branch.outputs.length).toBe(before);
  });
});

describe('the look at the addresses', () => {
  it('is one at a time, and what changes during one is not missed', async () => {
    const asked: string[] = [];
    const told: string[] = [];
    const answers: ((address: string | undefined) => void)[] = [];
    const addresses = new LocalAddresses({
      destinations: () => [{ connection: 'hq', remote: OFFICE }],
      sourceAddress: (remote) => {
        asked.push(remote);
        return new Promise((resolve) => answers.push(resolve));
      },
      onAddress: (_remote, local) => told.push(local),
    });
    const answer = async (address: string | undefined): Promise<void> => {
      answers.shift()?.(address);
      await new Promise((resolve) => setImmediate(resolve));
    };
    addresses.look();
    addresses.look();
    expect(asked).toHaveLength(1);
    await answer(undefined);
    expect(asked).toHaveLength(2);
    await answer(MOVED);
    expect(told).toEqual([MOVED]);
    expect(asked).toHaveLength(2);
    addresses.look();
    await answer(BRANCH);
    expect(told).toEqual([MOVED, BRANCH]);
  });
});
