import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tunnelInterfaceNames } from '../../../firmware/config/interface-names.ts';
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import type { Configuration } from '../../../firmware/config/schema.ts';
import type { LiveTunnel } from '../../../firmware/network/desired.ts';
import { NetworkJournal } from '../../../firmware/network/journal.ts';
import { Reconciler } from '../../../firmware/network/reconciler.ts';
import type { Route } from '../../../hal/links.ts';
import { SimulatedLinks } from '../../../hal/simulated/links.ts';
import { SimulatedPacketFilter } from '../../../hal/simulated/packet-filter.ts';

/** Devices of the machine; the last one is never configured: it is others' alone. */
const DEVICES = ['eth0', 'eth1', 'lan0', 'other0'] as const;

/** Random cases of each property. */
const RUNS = Number(process.env['CULVERT_FUZZ_RUNS'] ?? 40);

/** Milliseconds for one property: every run writes a journal, and waits for the disk. */
const LIMIT = 120_000 + RUNS * 1000;

/** What is wanted: a configuration, and which of its clients stand. */
interface Wanted {
  readonly document: object;
  readonly standing: readonly string[];
}

const PREFIXES = ['10.99.0.0/16', '10.99.7.0/24', '10.50.0.0/16', '0.0.0.0/0', '172.16.0.0/12', '192.168.12.0/24'];
const PREFIXES_6 = ['fd00:99::/48', '::/0'];

const wan = fc.record(
  {
    device: fc.constantFrom('eth0', 'eth1'),
    zone: fc.constant('wan'),
    ipv4: fc.record(
      {
        method: fc.constant('static'),
        address: fc.constantFrom('10.20.0.9/24', '10.20.0.10/24', '203.0.113.6/30'),
        gateway: fc.constantFrom('10.20.0.1', '10.20.0.254', '203.0.113.5'),
      },
      { requiredKeys: ['method', 'address'] },
    ),
    mtu: fc.constantFrom(1492, 1500),
  },
  { requiredKeys: ['device', 'zone', 'ipv4'] },
);

const lan = fc.record(
  {
    device: fc.constantFrom('lan0', 'eth1'),
    zone: fc.constant('lan'),
    ipv4: fc.record({
      method: fc.constant('static'),
      address: fc.constantFrom('192.168.12.1/24', '192.168.13.1/24'),
    }),
    ipv6: fc.record({ address: fc.constantFrom('fd00:12::1/64', 'fd00:13::1/64') }),
    mtu: fc.constantFrom(1400, 1500),
  },
  { requiredKeys: ['device', 'zone', 'ipv4'] },
);

const client = fc.record(
  {
    server: fc.constant('10.20.0.2'),
    user: fc.constant('alice'),
    password: fc.constant('alice-pw'),
    routes: fc.uniqueArray(fc.constantFrom(...PREFIXES, ...PREFIXES_6), { maxLength: 3 }),
    ipv6: fc.boolean(),
    masquerade: fc.boolean(),
  },
  { requiredKeys: ['server', 'user', 'password', 'routes'] },
);

const staticRoute = fc.record(
  {
    prefix: fc.constantFrom('10.50.0.0/16', '10.51.0.0/16', '10.99.7.0/24'),
    gateway: fc.constantFrom('192.168.12.2', '192.168.13.2', '10.20.0.77'),
    metric: fc.constantFrom(0, 5, 10),
  },
  { requiredKeys: ['prefix', 'gateway'] },
);

const wanted: fc.Arbitrary<Wanted> = fc.record({
  document: fc
    .record({
      interfaces: fc.record({ wan, lan }, { requiredKeys: [] }),
      routes: fc.array(staticRoute, { maxLength: 3 }),
      clients: fc.record({ hq: client, spare: client }, { requiredKeys: [] }),
    })
    .map(({ interfaces, routes, clients }) => ({ interfaces, routes, l2tp: { clients } })),
  standing: fc.subarray(['hq', 'spare']),
});

function configurationOf({ document }: Wanted): Configuration | undefined {
  const result = parseConfiguration(JSON.stringify(document), 'branch.json');
  return result.ok ? result.configuration : undefined;
}

/** One thing that somebody else does; numbers choose among what is there. */
type Foreign =
  | { readonly does: 'remove-address' | 'remove-route' | 'remove-rule' | 'steal-route'; readonly which: number }
  | { readonly does: 'down' | 'up'; readonly device: string }
  | { readonly does: 'mtu'; readonly device: string; readonly mtu: number }
  | { readonly does: 'add-address' | 'add-route' | 'add-rule'; readonly number: number }
  | { readonly does: 'forwarding-off' | 'filter-gone' | 'filter-changed' };

