import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newInnerPacket, readInnerPacket } from '../../../../firmware/dataplane/userspace/inner-packet.ts';
import { ipv4, ipv4Packet, ipv6Packet } from './packets.ts';

function read(bytes: Uint8Array, offset = 0, end = bytes.length) {
  const into = newInnerPacket();
  return readInnerPacket(bytes, offset, end, into) ? into : undefined;
}

function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
}

describe('readInnerPacket', () => {
  it('reads addresses and lengths of an IPv4 packet with options, anywhere in a buffer', () => {
    const packet = ipv4Packet({ source: '192.168.12.9', destination: '255.1.2.3', options: 8 });
    const buffer = new Uint8Array(7 + packet.length + 9);
    buffer.set(packet, 7);
    expect(read(buffer, 7)).toEqual({
      version: 4,
      offset: 7,
      length: packet.length,
      headerLength: 28,
      source: ipv4('192.168.12.9'),
      destination: ipv4('255.1.2.3'),
    });
  });

  it('reads an IPv6 packet', () => {
    const packet = ipv6Packet(17, new Uint8Array(12));
    expect(read(packet)).toMatchObject({ version: 6, length: 52, headerLength: 40 });
  });

  it('takes the length from the header, so that padding is left out', () => {
    const packet = ipv4Packet();
    const padded = new Uint8Array(packet.length + 5);
    padded.set(packet);
    expect(read(padded)?.length).toBe(packet.length);
  });

  it('refuses what contradicts itself or is cut short', () => {
    const packet = ipv4Packet();
    expect(read(packet)).toBeDefined();
    expect(read(new Uint8Array())).toBeUndefined();
    expect(read(packet, 0, packet.length - 1)).toBeUndefined();
    expect(read(packet.subarray(0, 19))).toBeUndefined();
    expect(read(changed(packet, 0, 0x44))).toBeUndefined();
    expect(read(changed(packet, 0, 0x4f))).toBeUndefined();
    expect(read(changed(packet, 0, 0x55))).toBeUndefined();
    expect(read(changed(packet, 3, 19))).toBeUndefined();
    expect(read(packet, 4, packet.length + 1)).toBeUndefined();
    expect(read(ipv6Packet(17, new Uint8Array(12)).subarray(0, 51))).toBeUndefined();
    expect(read(ipv6Packet(17, new Uint8Array(12)).subarray(0, 39))).toBeUndefined();
  });

  it('never says that a packet reaches beyond the octets given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(90), fc.nat(90), (bytes, offset, end) => {
        if (bytes.length > offset) bytes[offset] = ((bytes[offset] ?? 0) & 0x2f) | 0x40;
        const packet = read(bytes, offset, end);
        if (packet === undefined) return;
        expect(packet.offset).toBe(offset);
        expect(packet.headerLength).toBeLessThanOrEqual(packet.length);
        expect(offset + packet.length).toBeLessThanOrEqual(Math.min(end, bytes.length));
      }),
      { numRuns: 2000 },
    );
  });
});
