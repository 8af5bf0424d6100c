import { describe, expect, it } from 'vitest';
import { desiredNetwork } from '../../../firmware/network/desired.ts';
import type { LiveUplink } from '../../../firmware/network/uplink-routing.ts';
import { parsed } from '../config/example.ts';

const CONFIGURATION = parsed({
  interfaces: {
    wan: { device: 'eth0', zone: 'wan', ipv4: { method: 'dhcp' } },
    lan: { device: 'lan0', zone: 'lan', ipv4: { method: 'static', address: '192.168.12.1/24' } },
  },
  routes: [{ prefix: '10.78.0.0/16', gateway: '192.168.12.9' }],
});

const UPLINK: LiveUplink = {
  name: 'wan',
  device: 'eth0',
  address: '203.0.113.7/32',
  gateway: '203.0.113.1',
  routes: [{ prefix: '203.0.113.1/32' }, { prefix: '10.77.0.0/16', gateway: '203.0.113.1' }],
  assign: true,
  carries: true,
  slot: 0,
};

function desired(...uplinks: LiveUplink[]) {
  return desiredNetwork(CONFIGURATION, { tunnels: [], uplinks, mainRoutes: [], reversePathFilter: false });
}

const ways = (table: number, ...uplinks: LiveUplink[]) =>
  desired(...uplinks)
    .routes.filter((route) => route.table === table && route.type === 'unicast')
    .map(({ prefix, gateway = 'on the link', device }) => `${prefix} ${gateway} ${device}`);

describe('routes that a DHCP server hands out', () => {
  it('stand before the default route, whose router may be reached by them, in both tables', () => {
    expect(ways(254, UPLINK)).toEqual([
      '203.0.113.1/32 on the link eth0',
      '10.77.0.0/16 203.0.113.1 eth0',
      '0.0.0.0/0 203.0.113.1 eth0',
      '10.78.0.0/16 192.168.12.9 lan0',
    ]);
    const own = ways(90_001, UPLINK);
    expect(own.indexOf('203.0.113.1/32 on the link eth0')).toBeLessThan(own.indexOf('0.0.0.0/0 203.0.113.1 eth0'));
    expect(own).toContain('10.77.0.0/16 203.0.113.1 eth0');
  });

  it('do not stand in the place of a static route, of a network of ours, or of those of an earlier uplink', () => {
    const routes = [{ prefix: '10.78.0.0/16', gateway: '203.0.113.1' }, { prefix: '192.168.12.0/24' }];
    const other: LiveUplink = {
      ...UPLINK,
      name: 'b',
      device: 'eth1',
      address: '198.51.100.7/24',
      carries: false,
      slot: 1,
    };
    const main = ways(254, { ...UPLINK, routes: [...(UPLINK.routes ?? []), ...routes] }, other);
    expect(main.filter((way) => way.endsWith('eth1'))).toEqual([]);
    expect(main.filter((way) => /^(10\.78|192\.168)/.test(way))).toEqual(['10.78.0.0/16 192.168.12.9 lan0']);
  });

  it('and the leased address is put on the device', () => {
    expect(desired(UPLINK).addresses).toContainEqual({ device: 'eth0', address: '203.0.113.7/32' });
    expect(desired().addresses.some(({ device }) => device === 'eth0')).toBe(false);
  });
});
