import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RouterEvent } from '../../../firmware/api/router-control.ts';
import { configuration } from '../uplink/uplink-bench.ts';
import { RouterBench } from './router-bench.ts';

const NEVER = new AbortController().signal;

describe('a router with two uplinks', () => {
  let bench: RouterBench;

  beforeEach(async () => {
    bench = new RouterBench();
    await bench.network.recover();
    bench.links.addLink({ name: 'eth1', up: true });
    // An echo request has the type 8, its reply the type 0, and both the same sum.
    bench.icmp.world = ({ message, remoteAddress }) => {
      const reply = Uint8Array.from(message);
      reply[0] = 0;
      const view = new DataView(reply.buffer);
      const sum = view.getUint16(2) + 0x0800;
      view.setUint16(2, (sum & 0xffff) + (sum >>> 16));
      return { message: reply, from: remoteAddress };
    };
  });
  afterEach(() => bench.end());

  async function enforce(dsl = {}, lte = {}): Promise<void> {
    await bench.during(bench.router.enforce(configuration(dsl, lte)));
  }

  /** Time passes until it is so. */
  async function until(condition: () => Promise<boolean>): Promise<void> {
    for (let step = 0; step < 2_000 && !(await condition()); step += 1) {
      bench.clock.advance(10);
      await new Promise((done) => setImmediate(done));
    }
    expect(await condition()).toBe(true);
  }

  async function carrying(): Promise<string | undefined> {
    return (await bench.router.status()).uplinks.find((uplink) => uplink.carrying)?.name;
  }

  async function defaultRoute(): Promise<string | undefined> {
    return (await bench.links.routes(4, 254)).find(({ prefix }) => prefix === '0.0.0.0/0')?.gateway;
  }

  it('has the default route of the better one as soon as the configuration is in force', async () => {
    await enforce();
    expect(await defaultRoute()).toBe('10.21.0.1');
    expect((await bench.router.status()).uplinks).toMatchObject([
      { name: 'dsl', type: 'ethernet', state: 'up', carrying: true, address: '10.21.0.9/24', gateway: '10.21.0.1' },
      { name: 'lte', carrying: false },
    ]);
  });

  it('says what happens, has the route and the VPNs follow', async () => {
    await enforce();
    const events: RouterEvent[] = [];
    bench.router.onEvent((event) => void events.push(event));
    bench.ipsec.calls.splice(0);
    bench.links.plug('eth0', false);
    await until(async () => (await defaultRoute()) === '10.22.0.1');
    expect(events).toContainEqual(
      expect.objectContaining({ connection: 'dsl', detail: 'dsl left: no carrier on eth0; lte carries the traffic' }),
    );
    await until(async () => bench.ipsec.calls.includes('uplink changed'));
    const [dsl] = (await bench.router.status()).uplinks;
    expect(dsl).toMatchObject({ state: 'failed', verdict: 'down', reason: 'link: no carrier on eth0' });
    expect(dsl?.remedy).toContain('cable');
  });

  it('an IPsec connection that sticks to an uplink goes out from its address', async () => {
    await enforce();
    expect(await bench.ipsec.surroundings?.sourceAddress('192.0.2.9', 'hq')).toBe('10.21.0.9');
    const stuck = configuration({}, {});
    const hq = stuck.ipsec.connections['hq'];
    if (hq !== undefined) hq.uplink = 'lte';
    await bench.during(bench.router.enforce(stuck));
    expect(await bench.ipsec.surroundings?.sourceAddress('192.0.2.9', 'hq')).toBe('10.22.0.9');
  });

  it('disconnects and connects one on request', async () => {
    await enforce();
    expect(await bench.during(bench.router.disconnect('dsl'))).toEqual({ ok: true });
    expect(await carrying()).toBe('lte');
    expect((await bench.router.status()).uplinks[0]).toMatchObject({
      state: 'down',
      why: 'it was disconnected on request',
    });
    expect(await bench.during(bench.router.connect('dsl', NEVER))).toEqual({ ok: true });
    const unknown = await bench.router.connect('isdn', NEVER);
    expect(unknown).toMatchObject({ ok: false, notFound: expect.arrayContaining(['dsl', 'lte']) });
  });

  it('without "uplinks" an interface with a gateway is one, and its route stands whatever the cable says', async () => {
    const plain = { ...configuration({}, {}), uplinks: {} };
    delete plain.interfaces['lte'];
    await bench.during(bench.router.enforce(plain));
    expect(await defaultRoute()).toBe('10.21.0.1');
    expect(await bench.links.rules(4)).not.toContainEqual(expect.objectContaining({ priority: 5001 }));
    bench.links.plug('eth0', false);
    await until(async () => (await bench.router.status()).uplinks[0]?.verdict === 'down');
    expect(await defaultRoute()).toBe('10.21.0.1');
  });
});
