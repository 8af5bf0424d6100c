import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../../firmware/protocol/bytes.ts';
import { ipv6Octets } from '../../../../firmware/protocol/ipv6-address.ts';
import { decodeDiscovery, encodeDiscovery } from '../../../../firmware/protocol/ndp/icmpv6.ts';
import {
  decodeRouterDiscovery,
  encodeAdvertisement,
  encodeSolicitation,
  type RouterAdvertisement,
} from '../../../../firmware/protocol/ndp/messages.ts';

const ADVERTISEMENT: RouterAdvertisement = {
  kind: 'advertisement',
  source: 'fe80::1',
  hopLimit: 64,
  managed: false,
  other: true,
  lifetimeSeconds: 1800,
  mtu: 1400,
  prefixes: [
    {
      prefix: '2001:db8:1::',
      length: 64,
      onLink: false,
      autonomous: true,
      validSeconds: 86_400,
      preferredSeconds: 3600,
    },
  ],
  dns: [{ lifetimeSeconds: 600, servers: ['2001:db8::53', 'fd00::53'] }],
};

/** A Router Advertisement of fe80::1 with these octets as options, its checksum right. */
function withOptions(...options: readonly number[]): Uint8Array {
  return encodeDiscovery(
    'fe80::1',
    'ff02::1',
    134,
    Uint8Array.of(64, 0, 7, 8, ...new Array<number>(8).fill(0), ...options),
  );
}

/** The same packet with other octets at these places. */
function patched(packet: Uint8Array, octets: Readonly<Record<number, number>>): Uint8Array {
  return packet.map((octet, at) => octets[at] ?? octet);
}

/** With Code 1, and a checksum that is right all the same. */
function withCode(): Uint8Array {
  const packet = withOptions();
  return patched(packet, { 41: 1, 43: (packet[43] ?? 0) - 1 });
}

