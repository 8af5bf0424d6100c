import { describe, expect, it } from 'vitest';
import { desiredNetwork, type LiveState, type LiveTunnel } from '../../../firmware/network/desired.ts';
import { filterBody } from '../../../firmware/network/filter.ts';
import type { Route } from '../../../hal/links.ts';
import { exampleConfiguration, exampleDocument, parsed, protectedDocument, withValue } from '../config/example.ts';

const NOTHING: LiveState = { tunnels: [], mainRoutes: [], reversePathFilter: false };
const HQ: LiveTunnel = {
  device: 'l2tp-hq',
  localAddress: '10.98.7.10',
  peerAddress: '10.98.7.1',
  prefixes: ['10.99.0.0/16'],
};
const BARE = withValue(exampleDocument(), 'l2tp.servers', undefined);

function hqWith(key: string, value: unknown) {
  return parsed(withValue(BARE, `l2tp.clients.hq.${key}`, value));
}

/** `type prefix metric device` of the tunnel table's routes, sorted. */
function table(routes: readonly Route[]): string[] {
  return routes
    .filter((route) => route.table === 5000)
    .map(({ type, prefix, metric, device }) => `${type} ${prefix} ${metric}${device === undefined ? '' : ` ${device}`}`)
    .sort();
}

describe('the desired network', () => {
  it('has the configured links, addresses and default route', () => {
    const desired = desiredNetwork(exampleConfiguration(), NOTHING);
    expect(desired.links).toEqual([
      { name: 'wan', device: 'eth0', up: true },
      { name: 'lan', device: 'lan0', up: true },
    ]);
    expect(desired.addresses).toEqual([
      { device: 'eth0', address: '10.20.0.9/24' },
      { device: 'lan0', address: '192.168.12.1/24' },
    ]);
    expect(desired.routes.filter((route) => route.table === 254)).toEqual([
      { prefix: '0.0.0.0/0', type: 'unicast', gateway: '10.20.0.1', device: 'eth0', table: 254, protocol: 201 },
    ]);
    expect(desired.forwarding).toBe(true);
  });

  it('refuses every remote prefix while no tunnel stands', () => {
    const bob = { password: 'long enough', address: '172.16.0.1', routes: ['172.17.0.0/16'] };
    const eve = { password: 'long enough', address: '10.98.0.12' };
    const document = withValue(exampleDocument(), 'l2tp.servers.office.pool', '10.98.0.8-10.98.0.16');
    const desired = desiredNetwork(parsed(withValue(document, 'l2tp.servers.office.users', { bob, eve })), NOTHING);
    expect(table(desired.routes)).toEqual([
      'unreachable 10.98.0.16/32 4294967295',
      'unreachable 10.98.0.8/29 4294967295',
      'unreachable 10.99.0.0/16 4294967295',
      'unreachable 172.16.0.1/32 4294967295',
      'unreachable 172.17.0.0/16 4294967295',
    ]);
    expect(desired.rules).toEqual([{ priority: 5000, family: 4, notMark: 0xc1, table: 5000, protocol: 201 }]);
  });

  it('leads the prefix and the peer into a standing tunnel, with the refusal still behind it', () => {
    const desired = desiredNetwork(parsed(BARE), { ...NOTHING, tunnels: [HQ] });
    expect(table(desired.routes)).toEqual([
      'unicast 10.98.7.1/32 100 l2tp-hq',
      'unicast 10.99.0.0/16 100 l2tp-hq',
      'unreachable 10.98.7.1/32 4294967295',
      'unreachable 10.99.0.0/16 4294967295',
    ]);
    expect(desired.addresses).toContainEqual({ device: 'l2tp-hq', address: '10.98.7.10/32' });
  });

  it('takes whatever is for the networks behind a routed IPsec tunnel, and refuses it while the tunnel is down', () => {
    const document = withValue(protectedDocument(), 'l2tp', {});
    const alone = withValue(document, 'ipsec.connections.hq', undefined);
    const configuration = parsed(withValue(alone, 'ipsec.connections.plant.routing', 'route'));
    expect(table(desiredNetwork(configuration, NOTHING).routes)).toEqual(['unreachable 10.88.0.0/24 4294967295']);
    const plant = { device: 'ipsec-plant', localAddress: '', source: '192.168.12.1', prefixes: ['10.88.0.0/24'] };
    const desired = desiredNetwork(configuration, { ...NOTHING, tunnels: [plant] });
    expect(desired.routes).toContainEqual({
      prefix: '10.88.0.0/24',
      type: 'unicast',
      device: 'ipsec-plant',
      source: '192.168.12.1',
      metric: 100,
      table: 5000,
      protocol: 201,
    });
    expect(desired.addresses.map(({ device }) => device)).not.toContain('ipsec-plant');
  });

  it('never routes a peer into the tunnel that is a neighbour: it may be the server itself', () => {
    const desired = desiredNetwork(parsed(BARE), { ...NOTHING, tunnels: [{ ...HQ, peerAddress: '10.20.0.2' }] });
    expect(table(desired.routes).filter((line) => line.includes('10.20.0.2'))).toEqual([]);
  });

  it('never routes a peer into the tunnel that calls itself what belongs behind a protected one', () => {
    const plain = { server: '10.20.0.5', user: 'u', password: 'long enough', routes: ['10.77.0.0/16'] };
    const configuration = parsed(withValue(protectedDocument(), 'l2tp.clients.plain', plain));
    const peers = (device: string, peerAddress: string) => {
      const tunnel = { device, localAddress: '10.77.0.9', peerAddress, prefixes: [] };
      const { routes } = desiredNetwork(configuration, { ...NOTHING, tunnels: [tunnel] });
      return table(routes).filter((line) => line.includes(`${peerAddress}/32`) && line.startsWith('unicast'));
    };
    expect(peers('l2tp-plain', '10.88.0.5')).toEqual([]);
    expect(peers('l2tp-plain', '10.99.0.1')).toEqual([]);
    expect(peers('l2tp-plain', '10.77.0.1')).toEqual(['unicast 10.77.0.1/32 100 l2tp-plain']);
    expect(peers('l2tp-hq', '10.99.0.1')).toEqual(['unicast 10.99.0.1/32 100 l2tp-hq']);
  });

  it('has no rule when there is no remote prefix', () => {
    const desired = desiredNetwork(hqWith('routes', []), NOTHING);
    expect(desired.rules).toEqual([]);
    expect(table(desired.routes)).toEqual([]);
  });

  it('leaves connected networks and static destinations inside a wider prefix to the main table', () => {
    const connected = (prefix: string, device: string): Route => ({
      prefix,
      type: 'unicast',
      device,
      table: 254,
      protocol: 2,
      scope: 'link',
    });
    const document = withValue(BARE, 'l2tp.clients.hq.routes', ['0.0.0.0/0']);
    const configuration = parsed(
      withValue(document, 'routes', [{ prefix: '192.168.50.0/24', gateway: '192.168.12.2' }]),
    );
    const mainRoutes: Route[] = [
      connected('10.20.0.0/24', 'eth0'),
      connected('172.30.0.0/16', 'usb0'),
      connected('10.98.7.1/32', 'l2tp-hq'),
      { ...connected('10.77.0.0/16', 'eth0'), gateway: '10.20.0.5', scope: 'global' },
    ];
    const desired = desiredNetwork(configuration, {
      ...NOTHING,
      tunnels: [{ ...HQ, prefixes: ['0.0.0.0/0'] }],
      mainRoutes,
    });
    expect(table(desired.routes).filter((line) => line.startsWith('throw'))).toEqual([
      'throw 10.20.0.0/24 10',
      'throw 172.30.0.0/16 10',
      'throw 192.168.12.0/24 10',
      'throw 192.168.50.0/24 10',
      'throw 224.0.0.0/4 10',
      'throw 255.255.255.255/32 10',
    ]);
  });

  it('lets nothing be thrown that no remote prefix contains', () => {
    expect(table(desiredNetwork(parsed(BARE), NOTHING).routes)).toEqual(['unreachable 10.99.0.0/16 4294967295']);
  });

  it('finds the device of a static route by its gateway', () => {
    const routes = [{ prefix: '10.50.0.0/16', gateway: '192.168.12.2', metric: 7 }];
    const desired = desiredNetwork(parsed(withValue(BARE, 'routes', routes)), NOTHING);
    expect(desired.routes).toContainEqual({
      prefix: '10.50.0.0/16',
      type: 'unicast',
      gateway: '192.168.12.2',
      device: 'lan0',
      metric: 7,
      table: 254,
      protocol: 201,
    });
  });

  it('forwards with a LAN or a server, and not for a lone client', () => {
    const lone = withValue(BARE, 'interfaces.lan', undefined);
    expect(desiredNetwork(parsed(lone), NOTHING).forwarding).toBe(false);
    expect(desiredNetwork(parsed(BARE), NOTHING).forwarding).toBe(true);
    const server = withValue(exampleDocument(), 'interfaces.lan', undefined);
    expect(desiredNetwork(parsed(server), NOTHING).forwarding).toBe(true);
  });
});

describe('the packet filter', () => {
  it('is empty when nothing is asked of it', () => {
    expect(filterBody(desiredNetwork(exampleConfiguration(), NOTHING))).toBe('');
  });

  it('masquerades what leaves by the clients that ask for it', () => {
    const body = filterBody(desiredNetwork(hqWith('masquerade', true), NOTHING));
    expect(body).toContain('type nat hook postrouting priority srcnat;');
    expect(body).toContain('oifname "l2tp-hq" masquerade');
  });

  it('marks replies to outer sockets only where a reverse-path filter would drop them', () => {
    const filtered = { ...NOTHING, reversePathFilter: true };
    expect(filterBody(desiredNetwork(exampleConfiguration(), filtered))).toContain(
      'socket mark 0xc1 meta mark set 0xc1',
    );
    expect(filterBody(desiredNetwork(hqWith('routes', []), filtered))).toBe('');
  });
});
