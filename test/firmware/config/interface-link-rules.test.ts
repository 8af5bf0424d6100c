import { describe, expect, it } from 'vitest';
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import { exampleDocument, withValue } from './example.ts';

type Change = readonly [path: string, value: unknown];

/** A WAN by DHCP on a VLAN, with the MAC of another router, beside what the example has. */
const GOOD: Change = [
  'interfaces.fibre',
  {
    device: 'eth1.7',
    zone: 'wan',
    mac: '02:00:00:12:34:56',
    vlan: { parent: 'eth1', id: 7 },
    ipv4: { method: 'dhcp', clientId: '01:02:00:00:12:34:56', hostname: 'branch' },
  },
];

const RULES = /^(dhcp|mac|vlan)-|^address-without-static$|^route-next-hop$|^device-twice$/;

function findings(...changes: readonly Change[]) {
  let document: unknown = exampleDocument();
  for (const [path, value] of [GOOD, ...changes]) document = withValue(document, path, value);
  const result = parseConfiguration(JSON.stringify(document), 'x.json');
  return (result.ok ? result.warnings : result.problems).filter(({ rule }) => RULES.test(rule ?? ''));
}

const second = { device: 'other', zone: 'wan', vlan: { parent: 'eth1', id: 7 } };

describe('the rules of what interfaces are made of', () => {
  it('find nothing in a WAN by DHCP on a VLAN', () => {
    expect(findings()).toEqual([]);
  });

  it('a static route by such a WAN needs its device, and any gateway there', () => {
    expect(findings(['routes', [{ prefix: '10.77.0.0/16', gateway: '192.0.2.9', device: 'eth1.7' }]])).toEqual([]);
  });

  it.each<[string, Change, string, RegExp]>([
    ['dhcp-keys', ['interfaces.lan.ipv4.clientId', 'x'], 'interfaces.lan.ipv4.clientId', /^x$/],
    ['dhcp-keys', ['interfaces.lan.ipv4.hostname', 'branch'], 'interfaces.lan.ipv4.hostname', /^branch$/],
    ['dhcp-inside', ['interfaces.fibre.zone', 'lan'], 'interfaces.fibre.ipv4.method', /"dhcp" in the zone "lan"/],
    ['address-without-static', ['interfaces.fibre.ipv4.gateway', '192.0.2.1'], 'interfaces.fibre.ipv4.gateway', /192/],
    [
      'address-without-static',
      ['interfaces.fibre.ipv4.address', '192.0.2.7/24'],
      'interfaces.fibre.ipv4.address',
      /192/,
    ],
    ['mac-address', ['interfaces.fibre.mac', '01:00:00:12:34:56'], 'interfaces.fibre.mac', /that of a group/],
    ['mac-address', ['interfaces.fibre.mac', '00:00:00:00:00:00'], 'interfaces.fibre.mac', /which is none/],
    ['vlan-parent', ['interfaces.fibre.vlan.parent', 'eth1.7'], 'interfaces.fibre.vlan.parent', /the VLAN itself/],
    ['vlan-parent', ['interfaces.fibre.vlan.parent', 'lo'], 'interfaces.fibre.vlan.parent', /has no cable/],
    [
      'vlan-parent',
      ['interfaces.b', { ...second, vlan: { parent: 'eth1.7', id: 9 } }],
      'interfaces.b.vlan.parent',
      /is a VLAN/,
    ],
    ['vlan-twice', ['interfaces.b', second], 'interfaces.b.vlan.id', /7 of eth1, which interface "fibre" has already/],
    ['vlan-mtu', ['interfaces.fibre.mtu', 1508], 'interfaces.fibre.mtu', /1508, and eth1 carries 1500/],
    ['device-twice', ['interfaces.b', { ...second, device: 'eth1.7' }], 'interfaces.b.device', /eth1\.7/],
  ])('%s: %j', (rule, change, path, found) => {
    const matching = findings(change).filter((problem) => problem.rule === rule && problem.path === path);
    expect(matching).toHaveLength(1);
    expect(matching[0]?.found).toMatch(found);
    expect(matching[0]?.allowed).not.toBe('');
  });
});
