import { describe, expect, it } from 'vitest';
import { PADI, PADR, PADT } from '../../../../firmware/protocol/pppoe/packet.ts';
import { TAG_SERVICE_NAME_ERROR } from '../../../../firmware/protocol/pppoe/tags.ts';
import { ipv4Packet } from '../../dataplane/userspace/packets.ts';
import { CONCENTRATOR_MAC } from './concentrator.ts';
import { DEVICE, MAC, UplinkBench } from './uplink-bench.ts';

const OUT = ipv4Packet({ source: '100.64.7.9', destination: '203.0.113.5' });
const IN = ipv4Packet({ source: '203.0.113.5', destination: '100.64.7.9' });

async function standing(bench: UplinkBench): Promise<UplinkBench> {
  bench.uplink.start();
  await bench.up();
  return bench;
}

describe('an uplink over PPPoE', () => {
  it('comes up with address, name servers and MTU, on a device of its own', async () => {
    const bench = await UplinkBench.create();
    bench.uplink.start();
    expect(await bench.up()).toBeLessThan(500);
    expect(bench.view).toEqual({
      state: 'up',
      carrier: true,
      doing: '',
      addressing: { device: DEVICE, address: '100.64.7.9/32', dns: ['100.64.0.53'], mtu: 1492, assign: false },
    });
    expect(await bench.links.addresses()).toContainEqual({ device: DEVICE, address: '100.64.7.9/32' });
    expect((await bench.links.links()).find(({ name }) => name === DEVICE)).toMatchObject({ mtu: 1492, up: true });
    expect(bench.uplink.status).toMatchObject({ peer: 'access concentrator "ac1"', authentication: 'chap' });
  });

  it('carries user packets both ways', async () => {
    const bench = await standing(await UplinkBench.create());
    bench.tun.inject(OUT);
    await bench.pass(20);
    expect(bench.concentrator.packets).toEqual([OUT]);
    bench.concentrator.sendPacket(IN);
    await bench.pass(20);
    expect(bench.tun.taken()).toEqual([IN]);
  });

  it('answers the first word of the concentrator, which speaks before the data plane listens', async () => {
    const bench = await UplinkBench.create();
    const answers: (number | undefined)[] = [];
    bench.wire.onFrame = ({ sourceMac, etherType, payload }) => {
      const isLcpAnswer = payload[6] === 0xc0 && payload[7] === 0x21 && payload[8] === 2;
      if (sourceMac === MAC && etherType === 0x8864 && isLcpAnswer) answers.push(bench.clock.now());
    };
    bench.uplink.start();
    const { heard } = bench.concentrator;
    await bench.until(() => heard.some(([code]) => code === PADR));
    const confirmed = bench.clock.now();
    await bench.up();
    // A turn of the clock to us.
    expect(answers[0]).toBe(confirmed + 10);
  });

  it('says goodbye by LCP and PADT, and leaves nothing', async () => {
    const bench = await standing(await UplinkBench.create());
    let stopped = false;
    void bench.uplink.stop().then(() => {
      stopped = true;
    });
    await bench.until(() => stopped);
    expect(bench.view).toEqual({ state: 'down', carrier: false, doing: '' });
    expect(bench.tuns.device(DEVICE)).toBeUndefined();
    expect(bench.concentrator.sessions.size).toBe(0);
    expect(bench.packets.device('eth0')?.running).toBe(0);
    expect((await bench.dataPlane.counters()).sessions).toEqual([]);
    bench.uplink.start();
    await bench.up();
  });

  it('stops whatever it is doing, and starts again at once', async () => {
    const bench = await UplinkBench.create();
    bench.concentrator.alive = false;
    await bench.uplink.stop();
    for (const wait of [0, 5, 500]) {
      bench.uplink.start();
      await bench.pass(wait);
      let stopped = false;
      void bench.uplink.stop().then(() => {
        stopped = true;
      });
      await bench.until(() => stopped, 100);
      expect(bench.view.state).toBe('down');
      expect(bench.packets.device('eth0')?.running).toBe(0);
    }
    bench.concentrator.alive = true;
    bench.uplink.start();
    void bench.uplink.stop();
    bench.uplink.start();
    await bench.up();
  });

  it('tells a wrong password in words, and then insists slowly', async () => {
    const bench = await UplinkBench.create({ uplink: { authenticatee: { user: 'alice', password: 'wrong' } } });
    bench.uplink.start();
    await bench.until(() => bench.view.state === 'failed');
    expect(bench.view.failure).toMatchObject({ step: 'authentication', reason: expect.stringContaining('alice') });
    const dials = (): number => bench.concentrator.heard.filter(([code]) => code === PADR).length;
    await bench.pass(300_000);
    const early = dials();
    await bench.pass(300_000);
    // Between half a minute and a minute each.
    expect(dials() - early).toBeGreaterThanOrEqual(4);
    expect(dials() - early).toBeLessThanOrEqual(11);
    expect(bench.view.failure?.step).toBe('authentication');
  });

  it('tells a refusal of discovery, and comes up once it is over', async () => {
    const bench = await UplinkBench.create();
    bench.concentrator.refusal = { type: TAG_SERVICE_NAME_ERROR, value: new Uint8Array() };
    bench.uplink.start();
    await bench.until(() => bench.view.state === 'failed');
    expect(bench.view.failure).toMatchObject({ step: 'PADS', cause: 'refused' });
    bench.concentrator.refusal = undefined;
    await bench.up(120_000);
    expect(bench.view.failure).toBeUndefined();
  });

  it('dials on for ever where nobody answers, and finds the concentrator within 16 s of its return', async () => {
    const bench = await UplinkBench.create();
    bench.concentrator.alive = false;
    bench.uplink.start();
    await bench.pass(600_000);
    expect(bench.view).toMatchObject({ failure: { step: 'PADI', cause: 'silence' } });
    bench.concentrator.alive = true;
    expect(await bench.up(16_000)).toBeLessThan(16_000);
  });

  it('dials at once when the cable is back', async () => {
    const bench = await UplinkBench.create();
    bench.concentrator.alive = false;
    bench.uplink.start();
    await bench.pass(120_000);
    await bench.until(() => bench.view.state === 'failed');
    bench.concentrator.alive = true;
    bench.uplink.parentReturned();
    expect(await bench.up()).toBeLessThan(500);
  });

  it('dials again after a PADT, with its device gone meanwhile, and tells why', async () => {
    const bench = await standing(await UplinkBench.create());
    bench.concentrator.terminate();
    await bench.until(() => bench.view.state === 'failed');
    expect(bench.view.failure?.reason).toBe('access concentrator "ac1" ended the session');
    expect(bench.view.carrier).toBe(false);
    await bench.until(() => bench.tuns.device(DEVICE) === undefined);
    await bench.up();
    expect(bench.view.failure).toBeUndefined();
  });

  it('finds by echo that the concentrator is dead, and by its silence that it has forgotten', async () => {
    const bench = await standing(await UplinkBench.create());
    bench.concentrator.crash();
    const took = await bench.until(() => bench.view.state === 'failed');
    expect(took).toBeGreaterThan(10_000);
    expect(took).toBeLessThan(30_000);
    expect(bench.view.failure?.step).toBe('echo');
    await bench.up();
  });

  it('takes user packets for life, and asks nobody who sends them', async () => {
    const bench = await standing(await UplinkBench.create());
    const session = bench.concentrator.session;
    bench.wire.filter = ({ sourceMac, payload }) =>
      sourceMac === CONCENTRATOR_MAC && payload[6] === 0xc0 ? 'drop' : 'deliver';
    for (let second = 0; second < 60; second += 1) {
      bench.concentrator.sendPacket(IN);
      bench.tun.inject(OUT);
      await bench.pass(1000);
    }
    expect(bench.view.state).toBe('up');
    expect(bench.concentrator.session).toBe(session);
  });

  it('ends the session that a crash has left before it asks for a new one', async () => {
    const bench = await standing(await UplinkBench.create());
    bench.concentrator.single = true;
    const left = bench.concentrator.session?.id ?? 0;
    expect(bench.memory.sessions.get('adsl')).toEqual({ device: 'eth0', peerMac: CONCENTRATOR_MAC, sessionId: left });
    // Nothing gets out any more, not even the goodbye.
    bench.packets.removeDevice('eth0');
    await bench.until(() => bench.view.state === 'failed');
    await bench.uplink.stop();
    const device = bench.packets.addDevice('eth0', MAC, bench.wire);
    const { heard } = bench.concentrator;
    heard.length = 0;
    // The cable is out still, so that the first attempt tells nobody.
    device.up = false;
    bench.newUplink().start();
    await bench.until(() => bench.view.state === 'failed');
    device.up = true;
    await bench.until(() => bench.concentrator.session?.up === true && bench.concentrator.session.id !== left);
    expect(heard.slice(0, 2)).toEqual([
      [PADT, left],
      [PADI, 0],
    ]);
  });

  it('tells the concentrator of a session that it sends by and that is none of ours', async () => {
    const bench = await standing(await UplinkBench.create());
    bench.concentrator.sendFrame(MAC, 0x0fff, Uint8Array.of(0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 0));
    await bench.pass(50);
    expect(bench.concentrator.heard.at(-1)).toEqual([PADT, 0x0fff]);
    expect(bench.view.state).toBe('up');
  });

  it('says that the network device is down, and not that nobody answers', async () => {
    const bench = await UplinkBench.create();
    const device = bench.packets.device('eth0');
    if (device !== undefined) device.up = false;
    bench.uplink.start();
    expect(await bench.until(() => bench.view.failure !== undefined)).toBeLessThan(100);
    expect(bench.view.failure?.reason).toBe('nothing can be sent by eth0 (ENETDOWN)');
    if (device !== undefined) device.up = true;
    await bench.up();
  });

  it('says that the network device is gone', async () => {
    const bench = await standing(await UplinkBench.create());
    bench.packets.removeDevice('eth0');
    await bench.until(() => bench.view.state === 'failed');
    expect(bench.view.failure?.reason).toMatch(/the network device eth0 was removed/);
    await bench.until(() => bench.view.failure?.reason.includes('no network device eth0') === true);
  });

  describe('with larger frames (RFC 4638)', () => {
    const create = (maxPayload: number, deviceMtu: number) =>
      UplinkBench.create({ line: { mtu: 1500 }, deviceMtu }).then((bench) => {
        bench.concentrator.maxPayload = maxPayload;
        return standing(bench);
      });

    it('carries 1500 octets where all agree', async () => {
      const bench = await create(1500, 1508);
      expect(bench.view.addressing?.mtu).toBe(1500);
      const whole = ipv4Packet({ source: '100.64.7.9', destination: '203.0.113.5', payload: new Uint8Array(1480) });
      bench.tun.inject(whole);
      await bench.pass(20);
      expect(bench.concentrator.packets).toEqual([whole]);
    });

    it('is content with 1492 where the concentrator does not know it', async () => {
      expect((await create(0, 1508)).view.addressing?.mtu).toBe(1492);
    });

    it('is content with 1492 where the device has no room, and says so', async () => {
      const bench = await create(1500, 1500);
      expect(bench.view.addressing?.mtu).toBe(1492);
      expect(bench.steps).toContainEqual({ step: 'MTU', detail: expect.stringContaining('set it to 1508') });
    });
  });

  it.each([1, 2, 3, 4, 5, 6])('comes up and stays up where a fifth of all frames is lost (seed %i)', async (seed) => {
    const bench = await UplinkBench.create({ seed, loss: 0.2 });
    bench.uplink.start();
    await bench.up(120_000);
    await bench.pass(60_000);
    const { state } = bench.view;
    if (state !== 'up') await bench.up(120_000);
    bench.concentrator.terminate();
    await bench.pass(1_000);
    await bench.up(180_000);
    let stopped = false;
    void bench.uplink.stop().then(() => {
      stopped = true;
    });
    await bench.until(() => stopped);
    expect(bench.tuns.device(DEVICE)).toBeUndefined();
    expect(bench.packets.device('eth0')?.running).toBe(0);
  });
});
