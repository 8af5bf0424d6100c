import assert from 'node:assert/strict';
import type { LinkChange, Links, Route, Rule } from '../../../hal/links.ts';
import type { Contract, ContractCase } from './contract.ts';
import { linkDeviceCases } from './link-devices.ts';
import { sourceAddressCases } from './source-address.ts';

export interface LinksWorld {
  readonly links: Links;
  /** An Ethernet device that is up and has no IPv4 address. */
  readonly device: string;
  /** Puts the device's cable in, or pulls it. */
  readonly plug: (plugged: boolean) => void;
}

/** A table and a protocol number that nothing else uses. */
export const TABLE = 99;
const PROTOCOL = 77;

const METRIC_LAST = 4_294_967_295;

const rejection = (code: string): { name: string; code: string } => ({ name: 'HalError', code });

async function addressesOn({ links, device }: LinksWorld): Promise<readonly string[]> {
  const found = (await links.addresses()).filter((entry) => entry.device === device).map((entry) => entry.address);
  return found.filter((address) => !address.startsWith('fe80:'));
}

const route4 = (fields: Partial<Route> = {}): Route => ({
  prefix: '10.99.0.0/16',
  type: 'unicast',
  gateway: '10.77.0.9',
  metric: 50,
  table: TABLE,
  protocol: PROTOCOL,
  ...fields,
});

function addressCases(family: 4 | 6): readonly ContractCase<LinksWorld>[] {
  const [address, other, peer] =
    family === 4 ? ['10.77.0.1/24', '10.77.0.3/24', '10.78.0.2'] : ['fd77::1/64', 'fd77::3/64', 'fd78::2'];
  const single = family === 4 ? '10.78.0.1' : 'fd78::1';
  const whole = `${single}/${family === 4 ? 32 : 128}`;
  return [
    {
      name: `IPv${family}: an address that was added is listed, and gone after it was removed`,
      run: async (world) => {
        await world.links.addAddress(world.device, address);
        assert.deepEqual(await addressesOn(world), [address]);
        await world.links.removeAddress(world.device, address);
        assert.deepEqual(await addressesOn(world), []);
      },
    },
    {
      name: `IPv${family}: adding an address that is there fails with EEXIST, removing a missing one with EADDRNOTAVAIL`,
      run: async (world) => {
        await world.links.addAddress(world.device, address);
        await assert.rejects(world.links.addAddress(world.device, address), rejection('EEXIST'));
        await assert.rejects(world.links.removeAddress(world.device, other), rejection('EADDRNOTAVAIL'));
        assert.deepEqual(await addressesOn(world), [address]);
      },
    },
    {
      name: `IPv${family}: a point-to-point address is listed with full length, and removed by that`,
      run: async (world) => {
        await world.links.addPeerAddress(world.device, single, peer);
        assert.deepEqual(await addressesOn(world), [whole]);
        await world.links.removeAddress(world.device, whole);
        assert.deepEqual(await addressesOn(world), []);
      },
    },
    {
      name: `IPv${family}: an address brings the route to its network, and takes it along`,
      run: async (world) => {
        const network = family === 4 ? '10.77.0.0/24' : 'fd77::/64';
        const connected = async (): Promise<boolean> =>
          (await world.links.routes(family, 254)).some(
            (route) => route.prefix === network && route.device === world.device && route.protocol === 2,
          );
        await world.links.addAddress(world.device, address);
        assert.equal(await connected(), true);
        await world.links.removeAddress(world.device, address);
        assert.equal(await connected(), false);
      },
    },
  ];
}

