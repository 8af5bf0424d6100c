import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DhcpUplink, type DhcpUplinkOptions } from '../../../../firmware/uplink/dhcp/dhcp-uplink.ts';
import { dhcpUplinkOf } from '../../../../firmware/uplink/dhcp/interface-uplink.ts';
import { SimulatedCarrierSenseFactory } from '../../../../hal/simulated/carrier-sense.ts';
import { SimulatedClock } from '../../../../hal/simulated/clock.ts';
import { SimulatedEntropy } from '../../../../hal/simulated/entropy.ts';
import { SimulatedLinks } from '../../../../hal/simulated/links.ts';
import { SimulatedPacketSockets, SimulatedWire } from '../../../../hal/simulated/packet-socket.ts';
import { TestDhcpServer } from '../../../support/dhcp-server.ts';

const MAC = '02:00:00:00:12:34';
const SERVER_MAC = '02:00:00:00:00:01';
const SEED = Number(process.env['CULVERT_SEED'] ?? '1');

class World {
  readonly clock = new SimulatedClock();
  readonly entropy = new SimulatedEntropy(SEED);
  readonly wire: SimulatedWire;
  readonly links = new SimulatedLinks();
  readonly sockets = new SimulatedPacketSockets();
  readonly server = new TestDhcpServer();
  readonly lines: string[] = [];
  changes = 0;
  arps = 0;
  readonly uplink: DhcpUplink;
  readonly stateDirectory: string;

  constructor(stateDirectory: string, options: Partial<DhcpUplinkOptions> = {}, loss = 0) {
    this.stateDirectory = stateDirectory;
    this.wire = new SimulatedWire({ loss, entropy: this.entropy });
    this.links.addLink({ name: 'eth0', up: true, mac: MAC });
    this.links.addLink({ name: 'eth1', up: true });
    this.sockets.addDevice('eth0', MAC, this.wire);
    this.wire.onFrame = ({ sourceMac, etherType, payload }) => {
      if (etherType === 0x0806) this.arps += 1;
      if (sourceMac !== MAC || etherType !== 0x0800) return;
      const answer = this.server.receive(payload);
      const frame = { sourceMac: SERVER_MAC, destinationMac: MAC, etherType: 0x0800 };
      if (answer !== undefined) queueMicrotask(() => this.wire.carry({ ...frame, payload: answer }));
    };
    this.uplink = new DhcpUplink({
      name: 'wan',
      device: 'eth0',
      carriers: new SimulatedCarrierSenseFactory(this.links),
      sockets: this.sockets,
      clock: this.clock,
      entropy: this.entropy,
      stateDirectory,
      judge: () => undefined,
      log: (line) => this.lines.push(line),
      ...options,
    });
    this.uplink.onChange = () => {
      this.changes += 1;
    };
  }

  /** Time passes, a tenth of a second at a time, and files are read and written. */
  async run(ms: number): Promise<this> {
    for (let passed = 0; passed < ms; passed += 100) {
      await this.settle();
      this.clock.advance(Math.min(100, ms - passed));
    }
    await this.settle();
    return this;
  }

  async settle(): Promise<void> {
    for (let count = 0; count < 8; count += 1) await turn();
  }

  /** Waits until something that takes real time (a file) has come about. */
  async until(condition: () => boolean): Promise<void> {
    const deadline = performance.now() + 20_000;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error('it does not come about');
      await turn();
    }
  }

  async up(): Promise<this> {
    this.uplink.start();
    await this.until(() => this.server.heard.length > 0);
    await this.run(1500);
    expect(this.uplink.view().state).toBe('up');
    return this;
  }
}

