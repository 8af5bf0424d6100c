import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LiveTunnel } from '../../../firmware/network/desired.ts';
import { NetworkJournal } from '../../../firmware/network/journal.ts';
import { Reconciler } from '../../../firmware/network/reconciler.ts';
import { commandText } from '../../../hal/link-command.ts';
import type { LinkChange } from '../../../hal/links.ts';
import { SimulatedLinks } from '../../../hal/simulated/links.ts';
import { SimulatedPacketFilter } from '../../../hal/simulated/packet-filter.ts';
import { exampleDocument, parsed, protectedDocument, withValue } from '../config/example.ts';

const HQ: LiveTunnel = {
  device: 'l2tp-hq',
  localAddress: '10.98.7.10',
  peerAddress: '10.98.7.1',
  prefixes: ['10.99.0.0/16'],
};

let state: string;
let links: SimulatedLinks;
/** What was really made. */
let made: string[];
let subject: Reconciler;

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'culvert-preview-'));
  links = new SimulatedLinks();
  for (const name of ['eth0', 'lan0']) links.addLink({ name });
  links.takeChanges();
  made = [];
  const port = new Proxy(links, {
    get: (target, name) => {
      if (name === 'apply') {
        return (changes: readonly LinkChange[]) => {
          made.push(...changes.map(commandText));
          return target.apply(changes);
        };
      }
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const journal = new NetworkJournal({ stateDirectory: state, scope: 'boot 1' });
  subject = new Reconciler({ links: port, packetFilter: new SimulatedPacketFilter(), journal, log: () => undefined });
});

afterEach(() => rm(state, { recursive: true, force: true }));

const input = (document: unknown, ...tunnels: LiveTunnel[]) => ({ configuration: parsed(document), tunnels });

describe('a preview', () => {
  it('says in the words of ip what a run does, in its order, and touches nothing', async () => {
    const document = withValue(exampleDocument(), 'l2tp.servers', {});
    const commands = await subject.preview(input(document));
    expect(commands).toEqual([
      'ip link set dev eth0 up',
      'ip link set dev lan0 up',
      'ip address add 10.20.0.9/24 dev eth0',
      'ip address add 192.168.12.1/24 dev lan0',
      'ip route replace unreachable 10.99.0.0/16 metric 4294967295 table 5000 proto 201',
      'ip rule add not fwmark 0xc1 lookup 5000 priority 5000 protocol 201',
      'ip route replace 0.0.0.0/0 via 10.20.0.1 dev eth0 table 254 proto 201',
      'sysctl -w net.ipv4.ip_forward=1',
    ]);
    expect(links.takeChanges()).toEqual([]);
    expect(await readdir(state)).toEqual([]);
    await subject.reconcile(input(document));
    expect(made).toEqual(commands);
  });

  it('knows what earlier changes bring: networks of addresses that are not there yet', async () => {
    const document = withValue(exampleDocument(), 'l2tp.clients.hq.routes', ['0.0.0.0/0']);
    const commands = await subject.preview(input(document));
    expect(commands).toContain('ip route replace throw 192.168.12.0/24 metric 10 table 5000 proto 201');
    await subject.reconcile(input(document));
    expect(made).toEqual(commands);
  });

  it('tells the difference only, and nothing when everything is right', async () => {
    await subject.reconcile(input(exampleDocument()));
    expect(await subject.preview(input(exampleDocument()))).toEqual([]);
    const other = withValue(exampleDocument(), 'interfaces.lan.ipv4.address', '192.168.13.1/24');
    expect(await subject.preview(input(other))).toEqual([
      'ip address del 192.168.12.1/24 dev lan0',
      'ip address add 192.168.13.1/24 dev lan0',
    ]);
  });

  it('has tunnels that stand, IPv6 and the packet filter in it', async () => {
    links.addLink({ name: 'l2tp-hq', up: true });
    let document = withValue(protectedDocument(), 'l2tp.clients.hq.routes', ['10.99.0.0/16', 'fd00:99::/48']);
    document = withValue(document, 'l2tp.clients.hq.ipv6', true);
    const tunnel = { ...HQ, ipv6: { addresses: ['fe80::7/64'] }, prefixes: ['10.99.0.0/16', 'fd00:99::/48'] };
    const commands = await subject.preview(input(document, tunnel));
    expect(commands).toContain('ip -6 rule add not fwmark 0xc1 lookup 5000 priority 5000 protocol 201');
    expect(commands).toContain('ip address add fe80::7/64 dev l2tp-hq');
    expect(commands).toContain('ip route replace fd00:99::/48 dev l2tp-hq metric 100 table 5000 proto 201');
    const filter = commands.findIndex((line) =>
      /^nft -f - # the whole table inet culvert: .*chain guard of \d+/.test(line),
    );
    expect(filter).toBeGreaterThanOrEqual(0);
    expect(filter).toBeLessThan(commands.indexOf('ip address add 192.168.12.1/24 dev lan0'));
    await subject.reconcile(input(document, tunnel));
    expect(made).toEqual(commands.filter((line) => !line.startsWith('nft')));
    expect(await subject.preview(input(document, tunnel))).toEqual([]);
    expect(await subject.preview(input(exampleDocument()))).toContain('nft delete table inet culvert');
  });

  it('says what could not be done', async () => {
    const commands = await subject.preview(input(withValue(exampleDocument(), 'interfaces.lan.device', 'usb7')));
    expect(commands).toContain(
      '# the device usb7 of interface "lan" does not exist; ' +
        'plug it in, or set interfaces.lan.device to one that exists: eth0, lan0',
    );
  });
});
