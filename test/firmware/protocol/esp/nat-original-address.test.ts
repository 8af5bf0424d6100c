import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clearUdpChecksum, NatChecksum } from '../../../../firmware/protocol/esp/nat-original-address.ts';
import { octets, transportChecksum, udp } from './harness.ts';

const INSIDE = { source: '192.168.1.10', destination: '203.0.113.5' };
const OUTSIDE = { source: '198.51.100.77', destination: '10.0.0.5' };

function tcp(source: string, destination: string, data: Uint8Array): Uint8Array {
  const segment = Buffer.concat([octets('d431 0050 00000001 00000002 5018 1000 0000 0000'), data]);
  segment.writeUInt16BE(transportChecksum(source, destination, 6, segment), 16);
  return new Uint8Array(segment);
}

describe('checksums behind a NAT', () => {
  it('are right for the addresses received once they were corrected, of TCP and UDP and any length', () => {
    const fix = new NatChecksum(INSIDE, OUTSIDE);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat({ max: 65_535 }), (data, port) => {
        for (const [protocol, segment] of [
          [17, udp(INSIDE.source, INSIDE.destination, port, 1701, data)],
          [6, tcp(INSIDE.source, INSIDE.destination, data)],
        ] as const) {
          expect(fix.correct(segment, 0, segment.length, protocol)).toBe(true);
          expect(transportChecksum(OUTSIDE.source, OUTSIDE.destination, protocol, segment)).toBe(0);
        }
      }),
    );
  });

  it('are corrected whatever the addresses are', () => {
    const address = fc.ipV4();
    fc.assert(
      fc.property(address, address, address, address, (source, destination, seenFrom, seenTo) => {
        const segment = udp(source, destination, 1701, 1701, octets('0102030405'));
        new NatChecksum({ source, destination }, { source: seenFrom, destination: seenTo }).correct(segment, 0, 13, 17);
        expect(transportChecksum(seenFrom, seenTo, 17, segment)).toBe(0);
        expect(segment[6] || segment[7]).not.toBe(0);
      }),
    );
  });

  it('never become zero in UDP, which would say that there is none', () => {
    const fix = new NatChecksum(INSIDE, OUTSIDE);
    const fields: number[] = [];
    // Every value of two octets of data: one of them makes a sum of zero.
    for (let value = 0; value < 65_536; value++) {
      const segment = udp(INSIDE.source, INSIDE.destination, 1701, 1701, Uint8Array.of(value >> 8, value & 255));
      fix.correct(segment, 0, segment.length, 17);
      fields.push((segment[6] ?? 0) * 256 + (segment[7] ?? 0));
    }
    expect(fields).not.toContain(0);
    expect(fields).toContain(0xffff);
  });

  it('stay wrong when the datagram was damaged', () => {
    const segment = udp(INSIDE.source, INSIDE.destination, 1701, 1701, octets('0102030405'));
    segment[9] = 0x42;
    new NatChecksum(INSIDE, OUTSIDE).correct(segment, 0, segment.length, 17);
    expect(transportChecksum(OUTSIDE.source, OUTSIDE.destination, 17, segment)).not.toBe(0);
  });

  it('stay zero where a UDP datagram has none', () => {
    const segment = udp(INSIDE.source, INSIDE.destination, 1701, 1701, octets('01'));
    segment[6] = 0;
    segment[7] = 0;
    expect(new NatChecksum(INSIDE, OUTSIDE).correct(segment, 0, segment.length, 17)).toBe(false);
    expect([segment[6], segment[7]]).toEqual([0, 0]);
  });

  it('are left alone in other protocols and in headers cut short', () => {
    const fix = new NatChecksum(INSIDE, OUTSIDE);
    const segment = udp(INSIDE.source, INSIDE.destination, 1701, 1701, new Uint8Array(20));
    const before = segment.slice();
    expect(fix.correct(segment, 0, segment.length, 1)).toBe(false);
    expect(fix.correct(segment, 0, 7, 17)).toBe(false);
    expect(fix.correct(segment, 0, 19, 6)).toBe(false);
    expect(fix.correct(segment, 21, 8, 17)).toBe(false);
    expect(segment).toEqual(before);
  });

  it('can be taken out of UDP, and of nothing else', () => {
    const segment = udp(INSIDE.source, INSIDE.destination, 1701, 1701, octets('01'));
    expect(clearUdpChecksum(segment, 0, segment.length, 6)).toBe(false);
    expect(clearUdpChecksum(segment, 0, 7, 17)).toBe(false);
    expect(segment[6] || segment[7]).not.toBe(0);
    expect(clearUdpChecksum(segment, 0, segment.length, 17)).toBe(true);
    expect([segment[6], segment[7]]).toEqual([0, 0]);
  });

  it('want addresses of IPv4', () => {
    expect(() => new NatChecksum(INSIDE, { ...OUTSIDE, source: '::1' })).toThrow('no IPv4 address');
  });
});
