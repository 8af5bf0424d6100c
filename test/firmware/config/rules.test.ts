import { describe, expect, it } from 'vitest';
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import { CONFIGURATION_RULES } from '../../../firmware/config/rules.ts';
import { exampleDocument, withValue } from './example.ts';

type Change = readonly [path: string, value: unknown];

function findings(...changes: readonly Change[]) {
  let document: unknown = exampleDocument();
  for (const [path, value] of changes) document = withValue(document, path, value);
  const result = parseConfiguration(JSON.stringify(document), 'x.json');
  return result.ok ? result.warnings : result.problems;
}

const office2 = {
  listen: '10.20.0.9',
  port: 1702,
  localAddress: '10.97.0.1',
  pool: '10.97.0.10-10.97.0.20',
};
const dmz = { device: 'eth2', zone: 'management', ipv4: { method: 'static', address: '10.30.0.1/24' } };
const tunnelMode = {
  remote: '10.20.0.8',
  psk: 'long enough',
  localSubnets: ['192.168.12.0/24'],
  remoteSubnets: ['10.88.0.0/16'],
};
const plant = { server: 'plant.example', user: 'u', password: 'long enough' };

/** Rule, changes to the example, path of the finding, what it says. */
const CASES: readonly (readonly [string, readonly Change[], string, RegExp])[] = [
  ['static-needs-address', [['interfaces.lan.ipv4.address', undefined]], 'interfaces.lan.ipv4.address', /nothing/],
  [
    'address-without-static',
    [['interfaces.lan.ipv4.method', 'none']],
    'interfaces.lan.ipv4.address',
    /192\.168\.12\.1\/24/,
  ],
  ['interface-address', [['interfaces.lan.ipv4.address', '192.168.12.0/24']], 'interfaces.lan.ipv4.address', /own/],
  [
    'interface-address',
    [['interfaces.lan.ipv4.address', '192.168.12.255/24']],
    'interfaces.lan.ipv4.address',
    /broadcast/,
  ],
  ['interface-address', [['interfaces.lan.ipv4.address', '127.0.0.5/24']], 'interfaces.lan.ipv4.address', /loopback/],
  ['gateway-in-network', [['interfaces.wan.ipv4.gateway', '10.21.0.1']], 'interfaces.wan.ipv4.gateway', /10\.21\.0\.1/],
  ['gateway-in-network', [['interfaces.wan.ipv4.gateway', '10.20.0.9']], 'interfaces.wan.ipv4.gateway', /own address/],
  ['one-gateway', [['interfaces.lan.ipv4.gateway', '192.168.12.2']], 'interfaces.lan.ipv4.gateway', /second default/],
  [
    'networks-overlap',
    [['interfaces.lan.ipv4.address', '10.20.0.129/25']],
    'interfaces.lan.ipv4.address',
    /overlaps 10\.20\.0\.9\/24 of interface "wan"/,
  ],
  [
    'call-name-taken',
    [['l2tp.servers.office.calls', { hq: { host: 'branch-12' } }]],
    'l2tp.servers.office.calls.hq',
    /the name of/,
  ],
  ['device-twice', [['interfaces.lan.device', 'eth0']], 'interfaces.lan.device', /"wan" has already/],
  ['device-of-tunnel', [['interfaces.lan.device', 'l2tp-hq']], 'interfaces.lan.device', /l2tp-hq/],
  ['route-next-hop', [['routes', [{ prefix: '10.50.0.0/16' }]]], 'routes[0]', /neither/],
  ['route-next-hop', [['routes', [{ prefix: '10.50.0.0/16', device: 'eth7' }]]], 'routes[0].device', /eth7/],
  ['route-next-hop', [['routes', [{ prefix: '10.50.0.0/16', gateway: '10.60.0.1' }]]], 'routes[0].gateway', /10\.60/],
  [
    'route-next-hop',
    [['routes', [{ prefix: '10.50.0.0/16', gateway: '10.20.0.1', device: 'lan0' }]]],
    'routes[0].gateway',
    /10\.20\.0\.1/,
  ],
  [
    'route-twice',
    [['routes', [{ prefix: '0.0.0.0/0', gateway: '10.20.0.3' }]]],
    'routes[0].prefix',
    /gateway leads to/,
  ],
  ['route-twice', [['routes', [{ prefix: '192.168.12.0/24', device: 'eth0' }]]], 'routes[0].prefix', /interface "lan"/],
  [
    'route-twice',
    [
      [
        'routes',
        [
          { prefix: '10.50.0.0/16', device: 'lan0' },
          { prefix: '10.50.0.0/16', gateway: '10.20.0.3', metric: 0 },
        ],
      ],
    ],
    'routes[1].prefix',
    /routes\[0\] leads to already/,
  ],
  [
    'route-through-tunnel',
    [['routes', [{ prefix: '10.50.0.0/16', device: 'l2tp-hp' }]]],
    'routes[0].device',
    /l2tp-hp, and there is no such tunnel/,
  ],
  [
    'route-through-tunnel',
    [['routes', [{ prefix: '10.50.0.0/16', device: 'l2tp-hq' }]]],
    'routes[0].device',
    /is a tunnel/,
  ],
  [
    'route-of-tunnel',
    [['routes', [{ prefix: '10.99.0.0/16', device: 'lan0' }]]],
    'routes[0].prefix',
    /behind client "hq" as well/,
  ],
  [
    'route-out-of-tunnel',
    [
      ['ipsec.connections', { plant: tunnelMode }],
      ['routes', [{ prefix: '10.88.3.0/24', gateway: '192.168.12.254' }]],
    ],
    'routes[0].prefix',
    /a part of 10\.88\.0\.0\/16 behind IPsec connection "plant"/,
  ],
  [
    'interface-address-ipv6',
    [['interfaces.lan.ipv6', { address: 'ff02::1/64' }]],
    'interfaces.lan.ipv6.address',
    /ff02/,
  ],
  [
    'interface-address-ipv6',
    [['interfaces.lan.ipv6', { address: '::1/128' }]],
    'interfaces.lan.ipv6.address',
    /loopback/,
  ],
  [
    'networks-overlap-ipv6',
    [
      ['interfaces.wan.ipv6', { address: '2001:db8::9/48' }],
      ['interfaces.lan.ipv6', { address: '2001:db8:0:12::1/64' }],
    ],
    'interfaces.lan.ipv6.address',
    /overlaps 2001:db8::\/48 of interface "wan"/,
  ],
  ['pool-order', [['l2tp.servers.office.pool', '10.98.0.9-10.98.0.8']], 'l2tp.servers.office.pool', /9-10/],
  ['pool-order', [['l2tp.servers.office.pool', '224.0.0.1-224.0.0.8']], 'l2tp.servers.office.pool', /224/],
  ['pool-size', [['l2tp.servers.office.pool', '10.0.0.0-10.1.0.0']], 'l2tp.servers.office.pool', /65537 addresses/],
  ['pool-overlap', [['l2tp.servers.office.pool', '10.19.255.250-10.20.0.3']], 'l2tp.servers.office.pool', /"wan"/],
  [
    'pool-overlap',
    [['l2tp.servers.two', { ...office2, pool: '10.98.0.250-10.98.0.251' }]],
    'l2tp.servers.two.pool',
    /server "office"/,
  ],
  [
    'pool-behind-tunnel',
    [['l2tp.clients.hq.routes', ['10.99.0.0/16', '10.98.0.0/24']]],
    'l2tp.clients.hq.routes[1]',
    /10\.98\.0\.0\/24, which overlaps the pool 10\.98\.0\.10-10\.98\.0\.250 of server "office"/,
  ],
  ['local-address', [['l2tp.servers.office.localAddress', '10.98.0.10']], 'l2tp.servers.office.localAddress', /pool/],
  [
    'local-address',
    [['l2tp.servers.office.localAddress', '192.168.12.9']],
    'l2tp.servers.office.localAddress',
    /interface "lan"/,
  ],
  ['local-address', [['l2tp.servers.office.localAddress', '127.0.0.1']], 'l2tp.servers.office.localAddress', /127/],
  [
    'user-address',
    [['l2tp.servers.office.users.bob.address', '192.168.12.77']],
    'l2tp.servers.office.users.bob.address',
    /interface "lan"/,
  ],
  [
    'user-address',
    [['l2tp.servers.office.users.bob.address', '10.98.0.1']],
    'l2tp.servers.office.users.bob.address',
    /local address/,
  ],
  [
    'user-address',
    [
      ['l2tp.servers.two', office2],
      ['l2tp.servers.office.users.bob.address', '10.97.0.12'],
    ],
    'l2tp.servers.office.users.bob.address',
    /pool of server "two"/,
  ],
  [
    'user-address-twice',
    [
      ['l2tp.servers.office.users.bob.address', '10.96.0.1'],
      ['l2tp.servers.office.users.eve', { password: 'long enough', address: '10.96.0.1' }],
    ],
    'l2tp.servers.office.users.eve.address',
    /user "bob"/,
  ],
  [
    'user-address-behind-user',
    [
      ['l2tp.servers.office.users.bob.address', '10.96.0.1'],
      ['l2tp.servers.office.users.eve', { password: 'long enough', routes: ['10.96.0.0/24'] }],
    ],
    'l2tp.servers.office.users.bob.address',
    /user "eve"/,
  ],
  [
    'tunnel-route-twice',
    [['l2tp.clients.plant', { ...plant, routes: ['10.1.0.0/16', '10.99.0.0/16'] }]],
    'l2tp.clients.plant.routes[1]',
    /client "hq"/,
  ],
  [
    'tunnel-route-twice',
    [['l2tp.servers.office.users.bob.routes', ['10.99.0.0/16']]],
    'l2tp.servers.office.users.bob.routes[0]',
    /client "hq"/,
  ],
  ['tunnel-route-connected', [['l2tp.clients.hq.routes', ['192.168.12.0/24']]], 'l2tp.clients.hq.routes[0]', /"lan"/],
  ['listen-twice', [['l2tp.servers.two', { ...office2, port: 1701 }]], 'l2tp.servers.two.listen', /"office"/],
  [
    'listen-twice',
    [['l2tp.servers.two', { ...office2, port: 1701, listen: '0.0.0.0' }]],
    'l2tp.servers.two.listen',
    /"office"/,
  ],
  ['listen-elsewhere', [['l2tp.servers.office.listen', '10.20.0.77']], 'l2tp.servers.office.listen', /10\.20\.0\.77/],
  [
    'on-demand-routes',
    [['l2tp.clients.plant', { ...plant, start: 'on-demand', routes: ['2001:db8:9::/48'] }]],
    'l2tp.clients.plant.routes',
    /2001:db8:9/,
  ],
  [
    'on-demand-masquerade',
    [['l2tp.clients.plant', { ...plant, start: 'on-demand', routes: ['10.50.0.0/16'], masquerade: true }]],
    'l2tp.clients.plant.masquerade',
    /true/,
  ],
  [
    'proxy-of-strangers',
    [['l2tp.servers.office.proxyAuthentication', 'lcp']],
    'l2tp.servers.office.proxyAuthentication',
    /neither a tunnel secret nor IPsec/,
  ],
  ['redacted-secret', [['l2tp.clients.hq.password', '********']], 'l2tp.clients.hq.password', /stars/],
  ['weak-secret', [['l2tp.clients.hq.password', 'short']], 'l2tp.clients.hq.password', /short secret/],
];

