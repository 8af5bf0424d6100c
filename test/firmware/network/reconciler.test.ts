import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Configuration } from '../../../firmware/config/schema.ts';
import type { LiveTunnel } from '../../../firmware/network/desired.ts';
import { NetworkJournal } from '../../../firmware/network/journal.ts';
import { Reconciler } from '../../../firmware/network/reconciler.ts';
import { HalError } from '../../../hal/hal-error.ts';
import type { LinkChange, Links, Route } from '../../../hal/links.ts';
import { SimulatedLinks } from '../../../hal/simulated/links.ts';
import { applyOneByOne } from '../../../hal/simulated/one-by-one.ts';
import { SimulatedPacketFilter } from '../../../hal/simulated/packet-filter.ts';
import { exampleConfiguration, exampleDocument, parsed, protectedDocument, withValue } from '../config/example.ts';

const HQ: LiveTunnel = {
  device: 'l2tp-hq',
  localAddress: '10.98.7.10',
  peerAddress: '10.98.7.1',
  prefixes: ['10.99.0.0/16'],
};

let state: string;
let links: SimulatedLinks;
let filter: SimulatedPacketFilter;
let log: string[];

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'culvert-network-'));
  links = new SimulatedLinks();
  links.addLink({ name: 'eth0' });
  links.addLink({ name: 'lan0' });
  await links.setSysctl('net.ipv4.conf.all.accept_redirects', '1');
  filter = new SimulatedPacketFilter();
  log = [];
});

afterEach(() => rm(state, { recursive: true, force: true }));

function reconciler(port: Links = links, scope = 'boot 1'): Reconciler {
  const journal = new NetworkJournal({ stateDirectory: state, scope });
  return new Reconciler({ links: port, packetFilter: filter, journal, log: (line) => log.push(line) });
}

async function machine() {
  return {
    links: await links.links(),
    addresses: await links.addresses(),
    main: byText(await links.routes(4, 254)),
    table: byText(await links.routes(4, 5000)),
    rules: await links.rules(4),
    forwarding: await links.getSysctl('net.ipv4.ip_forward'),
    redirects: await links.getSysctl('net.ipv4.conf.all.accept_redirects'),
    sourceMark: await links.getSysctl('net.ipv4.conf.all.src_valid_mark'),
    filter: filter.table('culvert'),
  };
}

function byText(routes: readonly Route[]): string[] {
  return routes.map((route) => JSON.stringify(route, Object.keys(route).sort())).sort();
}

const input = (configuration: Configuration, ...tunnels: LiveTunnel[]) => ({ configuration, tunnels });