describe('router discovery on the wire', () => {
  it('is an advertisement as RFC 4861 section 4.2 draws it', () => {
    const packet = Buffer.from(encodeAdvertisement({ ...ADVERTISEMENT, dns: [], prefixes: [] }));
    expect(packet.subarray(0, 8).toString('hex')).toBe('6000000000183aff');
    expect(packet.subarray(8, 40)).toEqual(Buffer.concat([ipv6Octets('fe80::1'), ipv6Octets('ff02::1')]));
    expect(packet.subarray(40, 42).toString('hex')).toBe('8600');
    expect(packet.subarray(44).toString('hex')).toBe(`40400708${'00'.repeat(8)}0501000000000578`);
  });

  it('is read as it was written', () => {
    expect(decodeRouterDiscovery(encodeAdvertisement(ADVERTISEMENT))).toEqual(ADVERTISEMENT);
    expect(decodeRouterDiscovery(encodeSolicitation('fe80::7'))).toEqual({ kind: 'solicitation', source: 'fe80::7' });
    expect(decodeRouterDiscovery(encodeSolicitation('::'))).toEqual({ kind: 'solicitation', source: '::' });
  });

  it('has padding of PPP behind it, which counts for nothing', () => {
    const padded = Buffer.concat([encodeAdvertisement(ADVERTISEMENT), Buffer.alloc(7, 0xaa)]);
    expect(decodeRouterDiscovery(padded)).toEqual(ADVERTISEMENT);
  });

  it.each<[string, Uint8Array]>([
    ['a Hop Limit of 254: it came from another link', patched(withOptions(), { 7: 254 })],
    ['a Code', withCode()],
    ['a wrong checksum', patched(withOptions(), { 42: 0, 43: 0 })],
    ['a source that is not link-local', encodeDiscovery('2001:db8::1', 'ff02::1', 134, new Uint8Array(12))],
    ['too few octets', encodeDiscovery('fe80::1', 'ff02::1', 134, new Uint8Array(11))],
    ['an option of Length 0', withOptions(1, 0, 0, 0, 0, 0, 0, 0)],
    ['an option that leaves the message', withOptions(3, 4, 64, 0xc0, 0, 0, 0, 0)],
    ['half an option', withOptions(1)],
    ['an extension header before it', patched(withOptions(), { 6: 0 })],
    ['another ICMPv6 type', encodeDiscovery('fe80::1', 'ff02::1', 135, new Uint8Array(20))],
    ['IPv4 where IPv6 belongs', Uint8Array.of(0x45, ...new Uint8Array(60))],
    ['nothing in it', new Uint8Array()],
    ['a payload cut short', withOptions().subarray(0, 50)],
    [
      'a link-layer address of nobody',
      encodeDiscovery('::', 'ff02::2', 133, Uint8Array.of(0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 1)),
    ],
  ])('is discarded with %s', (_, packet) => {
    expect(() => decodeRouterDiscovery(packet)).toThrow(DecodeError);
  });

  it.each<[string, readonly number[]]>([
    ['unknown', [200, 1, 1, 2, 3, 4, 5, 6]],
    ['a prefix of a wrong length', [3, 1, 64, 0xc0, 0, 0, 0, 0]],
    ['an MTU of a wrong length', [5, 2, ...new Array<number>(14).fill(0)]],
    ['a list of no DNS servers', [25, 1, 0, 0, 0, 0, 0, 9]],
    ['a list with half a DNS server', [25, 2, 0, 0, 0, 0, 0, 9, ...new Array<number>(8).fill(0)]],
  ])('passes over an option that is %s', (_, octets) => {
    const read = decodeRouterDiscovery(withOptions(...octets, 5, 1, 0, 0, 0, 0, 5, 0xdc));
    expect(read).toMatchObject({ prefixes: [], dns: [], mtu: 1500 });
  });

  it('clears the host bits of a prefix', () => {
    const prefix = { ...ADVERTISEMENT.prefixes[0], prefix: '2001:db8:1::99', length: 47 };
    const read = decodeRouterDiscovery(
      encodeAdvertisement({ ...ADVERTISEMENT, prefixes: [{ ...ADVERTISEMENT.prefixes[0], ...prefix } as never] }),
    );
    expect(read).toMatchObject({ prefixes: [{ prefix: '2001:db8::', length: 47 }] });
  });

  it('is bounded, whatever a peer puts into it', () => {
    const many = { ...ADVERTISEMENT, prefixes: new Array(40).fill(ADVERTISEMENT.prefixes[0]) };
    const read = decodeRouterDiscovery(encodeAdvertisement(many));
    expect(read.kind === 'advertisement' && read.prefixes.length).toBe(16);
  });
});

describe('any octets', () => {
  it('are read, or discarded with a DecodeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeRouterDiscovery(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('behind a right checksum are read, or discarded with a DecodeError', () => {
    const body = fc.uint8Array({ maxLength: 120 });
    const type = fc.constantFrom(133, 134);
    fc.assert(
      fc.property(type, body, fc.boolean(), (kind, bytes, whole) => {
        // Some of them with options of a right length, so that their insides are reached, too.
        const options = Uint8Array.from(bytes, (octet, at) => (whole && at === 13 ? (bytes.length - 12) >> 3 : octet));
        const packet = encodeDiscovery('fe80::1', 'ff02::1', kind, options);
        expect(decodeDiscovery(packet).body).toEqual(options);
        try {
          decodeRouterDiscovery(packet);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('in place of one octet of a right message never pass for that message unchanged', () => {
    const packet = encodeAdvertisement(ADVERTISEMENT);
    fc.assert(
      fc.property(fc.nat(packet.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bad = packet.map((octet, index) => (index === at ? octet ^ flip : octet));
        // Traffic class and flow label are covered by nothing.
        if (at < 4 && (bad[0] ?? 0) >> 4 === 6) return;
        expect(() => decodeRouterDiscovery(bad)).toThrow(DecodeError);
      }),
      { numRuns: 2000 },
    );
  });
});
