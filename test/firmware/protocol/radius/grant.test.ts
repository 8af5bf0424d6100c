import { describe, expect, it } from 'vitest';
import { utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import type { RadiusAttribute } from '../../../../firmware/protocol/radius/attribute-value.ts';
import { parseFramedIpv6Route, parseFramedRoute } from '../../../../firmware/protocol/radius/framed-route.ts';
import { readGrant } from '../../../../firmware/protocol/radius/grant.ts';

const route = (value: string): RadiusAttribute => ({ name: 'framedRoute', value });

describe('a Framed-Route', () => {
  it.each([
    ['192.168.1.0/24 192.168.1.1 1', { prefix: '192.168.1.0/24', gateway: '192.168.1.1' }],
    ['192.168.1.0/24 0.0.0.0 1 2 -1 3 400', { prefix: '192.168.1.0/24' }],
    ['192.168.1.0/24', { prefix: '192.168.1.0/24' }],
    ['192.168.1.0 0.0.0.0 1', { prefix: '192.168.1.0/24' }],
    ['10.0.0.0', { prefix: '10.0.0.0/8' }],
    ['172.16.0.0', { prefix: '172.16.0.0/16' }],
    [' 10.7.0.0/16  10.98.0.7 ', { prefix: '10.7.0.0/16', gateway: '10.98.0.7' }],
  ])('"%s" is read', (text, expected) => {
    expect(parseFramedRoute(text)).toEqual(expected);
  });

  it.each([
    ['', 'it does not begin with a network'],
    ['10.0.0/8', 'it does not begin with a network'],
    ['10.0.0.0/8/8', 'it does not begin with a network'],
    ['10.0.0.0/33', 'the length of its prefix is not in 0 to 32'],
    ['10.0.0.0/-1', 'the length of its prefix is not in 0 to 32'],
    ['10.0.0.1/8', 'bits outside of its prefix length are set'],
    ['10.0.0.0/8 gateway', 'its gateway is no address'],
    ['10.0.0.0/8 0.0.0.0 one', 'its metrics are no numbers'],
    ['10.0.0.0/8 0.0.0.0 1 1 1 1 1 1 1 1 1', 'its metrics are no numbers'],
  ])('"%s" is refused: %s', (text, reason) => {
    expect(parseFramedRoute(text)).toBe(reason);
  });
});

describe('a Framed-IPv6-Route', () => {
  it.each([
    ['2001:db8:7::/48', { prefix: '2001:db8:7::/48' }],
    ['2001:DB8:7:0::/48 :: 1', { prefix: '2001:db8:7::/48' }],
    ['2001:db8:7::/48 fe80::1 1', { prefix: '2001:db8:7::/48', gateway: 'fe80::1' }],
  ])('"%s" is read', (text, expected) => {
    expect(parseFramedIpv6Route(text)).toEqual(expected);
  });

  it.each([
    ['10.0.0.0/8', 'it does not begin with a network'],
    ['2001:db8:7::', 'it does not begin with a network'],
    ['2001:db8:7::1/48', 'it does not begin with a network'],
    ['2001:db8:7::/129', 'it does not begin with a network'],
    ['2001:db8:7::/48 10.0.0.1', 'its gateway is no address'],
    ['2001:db8:7::/48 :: x', 'its metrics are no numbers'],
  ])('"%s" is refused: %s', (text, reason) => {
    expect(parseFramedIpv6Route(text)).toBe(reason);
  });
});

describe('a grant', () => {
  it('has the networks of IPv6 that are behind the user, a delegated prefix among them', () => {
    const { routes } = readGrant([
      { name: 'framedIpv6Route', value: '2001:db8:7::/48 ::' },
      { name: 'delegatedIpv6Prefix', value: '2001:db8:8::/56' },
    ]);
    expect(routes).toEqual(['2001:db8:7::/48', '2001:db8:8::/56']);
  });

  it('has what an Access-Accept says', () => {
    const grant = readGrant([
      { name: 'framedIpAddress', value: '10.98.0.7' },
      route('192.168.12.0/24 10.98.0.7 1'),
      { name: 'sessionTimeout', value: 3600 },
      { name: 'idleTimeout', value: 60 },
      { name: 'acctInterimInterval', value: 300 },
      { name: 'class', value: utf8Bytes('gold') },
      { name: 'class', value: utf8Bytes('north') },
      { name: 'framedMtu', value: 1380 },
      { name: 'framedIpv6Prefix', value: '2001:db8::/64' },
      { name: 'msPrimaryDnsServer', value: '10.0.0.53' },
      { name: 'msSecondaryDnsServer', value: '0.0.0.0' },
      { name: 'replyMessage', value: 'welcome\n' },
    ]);
    expect(grant).toEqual({
      address: '10.98.0.7',
      routes: ['192.168.12.0/24'],
      sessionTimeout: 3600,
      idleTimeout: 60,
      interimInterval: 300,
      classes: [utf8Bytes('gold'), utf8Bytes('north')],
      mtu: 1380,
      ipv6Prefix: '2001:db8::/64',
      dns: ['10.0.0.53'],
      message: 'welcome',
      remarks: [],
    });
  });

  it.each([
    { address: '255.255.255.254', remarks: 0 },
    { address: '255.255.255.255', remarks: 1 },
    { address: '127.0.0.1', remarks: 1 },
    { address: '224.0.0.5', remarks: 1 },
    { address: '0.0.0.0', remarks: 1 },
  ])('gives an address of the pool for $address', ({ address, remarks }) => {
    const grant = readGrant([{ name: 'framedIpAddress', value: address }]);
    expect(grant.address).toBeUndefined();
    expect(grant.remarks).toHaveLength(remarks);
  });

  it('says in words what it cannot give', () => {
    const { remarks, ...grant } = readGrant([
      { name: 'framedIpNetmask', value: '255.255.255.0' },
      route('somewhere'),
      route('10.7.0.0/16 10.1.1.1'),
      { name: 'serviceType', value: 1 },
      { name: 'acctInterimInterval', value: 5 },
      { name: 'framedMtu', value: 100 },
    ]);
    expect(grant).toEqual({ routes: ['10.7.0.0/16'], dns: [], classes: [] });
    expect(remarks.join('\n')).toMatchInlineSnapshot(`
      "Framed-IP-Netmask 255.255.255.0 is ignored: networks behind a user are told by Framed-Route
      Acct-Interim-Interval 5 is under 60 seconds and is ignored
      Framed-MTU 100 is not in 576 to 65535 and is ignored
      Service-Type 1 is taken for Framed, the only service here
      Framed-Route "somewhere" is ignored: it does not begin with a network
      the gateway of Framed-Route "10.7.0.0/16 10.1.1.1" is not asked for: the user itself is the way"
    `);
  });

  it('takes so many routes and no more', () => {
    const many = Array.from({ length: 300 }, (_, index) => route(`10.${index >> 8}.${index & 255}.0/24`));
    const grant = readGrant(many);
    expect(grant.routes).toHaveLength(64);
    expect(grant.remarks).toEqual(['of 300 Framed-Routes the first 64 are taken, as many as a user may have']);
  });

  it('takes zero seconds for no limit', () => {
    expect(readGrant([{ name: 'sessionTimeout', value: 0 }]).sessionTimeout).toBeUndefined();
  });
});
