import { describe, expect, it } from 'vitest';
import { L2TP_IPV6_RULES } from '../../../firmware/config/l2tp-ipv6-rules.ts';
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import { exampleDocument, withValue } from './example.ts';

type Change = readonly [path: string, value: unknown];

const HQ = 'l2tp.clients.hq';
const OFFICE = 'l2tp.servers.office';
const BOB = `${OFFICE}.users.bob`;

/** The example with IPv6 at both ends and on the LAN. */
function findings(...changes: readonly Change[]) {
  let document: unknown = exampleDocument();
  const ipv6: readonly Change[] = [
    ['interfaces.lan.ipv6', { address: 'fd00:12::1/64' }],
    [`${HQ}.ipv6`, true],
    [`${HQ}.routes`, ['10.99.0.0/16', 'fd00:99::/48']],
    [`${OFFICE}.ipv6`, { pool: 'fd00:98::/48', localAddress: 'fd00:98::1', dns: ['fd00:98::53'] }],
    [BOB, { password: 'long enough', ipv6Prefix: 'fd00:98:0:7::/64', routes: ['10.96.0.0/24', 'fd00:96::/48'] }],
  ];
  for (const [path, value] of [...ipv6, ...changes]) document = withValue(document, path, value);
  const result = parseConfiguration(JSON.stringify(document), 'x.json');
  return result.ok ? result.warnings : result.problems;
}

const office2 = {
  listen: '10.20.0.9',
  port: 1702,
  localAddress: '10.97.0.1',
  pool: '10.97.0.10-10.97.0.20',
  ipv6: { pool: 'fd00:97::/48' },
};

/** Rule, changes, path of the finding, what it says. */
const CASES: readonly (readonly [string, readonly Change[], string, RegExp])[] = [
  ['ipv6-switched-off', [[`${HQ}.ipv6`, false]], `${HQ}.routes[1]`, /fd00:99::\/48, without IPv6/],
  ['ipv6-switched-off', [[`${OFFICE}.ipv6`, undefined]], `${BOB}.routes[1]`, /fd00:96::\/48, without IPv6/],
  ['ipv6-switched-off', [[`${OFFICE}.ipv6`, undefined]], `${BOB}.ipv6Prefix`, /fd00:98:0:7::\/64/],
  ['ipv6-mru', [[`${HQ}.mru`, 1279]], `${HQ}.mru`, /1279/],
  ['ipv6-mru', [[`${OFFICE}.mru`, 1000]], `${OFFICE}.mru`, /1000/],
  ['ipv6-route', [[`${HQ}.routes`, ['fe80::/64']]], `${HQ}.routes[0]`, /never leaves its link/],
  ['ipv6-route', [[`${BOB}.routes`, ['ff02::/16']]], `${BOB}.routes[0]`, /never leaves its link/],
  ['ipv6-route-connected', [[`${HQ}.routes`, ['fd00:12::/64']]], `${HQ}.routes[0]`, /interface "lan"/],
  ['ipv6-pool', [[`${OFFICE}.ipv6.pool`, 'fd00:98::/47']], `${OFFICE}.ipv6.pool`, /\/47/],
  ['ipv6-pool', [[`${OFFICE}.ipv6.pool`, 'fd00:98::/65']], `${OFFICE}.ipv6.pool`, /\/65/],
  ['ipv6-pool', [[`${OFFICE}.ipv6.pool`, 'fec0::/48']], `${OFFICE}.ipv6.pool`, /fec0/],
  ['ipv6-pool-overlap', [[`${OFFICE}.ipv6.pool`, 'fd00:12::/48']], `${OFFICE}.ipv6.pool`, /interface "lan"/],
  ['ipv6-pool-overlap', [[`${HQ}.routes`, ['fd00:98::/48']]], `${OFFICE}.ipv6.pool`, /client "hq"/],
  [
    'ipv6-pool-overlap',
    [['l2tp.servers.two', { ...office2, ipv6: { pool: 'fd00:98:0:ff00::/56' } }]],
    'l2tp.servers.two.ipv6.pool',
    /the pool of server "office"/,
  ],
  ['ipv6-local-address', [[`${OFFICE}.ipv6.localAddress`, 'fe80::1']], `${OFFICE}.ipv6.localAddress`, /fe80::1/],
  ['ipv6-local-address', [[`${OFFICE}.ipv6.localAddress`, 'fd00:12::9']], `${OFFICE}.ipv6.localAddress`, /"lan"/],
  [
    'ipv6-local-address',
    [['l2tp.servers.two', { ...office2, ipv6: { pool: 'fd00:97::/48', localAddress: 'fd00:98::9' } }]],
    'l2tp.servers.two.ipv6.localAddress',
    /the pool of server "office"/,
  ],
  ['ipv6-user-prefix', [[`${BOB}.ipv6Prefix`, 'fd00:98:0:10::/60']], `${BOB}.ipv6Prefix`, /\/60/],
  ['ipv6-user-prefix', [[`${BOB}.ipv6Prefix`, 'fd00:12::/64']], `${BOB}.ipv6Prefix`, /interface "lan"/],
  [
    'tunnel-route-twice',
    [[`${OFFICE}.users.eve`, { password: 'long enough', ipv6Prefix: 'fd00:98:0:7::/64' }]],
    `${OFFICE}.users.eve.ipv6Prefix`,
    /user "bob"/,
  ],
  ['tunnel-route-twice', [[`${BOB}.routes`, ['fd00:99::/48']]], `${BOB}.routes[0]`, /client "hq"/],
];

describe('the rules of IPv6', () => {
  it.each(CASES)('%s', (rule, changes, path, found) => {
    const finding = findings(...changes).find((entry) => entry.rule === rule && entry.path === path);
    expect(finding?.found).toMatch(found);
  });

  it('each have a case', () => {
    for (const { name } of L2TP_IPV6_RULES) expect(CASES.map(([rule]) => rule)).toContain(name);
  });

  it.each<[string, readonly Change[]]>([
    ['IPv6 at both ends and on the LAN', []],
    ['a user prefix outside the pool', [[`${BOB}.ipv6Prefix`, '2001:db8:5::/64']]],
    ['everything through the tunnel', [[`${HQ}.routes`, ['0.0.0.0/0', '::/0']]]],
    ['two servers', [['l2tp.servers.two', office2]]],
    ['no address of its own', [[`${OFFICE}.ipv6.localAddress`, undefined]]],
  ])('allow %s', (_, changes) => {
    expect(findings(...changes).filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it.each<[string, unknown]>([
    [`${HQ}.routes`, ['fd00:99::1/48']],
    [`${HQ}.routes`, ['fd00:99::/129']],
    [`${OFFICE}.ipv6.pool`, '10.0.0.0/8'],
    [`${OFFICE}.ipv6.dns`, ['9.9.9.9']],
    ['interfaces.lan.ipv6.address', 'fd00:12::1'],
  ])('leave what is no such text to the schema: %s %j', (path, value) => {
    expect(findings([path, value]).map(({ rule }) => rule)).toContain('value');
  });
});