function ruleCases(family: 4 | 6): readonly ContractCase<LinksWorld>[] {
  const rule: Rule = { priority: 1000, family, notMark: 0x77, table: TABLE, protocol: PROTOCOL };
  return [
    {
      name: `IPv${family}: a rule that was added is listed in the order of priorities, and gone after it was removed`,
      run: async ({ links }) => {
        const before = await links.rules(family);
        assert.deepEqual(
          before.map(({ table }) => table),
          family === 4 ? [255, 254, 253] : [255, 254],
        );
        await links.addRule(rule);
        const [first, ...rest] = before;
        assert.deepEqual(await links.rules(family), [first, rule, ...rest]);
        await links.removeRule(rule);
        assert.deepEqual(await links.rules(family), before);
      },
    },
    {
      name: `IPv${family}: a rule without mark is one too`,
      run: async ({ links }) => {
        const plain: Rule = { priority: 1001, family, table: TABLE, protocol: PROTOCOL };
        await links.addRule(plain);
        assert.deepEqual((await links.rules(family))[1], plain);
        await links.removeRule(plain);
      },
    },
    {
      name: `IPv${family}: a rule for a source, and one that jumps by the mark, are read back as they were added`,
      run: async ({ links }) => {
        const [network, host] = family === 4 ? ['10.1.0.0/16', '0.0.0.0/32'] : ['fd00:1::/32', 'fd00::1/128'];
        const rules: readonly Rule[] = [
          { priority: 1002, family, mark: 0x77, goto: 1005, protocol: PROTOCOL },
          { priority: 1003, family, source: host, table: TABLE, protocol: PROTOCOL },
          { priority: 1004, family, source: network, table: TABLE, protocol: PROTOCOL },
          { priority: 1005, family, notMark: 0x77, table: TABLE, protocol: PROTOCOL },
        ];
        for (const one of rules) await links.addRule(one);
        assert.deepEqual((await links.rules(family)).slice(1, 5), rules);
        await assert.rejects(
          links.removeRule({ priority: 1004, family, source: host, table: TABLE }),
          rejection('ENOENT'),
        );
        for (const one of rules) await links.removeRule(one);
      },
    },
    {
      name: `IPv${family}: adding a rule twice fails with EEXIST, removing a missing one with ENOENT`,
      run: async ({ links }) => {
        await links.addRule(rule);
        await assert.rejects(links.addRule(rule), rejection('EEXIST'));
        await assert.rejects(links.removeRule({ ...rule, notMark: 0x78 }), rejection('ENOENT'));
        await links.removeRule(rule);
        await assert.rejects(links.removeRule(rule), rejection('ENOENT'));
      },
    },
  ];
}

