import { describe, expect, it } from 'vitest';
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import { exampleDocument, withValue } from './example.ts';

type Change = readonly [path: string, value: unknown];

/** Two lines of every kind but the modem's. */
const GOOD: readonly Change[] = [
  ['interfaces.dsl', { device: 'eth2', zone: 'wan' }],
  [
    'interfaces.cable',
    { device: 'eth3', zone: 'wan', ipv4: { method: 'static', address: '10.30.0.2/24', gateway: '10.30.0.1' } },
  ],
  ['modems', { lte: { usb: '2c7c:0125' } }],
  [
    'uplinks',
    {
      fibre: { type: 'ethernet', interface: 'wan', priority: 1 },
      cable: { type: 'ethernet', interface: 'cable' },
      dsl: { type: 'pppoe', interface: 'dsl', user: 'u@isp', password: 'long enough' },
      lte: { type: 'modem', modem: 'lte', metered: true, standby: 'cold' },
    },
  ],
];

function findings(...changes: readonly Change[]) {
  let document: unknown = exampleDocument();
  for (const [path, value] of [...GOOD, ...changes]) document = withValue(document, path, value);
  const result = parseConfiguration(JSON.stringify(document), 'x.json');
  return (result.ok ? result.warnings : result.problems).filter(({ rule }) => /uplink|modem|gateway|route/.test(rule));
}

const probe = (kind: string, target: string, more: object = {}) => ({ kind, target, ...more });

describe('the rules of uplinks and modems', () => {
  it('find nothing in an uplink of each type', () => {
    expect(findings()).toEqual([]);
  });

  it('need no uplinks where there is one gateway', () => {
    expect(parseConfiguration(JSON.stringify(exampleDocument()), 'x.json').ok).toBe(true);
  });

  it.each<[string, Change, string, RegExp]>([
    ['uplink-parts', ['uplinks.fibre.interface', undefined], 'uplinks.fibre.interface', /nothing/],
    ['uplink-parts', ['uplinks.dsl.user', undefined], 'uplinks.dsl.user', /nothing/],
    ['uplink-parts', ['uplinks.fibre.password', 'long enough'], 'uplinks.fibre.password', /^a password$/],
    ['uplink-parts', ['uplinks.lte.interface', 'dsl'], 'uplinks.lte.interface', /dsl/],
    ['uplink-interface', ['uplinks.cable.interface', 'cabel'], 'uplinks.cable.interface', /no such interface/],
    ['uplink-interface', ['interfaces.cable.zone', 'lan'], 'uplinks.cable.interface', /zone "lan"/],
    ['uplink-address', ['interfaces.cable.ipv4', { method: 'none' }], 'uplinks.cable.interface', /neither a gateway/],
    [
      'uplink-address',
      ['interfaces.dsl.ipv4', { method: 'static', address: '10.40.0.2/24', gateway: '10.40.0.1' }],
      'interfaces.dsl.ipv4.gateway',
      /beside PPPoE/,
    ],
    ['uplink-modem', ['uplinks.lte.modem', 'umts'], 'uplinks.lte.modem', /no such modem/],
    ['uplink-mtu', ['uplinks.dsl.mtu', 1500], 'uplinks.dsl.mtu', /carries 1500/],
    ['gateway-of-no-uplink', ['uplinks.cable', undefined], 'interfaces.cable.ipv4.gateway', /no uplink/],
    [
      'gateway-of-no-uplink',
      ['routes', [{ prefix: '0.0.0.0/0', gateway: '10.30.0.9' }]],
      'routes[0].prefix',
      /default/,
    ],
    ['uplink-reference', ['l2tp.clients.hq.uplink', 'fiber'], 'l2tp.clients.hq.uplink', /no such uplink/],
    [
      'uplink-of-protected',
      ['l2tp.clients.hq', { server: '10.20.0.2', user: 'u', password: 'long enough', ipsec: 'hq', uplink: 'dsl' }],
      'l2tp.clients.hq.uplink',
      /beside IPsec/,
    ],
    ['modem-place', ['modems.lte.device', '/dev/ttyS1'], 'modems.lte.device', /USB id/],
    [
      'uplink-probe-target',
      ['uplinks.dsl.health', { probes: [probe('icmp', 'one.example')] }],
      'uplinks.dsl.health.probes[0].target',
      /one\.example/,
    ],
    [
      'uplink-probe-target',
      ['uplinks.dsl.health', { probes: [probe('tcp', '192.0.2.1')] }],
      'uplinks.dsl.health.probes[0].target',
      /192/,
    ],
    [
      'uplink-probe-target',
      ['uplinks.dsl.health', { probes: [probe('http', 'https://192.0.2.1/')] }],
      'uplinks.dsl.health.probes[0].target',
      /https/,
    ],
    [
      'uplink-probe-name',
      ['uplinks.dsl.health', { probes: [probe('icmp', '192.0.2.1', { name: 'a.example' })] }],
      'uplinks.dsl.health.probes[0].name',
      /a\.example/,
    ],
    [
      'uplink-one-probe',
      ['uplinks.dsl.health', { probes: [probe('icmp', '192.0.2.1')] }],
      'uplinks.dsl.health.probes',
      /one target/,
    ],
  ])('%s is found (%s)', (rule, change, path, found) => {
    const matching = findings(change).filter((finding) => finding.rule === rule);
    expect(matching).toMatchObject([{ path, found: expect.stringMatching(found) }]);
    expect(matching[0]?.allowed).not.toBe('');
  });

  it('find a second uplink on the same interface or modem', () => {
    const second = findings(['uplinks.more', { type: 'modem', modem: 'lte' }], ['uplinks.cable.interface', 'wan']);
    expect(second.filter(({ rule }) => rule === 'uplink-twice').map(({ path }) => path)).toEqual([
      'uplinks.cable.interface',
      'uplinks.more.modem',
    ]);
  });

  it('take probes of every kind', () => {
    const probes = [
      probe('icmp', '192.0.2.1'),
      probe('dns', '192.0.2.53', { name: 'example.com' }),
      probe('tcp', '192.0.2.1:443'),
      probe('http', 'http://192.0.2.1:8080/health?x=1'),
    ];
    expect(findings(['uplinks.dsl.health', { probes }])).toEqual([]);
  });
});