const which = fc.nat(50);
const device = fc.constantFrom(...DEVICES);
const foreign: fc.Arbitrary<Foreign> = fc.oneof(
  fc.record({
    does: fc.constantFrom('remove-address', 'remove-route', 'remove-rule', 'steal-route'),
    which,
  }),
  fc.record({ does: fc.constantFrom('down', 'up'), device }),
  fc.record({ does: fc.constant('mtu'), device, mtu: fc.constantFrom(1280, 1300, 1500) }),
  fc.record({ does: fc.constantFrom('add-address', 'add-route', 'add-rule'), number: fc.nat(5) }),
  fc.record({ does: fc.constantFrom('forwarding-off', 'filter-gone', 'filter-changed') }),
);

class Machine {
  readonly links = new SimulatedLinks();
  readonly filter = new SimulatedPacketFilter();
  readonly log: string[] = [];
  readonly #state: string;

  constructor(state: string) {
    this.#state = state;
    for (const name of DEVICES) this.links.addLink({ name, up: name === 'other0' });
  }

  reconciler(): Reconciler {
    return new Reconciler({
      links: this.links,
      packetFilter: this.filter,
      journal: new NetworkJournal({ stateDirectory: this.#state, scope: 'boot 1' }),
      log: (line) => this.log.push(line),
    });
  }

  /** Makes the devices of the tunnels that stand, and no others. */
  input(want: Wanted, configuration: Configuration) {
    const names = tunnelInterfaceNames(configuration).clients;
    const tunnels: LiveTunnel[] = want.standing.flatMap((name, index) => {
      const device = names.get(name);
      const client = configuration.l2tp.clients[name];
      if (device === undefined || client === undefined) return [];
      const ipv6 = client.ipv6 ? { ipv6: { addresses: [`fe80::${index + 7}/64`] } } : {};
      return [
        {
          device,
          localAddress: `10.98.${index}.10`,
          peerAddress: `10.98.${index}.1`,
          prefixes: client.routes,
          ...ipv6,
        },
      ];
    });
    for (const name of ['l2tp-hq', 'l2tp-spare']) {
      const stands = tunnels.some(({ device }) => device === name);
      if (stands && !this.links.has(name)) this.links.addLink({ name, up: true });
      if (!stands) this.links.removeLink(name);
    }
    return { configuration, tunnels };
  }

  async snapshot() {
    const { links, addresses, routes, rules } = await this.links.state();
    const sorted = (list: readonly object[]) => list.map((one) => JSON.stringify(Object.entries(one).sort())).sort();
    const sysctls = ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding', 'net.ipv6.conf.eth0.accept_ra'];
    return {
      links: sorted(
        links.filter(({ name }) => !name.startsWith('l2tp-')).map(({ name, up, mtu }) => ({ name, up, mtu })),
      ),
      addresses: sorted(addresses.filter(({ device }) => !device.startsWith('l2tp-'))),
      routes: sorted(routes.filter(({ device = '' }) => !device.startsWith('l2tp-'))),
      rules: sorted(rules),
      sysctls: await Promise.all(sysctls.map((key) => this.links.getSysctl(key))),
      filter: this.filter.table('culvert'),
    };
  }

  /** What somebody else does; whatever the kernel refuses them is not done. */
  async suffer(damage: Foreign): Promise<void> {
    try {
      await this.#suffer(damage);
    } catch {
      // It was not there.
    }
  }

  async #suffer(damage: Foreign): Promise<void> {
    const { links, filter } = this;
    const { addresses, routes, rules } = await links.state();
    switch (damage.does) {
      case 'remove-address': {
        const own = addresses.filter(({ device }) => device !== 'lo');
        const address = own[damage.which % own.length];
        if (address) await links.removeAddress(address.device, address.address);
        return;
      }
      case 'remove-route': {
        const route = routes[damage.which % routes.length];
        if (route) await links.removeRoute(route);
        return;
      }
      case 'steal-route': {
        const route = routes[damage.which % routes.length];
        if (route && !route.prefix.includes(':')) await links.replaceRoute(theirs(route));
        return;
      }
      case 'remove-rule': {
        const removable = rules.filter(({ priority }) => priority > 0 && priority < 32_000);
        const rule = removable[damage.which % removable.length];
        if (rule) await links.removeRule(rule);
        return;
      }
      case 'down':
        return await links.setUp(damage.device, false);
      case 'up':
        return await links.setUp(damage.device, true);
      case 'mtu':
        return await links.setMtu(damage.device, damage.mtu);
      case 'add-address':
        return await links.addAddress(DEVICES[damage.number % 4] ?? 'other0', `10.66.${damage.number}.1/24`);
      case 'add-route':
        return await links.replaceRoute(theirs({ prefix: `10.77.${damage.number}.0/24`, table: 254 }));
      case 'add-rule':
        return await links.addRule({ priority: 700 + damage.number, family: 4, table: 77 });
      case 'forwarding-off':
        return await links.setSysctl('net.ipv4.ip_forward', '0');
      case 'filter-gone':
        return await filter.removeTable('culvert');
      case 'filter-changed':
        return await filter.replaceTable('culvert', 'chain theirs {\n}');
    }
  }
}

/** Somebody else's route in this place. */
function theirs({ prefix, table, metric }: Pick<Route, 'prefix' | 'table' | 'metric'>): Route {
  const place = metric === undefined ? { prefix, table } : { prefix, table, metric };
  return { ...place, type: 'unicast', device: 'other0', protocol: 4 };
}

/** What stands on the device that is others' alone, and their rules. */
async function othersOf({ links }: Machine) {
  const { addresses, routes, rules } = await links.state();
  return {
    addresses: addresses.filter(({ device }) => device === 'other0'),
    routes: routes.filter((route) => route.prefix.startsWith('10.77.') && route.protocol === 4),
    rules: rules.filter(({ table }) => table === 77),
  };
}

async function onMachine(task: (machine: Machine) => Promise<void>): Promise<void> {
  const state = await mkdtemp(join(tmpdir(), 'culvert-convergence-'));
  try {
    await task(new Machine(state));
    expect(await readdir(state)).toEqual([]);
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

describe('random networks', { timeout: LIMIT }, () => {
  it('converge in one run whatever somebody else did, and the next changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        wanted,
        fc.array(fc.array(foreign, { maxLength: 6 }), { maxLength: 3 }),
        async (want, rounds) => {
          const configuration = configurationOf(want);
          fc.pre(configuration !== undefined);
          await onMachine(async (machine) => {
            const subject = machine.reconciler();
            const input = machine.input(want, configuration);
            await subject.reconcile(input);
            for (const round of [[], ...rounds]) {
              for (const damage of round) await machine.suffer(damage);
              const others = await othersOf(machine);
              const told = await subject.preview(input);
              const report = await subject.repair();
              expect(report.failures).toEqual([]);
              expect(told.length > 0).toBe(report.changes.length > 0);
              expect(await subject.preview(input)).toEqual([]);
              machine.links.takeChanges();
              expect(await subject.repair()).toEqual({ changes: [], failures: [] });
              expect(machine.links.takeChanges()).toEqual([]);
              expect(await othersOf(machine)).toEqual(others);
            }
            await subject.close();
          });
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('are the same after another configuration in between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(foreign, { maxLength: 4 }), wanted, wanted, async (found, a, b) => {
        const [first, second] = [configurationOf(a), configurationOf(b)];
        fc.pre(first !== undefined && second !== undefined);
        await onMachine(async (machine) => {
          for (const change of found) await machine.suffer(change);
          const subject = machine.reconciler();
          await subject.reconcile(machine.input(a, first));
          const before = await machine.snapshot();
          await subject.reconcile(machine.input(b, second));
          await subject.reconcile(machine.input(a, first));
          expect(await machine.snapshot()).toEqual(before);
          await subject.close();
        });
      }),
      { numRuns: RUNS },
    );
  });

  it('are left as they were found, by the end of the program and by the next start after a crash', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(foreign, { maxLength: 6 }),
        fc.array(wanted, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (found, wants, crash) => {
          const steps = wants.map((want) => ({ want, configuration: configurationOf(want) }));
          fc.pre(steps.every(({ configuration }) => configuration !== undefined));
          await onMachine(async (machine) => {
            for (const change of found) await machine.suffer(change);
            const before = await machine.snapshot();
            const subject = machine.reconciler();
            for (const { want, configuration } of steps) {
              if (configuration) await subject.reconcile(machine.input(want, configuration));
            }
            for (const name of ['l2tp-hq', 'l2tp-spare']) machine.links.removeLink(name);
            const report = crash ? await machine.reconciler().restore() : await subject.close();
            expect(report.failures).toEqual([]);
            expect({ ...(await machine.snapshot()), filter: undefined }).toEqual({ ...before, filter: undefined });
          });
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('are left as they were found after damage that was repaired', async () => {
    const repairable = foreign.filter(({ does }) =>
      ['remove-rule', 'mtu', 'forwarding-off', 'filter-gone'].includes(does),
    );
    await fc.assert(
      fc.asyncProperty(wanted, fc.array(repairable, { maxLength: 6 }), async (want, damages) => {
        const configuration = configurationOf(want);
        fc.pre(configuration !== undefined);
        const configured = new Set(
          Object.values(configuration.interfaces).flatMap(({ device, mtu }) => (mtu === undefined ? [] : [device])),
        );
        await onMachine(async (machine) => {
          const before = await machine.snapshot();
          const subject = machine.reconciler();
          const input = machine.input(want, configuration);
          await subject.reconcile(input);
          for (const damage of damages) {
            if (damage.does === 'mtu' && !configured.has(damage.device)) continue;
            await machine.suffer(damage);
            await subject.repair();
          }
          for (const name of ['l2tp-hq', 'l2tp-spare']) machine.links.removeLink(name);
          await subject.close();
          expect(await machine.snapshot()).toEqual(before);
        });
      }),
      { numRuns: RUNS },
    );
  });
});
