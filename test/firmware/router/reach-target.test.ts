import { describe, expect, it } from 'vitest';
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import { reachTarget } from '../../../firmware/router/reach-target.ts';
import { SimulatedLinks } from '../../../hal/simulated/links.ts';

const nic = (device: string, zone: string, address: string) => ({ device, zone, ipv4: { method: 'static', address } });

const FILE = {
  interfaces: { wan: nic('eth0', 'wan', '10.20.0.9/24'), lan: nic('lan0', 'lan', '192.168.12.1/24') },
  l2tp: {
    clients: {
      hq: { server: '10.20.0.2', user: 'alice', password: 'alice-pw', ipsec: 'safe' },
      two: { server: '10.20.0.2', user: 'alice', password: 'alice-pw', ipsec: 'safe' },
    },
  },
  ipsec: { connections: { safe: { version: 2, remote: '10.20.0.2', psk: 'a long secret', mode: 'transport' } } },
};

const MARK = 0xc1;

async function ask(via: string, host = '10.99.0.1') {
  const parsed = parseConfiguration(JSON.stringify(FILE), 'test.json');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const links = new SimulatedLinks();
  for (const name of ['eth0', 'lan0', 'l2tp-hq']) links.addLink({ name, up: true });
  return await reachTarget(
    { host, via },
    {
      configuration: parsed.configuration,
      links,
      mark: MARK,
      resolve: async (name) =>
        name === 'nowhere.example'
          ? { step: 'DNS', reason: 'there is no such name', remedy: 'correct it' }
          : [name === 'six.example' ? 'fd00::1' : name],
    },
  );
}

describe('the way of a ping', () => {
  it.each([
    ['tunnel', { mark: 0 }],
    ['uplink', { mark: MARK }],
    // What goes into a tunnel has no mark: else the routes would keep it out.
    ['hq', { mark: 0, device: 'l2tp-hq' }],
    ['l2tp-hq', { mark: 0, device: 'l2tp-hq' }],
    // What is to leave by an interface does not ask the routes of tunnels.
    ['wan', { mark: MARK, device: 'eth0' }],
    ['lan0', { mark: MARK, device: 'lan0' }],
  ])('via %s', async (via, way) => {
    expect(await ask(via)).toEqual({ ok: true, target: { address: '10.99.0.1', family: 4, ...way } });
  });

  it('is refused where there is none, with the names there are', async () => {
    expect(await ask('hg')).toMatchObject({
      ok: false,
      notFound: ['tunnel', 'uplink', 'wan', 'lan', 'hq', 'two', 'safe', 'lo', 'eth0', 'lan0', 'l2tp-hq'],
      remedy: expect.stringContaining('name one of tunnel, uplink, wan'),
    });
  });

  it('is refused while it is not there, and where it has no inside of its own', async () => {
    expect(await ask('two')).toMatchObject({
      ok: false,
      reason: 'there is no network device l2tp-two at the moment',
      remedy: 'bring two up',
    });
    expect(await ask('safe')).toMatchObject({ ok: false, remedy: 'name hq or two' });
  });

  it('leads to an address of either family, or says why there is none', async () => {
    expect(await ask('tunnel', 'six.example')).toMatchObject({ target: { address: 'fd00::1', family: 6 } });
    expect(await ask('tunnel', 'nowhere.example')).toMatchObject({ ok: false, reason: 'there is no such name' });
  });
});
