import { describe, expect, it } from 'vitest';
import type { RadiusGrant } from '../../../../firmware/protocol/radius/grant.ts';
import { type GrantSurroundings, reviewGrant } from '../../../../firmware/vpn/l2tp/user-grant.ts';

const AROUND: GrantSurroundings = {
  localAddress: '10.98.0.1',
  pool: '10.98.0.10-10.98.0.250',
  ipv6Pool: '2001:db8:1::/48',
  users: { bob: { password: 'x', address: '10.98.1.9', ipv6Prefix: '2001:db8:2::/64', routes: ['192.168.20.0/24'] } },
  taken: () => ['10.98.0.44/32', '192.168.30.0/24', '2001:db8:3::/64'],
  review: (granted) =>
    'route' in granted && granted.route === '10.99.0.0/24'
      ? { step: 'IPCP', reason: 'it covers the LAN', remedy: 'renumber' }
      : undefined,
};
const NOTHING: RadiusGrant = { routes: [], dns: [], classes: [], remarks: [] };

describe('a grant of RADIUS', () => {
  it('is given as it is when there is nothing against it', () => {
    const granted = { ...NOTHING, address: '10.98.0.77', routes: ['192.168.12.0/24'], ipv6Prefix: '2001:db8:9::/64' };
    const { remarks: _, ...grant } = granted;
    expect(reviewGrant(granted, AROUND)).toEqual({ grant, remarks: [] });
  });

  it.each([
    ['192.168.20.0/24', /a user of the configuration/],
    ['192.168.20.128/25', /a user of the configuration/],
    ['10.98.1.9/32', /a user of the configuration/],
    ['192.168.30.0/24', /another user has that network/],
    ['10.98.0.1/32', /this router’s own address/],
    ['10.98.0.64/26', /inside the pool/],
    ['10.99.0.0/24', /it covers the LAN/],
    ['2001:db8:1:7::/64', /inside the pool/],
    ['2001:db8:2::/80', /a user of the configuration/],
    ['2001:db8:3::/64', /another user has that network/],
  ])('has the route %s left out, in words', (route, words) => {
    const { grant, remarks, failure } = reviewGrant({ ...NOTHING, routes: [route, '192.168.12.0/24'] }, AROUND);
    expect(grant.routes).toEqual(['192.168.12.0/24']);
    expect(remarks).toEqual([expect.stringMatching(words)]);
    expect(failure).toBeUndefined();
  });

  it('may have a route wider than what others have: the longest prefix wins', () => {
    expect(reviewGrant({ ...NOTHING, routes: ['192.168.0.0/16', '0.0.0.0/0'] }, AROUND).remarks).toEqual([]);
  });

  it.each([
    ['10.98.0.1', /this router’s own/],
    ['10.98.1.9', /that of user bob/],
  ])('with the address %s ends the session, in words', (address, words) => {
    expect(reviewGrant({ ...NOTHING, address }, AROUND).failure?.reason).toMatch(words);
  });

  it.each([
    ['2001:db8:2::/64', /a user of the configuration/],
    ['2001:db8:3::/64', /another user has it/],
    ['2001:db8:1:5::/64', /inside the pool/],
    ['2001:db8:8::/56', /no \/64/],
  ])('has the IPv6 prefix %s left out, in words', (ipv6Prefix, words) => {
    const { grant, remarks } = reviewGrant({ ...NOTHING, ipv6Prefix }, AROUND);
    expect(grant.ipv6Prefix).toBeUndefined();
    expect(remarks).toEqual([expect.stringMatching(words)]);
  });

  it('says where the server gives no IPv6 at all', () => {
    const { ipv6Pool: _, ...without } = AROUND;
    const { remarks } = reviewGrant({ ...NOTHING, ipv6Prefix: '2001:db8:9::/64' }, without);
    expect(remarks).toEqual([expect.stringMatching(/gives no IPv6/)]);
  });
});
