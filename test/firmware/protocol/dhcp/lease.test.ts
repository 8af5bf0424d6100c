import { describe, expect, it } from 'vitest';
import { type Lease, readLease } from '../../../../firmware/protocol/dhcp/lease.ts';
import type { DhcpMessage } from '../../../../firmware/protocol/dhcp/message.ts';
import type { OptionValues } from '../../../../firmware/protocol/dhcp/option-table.ts';

function ack(options: OptionValues, yourAddress = '192.0.2.100'): DhcpMessage {
  return {
    op: 'reply',
    type: 'ACK',
    transactionId: 1,
    seconds: 0,
    broadcast: false,
    clientAddress: '0.0.0.0',
    yourAddress,
    relayAddress: '0.0.0.0',
    clientMac: new Uint8Array(6),
    options: { serverIdentifier: '192.0.2.1', leaseSeconds: 3600, subnetMask: '255.255.255.0', ...options },
  };
}

function lease(options: OptionValues, address?: string): Lease {
  const read = readLease(ack(options, address));
  if ('reason' in read) throw new Error(read.reason);
  return read;
}

describe('what a server grants', () => {
  it('has its times, its way out, its servers', () => {
    expect(
      lease({ routers: ['192.0.2.1'], dns: ['192.0.2.1', '8.8.8.8', '9.9.9.9', '1.1.1.1'], interfaceMtu: 1400 }),
    ).toEqual({
      address: '192.0.2.100/24',
      gateway: '192.0.2.1',
      routes: [],
      dns: ['192.0.2.1', '8.8.8.8', '9.9.9.9'],
      mtu: 1400,
      server: '192.0.2.1',
      seconds: 3600,
      renewalSeconds: 1800,
      rebindingSeconds: 3150,
    });
  });

  it("T1 and T2 are the server's while they make sense", () => {
    expect(lease({ renewalSeconds: 100, rebindingSeconds: 200 })).toMatchObject({
      renewalSeconds: 100,
      rebindingSeconds: 200,
    });
    for (const [t1, t2] of [
      [0, 200],
      [200, 100],
      [100, 3600],
      [100, 0xffffffff],
    ] as const)
      expect(lease({ renewalSeconds: t1, rebindingSeconds: t2 })).toMatchObject({
        renewalSeconds: 1800,
        rebindingSeconds: 3150,
      });
  });

  it('classless routes stand instead of the routers (RFC 3442)', () => {
    const routes = [
      { prefix: '0.0.0.0/0', router: '192.0.2.9' },
      { prefix: '10.0.0.0/8', router: '192.0.2.8' },
      { prefix: '198.51.100.0/24', router: '0.0.0.0' },
    ];
    expect(lease({ routers: ['192.0.2.1'], classlessRoutes: routes })).toMatchObject({
      gateway: '192.0.2.9',
      routes: [{ prefix: '10.0.0.0/8', gateway: '192.0.2.8' }, { prefix: '198.51.100.0/24' }],
    });
    expect(lease({ routers: ['192.0.2.1'], classlessRoutes: routes.slice(1) }).gateway).toBeUndefined();
  });

  it('a router outside the network is reached on the link', () => {
    expect(lease({ subnetMask: '255.255.255.255', routers: ['203.0.113.1'] })).toMatchObject({
      address: '192.0.2.100/32',
      gateway: '203.0.113.1',
      routes: [{ prefix: '203.0.113.1/32' }],
    });
  });

  it('without a mask it has that of its class', () => {
    const { subnetMask: _, ...rest } = ack({}).options;
    const of = (yourAddress: string): unknown => readLease({ ...ack({}), yourAddress, options: rest });
    expect(of('10.1.2.3')).toMatchObject({ address: '10.1.2.3/8' });
    expect(of('172.16.2.3')).toMatchObject({ address: '172.16.2.3/16' });
    expect(of('192.168.2.3')).toMatchObject({ address: '192.168.2.3/24' });
  });

  it('what makes no sense beside it is left out', () => {
    expect(lease({ dns: ['0.0.0.0', '127.0.0.1', '9.9.9.9'], routers: ['224.0.0.1'], interfaceMtu: 68 })).toMatchObject(
      {
        dns: ['9.9.9.9'],
        routes: [],
      },
    );
    expect(lease({ routers: ['0.0.0.0'], interfaceMtu: 68 })).not.toHaveProperty('gateway');
    expect(lease({ interfaceMtu: 68 })).not.toHaveProperty('mtu');
  });

  it.each<[string, OptionValues, string | undefined, RegExp]>([
    ['no address', {}, '0.0.0.0', /gives the address 0\.0\.0\.0, which no host can have/],
    ['loopback', {}, '127.0.0.1', /127\.0\.0\.1, which no host can have/],
    ['multicast', {}, '224.0.0.1', /no host can have/],
    ['a reserved address', {}, '255.255.255.255', /no host can have/],
    ['the network itself', {}, '192.0.2.0', /192\.0\.2\.0\/24, which is the network's own or its broadcast address/],
    ['the broadcast address', {}, '192.0.2.255', /its broadcast address/],
    ['a mask with a hole', { subnetMask: '255.0.255.0' }, undefined, /netmask 255\.0\.255\.0, which is none/],
    ['no mask at all', { subnetMask: '0.0.0.0' }, undefined, /netmask 0\.0\.0\.0, which is none/],
    ['a lease of nothing', { leaseSeconds: 0 }, undefined, /for 0 seconds, which is too short/],
    ['a router that is itself', { routers: ['192.0.2.100'] }, undefined, /both as address and as router/],
    [
      'a route by nobody',
      { classlessRoutes: [{ prefix: '10.0.0.0/8', router: '127.0.0.1' }] },
      undefined,
      /by 127\.0\.0\.1/,
    ],
    ['no server', { serverIdentifier: '0.0.0.0' }, undefined, /does not say who it is/],
  ])('with %s it is refused, in words', (_what, options, address, words) => {
    const refused = readLease(ack(options, address));
    expect(refused).toMatchObject({
      step: 'DHCP',
      reason: expect.stringMatching(words),
      remedy: expect.stringMatching(/./),
    });
  });
});
