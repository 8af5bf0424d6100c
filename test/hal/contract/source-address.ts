/** Which local address leads to a remote one: cases of the Links contract. */
import assert from 'node:assert/strict';
import type { Route } from '../../../hal/links.ts';
import type { ContractCase } from './contract.ts';
import type { LinksWorld } from './links.ts';

/** How often an answer is asked for that the kernel gives a moment later: it puts IPv6 addresses to use in its own time. */
const MAX_TRIES = 500;

const MAIN = 254;
const PROTOCOL = 77;

async function expectSource({ links }: LinksWorld, remote: string, source: string | undefined): Promise<void> {
  let found = await links.sourceAddress(remote, 0);
  for (let tries = 0; found !== source && remote.includes(':') && tries < MAX_TRIES; tries++) {
    found = await links.sourceAddress(remote, 0);
  }
  assert.equal(found, source, `the source towards ${remote}`);
}

function casesOf(family: 4 | 6, table: number): readonly ContractCase<LinksWorld>[] {
  const version = `IPv${family}`;
  const four = family === 4;
  const [own, other] = four ? ['10.77.0.1', '10.78.0.1'] : ['fd77::1', 'fd78::1'];
  const [gateway, remote, prefix] = four
    ? ['10.77.0.9', '198.51.100.7', '198.51.100.0/24']
    : ['fd77::9', '2001:db8:1::7', '2001:db8:1::/48'];
  const everything = four ? '0.0.0.0/0' : '::/0';
  const length = four ? 24 : 64;
  const route = (fields: Partial<Route>): Route => ({
    prefix,
    type: 'unicast',
    table: MAIN,
    protocol: PROTOCOL,
    ...fields,
  });
  return [
    {
      name: `${version}: where no route leads there is no source address`,
      run: async (world) => {
        await expectSource(world, remote, undefined);
      },
    },
    {
      name: `${version}: the source address is that of the interface towards the next hop`,
      run: async (world) => {
        await world.links.addAddress(world.device, `${own}/${length}`);
        await expectSource(world, gateway, own);
        await expectSource(world, remote, undefined);
        await world.links.replaceRoute(route({ gateway, device: world.device }));
        await expectSource(world, remote, own);
        await world.links.removeRoute(route({ gateway, device: world.device }));
        await expectSource(world, remote, undefined);
      },
    },
    {
      name: `${version}: an address of this machine is reached from itself`,
      run: async (world) => {
        await world.links.addAddress(world.device, `${own}/${length}`);
        await expectSource(world, own, own);
      },
    },
    {
      name: `${version}: a route that names its source has it`,
      run: async (world) => {
        await world.links.addAddress(world.device, `${own}/${length}`);
        await world.links.addAddress(world.device, `${other}/${length}`);
        await expectSource(world, other, other);
        await world.links.replaceRoute(route({ gateway, device: world.device, source: other }));
        await expectSource(world, remote, other);
      },
    },
    {
      name: `${version}: a longer prefix that leads nowhere hides the way`,
      run: async (world) => {
        await world.links.addAddress(world.device, `${own}/${length}`);
        await world.links.replaceRoute(route({ prefix: everything, gateway, device: world.device, metric: 9 }));
        await expectSource(world, remote, own);
        for (const type of ['unreachable', 'blackhole'] as const) {
          await world.links.replaceRoute(route({ type, metric: 5 }));
          await expectSource(world, remote, undefined);
          await world.links.removeRoute(route({ type, metric: 5 }));
        }
        await expectSource(world, remote, own);
        await world.links.removeRoute(route({ prefix: everything, gateway, device: world.device, metric: 9 }));
      },
    },
    {
      name: `${version}: the mark decides which rules count`,
      run: async (world) => {
        const rule = { priority: 1000, family, notMark: 0x77, table, protocol: PROTOCOL } as const;
        await world.links.addAddress(world.device, `${own}/${length}`);
        await world.links.addAddress(world.device, `${other}/${length}`);
        await expectSource(world, other, other);
        await world.links.replaceRoute(route({ gateway, device: world.device, source: own }));
        await world.links.replaceRoute(route({ gateway, device: world.device, source: other, table }));
        await expectSource(world, remote, own);
        await world.links.addRule(rule);
        await expectSource(world, remote, other);
        assert.equal(await world.links.sourceAddress(remote, 0x77), own);
        assert.equal(await world.links.sourceAddress(remote, 0x78), other);
        await world.links.removeRoute(route({ gateway, device: world.device, source: other, table }));
        await world.links.replaceRoute(route({ type: 'throw', table }));
        await expectSource(world, remote, own);
        await world.links.removeRule(rule);
      },
    },
    {
      name: `${version}: an interface that is down leads nowhere`,
      run: async (world) => {
        await world.links.addAddress(world.device, `${own}/${length}`);
        await expectSource(world, gateway, own);
        await world.links.setUp(world.device, false);
        await expectSource(world, gateway, undefined);
      },
    },
  ];
}

/** @param table one that nothing else uses. */
export function sourceAddressCases(table: number): readonly ContractCase<LinksWorld>[] {
  return [
    ...casesOf(4, table),
    ...casesOf(6, table),
    {
      name: 'the source address towards what is no address is refused with EINVAL',
      run: async ({ links }) => {
        for (const remote of ['', 'vpn.example.com', '10.0.0.0/8', '-4', 'fe80::1%lo']) {
          await assert.rejects(links.sourceAddress(remote, 0), { name: 'HalError', code: 'EINVAL' }, remote);
        }
      },
    },
  ];
}