const routeCases: readonly ContractCase<LinksWorld>[] = [
  {
    name: 'a table without routes is empty, be it there or not',
    run: async ({ links }) => {
      assert.deepEqual(await links.routes(4, 12_345), []);
      assert.deepEqual(await links.routes(6, 12_345), []);
    },
  },
  {
    name: 'a route is read back as it was set, with the device that the kernel found',
    run: async ({ links, device }) => {
      await links.addAddress(device, '10.77.0.1/24');
      await links.replaceRoute(route4({ source: '10.77.0.1' }));
      assert.deepEqual(await links.routes(4, TABLE), [route4({ source: '10.77.0.1', device })]);
    },
  },
  {
    name: 'an IPv6 route is read back as it was set',
    run: async ({ links, device }) => {
      await links.addAddress(device, 'fd77::1/64');
      const route = route4({ prefix: 'fd99::/48', gateway: 'fd77::9', device });
      await links.replaceRoute(route);
      assert.deepEqual(await links.routes(6, TABLE), [route]);
      await links.removeRoute(route);
      assert.deepEqual(await links.routes(6, TABLE), []);
    },
  },
  {
    name: 'a route through a device without gateway has scope link, and that of one host its length',
    run: async ({ links, device }) => {
      const route: Route = { prefix: '10.99.0.1/32', type: 'unicast', device, table: TABLE, protocol: PROTOCOL };
      await links.replaceRoute(route);
      assert.deepEqual(await links.routes(4, TABLE), [{ ...route, scope: 'link' }]);
    },
  },
  {
    name: 'replacing a route changes that of the same prefix and metric, and no other',
    run: async ({ links, device }) => {
      await links.addAddress(device, '10.77.0.1/24');
      await links.replaceRoute(route4());
      await links.replaceRoute(route4({ metric: 60 }));
      await links.replaceRoute(route4({ gateway: '10.77.0.10' }));
      const seen = (await links.routes(4, TABLE)).map(({ gateway, metric }) => `${gateway} ${metric}`);
      assert.deepEqual(seen.toSorted(), ['10.77.0.10 50', '10.77.0.9 60']);
    },
  },
  {
    name: 'an unreachable default of the last metric catches what no other route takes, in both families',
    run: async ({ links }) => {
      for (const [family, prefix] of [[4, '0.0.0.0/0'] as const, [6, '::/0'] as const]) {
        const route: Route = { prefix, type: 'unreachable', metric: METRIC_LAST, table: TABLE, protocol: PROTOCOL };
        await links.replaceRoute(route);
        await links.replaceRoute(route);
        assert.deepEqual(await links.routes(family, TABLE), [route]);
        await links.removeRoute(route);
        assert.deepEqual(await links.routes(family, TABLE), []);
      }
    },
  },
  {
    name: 'throw and blackhole routes are told apart',
    run: async ({ links }) => {
      for (const type of ['throw', 'blackhole'] as const) {
        const route: Route = { prefix: '10.98.0.0/16', type, metric: 5, table: TABLE, protocol: PROTOCOL };
        await links.replaceRoute(route);
        assert.deepEqual(await links.routes(4, TABLE), [route]);
      }
    },
  },
  {
    name: 'removing a route that is not there fails with ESRCH, also when only its metric differs',
    run: async ({ links, device }) => {
      await links.addAddress(device, '10.77.0.1/24');
      await assert.rejects(links.removeRoute(route4()), rejection('ESRCH'));
      await links.replaceRoute(route4());
      await assert.rejects(links.removeRoute(route4({ metric: 51 })), rejection('ESRCH'));
      await links.removeRoute(route4());
    },
  },
  {
    name: 'a gateway that is on no network of the machine is refused',
    run: async ({ links }) => {
      await assert.rejects(links.replaceRoute(route4({ gateway: '192.0.2.1' })), rejection('ENETUNREACH'));
    },
  },
  {
    name: 'a route through a device that is down, or missing, is refused',
    run: async ({ links, device }) => {
      const { gateway: _, ...direct } = route4({ device });
      await links.setUp(device, false);
      await assert.rejects(links.replaceRoute(direct), rejection('ENETDOWN'));
      await assert.rejects(links.replaceRoute({ ...direct, device: 'cvnone' }), rejection('ENODEV'));
    },
  },
  {
    name: 'routes go with their device when it is set down',
    run: async ({ links, device }) => {
      await links.addAddress(device, '10.77.0.1/24');
      await links.replaceRoute(route4());
      await links.setUp(device, false);
      assert.deepEqual(await links.routes(4, TABLE), []);
    },
  },
  {
    name: 'an IPv4 prefix with bits behind its length is refused',
    run: async ({ links, device }) => {
      const { gateway: _, ...direct } = route4({ device, prefix: '10.99.0.1/16' });
      await assert.rejects(links.replaceRoute(direct), rejection('EINVAL'));
    },
  },
];