describe('the rules', () => {
  it('let the example pass, with a warning about the short password', () => {
    expect(findings()).toEqual([
      expect.objectContaining({
        rule: 'weak-secret',
        severity: 'warning',
        path: 'l2tp.servers.office.users.bob.password',
      }),
    ]);
  });

  it.each(CASES)('%s: %j', (rule, changes, path, found) => {
    const matching = findings(...changes).filter((problem) => problem.rule === rule && problem.path === path);
    expect(matching).toHaveLength(1);
    expect(matching[0]?.found).toMatch(found);
    expect(matching[0]?.allowed).not.toBe('');
  });

  it('each have a case here, or in the tests of the rules of IPsec, certificates, proofs, IPv6, RADIUS, forwarding, monitoring, uplinks, VLANs and users', () => {
    const covered = new Set(CASES.map(([rule]) => rule));
    const names = CONFIGURATION_RULES.map(({ name }) => name);
    expect(
      names.filter(
        (name) =>
          !covered.has(name) &&
          !/^(ipsec|certificate|proof|ipv6|radius|forward|syslog|metrics|user|uplink|gateway-of|modem|dhcp|mac|vlan)-/.test(
            name,
          ),
      ),
    ).toEqual([]);
  });

  it('each say what they want in one sentence of their own', () => {
    const sentences = CONFIGURATION_RULES.map(({ description }) => description);
    expect(sentences.filter((sentence) => !/^[A-Z][^\n]{20,200}\.$/.test(sentence))).toEqual([]);
    expect(new Set(sentences).size).toBe(sentences.length);
  });

  it.each<[string, readonly Change[]]>([
    ['a user address outside the pool', [['l2tp.servers.office.users.bob.address', '172.16.0.1']]],
    ['a route that contains the LAN', [['l2tp.clients.hq.routes', ['0.0.0.0/0', '192.168.0.0/16']]]],
    ['a route inside the LAN', [['l2tp.clients.hq.routes', ['192.168.12.128/25']]]],
    [
      'a user inside its own routes',
      [['l2tp.servers.office.users.bob', { password: 'long enough', address: '10.96.0.1', routes: ['10.96.0.0/24'] }]],
    ],
    [
      'a LAC that is believed and shares a secret',
      [
        ['l2tp.servers.office.proxyAuthentication', 'full'],
        ['l2tp.servers.office.secret', 'long enough'],
      ],
    ],
    ['two servers on two ports', [['l2tp.servers.two', office2]]],
    ['a management network', [['interfaces.dmz', dmz]]],
    [
      'a second default route with another metric',
      [['routes', [{ prefix: '0.0.0.0/0', gateway: '10.20.0.3', metric: 50 }]]],
    ],
    [
      'a protected server where another one listens in clear',
      [
        ['ipsec.connections', { all: { remote: 'any', psk: 'long enough', mode: 'transport' } }],
        ['l2tp.servers.two', { ...office2, port: 1701, ipsec: 'all' }],
      ],
    ],
    [
      'link-local addresses on two interfaces',
      [
        ['interfaces.wan.ipv6', { address: 'fe80::9/64' }],
        ['interfaces.lan.ipv6', { address: 'fe80::1/64' }],
      ],
    ],
    [
      'a static route inside a network behind a tunnel in clear',
      [['routes', [{ prefix: '10.99.3.0/24', device: 'lan0' }]]],
    ],
    [
      'a default route beside a client that takes everything',
      [
        ['l2tp.clients.hq.routes', ['0.0.0.0/0']],
        ['routes', [{ prefix: '0.0.0.0/0', gateway: '10.20.0.3', metric: 50 }]],
      ],
    ],
    ['a static route with a device alone', [['routes', [{ prefix: '10.50.0.0/16', device: 'lan0' }]]]],
  ])('allow %s', (_, changes) => {
    expect(findings(...changes).filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it('suggest where a route into a tunnel belongs, and say nothing of the next hop besides', () => {
    const routes = [{ prefix: '10.50.0.0/16', device: 'l2tp-hp' }];
    const about = findings(['routes', routes]).filter(({ path }) => path.startsWith('routes'));
    expect(about).toEqual([
      expect.objectContaining({ rule: 'route-through-tunnel', suggestion: 'l2tp.clients.hq.routes' }),
    ]);
  });

  it.each<[string, readonly Change[]]>([
    ['the way to a peer inside its own network', [['routes', [{ prefix: '10.88.3.0/24', gateway: '10.20.0.1' }]]]],
    [
      'exceptions from everything',
      [
        ['ipsec.connections.plant.remoteSubnets', ['0.0.0.0/0']],
        ['routes', [{ prefix: '10.77.0.0/16', gateway: '192.168.12.254' }]],
      ],
    ],
  ])('do not warn of %s', (_, changes) => {
    const document: Change = ['ipsec.connections', { plant: { ...tunnelMode, remote: '10.88.3.8' } }];
    expect(findings(document, ...changes).map(({ rule }) => rule)).toEqual(['weak-secret']);
  });

  it('take a configuration with warnings only, and refuse one with an error', () => {
    const warned = withValue(exampleDocument(), 'l2tp.clients.hq.password', 'short');
    expect(parseConfiguration(JSON.stringify(warned), 'x.json')).toMatchObject({ ok: true });
    const wrong = withValue(warned, 'interfaces.lan.device', 'eth0');
    const result = parseConfiguration(JSON.stringify(wrong), 'x.json');
    expect(result.ok).toBe(false);
    expect(!result.ok && result.problems.map(({ severity }) => severity)).toEqual(['error', 'warning', 'warning']);
  });
});
