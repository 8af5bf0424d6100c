import assert from 'node:assert/strict';
import type { NextHop, Route } from '../../../hal/links.ts';
import type { Contract } from './contract.ts';
import { type LinksWorld, TABLE } from './links.ts';

const PROTOCOL = 77;

/** Two routers in the network of the device. */
function sharedRoute(table: number, device: string, weights: readonly [number, number]): Route {
  const nexthops = weights.map((weight, index): NextHop => ({ device, gateway: `10.77.0.${8 + index}`, weight }));
  return { prefix: '0.0.0.0/0', type: 'unicast', nexthops, table, protocol: PROTOCOL };
}

/** A contract of its own: kernels may be without them (CONFIG_IP_ROUTE_MULTIPATH). */
export const multipathContract: Contract<LinksWorld> = {
  name: 'links, several next hops',
  cases: multipathCases(),
};

function multipathCases(): Contract<LinksWorld>['cases'] {
  const table = TABLE;
  const shared = (device: string, weights: readonly [number, number]): Route => sharedRoute(table, device, weights);
  return [
    {
      name: 'a route with several next hops is read back with their weights, in every list, and removed',
      run: async ({ links, device }) => {
        await links.addAddress(device, '10.77.0.1/24');
        const route = shared(device, [256, 1]);
        await links.replaceRoute(route);
        assert.deepEqual(await links.routes(4, table), [route]);
        assert.deepEqual(
          (await links.state()).routes.filter((one) => one.table === table),
          [route],
        );
        await links.removeRoute(route);
        assert.deepEqual(await links.routes(4, table), []);
      },
    },
    {
      name: 'a route with several next hops and one with one take the place of each other',
      run: async ({ links, device }) => {
        await links.addAddress(device, '10.77.0.1/24');
        const { nexthops: _, ...rest } = shared(device, [1, 1]);
        const single: Route = { ...rest, device, gateway: '10.77.0.9' };
        for (const route of [single, shared(device, [2, 1]), shared(device, [1, 2]), single]) {
          const [error] = await links.apply([{ kind: 'replace-route', route }]);
          assert.equal(error, undefined);
          assert.deepEqual(await links.routes(4, table), [route]);
        }
      },
    },
    {
      name: 'next hops are refused: one alone, weights out of 1 to 256, a device that is missing, a router on no network',
      run: async ({ links, device }) => {
        await links.addAddress(device, '10.77.0.1/24');
        const good = shared(device, [1, 1]);
        const [first, second] = good.nexthops ?? [];
        assert.ok(first !== undefined && second !== undefined);
        const refusals: readonly (readonly [readonly NextHop[], string])[] = [
          [[first], 'EINVAL'],
          [[first, { ...second, weight: 0 }], 'EINVAL'],
          [[first, { ...second, weight: 257 }], 'EINVAL'],
          [[first, { ...second, device: 'cvnone' }], 'ENODEV'],
          [[first, { ...second, gateway: '192.0.2.1' }], 'ENETUNREACH'],
        ];
        for (const [nexthops, code] of refusals) {
          await assert.rejects(links.replaceRoute({ ...good, nexthops }), { name: 'HalError', code });
        }
        assert.deepEqual(await links.routes(4, table), []);
      },
    },
  ];
}
