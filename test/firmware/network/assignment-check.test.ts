import { describe, expect, it } from 'vitest';
import {
  checkAssignment,
  checkLease,
  type LocalNetwork,
  localNetworks,
} from '../../../firmware/network/assignment-check.ts';
import { exampleDocument, parsed, withValue } from '../config/example.ts';

const management = { device: 'eth2', zone: 'management', ipv4: { method: 'static', address: '10.30.0.1/24' } };
const configuration = parsed(withValue(exampleDocument(), 'interfaces.admin', management));
const other = { device: 'l2tp-plant', localAddress: '10.97.0.5', prefixes: ['0.0.0.0/0'] };
const self = { device: 'l2tp-hq', localAddress: '10.96.0.1', prefixes: [] };
const networks = localNetworks(configuration, [other, self], 'l2tp-hq');

const good = {
  address: '10.96.0.1',
  peerAddress: '10.96.0.254',
  dns: ['10.99.0.53', '9.9.9.9'],
  routes: ['10.99.0.0/16'],
};

describe('an assignment', () => {
  it('of somebody else’s network is fine, a repeated one of the same tunnel too', () => {
    expect(checkAssignment(good, networks)).toBeUndefined();
    expect(checkAssignment({ address: '10.96.0.1', dns: [] }, networks)).toBeUndefined();
  });

  it.each([
    ['192.168.12.77', /interface "lan"/],
    ['10.30.0.9', /interface "admin"/],
    ['10.20.0.77', /interface "wan"/],
    ['10.98.0.1', /server "office"/],
    ['10.98.0.200', /server "office"/],
    ['10.97.0.5', /l2tp-plant/],
    ['127.0.0.1', /loopback/],
    ['0.0.0.0', /no address/],
    ['224.0.0.5', /multicast/],
    ['255.255.255.255', /broadcast/],
    ['fe80::1', /no IPv4 address/],
    ['evil\u001b[2J', /no IPv4 address$/],
  ])('of the address %s is refused', (address, reason) => {
    const failure = checkAssignment({ ...good, address }, networks);
    expect(failure?.step).toBe('IPCP');
    expect(failure?.reason).toMatch(reason);
    expect(failure?.reason).not.toContain('\u001b');
    expect(failure?.remedy).not.toBe('');
  });

  it.each([['192.168.12.1'], ['127.0.0.53'], ['224.0.0.1'], ['10.30.0.1']])(
    'of the DNS server %s is refused',
    (server) => {
      expect(checkAssignment({ ...good, dns: ['9.9.9.9', server] }, networks)?.reason).toContain(`the DNS server that`);
    },
  );

  it.each([['192.168.12.1'], ['127.0.0.1'], ['10.30.0.7']])('with the peer at %s is refused', (peerAddress) => {
    expect(checkAssignment({ ...good, peerAddress }, networks)?.reason).toContain('its own address');
  });

  it.each([['10.20.0.2'], ['0.0.0.0'], ['192.0.2.1']])('with the peer at %s is fine', (peerAddress) => {
    expect(checkAssignment({ ...good, peerAddress }, networks)).toBeUndefined();
  });

  it('may name a DNS server of the outside network', () => {
    expect(checkAssignment({ ...good, dns: ['10.20.0.53'] }, networks)).toBeUndefined();
  });

  it.each([
    ['192.168.12.0/24', false],
    ['192.168.12.128/25', false],
    ['127.0.0.0/8', true],
    ['192.168.0.0/16', true],
    ['0.0.0.0/0', true],
    ['10.99.0.0', false],
  ])('of the route %s is judged by the longest prefix: %s', (route, fine) => {
    expect(checkAssignment({ ...good, routes: [route] }, networks) === undefined).toBe(fine);
  });
});

describe('a lease', () => {
  const networks: LocalNetwork[] = [
    { what: 'the network of interface "lan"', zone: 'lan', prefix: '192.168.12.0/24' },
    { what: 'the network of interface "other"', zone: 'wan', prefix: '198.51.100.0/24' },
  ];
  const lease = { address: '192.0.2.7/24', gateway: '192.0.2.1', dns: ['9.9.9.9'], routes: [{ prefix: '10.0.0.0/8' }] };

  it('of a network of its own is taken, and of that of another provider', () => {
    expect(checkLease(lease, networks)).toBeUndefined();
    expect(checkLease({ ...lease, address: '198.51.100.7/24' }, networks)).toBeUndefined();
    expect(checkLease({ ...lease, routes: [{ prefix: '192.168.0.0/16' }] }, networks)).toBeUndefined();
  });

  it.each([
    [
      { address: '192.168.12.7/24' },
      /the network of the address that the server gave, 192\.168\.12\.7\/24, overlaps the network of interface "lan"/,
    ],
    [{ address: '192.168.200.7/16' }, /192\.168\.200\.7\/16, overlaps the network of interface "lan"/],
    [{ gateway: '192.168.12.1' }, /the router that the server gave, 192\.168\.12\.1, lies in/],
    [{ dns: ['9.9.9.9', '192.168.12.1'] }, /the DNS server that the server gave/],
    [{ routes: [{ prefix: '192.168.12.128/25' }] }, /the route that the server gave, 192\.168\.12\.128\/25, covers/],
  ])('%o is refused, in words', (change, words) => {
    expect(checkLease({ ...lease, ...change }, networks)).toMatchObject({
      step: 'DHCP',
      reason: expect.stringMatching(words),
    });
  });
});
