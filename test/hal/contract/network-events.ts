import assert from 'node:assert/strict';
import type { Links, Route } from '../../../hal/links.ts';
import type { NetworkEvents } from '../../../hal/network-events.ts';
import type { PacketFilter } from '../../../hal/packet-filter.ts';
import type { Contract } from './contract.ts';

export interface NetworkEventsWorld {
  readonly events: NetworkEvents;
  readonly links: Links;
  /** An Ethernet device that is up and has no IPv4 address. */
  readonly device: string;
  readonly filter: PacketFilter;
  /** Name of the table that is watched. */
  readonly table: string;
}

const CHAIN = 'chain input {\n  type filter hook input priority 0; policy accept;\n}';

const route = (device: string): Route => ({
  prefix: '10.99.0.0/16',
  type: 'unicast',
  device,
  metric: 50,
  table: 99,
  protocol: 77,
});

type Change = (world: NetworkEventsWorld) => Promise<void>;

/** What must be heard of; each undoes nothing, so that they may come in this order. */
const CHANGES: readonly (readonly [string, Change])[] = [
  ['an IPv4 address', ({ links, device }) => links.addAddress(device, '10.77.0.1/24')],
  ['an IPv6 address', ({ links, device }) => links.addAddress(device, 'fd77::1/64')],
  ['a route', ({ links, device }) => links.replaceRoute(route(device))],
  ['a route that is removed', ({ links, device }) => links.removeRoute(route(device))],
  ['an IPv6 route', ({ links, device }) => links.replaceRoute({ ...route(device), prefix: 'fd99::/48' })],
  ['a rule', ({ links }) => links.addRule({ priority: 1000, family: 4, notMark: 0x77, table: 99 })],
  ['an IPv6 rule', ({ links }) => links.addRule({ priority: 1000, family: 6, notMark: 0x77, table: 99 })],
  ['an MTU', ({ links, device }) => links.setMtu(device, 1400)],
  ['a link that is set down', ({ links, device }) => links.setUp(device, false)],
  ['the packet filter table', ({ filter, table }) => filter.replaceTable(table, CHAIN)],
  ['the packet filter table that is emptied', ({ filter, table }) => filter.replaceTable(table, '')],
  ['the packet filter table that is removed', ({ filter, table }) => filter.removeTable(table)],
];

export const networkEventsContract: Contract<NetworkEventsWorld> = {
  name: 'network-events',
  cases: [
    {
      name: 'nothing is heard while nobody changes anything, and reading changes nothing',
      run: async ({ events, links, filter, table }) => {
        events.take();
        await links.state();
        await filter.show(table);
        assert.equal(events.take(), false);
      },
    },
    {
      name: 'every kind of change is heard, and once',
      run: async (world) => {
        world.events.take();
        for (const [what, change] of CHANGES) {
          await change(world);
          assert.equal(world.events.take(), true, what);
          assert.equal(world.events.take(), false, `${what}, the second time`);
        }
      },
    },
    {
      name: 'nothing is missing, and after the end nothing is heard',
      run: async ({ events, links, device }) => {
        assert.equal(events.incomplete, undefined);
        events.close();
        events.close();
        await links.setMtu(device, 1400);
        assert.equal(events.take(), false);
      },
    },
  ],
};