/** Changes of all kinds at once, the even ones of which are refused. */
function mixedChanges(device: string): readonly (readonly [LinkChange, string | undefined])[] {
  const rule: Rule = { priority: 1000, family: 6, notMark: 0x77, table: TABLE, protocol: PROTOCOL };
  return [
    [{ kind: 'add-address', device, address: '10.77.0.1/24' }, undefined],
    [{ kind: 'add-address', device, address: '10.77.0.1/24' }, 'EEXIST'],
    [{ kind: 'add-address', device, address: 'fd77::1/64' }, undefined],
    [{ kind: 'add-address', device, address: '10.77.0.2' }, 'EINVAL'],
    [{ kind: 'replace-route', route: route4() }, undefined],
    [{ kind: 'replace-route', route: route4({ gateway: '192.0.2.1' }) }, 'ENETUNREACH'],
    [{ kind: 'add-rule', rule }, undefined],
    [{ kind: 'add-rule', rule }, 'EEXIST'],
    [{ kind: 'set-sysctl', key: 'net.ipv4.ip_forward', value: '0' }, undefined],
    [{ kind: 'set-sysctl', key: 'net.ipv4.no_such_thing', value: '1' }, 'ENOENT'],
    [{ kind: 'add-rule', rule: { ...rule, family: 4 } }, undefined],
    [{ kind: 'remove-rule', rule: { ...rule, priority: 1001 } }, 'ENOENT'],
    [{ kind: 'set-mtu', device, mtu: 1400 }, undefined],
    [{ kind: 'set-up', device: 'cvnone', up: true }, 'ENODEV'],
  ];
}

const batchCases: readonly ContractCase<LinksWorld>[] = [
  {
    name: 'changes made at once are made in their order, and each has its own error',
    run: async ({ links, device }) => {
      const mixed = mixedChanges(device);
      const errors = await links.apply(mixed.map(([change]) => change));
      assert.deepEqual(
        errors.map((error) => error?.code),
        mixed.map(([, code]) => code),
      );
      assert.deepEqual(await links.routes(4, TABLE), [route4({ device })]);
    },
  },
  {
    name: 'a point-to-point address is removed among other changes, too',
    run: async (world) => {
      const { links, device } = world;
      const errors = await links.apply([
        { kind: 'add-address', device, address: '10.78.0.1', peer: '10.78.0.2' },
        { kind: 'remove-address', device, address: '10.78.0.1/32' },
      ]);
      assert.deepEqual(errors, [undefined, undefined]);
      assert.deepEqual(await addressesOn(world), []);
    },
  },
  {
    name: 'the state read at once is what is read one by one',
    run: async ({ links, device }) => {
      await links.apply(mixedChanges(device).map(([change]) => change));
      const unreachable: Route = { prefix: '::/0', type: 'unreachable', metric: 7, table: TABLE, protocol: PROTOCOL };
      await links.replaceRoute(unreachable);
      await links.replaceRoute({ ...unreachable, prefix: '0.0.0.0/0' });
      const state = await links.state();
      assert.deepEqual(state.links, await links.links());
      assert.deepEqual(state.addresses, await links.addresses());
      assert.deepEqual(await links.linksAndAddresses(), { links: state.links, addresses: state.addresses });
      assert.deepEqual(state.rules, [...(await links.rules(4)), ...(await links.rules(6))]);
      for (const table of [254, TABLE]) {
        for (const family of [4, 6] as const) {
          const found = state.routes.filter(
            (route) => route.table === table && route.prefix.includes(':') === (family === 6),
          );
          assert.deepEqual(found, await links.routes(family, table));
        }
      }
      assert.equal(state.routes.filter(({ table }) => table === TABLE).length, 3);
    },
  },
  {
    name: 'hundreds of changes are made, be they more than one process takes',
    run: async ({ links, device }) => {
      await links.addAddress(device, '10.77.0.1/24');
      const changes = Array.from({ length: 700 }, (_, index): LinkChange => {
        const prefix = `10.${100 + Math.floor(index / 250)}.${index % 250}.0/24`;
        return { kind: 'replace-route', route: route4({ prefix }) };
      });
      assert.deepEqual(new Set(await links.apply(changes)), new Set([undefined]));
      assert.equal((await links.state()).routes.filter(({ table }) => table === TABLE).length, 700);
    },
  },
];

