import { describe, expect, it } from 'vitest';
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import type { Configuration } from '../../../firmware/config/schema.ts';
import type { Failure } from '../../../firmware/protocol/machine.ts';
import { captureTarget } from '../../../firmware/router/capture-target.ts';
import { SimulatedLinks } from '../../../hal/simulated/links.ts';

const nic = (device: string, zone: string, address: string) => ({ device, zone, ipv4: { method: 'static', address } });
const caller = { user: 'alice', password: 'alice-pw' };
const waiter = { localAddress: '10.98.0.1', pool: '10.98.0.10-10.98.0.20' };
const transport = { version: 1, psk: 'labpsk', mode: 'transport' };

const FILE = {
  interfaces: { wan: nic('eth0', 'wan', '10.20.0.9/24'), lan: nic('lan0', 'lan', '192.168.12.1/24') },
  l2tp: {
    clients: {
      hq: { server: '10.20.0.2', ipsec: 'hq', ...caller },
      clear: { server: 'lns.example', port: 1702, ...caller },
    },
    servers: {
      office: { listen: '10.20.0.9', ...waiter },
      anywhere: { listen: '0.0.0.0', ipsec: 'branches', localAddress: '10.97.0.1', pool: '10.97.0.10-10.97.0.20' },
    },
  },
  ipsec: {
    connections: {
      hq: { remote: '10.20.0.2', ...transport },
      branches: { remote: 'any', ...transport },
      idle: { remote: '10.20.0.77', ...transport },
      plant: {
        version: 2,
        remote: 'plant.example',
        psk: 'labpsk',
        localSubnets: ['192.168.12.0/24'],
        remoteSubnets: ['10.88.0.0/24'],
      },
    },
  },
};

function configuration(): Configuration {
  const parsed = parseConfiguration(JSON.stringify(FILE), 'test.json');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.configuration;
}

const NOT_RESOLVED: Failure = { step: 'DNS', reason: 'nobody answers', remedy: 'mend DNS' };

async function ask(name: string, outside = false, devices: readonly string[] = ['eth0', 'lan0', 'l2tp-hq']) {
  const links = new SimulatedLinks();
  for (const device of devices) links.addLink({ name: device, up: true });
  if (devices.includes('eth0')) await links.addAddress('eth0', '10.20.0.9/24');
  if (devices.includes('lan0')) await links.addAddress('lan0', '192.168.12.1/24');
  const names: Readonly<Record<string, readonly string[]>> = { 'lns.example': ['10.20.0.3', '192.168.12.7'] };
  return await captureTarget(name, outside, {
    configuration: configuration(),
    links,
    mark: 1,
    resolve: async (host) => (/^[\d.]+$/.test(host) ? [host] : (names[host] ?? NOT_RESOLVED)),
  });
}

async function target(name: string, outside = false, devices?: readonly string[]) {
  const result = await ask(name, outside, devices);
  if (!result.ok) throw new Error(result.reason);
  const { places, traffic } = result.target;
  const ports = [...(traffic?.udpPorts ?? [])].sort((a, b) => a - b);
  return { devices: places.map(({ device }) => device), ports, peers: [...(traffic?.peers ?? [])] };
}

const ALL = { ports: [], peers: [] };

describe('what is captured', () => {
  it.each([
    ['wan', 'eth0', 'an interface of the configuration'],
    ['lan0', 'lan0', 'a network device'],
    ['l2tp-hq', 'l2tp-hq', 'the TUN of a tunnel, by its own name'],
    ['hq', 'l2tp-hq', 'a client'],
    ['office', 'l2tp-office', 'a server'],
    ['plant', 'ipsec-plant', 'an IPsec connection in tunnel mode'],
    ['branches', 'l2tp-anywhere', 'what an IPsec connection in transport mode protects'],
  ])('of %s is %s: %s', async (name, device) => {
    const devices = ['eth0', 'lan0', 'l2tp-hq', 'l2tp-office', 'l2tp-anywhere', 'ipsec-plant'];
    expect(await target(name, false, devices)).toEqual({ devices: [device], ...ALL });
  });

  it('is all packets, and of a tunnel is said to be its inside', async () => {
    const inside = await ask('hq');
    expect(inside.ok && inside.target.places[0]?.description).toBe('the inside of hq');
    expect(inside.ok && inside.target.traffic).toBeUndefined();
  });

  it('of a tunnel that is not up is refused, with what to do', async () => {
    expect(await ask('hq', false, ['eth0'])).toEqual({
      ok: false,
      reason: 'there is no network device l2tp-hq at the moment',
      remedy: 'bring hq up, or capture with --outside to see why it does not come up',
    });
    expect(await ask('wan', false, [])).toMatchObject({ ok: false, remedy: 'plug it in, or correct its device' });
  });

  it('of a name that nothing has is refused, with the names that there are', async () => {
    const refused = await ask('plantt');
    expect(refused).toMatchObject({ ok: false, reason: expect.stringContaining('"plantt"') });
    const names = ['wan', 'lan', 'hq', 'clear', 'office', 'anywhere', 'branches', 'idle', 'plant', 'eth0'];
    expect(!refused.ok && refused.notFound).toEqual(expect.arrayContaining(names));
    for (const name of ['__proto__', 'constructor', '']) expect(await ask(name)).toMatchObject({ ok: false });
  });

  it('of an IPsec connection that nobody uses is refused', async () => {
    expect(await ask('idle')).toMatchObject({ ok: false, remedy: 'let an L2TP client use it' });
  });
});

describe('the outside of a tunnel', () => {
  it('of a client is what it says to its server, by the interface that leads there', async () => {
    expect(await target('hq', true)).toEqual({ devices: ['eth0'], ports: [500, 1701, 4500], peers: ['10.20.0.2'] });
    const places = await ask('hq', true);
    expect(places.ok && places.target.places[0]?.description).toBe('the outside of hq');
  });

  it('is there before the tunnel is', async () => {
    expect(await target('hq', true, ['eth0'])).toMatchObject({ devices: ['eth0'] });
  });

  it('of a client without IPsec is L2TP alone, with every address of its server, by every interface that leads there', async () => {
    const peers = ['10.20.0.3', '192.168.12.7'];
    expect(await target('clear', true)).toEqual({ devices: ['eth0', 'lan0'], ports: [1702], peers });
  });

  it('of a server is what anybody says to its address', async () => {
    expect(await target('office', true)).toEqual({ devices: ['eth0'], ports: [1701], peers: [] });
  });

  it('of a server at all addresses, or a connection for anybody, is on every interface', async () => {
    const everywhere = { devices: ['eth0', 'lan0'], ports: [500, 1701, 4500], peers: [] };
    expect(await target('anywhere', true)).toEqual(everywhere);
    expect(await target('branches', true)).toEqual(everywhere);
  });

  it('of a peer whose name is not resolved is refused with the cause', async () => {
    expect(await ask('plant', true)).toEqual({ ok: false, ...NOT_RESOLVED });
  });

  it('of a peer to whom no interface leads is refused', async () => {
    expect(await ask('hq', true, [])).toMatchObject({ ok: false, reason: expect.stringMatching(/no interface .* hq/) });
  });

  it('of what is no tunnel is refused', async () => {
    for (const name of ['wan', 'eth0', 'nothing']) {
      expect(await ask(name, true)).toMatchObject({ ok: false, notFound: expect.arrayContaining(['hq', 'plant']) });
    }
  });
});
