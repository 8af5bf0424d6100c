import { describe, expect, it } from 'vitest';
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import type { Problem } from '../../../firmware/config/problem.ts';
import { CONFIGURATION_RULES } from '../../../firmware/config/rules.ts';
import { exampleDocument, protectedDocument, withValue } from './example.ts';

type Change = readonly [path: string, value: unknown];

function findings(...changes: readonly Change[]): readonly Problem[] {
  let document: unknown = protectedDocument();
  for (const [path, value] of changes) document = withValue(document, path, value);
  const result = parseConfiguration(JSON.stringify(document), 'x.json');
  return result.ok ? result.warnings : result.problems;
}

const roadWarriors = { version: 2, remote: 'any', psk: 'long enough', mode: 'transport' };
const server = { listen: '10.20.0.9', port: 1702, localAddress: '10.97.0.1', pool: '10.97.0.10-10.97.0.20' };
const third = { server: '10.20.0.4', user: 'u', password: 'long enough' };
const CONNECTIONS = 'ipsec.connections';
const POOL = '10.60.0.10-10.60.0.20';

function callers(count: number): Change[] {
  const names = Array.from({ length: count }, (_, index) => `any${index}`);
  return names.flatMap((name): Change[] => [
    [`${CONNECTIONS}.${name}`, { ...roadWarriors, version: 1, psk: `key of ${name}` }],
    [
      `l2tp.servers.${name}`,
      {
        ...server,
        pool: `10.97.${name.slice(3)}.10-10.97.${name.slice(3)}.20`,
        localAddress: '10.96.0.1',
        ipsec: name,
      },
    ],
  ]);
}

type Case = readonly [string, Problem['severity'], readonly Change[], string, RegExp, string?];