export const linksContract: Contract<LinksWorld> = {
  name: 'links',
  cases: [
    {
      name: 'links are listed with name, state, MTU and hardware address',
      run: async ({ links, device }) => {
        const all = await links.links();
        const lo = all.find(({ name }) => name === 'lo');
        assert.equal(lo?.mac, '');
        assert.equal(lo?.mtu, 65_536);
        const ethernet = all.find(({ name }) => name === device);
        assert.equal(ethernet?.up, true);
        assert.match(ethernet?.mac ?? '', /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
        assert.notEqual(ethernet?.index, lo?.index);
      },
    },
    {
      name: 'a link can be set down and up, and its MTU changed',
      run: async ({ links, device }) => {
        const link = async (): Promise<unknown> => {
          const found = (await links.links()).find(({ name }) => name === device);
          return [found?.up, found?.mtu];
        };
        await links.setUp(device, false);
        await links.setMtu(device, 1400);
        assert.deepEqual(await link(), [false, 1400]);
        await links.setUp(device, true);
        assert.deepEqual(await link(), [true, 1400]);
      },
    },
    ...linkDeviceCases,
    {
      name: 'a device that is not there is refused with ENODEV',
      run: async ({ links }) => {
        await assert.rejects(links.setUp('cvnone', true), rejection('ENODEV'));
        await assert.rejects(links.setMtu('cvnone', 1400), rejection('ENODEV'));
        await assert.rejects(links.addAddress('cvnone', '10.77.0.1/24'), rejection('ENODEV'));
        await assert.rejects(links.removeAddress('cvnone', '10.77.0.1/24'), rejection('ENODEV'));
      },
    },
    {
      name: 'what is no address is refused with EINVAL',
      run: async ({ links, device }) => {
        for (const address of ['10.77.0.1', '10.77.0.256/24', '10.77.0.1/33', 'fd77::1/129', 'dev', '']) {
          await assert.rejects(links.addAddress(device, address), rejection('EINVAL'), address);
        }
        await assert.rejects(links.addPeerAddress(device, '10.0.0.1/32', '10.0.0.2'), rejection('EINVAL'));
      },
    },
    {
      name: 'an MTU that no device has is refused with EINVAL',
      run: async ({ links, device }) => {
        await assert.rejects(links.setMtu(device, 1), rejection('EINVAL'));
      },
    },
    ...addressCases(4),
    ...addressCases(6),
    ...routeCases,
    ...ruleCases(4),
    ...ruleCases(6),
    ...batchCases,
    ...sourceAddressCases(TABLE),
    {
      name: 'changes that are not awaited are made in order, and a failing one does not stop the next',
      run: async ({ links, device }) => {
        const outcomes = await Promise.allSettled([
          links.addAddress(device, '10.77.0.1/24'),
          links.addAddress(device, '10.77.0.1/24'),
          links.replaceRoute(route4()),
          links.routes(4, TABLE),
        ]);
        assert.deepEqual(
          outcomes.map(({ status }) => status),
          ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
        );
        const last = outcomes[3];
        assert.equal(last?.status === 'fulfilled' && last.value?.length, 1);
      },
    },
    {
      name: 'a kernel parameter is read and set',
      run: async ({ links, device }) => {
        for (const key of ['net.ipv4.ip_forward', `net.ipv4.conf.${device}.rp_filter`]) {
          await links.setSysctl(key, '1');
          assert.equal(await links.getSysctl(key), '1');
          await links.setSysctl(key, '0');
          assert.equal(await links.getSysctl(key), '0');
        }
      },
    },
    {
      name: 'a kernel parameter that is not there is refused with ENOENT',
      run: async ({ links }) => {
        await assert.rejects(links.getSysctl('net.ipv4.no_such_thing'), rejection('ENOENT'));
        await assert.rejects(links.setSysctl('net.ipv4.conf.cvnone.rp_filter', '1'), rejection('ENOENT'));
      },
    },
  ],
};
