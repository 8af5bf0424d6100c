import { describe, expect, it } from 'vitest';
import { desiredNetwork } from '../../../firmware/network/desired.ts';
import {
  FIRST_UPLINK_TABLE,
  MAIN_TABLE,
  OUTER_MARK,
  RULE_PRIORITY,
  STEADY_TABLE,
  UPLINK_PRIORITY,
} from '../../../firmware/network/marks.ts';
import { planRouting } from '../../../firmware/network/plan-routing.ts';
import { desiredSysctls, isWantedSysctl, MULTIPATH_KEY } from '../../../firmware/network/sysctls.ts';
import type { LiveUplink } from '../../../firmware/network/uplink-routing.ts';
import { configuration } from '../uplink/uplink-bench.ts';

const TWO: readonly LiveUplink[] = [
  { name: 'dsl', device: 'ppp-dsl', address: '198.51.100.7/32', assign: false, slot: 0, carries: false },
  { name: 'lte', device: 'eth1', address: '10.22.0.9/24', gateway: '10.22.0.1', assign: true, slot: 1, carries: true },
];

function network(uplinks: readonly LiveUplink[]) {
  return desiredNetwork(configuration({}, {}), { tunnels: [], uplinks, mainRoutes: [], reversePathFilter: false });
}

function routesOf(uplinks: readonly LiveUplink[], table: number): string[] {
  const routes = network(uplinks).routes.filter((route) => route.table === table);
  return routes.map(({ type, prefix, gateway = '', device = '' }) =>
    [type, prefix, gateway, device].filter(Boolean).join(' '),
  );
}

describe('routes of uplinks', () => {
  it('the one that carries the traffic has the default route, and no other', () => {
    expect(routesOf(TWO, MAIN_TABLE)).toEqual(['unicast 0.0.0.0/0 10.22.0.1 eth1']);
    expect(routesOf([], MAIN_TABLE)).toEqual([]);
  });

  it('each has a table: its own network and its default by it, and what is nearer is left to others', () => {
    expect(routesOf(TWO, FIRST_UPLINK_TABLE + 1)).toEqual(
      expect.arrayContaining(['unicast 10.22.0.0/24 eth1', 'throw 10.21.0.0/24', 'unicast 0.0.0.0/0 10.22.0.1 eth1']),
    );
    const dsl = routesOf(TWO, FIRST_UPLINK_TABLE);
    expect(dsl).toContain('unicast 0.0.0.0/0 ppp-dsl');
    // Before a default can have a router, its network is there.
    const lte = routesOf(TWO, FIRST_UPLINK_TABLE + 1);
    expect(lte.indexOf('unicast 10.22.0.0/24 eth1')).toBeLessThan(lte.findIndex((line) => line.includes('0.0.0.0/0')));
  });

  it('the rules are asked behind everything that may lead into a tunnel', () => {
    const rules = network(TWO).rules.filter(({ table = 0 }) => table >= FIRST_UPLINK_TABLE);
    expect(rules).toMatchObject([
      { priority: UPLINK_PRIORITY, source: '198.51.100.7/32', table: FIRST_UPLINK_TABLE },
      { priority: UPLINK_PRIORITY, source: '10.22.0.9/32', table: FIRST_UPLINK_TABLE + 1 },
    ]);
    expect(UPLINK_PRIORITY).toBeGreaterThan(RULE_PRIORITY);
  });

  it('only an address that is ours to give is put on a device', () => {
    expect(network(TWO).addresses).toContainEqual({ device: 'eth1', address: '10.22.0.9/24' });
    expect(network(TWO).addresses).not.toContainEqual(expect.objectContaining({ device: 'ppp-dsl' }));
  });
});

describe('uplinks that share the traffic', () => {
  const [dsl, lte] = TWO.map((uplink, index) => ({ ...uplink, share: 2 - index }));
  const both = dsl !== undefined && lte !== undefined ? [dsl, lte] : [];

  it('have one default route together, by their weights, and flows are told apart by their ports', () => {
    const routes = network(both).routes.filter(({ table }) => table === MAIN_TABLE);
    expect(routes).toMatchObject([
      {
        prefix: '0.0.0.0/0',
        nexthops: [
          { device: 'ppp-dsl', weight: 2 },
          { device: 'eth1', gateway: '10.22.0.1', weight: 1 },
        ],
      },
    ]);
    const sysctl = { key: MULTIPATH_KEY, from: '0', to: '1', undone: true };
    expect(desiredSysctls(configuration({}, {}), network(both))).toContainEqual(sysctl);
    expect(desiredSysctls(configuration({}, {}), network(TWO))).not.toContainEqual(sysctl);
    expect([network(both), network(TWO)].map((desired) => isWantedSysctl(MULTIPATH_KEY, desired))).toEqual([
      true,
      false,
    ]);
  });

  it('the outer packets of tunnels go by the one that carries, but for what is nearer', () => {
    expect(network(both).rules).toContainEqual(expect.objectContaining({ mark: OUTER_MARK, table: STEADY_TABLE }));
    const steady = routesOf(both, STEADY_TABLE);
    expect(steady).toContain('unicast 0.0.0.0/0 10.22.0.1 eth1');
    expect(steady).toContain('throw 10.21.0.0/24');
    expect(routesOf(TWO, STEADY_TABLE)).toEqual([]);
    expect(network(TWO).rules).not.toContainEqual(expect.objectContaining({ table: STEADY_TABLE }));
  });

  it('another weight is another route, and the same weights are none', () => {
    const { routes, rules } = network(both);
    expect(planRouting({ routes, rules }, { routes, rules }).steps).toEqual([]);
    const heavier = network(both.map((uplink) => ({ ...uplink, share: 5 })));
    const { steps } = planRouting(heavier, { routes, rules });
    expect(steps.map(({ done }) => done)).toEqual([
      'route to 0.0.0.0/0 on ppp-dsl (5) and via 10.22.0.1 on eth1 (5) set',
    ]);
    const alone = planRouting(network(TWO), { routes, rules }).steps.map(({ done }) => done);
    expect(alone[0]).toBe('route to 0.0.0.0/0 via 10.22.0.1 on eth1 set');
    expect(alone.slice(1).every((text) => text.endsWith('removed'))).toBe(true);
  });
});
