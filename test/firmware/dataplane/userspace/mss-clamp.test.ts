import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clampMss } from '../../../../firmware/dataplane/userspace/mss-clamp.ts';
import { newIpPacket, readIpPacket } from '../../../../firmware/protocol/esp/ip-packet.ts';
import { ipv4Packet, ipv6Packet, rightTcpChecksum, tcpChecksum, tcpSegment, withTcpChecksum } from './packets.ts';

const SYN = 0x02;
const SYN_ACK = 0x12;
const ACK = 0x10;
const MTU = 1400;
const MSS_1460 = [2, 4, 0x05, 0xb4];
/** SACK permitted, timestamps and window scale around an MSS: what Linux sends. */
const LINUX_OPTIONS = [...MSS_1460, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7];

function clamp(packet: Uint8Array, mtu = MTU): boolean {
  const inner = newIpPacket();
  return readIpPacket(packet, 0, packet.length, inner) && clampMss(packet, inner, mtu);
}

function syn4(
  options: readonly number[],
  extra: { fragment?: number; options?: number; flags?: number } = {},
): Uint8Array {
  const { flags = SYN, ...rest } = extra;
  const packet = ipv4Packet({ protocol: 6, payload: tcpSegment(flags, options), ...rest });
  return withTcpChecksum(packet, 20 + (extra.options ?? 0));
}

function mssAt(packet: Uint8Array, at: number): number {
  return ((packet[at] ?? 0) << 8) | (packet[at + 1] ?? 0);
}

describe('clampMss', () => {
  it.each([
    ['a SYN', SYN],
    ['a SYN ACK', SYN_ACK],
  ])('lowers the MSS of %s to the MTU less 40 in IPv4', (_, flags) => {
    const packet = syn4(LINUX_OPTIONS, { flags });
    expect(clamp(packet)).toBe(true);
    expect(mssAt(packet, 42)).toBe(1360);
    expect(tcpChecksum(packet, 20)).toBe(rightTcpChecksum(packet, 20));
  });

  it('finds the TCP header behind IP options', () => {
    const packet = syn4(LINUX_OPTIONS, { options: 12 });
    expect(clamp(packet)).toBe(true);
    expect(mssAt(packet, 54)).toBe(1360);
    expect(tcpChecksum(packet, 32)).toBe(rightTcpChecksum(packet, 32));
  });

  it('lowers the MSS to the MTU less 60 in IPv6, behind extension headers too', () => {
    const segment = tcpSegment(SYN, LINUX_OPTIONS);
    const plain = withTcpChecksum(ipv6Packet(6, segment), 40);
    expect(clamp(plain)).toBe(true);
    expect(mssAt(plain, 62)).toBe(1340);
    expect(tcpChecksum(plain, 40)).toBe(rightTcpChecksum(plain, 40));

    const extensions = Uint8Array.of(43, 1, ...new Uint8Array(14), 44, 0, ...new Uint8Array(6), 6, 0, 0, 1, 9, 9, 9, 9);
    const packet = ipv6Packet(0, Buffer.concat([extensions, segment]));
    expect(clamp(packet)).toBe(true);
    expect(mssAt(packet, 40 + 32 + 22)).toBe(1340);
  });

  it('never raises the MSS', () => {
    const packet = syn4([2, 4, 0x02, 0x18]);
    const before = packet.slice();
    expect(clamp(packet)).toBe(false);
    expect(packet).toEqual(before);
  });

  it('keeps a wrong checksum wrong', () => {
    const packet = syn4(MSS_1460);
    packet[37] = (packet[37] ?? 0) ^ 0x55;
    expect(clamp(packet)).toBe(true);
    expect(tcpChecksum(packet, 20)).not.toBe(rightTcpChecksum(packet, 20));
  });

  it.each([
    ['a segment without SYN', syn4(LINUX_OPTIONS, { flags: ACK })],
    ['a later fragment', syn4(LINUX_OPTIONS, { fragment: 0x2001 })],
    ['UDP', ipv4Packet({ protocol: 17, payload: tcpSegment(SYN, MSS_1460) })],
    [
      'a segment cut before its options end',
      ipv4Packet({ protocol: 6, payload: tcpSegment(SYN, MSS_1460).subarray(0, 22) }),
    ],
    ['an MSS option behind the end of the list', syn4([0, 0, 0, 0, ...MSS_1460])],
    ['an MSS option of a wrong length', syn4([2, 6, 0x05, 0xb4, 0xff, 0xff])],
    ['an option of length 0', syn4([8, 0, ...MSS_1460])],
    ['an option of length 1', syn4([8, 1, ...MSS_1460])],
    ['an option that ends behind the header', syn4([1, 1, 2, 40])],
    ['an option kind without a length', syn4([1, 1, 1, 2])],
    [
      'a later IPv6 fragment',
      ipv6Packet(44, Buffer.concat([Uint8Array.of(6, 0, 1, 0x08, 0, 0, 0, 1), tcpSegment(SYN, MSS_1460)])),
    ],
    ['an IPv6 header chain cut short', ipv6Packet(0, Uint8Array.of(6, 200, 0, 0, 0, 0, 0, 0))],
  ])('leaves %s as it is', (_, packet) => {
    const before = packet.slice();
    expect(clamp(packet)).toBe(false);
    expect(packet).toEqual(before);
  });

  it('clamps in the first fragment', () => {
    const packet = syn4(MSS_1460, { fragment: 0x2000 });
    expect(clamp(packet)).toBe(true);
    expect(tcpChecksum(packet, 20)).toBe(rightTcpChecksum(packet, 20));
  });

  it('gives up on an endless IPv6 header chain', () => {
    const chain = new Uint8Array(8 * 20);
    chain[8 * 19] = 6;
    expect(clamp(ipv6Packet(0, Buffer.concat([chain, tcpSegment(SYN, MSS_1460)])))).toBe(false);
  });

  it('leaves a right checksum right, wherever the option stands and whatever the sizes are', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffff }),
        fc.integer({ min: 41, max: 0xffff }),
        fc.nat(7),
        fc.uint8Array({ maxLength: 9 }),
        (mss, mtu, padding, data) => {
          const options = [...new Array<number>(padding).fill(1), 2, 4, mss >>> 8, mss & 0xff];
          const packet = withTcpChecksum(ipv4Packet({ protocol: 6, payload: tcpSegment(SYN, options, data) }), 20);
          const changed = clamp(packet, mtu);
          expect(mssAt(packet, 40 + padding + 2)).toBe(Math.min(mss, mtu - 40));
          expect(changed).toBe(mss > mtu - 40);
          expect(tcpChecksum(packet, 20)).toBe(rightTcpChecksum(packet, 20));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