describe(`an uplink by DHCP (seed ${SEED})`, () => {
  let directory = '';

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'culvert-dhcp-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  const file = (): unknown => JSON.parse(readFileSync(join(directory, 'dhcp', 'wan.json'), 'utf8'));

  it('has the lease as its addressing, and gives it back in the end', async () => {
    const world = new World(directory);
    expect(world.uplink.view()).toMatchObject({ state: 'down' });
    await world.up();
    expect(world.uplink.view()).toEqual({
      state: 'up',
      carrier: true,
      addressing: {
        device: 'eth0',
        address: '192.0.2.100/24',
        gateway: '192.0.2.1',
        dns: ['192.0.2.1'],
        assign: true,
      },
      doing: '',
    });
    expect(world.changes).toBeGreaterThan(1);
    expect(world.arps).toBe(4);
    await world.run(5000);
    expect(world.arps).toBe(5);
    expect(world.sockets.running).toBe(1);
    await world.uplink.stop();
    expect(world.server.types.at(-1)).toBe('RELEASE');
    expect(world.sockets.running).toBe(0);
    expect(world.clock.nextTimer).toBeUndefined();
    expect(file()).toEqual({ mac: MAC, address: '192.0.2.100', released: true });
    expect(world.lines).toEqual(['dhcp eth0: 192.0.2.100/24 for 3600 s from 192.0.2.1, gateway 192.0.2.1']);
  });

  it('is down within a look when the cable is pulled, gives nothing back, and asks for the same when it is in again', async () => {
    const world = await new World(directory).up();
    world.links.plug('eth0', false);
    await world.run(100);
    expect(world.uplink.view()).toMatchObject({ state: 'failed', carrier: false, failure: { step: 'link' } });
    expect(world.uplink.view().addressing).toBeUndefined();
    expect(world.server.types).toEqual(['DISCOVER', 'REQUEST']);
    world.links.plug('eth0', true);
    world.uplink.parentReturned();
    await world.until(() => world.server.heard.length > 2);
    await world.run(1500);
    expect(world.server.types).toEqual(['DISCOVER', 'REQUEST', 'REQUEST']);
    expect(world.server.heard.at(-1)?.options).toMatchObject({ requestedAddress: '192.0.2.100' });
    expect(world.uplink.view().state).toBe('up');
    await world.uplink.stop();
  });

  it('asks for what it had before the power was cut, unless that was another card', async () => {
    const first = await new World(directory).up();
    first.links.plug('eth0', false);
    await first.run(200);
    await first.until(() => existsSync(join(directory, 'dhcp', 'wan.json')));
    expect(file()).toEqual({ mac: MAC, address: '192.0.2.100', released: false });
    const second = await new World(directory).up();
    expect(second.server.types).toEqual(['REQUEST']);
    second.links.plug('eth0', false);
    await second.run(200);
    writeFileSync(
      join(directory, 'dhcp', 'wan.json'),
      JSON.stringify({ mac: '02:00:00:00:00:99', address: '192.0.2.100' }),
    );
    const third = await new World(directory).up();
    expect(third.server.types).toEqual(['DISCOVER', 'REQUEST']);
    for (const world of [first, second, third]) await world.uplink.stop();
  });

  it('waits for a device that is not there yet, and finds it again under its name', async () => {
    const world = new World(directory);
    world.links.removeLink('eth0');
    world.sockets.removeDevice('eth0');
    world.uplink.start();
    await world.run(300);
    expect(world.uplink.view()).toMatchObject({
      state: 'failed',
      carrier: false,
      failure: { reason: 'the device eth0 does not exist' },
    });
    world.links.addLink({ name: 'eth0', up: true, mac: MAC });
    world.sockets.addDevice('eth0', MAC, world.wire);
    await world.run(200);
    await world.until(() => world.server.heard.length > 0);
    await world.run(1500);
    expect(world.uplink.view().state).toBe('up');
    world.sockets.removeDevice('eth0');
    world.links.removeLink('eth0');
    await world.run(200);
    expect(world.uplink.view().state).toBe('failed');
    await world.uplink.stop();
    expect(world.sockets.running).toBe(0);
  });

  it('of a VLAN has no carrier while the cable of its parent is out', async () => {
    const world = new World(directory, { parent: 'eth1' });
    world.links.plug('eth1', false);
    world.uplink.start();
    await world.run(300);
    expect(world.uplink.view()).toMatchObject({ state: 'failed', carrier: false });
    world.links.plug('eth1', true);
    await world.run(200);
    await world.until(() => world.server.heard.length > 0);
    await world.uplink.stop();
  });

  it('says what stands in the way while nobody answers, and asks at once when it is told to', async () => {
    const world = new World(directory);
    world.server.silent = true;
    world.uplink.start();
    await world.until(() => world.server.heard.length > 0);
    expect(world.uplink.view()).toMatchObject({ state: 'connecting', doing: 'looking for a DHCP server' });
    await world.run(60_000);
    expect(world.uplink.view()).toMatchObject({ state: 'failed', failure: { reason: 'no DHCP server answers' } });
    world.server.silent = false;
    const before = world.server.heard.length;
    world.uplink.parentReturned();
    expect(world.server.heard.length).toBe(before + 1);
    await world.run(1500);
    expect(world.uplink.view()).toMatchObject({ state: 'up' });
    expect(world.uplink.view().failure).toBeUndefined();
    await world.uplink.stop();
  });

  it('does not take what does not fit here, and says so', async () => {
    const refusal = { step: 'DHCP', reason: 'the network overlaps "lan"', remedy: 'renumber' };
    const world = new World(directory, { judge: () => refusal });
    world.uplink.start();
    await world.until(() => world.server.heard.length > 0);
    await world.run(2000);
    expect(world.uplink.view()).toMatchObject({ state: 'failed', failure: refusal });
    await world.uplink.stop();
  });

  it('has the DNS servers of the configuration where there are any, and the routes of the server', async () => {
    const world = new World(directory, { dns: ['9.9.9.9'] });
    world.server.options = {
      classlessRoutes: [
        { prefix: '0.0.0.0/0', router: '192.0.2.9' },
        { prefix: '10.0.0.0/8', router: '192.0.2.8' },
      ],
    };
    await world.up();
    expect(world.uplink.view().addressing).toMatchObject({
      dns: ['9.9.9.9'],
      gateway: '192.0.2.9',
      routes: [{ prefix: '10.0.0.0/8', gateway: '192.0.2.8' }],
    });
    await world.uplink.stop();
  });

  it('of an interface says of itself what the configuration has', async () => {
    const world = new World(directory);
    const ipv4 = { method: 'dhcp', clientId: '01:02:03', hostname: 'branch' } as const;
    const uplink = dhcpUplinkOf(
      'wan',
      { device: 'eth0', zone: 'wan', vlan: { parent: 'eth1', id: 7 }, ipv4: { ...ipv4, dns: ['9.9.9.9'] } },
      {
        carriers: new SimulatedCarrierSenseFactory(world.links),
        sockets: world.sockets,
        clock: world.clock,
        entropy: world.entropy,
        stateDirectory: directory,
        judge: () => undefined,
        log: () => undefined,
      },
    );
    uplink.start();
    await world.until(() => world.server.heard.length > 0);
    expect(world.server.heard[0]?.options).toMatchObject({
      clientIdentifier: Uint8Array.of(1, 2, 3),
      hostName: 'branch',
    });
    await world.run(1500);
    expect(uplink.view().addressing?.dns).toEqual(['9.9.9.9']);
    world.links.plug('eth1', false);
    await world.run(200);
    expect(uplink.view().carrier).toBe(false);
    await uplink.stop();
  });

  it('comes up on a wire that loses 30 %', async () => {
    const world = new World(directory, {}, 0.3);
    world.uplink.start();
    await world.until(() => world.server.heard.length > 0);
    await world.run(120_000);
    expect(world.uplink.view().state).toBe('up');
    await world.uplink.stop();
  });

  it('stopped while it opens its socket, nothing is left', async () => {
    const world = new World(directory);
    world.uplink.start();
    await world.uplink.stop();
    await world.run(1000);
    expect(world.sockets.running).toBe(0);
    expect(world.uplink.view().state).toBe('down');
  });
});