/** A port that refuses some calls. */
function refusing(methods: Partial<Links>): Links {
  const port: Links = new Proxy<Links>(links, {
    get: (target, name) => {
      if (name === 'apply') return (changes: readonly LinkChange[]) => applyOneByOne(port, changes);
      const own = Reflect.get(methods, name);
      const value = own ?? Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return port;
}

describe('a run', () => {
  it('makes the network what the configuration says, and a second one changes nothing', async () => {
    const subject = reconciler();
    const first = await subject.reconcile(input(exampleConfiguration()));
    expect(first.failures).toEqual([]);
    expect(first.changes).toContain('address 192.168.12.1/24 added to lan0');
    expect(await links.addresses()).toContainEqual({ device: 'eth0', address: '10.20.0.9/24' });
    expect((await links.rules(4)).filter(({ table }) => table === 5000)).toHaveLength(1);
    expect(await links.getSysctl('net.ipv4.ip_forward')).toBe('1');
    links.takeChanges();
    expect(await subject.reconcile(input(exampleConfiguration()))).toEqual({ changes: [], failures: [] });
    expect(links.takeChanges()).toEqual([]);
    expect(log).toEqual(first.changes.map((line) => `network: ${line}`));
  });

  it('follows a tunnel up, to another address, and down', async () => {
    const subject = reconciler();
    await subject.reconcile(input(exampleConfiguration()));
    const without = await machine();

    links.addLink({ name: 'l2tp-hq', up: true });
    await subject.reconcile(input(exampleConfiguration(), HQ));
    expect(await links.routes(4, 5000)).toContainEqual(
      expect.objectContaining({ prefix: '10.99.0.0/16', device: 'l2tp-hq', metric: 100 }),
    );
    await subject.reconcile(input(exampleConfiguration(), { ...HQ, localAddress: '10.98.7.11' }));
    const inner = (await links.addresses()).filter(({ device }) => device === 'l2tp-hq');
    expect(inner.map(({ address }) => address)).toEqual(['10.98.7.11/32']);

    links.removeLink('l2tp-hq');
    await subject.reconcile(input(exampleConfiguration()));
    expect(await machine()).toEqual(without);
  });

  it('guards what must not come in clear before an address could draw it, until the last address is gone', async () => {
    const guarded: string[] = [];
    const note = (done: string) => guarded.push(`${done}: ${filter.table('culvert')?.includes('counter drop')}`);
    const watched = refusing({
      addAddress: async (device, address) => {
        note(`+ ${address}`);
        await links.addAddress(device, address);
      },
      removeAddress: async (device, address) => {
        note(`- ${address}`);
        await links.removeAddress(device, address);
      },
    });
    const subject = reconciler(watched);
    await subject.reconcile(input(parsed(protectedDocument())));
    await reconciler(watched).restore();
    expect(guarded).toEqual([
      '+ 10.20.0.9/24: true',
      '+ 192.168.12.1/24: true',
      '- 192.168.12.1/24: true',
      '- 10.20.0.9/24: true',
    ]);
    expect(filter.table('culvert')).toBeUndefined();
  });

  it('takes a tunnel whose device is gone for down, whatever it was told', async () => {
    const report = await reconciler().reconcile(input(exampleConfiguration(), HQ));
    expect(report.failures).toEqual([]);
    expect(JSON.stringify(await links.routes(4, 5000))).not.toContain('l2tp-hq');
  });

  it('adds a connected network to the exceptions in the same run in which its address is new', async () => {
    const everything = parsed(withValue(exampleDocument(), 'l2tp.clients.hq.routes', ['0.0.0.0/0']));
    await reconciler().reconcile(input(everything));
    const thrown = (await links.routes(4, 5000)).filter(({ type }) => type === 'throw').map(({ prefix }) => prefix);
    expect(thrown).toEqual(expect.arrayContaining(['10.20.0.0/24', '192.168.12.0/24']));
  });

  it('changes an address, an MTU and a gateway of its own making', async () => {
    const subject = reconciler();
    const before = await machine();
    const small = parsed(withValue(exampleDocument(), 'interfaces.lan.mtu', 1400));
    await subject.reconcile(input(small));
    let other = withValue(exampleDocument(), 'interfaces.lan.ipv4.address', '192.168.13.1/24');
    other = withValue(other, 'interfaces.lan.mtu', 1300);
    other = withValue(other, 'interfaces.wan.ipv4.gateway', '10.20.0.254');
    await subject.reconcile(input(parsed(other)));
    expect((await links.addresses()).filter(({ device }) => device === 'lan0')).toEqual([
      { device: 'lan0', address: '192.168.13.1/24' },
    ]);
    expect((await links.links()).find(({ name }) => name === 'lan0')?.mtu).toBe(1300);
    const defaults = (await links.routes(4, 254)).filter(({ prefix }) => prefix === '0.0.0.0/0');
    expect(defaults.map(({ gateway }) => gateway)).toEqual(['10.20.0.254']);

    await subject.reconcile(input(exampleConfiguration()));
    expect((await links.links()).find(({ name }) => name === 'lan0')?.mtu).toBe(1500);
    await subject.reconcile(input(parsed({})));
    expect(await machine()).toEqual(before);
  });

  it('goes on after a step that fails, and says which, why and what to do', async () => {
    const port = refusing({
      addAddress: async (device, address) => {
        if (device === 'eth0')
          throw new HalError('The address cannot be added to eth0 (EPERM). Ask for the right.', 'EPERM');
        await links.addAddress(device, address);
      },
    });
    const report = await reconciler(port).reconcile(input(exampleConfiguration()));
    expect(report.failures).toContainEqual({
      step: 'network',
      reason: 'The address cannot be added to eth0 (EPERM)',
      remedy: 'ask for the right',
    });
    expect(await links.addresses()).toContainEqual({ device: 'lan0', address: '192.168.12.1/24' });
    expect(await readFile(join(state, 'network-journal.json'), 'utf8')).not.toContain('10.20.0.9');
  });

  it('names a configured device that is not there', async () => {
    const configuration = parsed(withValue(exampleDocument(), 'interfaces.lan.device', 'usb7'));
    const report = await reconciler().reconcile(input(configuration));
    expect(report.failures).toEqual([
      {
        step: 'network',
        reason: 'the device usb7 of interface "lan" does not exist',
        remedy: 'plug it in, or set interfaces.lan.device to one that exists: eth0, lan0',
      },
    ]);
    expect(await links.addresses()).toContainEqual({ device: 'eth0', address: '10.20.0.9/24' });
  });

  it('waits for the one under way, and several requests become one with the newest input', async () => {
    const subject = reconciler();
    const runs = ['192.168.12.1/24', '192.168.13.1/24', '192.168.14.1/24', '192.168.15.1/24'].map((address) =>
      subject.reconcile(input(parsed(withValue(exampleDocument(), 'interfaces.lan.ipv4.address', address)))),
    );
    await Promise.all(runs);
    expect(log.filter((line) => line.includes('added to lan0'))).toEqual([
      'network: address 192.168.15.1/24 added to lan0',
    ]);
    const next = subject.reconcile(input(exampleConfiguration()));
    expect((await next).changes).toContain('address 192.168.12.1/24 added to lan0');
  });

  it('never rejects', async () => {
    const port = refusing({ state: () => Promise.reject(new HalError('The program ip is missing. Install it.')) });
    const report = await reconciler(port).reconcile(input(exampleConfiguration()));
    expect(report.failures).toEqual([{ step: 'network', reason: 'The program ip is missing', remedy: 'install it' }]);
  });
});

describe('the packet filter table', () => {
  const masquerading = () => parsed(withValue(exampleDocument(), 'l2tp.clients.hq.masquerade', true));

  it('is set once, changed with the configuration, and removed when it is empty', async () => {
    const subject = reconciler();
    expect((await subject.reconcile(input(masquerading()))).changes).toContain('packet filter table culvert set');
    expect(filter.table('culvert')).toContain('masquerade');
    expect((await subject.reconcile(input(masquerading()))).changes).toEqual([]);
    const report = await subject.reconcile(input(exampleConfiguration()));
    expect(report.changes).toEqual(['packet filter table culvert removed']);
    expect(filter.table('culvert')).toBeUndefined();
  });

  it('marks replies where reverse-path filtering is on', async () => {
    await links.setSysctl('net.ipv4.conf.eth0.rp_filter', '2');
    const before = await machine();
    const subject = reconciler();
    await subject.reconcile(input(exampleConfiguration()));
    expect(filter.table('culvert')).toContain('socket mark');
    expect(await links.getSysctl('net.ipv4.conf.all.src_valid_mark')).toBe('1');
    expect((await subject.reconcile(input(exampleConfiguration()))).changes).toEqual([]);
    await subject.close();
    expect(await machine()).toEqual(before);
  });

  it('masquerades even on a kernel that cannot match sockets, and does not try that again', async () => {
    await links.setSysctl('net.ipv4.conf.all.rp_filter', '1');
    const attempts: string[] = [];
    const journal = new NetworkJournal({ stateDirectory: state, scope: 'boot 1' });
    const packetFilter = {
      replaceTable: async (name: string, body: string) => {
        attempts.push(body);
        if (body.includes('socket')) throw new HalError('The kernel knows no "socket". Load nft_socket.', 'EINVAL');
        await filter.replaceTable(name, body);
      },
      removeTable: (name: string) => filter.removeTable(name),
      show: (name: string) => filter.show(name),
    };
    const subject = new Reconciler({ links, packetFilter, journal, log: (line) => log.push(line) });
    const report = await subject.reconcile(input(masquerading()));
    expect(report.failures).toEqual([
      { step: 'packet filter', reason: 'The kernel knows no "socket"', remedy: 'load nft_socket' },
    ]);
    expect(filter.table('culvert')).toContain('masquerade');
    expect(await subject.reconcile(input(masquerading()))).toEqual({ changes: [], failures: [] });
    expect(attempts).toHaveLength(2);
  });
});

describe('taking it back', () => {
  it('leaves the machine as it was, with what was there before the start untouched', async () => {
    await links.setUp('eth0', true);
    await links.addAddress('eth0', '10.20.0.9/24');
    await links.setMtu('lan0', 1450);
    const before = await machine();
    const subject = reconciler();
    await subject.restore();
    const configuration = parsed(withValue(exampleDocument(), 'interfaces.lan.mtu', 1400));
    await subject.reconcile(input(configuration));
    expect(await machine()).not.toEqual(before);
    const report = await subject.close();
    expect(report.failures).toEqual([]);
    expect(await machine()).toEqual(before);
    expect(await readdir(state)).toEqual([]);
  });

  it('changes nothing any more after the end', async () => {
    const before = await machine();
    const subject = reconciler();
    const late = subject.reconcile(input(exampleConfiguration()));
    const closing = subject.close();
    await Promise.all([late, closing, subject.reconcile(input(exampleConfiguration()))]);
    expect(await machine()).toEqual(before);
  });

  it('is done by the next start after a crash, at whatever step the crash came', async () => {
    await links.setUp('eth0', true);
    await links.addAddress('eth0', '10.21.0.200/24');
    const before = await machine();
    const configuration = parsed(withValue(exampleDocument(), 'interfaces.lan.mtu', 1400));
    const whole = await reconciler().reconcile(input(configuration));
    await reconciler().restore();
    expect(await machine()).toEqual(before);

    for (let survived = 0; survived < whole.changes.length; survived += 1) {
      let left = survived;
      // After so many changes every call hangs for ever, as it does for a process that was killed.
      let die: () => void = () => undefined;
      const died = new Promise<void>((resolve) => {
        die = resolve;
      });
      const dying: Links = new Proxy<Links>(links, {
        get: (target, name) => {
          if (name === 'apply') return (list: readonly LinkChange[]) => applyOneByOne(dying, list);
          const value = Reflect.get(target, name);
          if (typeof value !== 'function') return value;
          const changes = /^(set|add|remove|replace)/.test(String(name));
          return (...args: unknown[]) => {
            if (changes && left-- <= 0) {
              die();
              return new Promise(() => undefined);
            }
            return Reflect.apply(value, target, args);
          };
        },
      });
      void reconciler(dying).reconcile(input(configuration));
      await died;
      const report = await reconciler().restore();
      expect(report.failures).toEqual([]);
      expect(await machine(), `crash after ${survived} changes`).toEqual(before);
    }
  });

  it('leaves alone what somebody else changed since', async () => {
    await reconciler().reconcile(input(parsed(withValue(exampleDocument(), 'interfaces.lan.mtu', 1400))));
    await links.setMtu('lan0', 1280);
    await links.removeAddress('lan0', '192.168.12.1/24');
    await links.setUp('eth0', false);
    const report = await reconciler().restore();
    expect(report.failures).toEqual([]);
    expect((await links.links()).find(({ name }) => name === 'lan0')?.mtu).toBe(1280);
  });

  it('does not believe a journal of another boot', async () => {
    await reconciler().reconcile(input(exampleConfiguration()));
    await reconciler(links, 'boot 2').restore();
    // The links that are up now were set up by this boot's own scripts; only what carries our marks is ours.
    expect(links.isUp('lan0')).toBe(true);
    expect((await links.rules(4)).some(({ table }) => table === 5000)).toBe(false);
    expect(await links.routes(4, 5000)).toEqual([]);
  });

  it('says so when the journal is damaged, and removes what carries its marks', async () => {
    await reconciler().reconcile(input(exampleConfiguration()));
    await writeFile(join(state, 'network-journal.json'), '{"scope": "boot 1", "entries": [{"kind": "li');
    const report = await reconciler().restore();
    expect(report.failures).toEqual([expect.objectContaining({ reason: expect.stringContaining('is damaged') })]);
    expect(await links.routes(4, 5000)).toEqual([]);
  });

  it('keeps what could not be undone for the next time', async () => {
    await reconciler().reconcile(input(exampleConfiguration()));
    const port = refusing({ setUp: () => Promise.reject(new HalError('No. Try later.')) });
    expect((await reconciler(port).restore()).failures).toHaveLength(2);
    await reconciler().restore();
    expect(links.isUp('lan0')).toBe(false);
    expect(await readdir(state)).toEqual([]);
  });

  it("puts back a route of somebody else's in whose place ours had to stand", async () => {
    await links.setUp('eth0', true);
    await links.addAddress('eth0', '10.20.0.9/24');
    const theirs: Route = {
      prefix: '0.0.0.0/0',
      type: 'unicast',
      gateway: '10.20.0.77',
      device: 'eth0',
      table: 254,
      protocol: 4,
    };
    await links.replaceRoute(theirs);
    const before = await machine();
    const subject = reconciler();
    await subject.reconcile(input(exampleConfiguration()));
    const gateways = async () =>
      (await links.routes(4, 254)).filter(({ prefix }) => prefix === '0.0.0.0/0').map(({ gateway }) => gateway);
    expect(await gateways()).toEqual(['10.20.0.1']);
    await subject.reconcile(input(parsed(withValue(exampleDocument(), 'interfaces.wan.ipv4.gateway', undefined))));
    expect(await gateways()).toEqual(['10.20.0.77']);
    await subject.reconcile(input(exampleConfiguration()));
    await subject.close();
    expect(await machine()).toEqual(before);
  });

  it("forgets a route of somebody else's that would have gone with its device, and leaves no journal behind", async () => {
    links.addLink({ name: 'eth9', up: true });
    const theirs: Route = { prefix: '0.0.0.0/0', type: 'unicast', device: 'eth9', table: 254, protocol: 4 };
    await links.replaceRoute(theirs);
    const subject = reconciler();
    await subject.reconcile(input(exampleConfiguration()));
    await links.setUp('eth9', false);
    expect((await subject.close()).failures).toEqual([]);
    expect(await readdir(state)).toEqual([]);
  });

  it('does not take for found what somebody else set while it ran', async () => {
    await links.setMtu('lan0', 1400);
    await links.setUp('lan0', true);
    const before = await machine();
    const subject = reconciler();
    await subject.reconcile(input(parsed(withValue(exampleDocument(), 'interfaces.lan.mtu', 1400))));
    await links.setMtu('lan0', 1300);
    await links.setUp('lan0', false);
    await links.setSysctl('net.ipv4.ip_forward', '0');
    await links.setSysctl('net.ipv4.conf.all.accept_redirects', '0');
    await subject.repair();
    expect(log).toContain('network: MTU of lan0 was changed to 1300 by somebody else, and is set back to 1400');
    await subject.close();
    expect(await machine()).toEqual(before);
  });

  it('uses an equal route of somebody else as it is, and leaves it there', async () => {
    await links.setUp('eth0', true);
    await links.addAddress('eth0', '10.20.0.9/24');
    const theirs = { prefix: '0.0.0.0/0', type: 'unicast', gateway: '10.20.0.1', device: 'eth0' } as const;
    await links.replaceRoute({ ...theirs, table: 254, protocol: 3 });
    const subject = reconciler();
    await subject.reconcile(input(exampleConfiguration()));
    await subject.close();
    expect(await links.routes(4, 254)).toContainEqual({ ...theirs, table: 254, protocol: 3 });
  });
});
