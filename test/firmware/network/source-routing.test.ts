import { describe, expect, it } from 'vitest';
import { type DesiredNetwork, desiredNetwork, type LiveTunnel } from '../../../firmware/network/desired.ts';
import { filterBody } from '../../../firmware/network/filter.ts';
import { parsed } from '../config/example.ts';

const A = {
  remote: '198.51.100.1',
  psk: 'long enough',
  localSubnets: ['10.1.0.0/24', '10.2.0.0/24'],
  remoteSubnets: ['10.8.0.0/16', '10.9.0.0/16'],
};
const B = { ...A, remote: '198.51.100.2', localSubnets: ['10.1.0.0/16'], remoteSubnets: ['10.7.0.0/16'] };
const LAN = { device: 'lan0', zone: 'lan', ipv4: { method: 'static', address: '10.1.0.1/24' } };

function desired(connections: object, ...tunnels: LiveTunnel[]): DesiredNetwork {
  const configuration = parsed({ interfaces: { lan: LAN }, ipsec: { connections } });
  return desiredNetwork(configuration, { tunnels, mainRoutes: [], reversePathFilter: false });
}

/** `type prefix device src source`, of the table that packets from `source` ask; `undefined` when there is none. */
function tableOf({ rules, routes }: DesiredNetwork, source: string): string[] | undefined {
  const rule = rules.find((one) => one.source === source);
  return (
    rule &&
    routes
      .filter(({ table }) => table === rule.table)
      .map(({ type, prefix, device, source: from }) =>
        [type, prefix, device, from && `src ${from}`].filter(Boolean).join(' '),
      )
      .sort()
  );
}

const up = (device: string, prefixes: readonly string[], source?: string): LiveTunnel => {
  return { device, localAddress: '', prefixes, ...(source === undefined ? {} : { source }) };
};

describe('routing by source', () => {
  it('refuses what belongs in the tunnel while it is down, from each local network and from the router itself', () => {
    const network = desired({ a: A });
    const refused = ['unreachable 10.8.0.0/16', 'unreachable 10.9.0.0/16'];
    expect(tableOf(network, '10.1.0.0/24')).toEqual(refused);
    expect(tableOf(network, '10.2.0.0/24')).toEqual(refused);
    expect(tableOf(network, '0.0.0.0/32')).toEqual(refused);
    expect(tableOf(network, '10.3.0.0/24')).toBeUndefined();
    expect(network.routes.filter(({ table }) => table === 5000)).toEqual([]);
  });

  it('leads into the tunnel while it stands; packets of the router get an address of this end', () => {
    const network = desired({ a: A }, up('ipsec-a', A.remoteSubnets, '10.1.0.1'));
    for (const source of ['0.0.0.0/32', '10.1.0.0/24', '10.2.0.0/24']) {
      const table = tableOf(network, source);
      expect(table).toContain('unicast 10.9.0.0/16 ipsec-a src 10.1.0.1');
      expect(table).toContain('unreachable 10.9.0.0/16');
    }
  });

  it('has nothing to say to the other end where the router has no address at this one', () => {
    const network = desired({ a: { ...A, localSubnets: ['10.5.0.0/24'] } }, up('ipsec-a', A.remoteSubnets));
    expect(tableOf(network, '10.5.0.0/24')).toContain('unicast 10.8.0.0/16 ipsec-a');
    expect(tableOf(network, '0.0.0.0/32')).toEqual(['unreachable 10.8.0.0/16', 'unreachable 10.9.0.0/16']);
  });

  it('asks for the longer source first, past which outer packets jump before anything else', () => {
    const { rules } = desired({ b: B, a: A });
    const inOrder = rules.toSorted((x, y) => x.priority - y.priority);
    expect(inOrder.map(({ mark, source, notMark }) => source ?? (mark === undefined ? { notMark } : { mark }))).toEqual(
      [{ mark: 0xc1 }, '0.0.0.0/32', '10.1.0.0/24', '10.2.0.0/24', '10.1.0.0/16', { notMark: 0xc1 }],
    );
    expect(inOrder[0]?.goto).toBe(inOrder.at(-1)?.priority);
    expect(new Set(rules.flatMap(({ table }) => table ?? [])).size).toBe(5);
  });

  it('is one table for all connections of one local network', () => {
    const hub = { ...A, localSubnets: ['10.1.0.0/24'] };
    const other = { ...hub, remote: '198.51.100.3', remoteSubnets: ['10.6.0.0/16'] };
    const network = desired({ hub, other }, up('ipsec-other', other.remoteSubnets));
    expect(network.rules.filter(({ source }) => source === '10.1.0.0/24')).toHaveLength(1);
    expect(tableOf(network, '10.1.0.0/24')).toEqual([
      'unicast 10.6.0.0/16 ipsec-other',
      'unreachable 10.6.0.0/16',
      'unreachable 10.8.0.0/16',
      'unreachable 10.9.0.0/16',
    ]);
  });

  it('leaves a connected network inside a remote one where it is', () => {
    const network = desired({ a: { ...A, remoteSubnets: ['10.0.0.0/8'] } });
    expect(tableOf(network, '10.2.0.0/24')).toEqual(['throw 10.1.0.0/24', 'unreachable 10.0.0.0/8']);
  });

  it('takes what is from the assigned address, and from the networks that are behind it', () => {
    const virtual = { ...A, localSubnets: ['10.1.0.0/24'], virtualAddress: true };
    const standing = { ...up('ipsec-a', A.remoteSubnets), localAddress: '10.9.9.7' };
    expect(tableOf(desired({ a: virtual }), '10.9.9.7/32')).toBeUndefined();
    const network = desired({ a: virtual }, standing);
    for (const source of ['0.0.0.0/32', '10.9.9.7/32', '10.1.0.0/24']) {
      expect(tableOf(network, source)).toContain('unicast 10.8.0.0/16 ipsec-a src 10.9.9.7');
    }
    expect(network.addresses).toContainEqual({ device: 'ipsec-a', address: '10.9.9.7/32' });
    expect(filterBody(network)).toContain('oifname "ipsec-a" masquerade');
    expect(filterBody(desired({ a: A }))).not.toContain('masquerade');
  });

  it('leads to the pool of callers, from everywhere where that is at this end', () => {
    const pool = { remote: 'any', psk: 'long enough', localSubnets: ['0.0.0.0/0'], pool: '10.60.0.8-10.60.0.15' };
    const network = desired({ callers: pool }, up('ipsec-callers', ['10.60.0.8/29'], '10.1.0.1'));
    const rule = network.rules.find(({ source, mark, notMark }) => (source ?? mark ?? notMark) === undefined);
    expect(rule?.priority).toBe(4992);
    const routes = network.routes.filter(({ table }) => table === rule?.table);
    expect(routes).toContainEqual(expect.objectContaining({ prefix: '10.60.0.8/29', device: 'ipsec-callers' }));
    expect(filterBody(network)).toContain('10.60.0.8-10.60.0.15 : goto only-ipsec-callers');
  });
});
