import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Configuration } from '../../../firmware/config/schema.ts';
import { NetworkJournal } from '../../../firmware/network/journal.ts';
import { Reconciler } from '../../../firmware/network/reconciler.ts';
import { SimulatedLinks } from '../../../hal/simulated/links.ts';
import { SimulatedPacketFilter } from '../../../hal/simulated/packet-filter.ts';
import { parsed } from '../config/example.ts';

const OWN = '02:00:00:00:00:01';
const OTHER = '02:00:00:12:34:56';

let state: string;
let links: SimulatedLinks;
let log: string[];

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'culvert-vlans-'));
  links = new SimulatedLinks();
  links.addLink({ name: 'eth0', mac: OWN });
  log = [];
});

afterEach(() => rm(state, { recursive: true, force: true }));

function reconciler(): Reconciler {
  const journal = new NetworkJournal({ stateDirectory: state, scope: 'boot 1' });
  return new Reconciler({ links, packetFilter: new SimulatedPacketFilter(), journal, log: (line) => log.push(line) });
}

function withFibre(fibre: object): Configuration {
  const ipv4 = { method: 'static', address: '10.20.0.9/24', gateway: '10.20.0.1' };
  return parsed({ interfaces: { fibre: { device: 'wan7', zone: 'wan', ipv4, ...fibre } } });
}

const vlan = (id = 7, more: object = {}): Configuration => withFibre({ vlan: { parent: 'eth0', id }, ...more });
const run = (subject: Reconciler, configuration: Configuration) => subject.reconcile({ configuration, tunnels: [] });

async function link(device: string) {
  return (await links.links()).find(({ name }) => name === device);
}

describe('a VLAN', () => {
  it('is made with its parent set up, its address and its way out in one run, and a second run changes nothing', async () => {
    const subject = reconciler();
    const report = await run(subject, vlan(7, { mtu: 1400, mac: OTHER }));
    expect(report.failures).toEqual([]);
    expect(await link('wan7')).toMatchObject({ up: true, mtu: 1400, mac: OTHER, vlan: { parent: 'eth0', id: 7 } });
    expect(await link('eth0')).toMatchObject({ up: true, mac: OWN });
    expect((await links.routes(4, 254)).some(({ prefix, device }) => prefix === '0.0.0.0/0' && device === 'wan7')).toBe(
      true,
    );
    expect((await run(subject, vlan(7, { mtu: 1400, mac: OTHER }))).changes).toEqual([]);
  });

  it('goes with the configuration, and at the end, and at the start after a crash', async () => {
    const subject = reconciler();
    const before = await links.links();
    await run(subject, vlan());
    await run(subject, parsed({}));
    expect(await links.links()).toEqual(before);
    await run(subject, vlan());
    await subject.close();
    expect(await links.links()).toEqual(before);
    await run(reconciler(), vlan());
    await reconciler().restore();
    expect(await links.links()).toEqual(before);
  });

  it('of another number is another device', async () => {
    const subject = reconciler();
    await run(subject, vlan(7));
    const report = await run(subject, vlan(8));
    expect(report.failures).toEqual([]);
    expect(await link('wan7')).toMatchObject({ up: true, vlan: { parent: 'eth0', id: 8 } });
    expect((await links.addresses()).filter(({ device }) => device === 'wan7')).toEqual([
      { device: 'wan7', address: '10.20.0.9/24' },
    ]);
    expect((await run(subject, vlan(8))).changes).toEqual([]);
  });

  it('that somebody removes is made again', async () => {
    const subject = reconciler();
    await run(subject, vlan());
    links.removeLink('wan7');
    await subject.repair();
    expect(await link('wan7')).toMatchObject({ up: true, vlan: { parent: 'eth0', id: 7 } });
  });

  it('is not made of a device that is not there, nor under a name that is taken, and that is said', async () => {
    const subject = reconciler();
    const missing = await run(subject, withFibre({ vlan: { parent: 'eth9', id: 7 } }));
    expect(missing.failures.map(({ reason }) => reason)).toContain(
      'the device wan7 of interface "fibre" cannot be made, VLAN 7 of eth9, which does not exist',
    );
    links.addLink({ name: 'wan7' });
    const taken = await run(subject, vlan());
    expect(taken.failures.map(({ reason }) => reason)).toEqual([
      'the device wan7 of interface "fibre" is there already and is not VLAN 7 of eth0',
    ]);
    expect((await links.addresses()).filter(({ device }) => device === 'wan7')).toEqual([]);
  });

  it('is previewed as it will be made', async () => {
    const lines = await reconciler().preview({ configuration: vlan(), tunnels: [] });
    expect(lines).toContain('ip link add link eth0 name wan7 type vlan id 7');
    expect(lines.indexOf('ip link set dev eth0 up')).toBeLessThan(lines.indexOf('ip link set dev wan7 up'));
    expect(lines.some((line) => line.startsWith('#'))).toBe(false);
    expect(await link('wan7')).toBeUndefined();
  });
});

describe('a MAC address', () => {
  it('is set while the device is down, and set back in the end', async () => {
    const subject = reconciler();
    const card = (mac?: string): Configuration => withFibre({ device: 'eth0', ...(mac === undefined ? {} : { mac }) });
    await run(subject, card());
    links.takeChanges();
    expect((await run(subject, card(OTHER))).failures).toEqual([]);
    expect(links.takeChanges().slice(0, 3)).toEqual(['link eth0 down', `link eth0 address ${OTHER}`, 'link eth0 up']);
    expect(await link('eth0')).toMatchObject({ up: true, mac: OTHER });
    expect((await links.routes(4, 254)).some(({ prefix }) => prefix === '0.0.0.0/0')).toBe(true);
    expect((await run(subject, card(OTHER))).changes).toEqual([]);
    await run(subject, card());
    expect(await link('eth0')).toMatchObject({ up: true, mac: OWN });
    await run(subject, card(OTHER));
    await subject.close();
    expect(await link('eth0')).toMatchObject({ up: false, mac: OWN });
  });
});