/** Rule, severity, changes to the example, path of the finding, what it says, what it suggests. */
const CASES: readonly Case[] = [
  [
    'ipsec-virtual-address',
    'error',
    [[`${CONNECTIONS}.hq.virtualAddress`, true]],
    `${CONNECTIONS}.hq.virtualAddress`,
    /transport mode/,
  ],
  [
    'ipsec-virtual-address',
    'error',
    [
      [`${CONNECTIONS}.plant.virtualAddress`, true],
      [`${CONNECTIONS}.plant.remote`, 'any'],
    ],
    `${CONNECTIONS}.plant.virtualAddress`,
    /the peer "any"/,
  ],
  [
    'ipsec-virtual-address',
    'error',
    [
      [`${CONNECTIONS}.plant.virtualAddress`, true],
      [`${CONNECTIONS}.plant.start`, 'traffic'],
    ],
    `${CONNECTIONS}.plant.virtualAddress`,
    /before there is an address/,
  ],
  ['ipsec-pool', 'error', [[`${CONNECTIONS}.plant.pool`, POOL]], `${CONNECTIONS}.plant.pool`, /for one peer/],
  ['ipsec-pool', 'error', [[`${CONNECTIONS}.hq.pool`, POOL]], `${CONNECTIONS}.hq.pool`, /in transport mode/],
  ['ipsec-pool', 'error', [[`${CONNECTIONS}.plant.dns`, ['10.88.0.53']]], `${CONNECTIONS}.plant.dns`, /10\.88/],
  [
    'ipsec-pool',
    'error',
    [
      [`${CONNECTIONS}.plant.remote`, 'any'],
      [`${CONNECTIONS}.plant.pool`, '10.60.0.9-10.60.0.2'],
    ],
    `${CONNECTIONS}.plant.pool`,
    /ends before/,
  ],
  [
    'ipsec-pool-overlap',
    'error',
    [
      [`${CONNECTIONS}.plant.remote`, 'any'],
      [`${CONNECTIONS}.plant.pool`, '192.168.12.100-192.168.12.120'],
    ],
    `${CONNECTIONS}.plant.pool`,
    /interface "lan"/,
  ],
  [
    'ipsec-aggressive-version',
    'error',
    [[`${CONNECTIONS}.plant.aggressive`, true]],
    `${CONNECTIONS}.plant.aggressive`,
    /version 2, which has no such mode/,
  ],
  [
    'ipsec-aggressive-mode',
    'warning',
    [[`${CONNECTIONS}.hq.aggressive`, true]],
    `${CONNECTIONS}.hq.aggressive`,
    /whoever listens on the way gets a hash/,
  ],
  [
    'ipsec-profile-version',
    'error',
    [[`${CONNECTIONS}.plant.profile`, 'android-legacy']],
    `${CONNECTIONS}.plant.version`,
    /^2 with the profile "android-legacy", which has nothing for it: Android .* is met with version 1$/,
    '1',
  ],
  ['ipsec-remote', 'error', [[`${CONNECTIONS}.plant.remote`, 'ANY']], `${CONNECTIONS}.plant.remote`, /ANY/, 'any'],
  ['ipsec-remote', 'error', [[`${CONNECTIONS}.plant.remote`, '0.0.0.0']], `${CONNECTIONS}.plant.remote`, /0\.0/, 'any'],
  [
    'ipsec-unknown-connection',
    'error',
    [['l2tp.clients.hq.ipsec', 'plnt']],
    'l2tp.clients.hq.ipsec',
    /"plnt"/,
    'plant',
  ],
  [
    'ipsec-unknown-connection',
    'error',
    [['l2tp.servers.office.ipsec', 'constructor']],
    'l2tp.servers.office.ipsec',
    /no such/,
  ],
  ['ipsec-of-client', 'error', [['l2tp.clients.hq.ipsec', 'plant']], 'l2tp.clients.hq.ipsec', /tunnel mode/],
  ['ipsec-of-client', 'error', [[`${CONNECTIONS}.hq.remote`, 'any']], 'l2tp.clients.hq.ipsec', /waits for callers/],
  [
    'ipsec-of-client',
    'error',
    [[`${CONNECTIONS}.hq.remote`, '10.20.0.3']],
    'l2tp.clients.hq.ipsec',
    /10\.20\.0\.3, while the server is 10\.20\.0\.2/,
  ],
  ['ipsec-of-server', 'error', [['l2tp.servers.office.ipsec', 'plant']], 'l2tp.servers.office.ipsec', /tunnel mode/],
  ['ipsec-shared', 'error', [['l2tp.servers.office.ipsec', 'hq']], 'l2tp.servers.office.ipsec', /client "hq"/],
  [
    'ipsec-shared',
    'error',
    [
      [`${CONNECTIONS}.all`, roadWarriors],
      ['l2tp.servers.office.ipsec', 'all'],
      ['l2tp.servers.two', { ...server, ipsec: 'all' }],
    ],
    'l2tp.servers.two.ipsec',
    /server "office"/,
  ],
  [
    'ipsec-shared-by-clients',
    'warning',
    [['l2tp.clients.too', { ...third, server: '10.20.0.2', ipsec: 'hq' }]],
    'l2tp.clients.too.ipsec',
    /"hq", which client "hq" uses already/,
  ],
  [
    'pool-behind-tunnel',
    'error',
    [[`${CONNECTIONS}.plant.remoteSubnets`, ['10.88.0.0/24', '10.98.0.64/26']]],
    `${CONNECTIONS}.plant.remoteSubnets[1]`,
    /pool .* of server "office"/,
  ],
  [
    'ipsec-name-of-client',
    'warning',
    [['l2tp.clients.plant', { ...third, routes: [] }]],
    `${CONNECTIONS}.plant`,
    /name of an L2TP client/,
  ],
  ['ipsec-unused', 'warning', [['l2tp.clients.hq.ipsec', undefined]], `${CONNECTIONS}.hq`, /no L2TP client or server/],
  [
    'ipsec-algorithms',
    'error',
    [[`${CONNECTIONS}.plant.ike`, ['aes256-sha255-modp2048']]],
    `${CONNECTIONS}.plant.ike[0]`,
    /no algorithm called "sha255"/,
    'aes256-sha256-modp2048',
  ],
  [
    'ipsec-algorithms',
    'error',
    [[`${CONNECTIONS}.plant.ike`, ['aes256-sha256']]],
    `${CONNECTIONS}.plant.ike[0]`,
    /group is missing/,
  ],
  [
    'ipsec-algorithms',
    'error',
    [[`${CONNECTIONS}.hq.ike`, ['aes256gcm16-prfsha256-modp2048']]],
    `${CONNECTIONS}.hq.ike[0]`,
    /IKEv1 has no numbers/,
  ],
  [
    'ipsec-algorithms',
    'error',
    [[`${CONNECTIONS}.hq.esp`, ['aes256-sha1', 'chacha20poly1305']]],
    `${CONNECTIONS}.hq.esp[1]`,
    /ESP under IKEv1/,
  ],
  [
    'ipsec-algorithms',
    'error',
    [[`${CONNECTIONS}.plant.esp`, ['aes256-sah256']]],
    `${CONNECTIONS}.plant.esp[0]`,
    /sah256/,
    'aes256-sha256',
  ],
  ['ipsec-subnets', 'error', [[`${CONNECTIONS}.plant.localSubnets`, []]], `${CONNECTIONS}.plant.localSubnets`, /none/],
  [
    'ipsec-subnets',
    'error',
    [[`${CONNECTIONS}.plant.remoteSubnets`, undefined]],
    `${CONNECTIONS}.plant.remoteSubnets`,
    /none/,
  ],
  [
    'ipsec-subnets',
    'error',
    [[`${CONNECTIONS}.hq.remoteSubnets`, ['10.77.0.0/16']]],
    `${CONNECTIONS}.hq.remoteSubnets`,
    /transport mode/,
  ],
  ['ipsec-start', 'error', [[`${CONNECTIONS}.plant.idleSeconds`, 60]], `${CONNECTIONS}.plant.idleSeconds`, /start "/],
  [
    'ipsec-start',
    'error',
    [
      [`${CONNECTIONS}.plant.start`, 'traffic'],
      [`${CONNECTIONS}.plant.remote`, 'any'],
    ],
    `${CONNECTIONS}.plant.start`,
    /nobody can call/,
  ],
  [
    'ipsec-same-subnet',
    'error',
    [
      [`${CONNECTIONS}.plant.localSubnets`, ['10.70.0.0/16']],
      [`${CONNECTIONS}.plant.remoteSubnets`, ['10.88.0.0/24', '10.70.0.0/16']],
    ],
    `${CONNECTIONS}.plant.remoteSubnets[1]`,
    /at this end as well/,
  ],
  [
    'ipsec-local-subnet',
    'warning',
    [[`${CONNECTIONS}.plant.localSubnets`, ['192.168.12.0/24', '192.168.21.0/24']]],
    `${CONNECTIONS}.plant.localSubnets[1]`,
    /192\.168\.21\.0\/24, and no network/,
  ],
  [
    'ipsec-psk-guessable',
    'warning',
    [[`${CONNECTIONS}.plant.psk`, 'SRV.lab']],
    `${CONNECTIONS}.plant.psk`,
    /also a name/,
  ],
  ['ipsec-psk-guessable', 'warning', [[`${CONNECTIONS}.hq.psk`, 'Branch-12']], `${CONNECTIONS}.hq.psk`, /also a name/],
  [
    'ipsec-psk-guessable',
    'warning',
    [[`${CONNECTIONS}.hq.psk`, 'VPN-secret-2024!']],
    `${CONNECTIONS}.hq.psk`,
    /common/,
  ],
  ['ipsec-psk-guessable', 'warning', [[`${CONNECTIONS}.hq.psk`, '20241224']], `${CONNECTIONS}.hq.psk`, /digits only/],
  ['ipsec-psk-guessable', 'warning', [[`${CONNECTIONS}.hq.psk`, 'abababababab']], `${CONNECTIONS}.hq.psk`, /few/],
  [
    'ipsec-main-mode-same-key',
    'warning',
    [[`${CONNECTIONS}.second`, { version: 1, remote: '10.20.0.2', psk: 'labpsk', mode: 'transport' }]],
    `${CONNECTIONS}.second.psk`,
    /peer of "hq"/,
  ],
  ['ipsec-ppk', 'error', [[`${CONNECTIONS}.plant.ppk`, 'a long secret']], `${CONNECTIONS}.plant.ppkId`, /no name/],
  ['ipsec-ppk', 'error', [[`${CONNECTIONS}.plant.ppkId`, 'one']], `${CONNECTIONS}.plant.ppk`, /without the key/],
  ['ipsec-main-mode-keys', 'error', callers(9), `${CONNECTIONS}.any8.remote`, /beside 8/],
  ['ipsec-main-mode-guess', 'warning', callers(2), `${CONNECTIONS}.any1.remote`, /"any0"/],
  [
    'ipsec-main-mode-identity',
    'warning',
    [[`${CONNECTIONS}.hq.localId`, 'branch.example']],
    `${CONNECTIONS}.hq.localId`,
    /branch\.example/,
  ],
  [
    'ipsec-legacy-algorithms',
    'warning',
    [[`${CONNECTIONS}.hq.ike`, ['3des-md5-modp1024']]],
    `${CONNECTIONS}.hq.ike[0]`,
    /3DES-CBC and HMAC-MD5-96 and 1024-bit MODP/,
  ],
  [
    'ipsec-legacy-algorithms',
    'warning',
    [[`${CONNECTIONS}.plant.esp`, ['aes256-sha256', '3des-sha256']]],
    `${CONNECTIONS}.plant.esp[1]`,
    /3DES/,
  ],
];

describe('the rules of IPsec', () => {
  it('let the example of the contract pass, with a warning for each short secret', () => {
    expect(findings().map(({ rule, path }) => `${rule} ${path}`)).toEqual([
      'weak-secret l2tp.servers.office.users.bob.password',
      'weak-secret ipsec.connections.hq.psk',
      'weak-secret ipsec.connections.plant.psk',
    ]);
    expect(findings()[1]?.allowed).toContain('offline guessing');
  });

  const cases = CASES.map(([rule, severity, changes, path, found, suggestion]) => {
    return { rule, severity, changes, path, found, suggestion };
  });
  it.each(cases)('$rule ($severity): $changes', ({ rule, severity, changes, path, found, suggestion }) => {
    const matching = findings(...changes).filter((problem) => problem.rule === rule && problem.path === path);
    expect(matching).toHaveLength(1);
    expect(matching[0]?.severity).toBe(severity);
    expect(matching[0]?.found).toMatch(found);
    expect(matching[0]?.allowed).not.toBe('');
    expect(matching[0]?.suggestion).toBe(suggestion);
  });

  it('each have a case here', () => {
    const covered = new Set(CASES.map(([rule]) => rule));
    const names = CONFIGURATION_RULES.map(({ name }) => name).filter((name) => /^ipsec-(?!ah-)/.test(name));
    expect(names.filter((name) => !covered.has(name))).toEqual([]);
  });

  it.each<[string, readonly Change[]]>([
    [
      'a peer by the same name as the server, written in another case',
      [
        [`${CONNECTIONS}.hq.remote`, 'VPN.example.com'],
        ['l2tp.clients.hq.server', 'vpn.example.com'],
      ],
    ],
    ['two clients inside one connection', [['l2tp.clients.third', { ...third, server: '10.20.0.2', ipsec: 'hq' }]]],
    ['eight callers of version 1', callers(8)],
    [
      'a server for one caller',
      [
        [`${CONNECTIONS}.one`, { ...roadWarriors, remote: '10.20.0.44' }],
        ['l2tp.servers.office.ipsec', 'one'],
      ],
    ],
    ['a wide local network around the remote one', [[`${CONNECTIONS}.plant.localSubnets`, ['10.0.0.0/8']]]],
    ['an address as identity in Main Mode', [[`${CONNECTIONS}.hq.localId`, '10.20.0.9']]],
    [
      'every kind of identity in version 2',
      [
        [`${CONNECTIONS}.plant.localId`, 'me@branch.example'],
        [`${CONNECTIONS}.plant.remoteId`, '#0a1b2c'],
      ],
    ],
  ])('allow %s', (_, changes) => {
    expect(findings(...changes).filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it.each<[string, readonly Change[]]>([
    ['a part of the LAN', [[`${CONNECTIONS}.plant.localSubnets`, ['192.168.12.64/26']]]],
    ['everything', [[`${CONNECTIONS}.plant.localSubnets`, ['0.0.0.0/0']]]],
    ['a pool', [[`${CONNECTIONS}.plant.localSubnets`, ['10.98.0.0/24']]]],
    ['what is behind another tunnel', [[`${CONNECTIONS}.plant.localSubnets`, ['10.99.0.0/16']]]],
    [
      'what is behind a static route',
      [
        [`${CONNECTIONS}.plant.localSubnets`, ['10.50.3.0/24']],
        ['routes', [{ prefix: '10.50.0.0/16', gateway: '192.168.12.254' }]],
      ],
    ],
    [
      'anything, where no interface has an address here',
      [
        ['interfaces', {}],
        [`${CONNECTIONS}.plant.localSubnets`, ['10.50.3.0/24']],
      ],
    ],
  ])('take %s for a local network', (_, changes) => {
    expect(findings(...changes).map(({ rule }) => rule)).not.toContain('ipsec-local-subnet');
  });

  it('take keys that are long and random, or told apart', () => {
    const good = (...changes: readonly Change[]) => findings(...changes).map(({ rule }) => rule);
    for (const psk of ['hunter, gatherer, farmer', '902834752093847520', 'Zk3-vpn-pQ', 'key of head office']) {
      expect(good([`${CONNECTIONS}.hq.psk`, psk]), psk).not.toContain('ipsec-psk-guessable');
    }
    const second = { version: 1, remote: '10.20.0.2', psk: 'labpsk', mode: 'transport', remoteId: '10.20.0.3' };
    for (const change of [{ psk: 'another key' }, { remote: '10.20.0.3' }, { version: 2 }]) {
      expect(good([`${CONNECTIONS}.second`, { ...second, ...change }])).not.toContain('ipsec-main-mode-same-key');
    }
    const named: Change = [`${CONNECTIONS}.hq.remoteId`, '10.20.0.2'];
    expect(good(named, [`${CONNECTIONS}.second`, second])).not.toContain('ipsec-main-mode-same-key');
  });

  it('never tell a key', () => {
    for (const psk of ['SRV.lab', '20241224', 'abababababab', 'VPN-secret-2024!']) {
      expect(JSON.stringify(findings([`${CONNECTIONS}.plant.psk`, psk])).toLowerCase()).not.toContain(
        psk.toLowerCase(),
      );
    }
  });

  it('say nothing about an identity that Main Mode does not need', () => {
    const rules = findings([`${CONNECTIONS}.hq.localId`, '10.20.0.9']).map(({ rule }) => rule);
    expect(rules).not.toContain('ipsec-main-mode-identity');
    expect(findings().map(({ rule }) => rule)).not.toContain('ipsec-main-mode-identity');
  });
});

describe('networks behind an IPsec tunnel', () => {
  it.each<[string, readonly Change[], string, RegExp]>([
    [
      'tunnel-route-twice',
      [[`${CONNECTIONS}.plant.remoteSubnets`, ['10.99.0.0/16']]],
      `${CONNECTIONS}.plant.remoteSubnets[0]`,
      /client "hq"/,
    ],
    [
      'tunnel-route-connected',
      [[`${CONNECTIONS}.plant.remoteSubnets`, ['10.20.0.0/24']]],
      `${CONNECTIONS}.plant.remoteSubnets[0]`,
      /"wan"/,
    ],
  ])('obey %s', (rule, changes, path, found) => {
    const matching = findings(...changes).filter((problem) => problem.rule === rule);
    expect(matching).toEqual([
      expect.objectContaining({ path, severity: 'error', found: expect.stringMatching(found) }),
    ]);
  });
});

it('a client without IPsec needs no connection', () => {
  expect(parseConfiguration(JSON.stringify(exampleDocument()), 'x.json')).toMatchObject({ ok: true });
});

it('where routes decide, or the peer assigns an address, no local network needs to be named', () => {
  const subnets = (...changes: readonly Change[]) => {
    return findings([`${CONNECTIONS}.plant.localSubnets`, []], ...changes).filter(
      ({ rule }) => rule === 'ipsec-subnets',
    );
  };
  expect(subnets([`${CONNECTIONS}.plant.routing`, 'route'])).toEqual([]);
  expect(subnets([`${CONNECTIONS}.plant.virtualAddress`, true])).toEqual([]);
  expect(subnets([`${CONNECTIONS}.plant.routing`, 'policy'])).toHaveLength(1);
});
