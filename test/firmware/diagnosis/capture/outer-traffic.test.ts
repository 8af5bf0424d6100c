import { describe, expect, it } from 'vitest';
import { isOuterTraffic } from '../../../../firmware/diagnosis/capture/outer-traffic.ts';
import { ethernet, ipv4, ipv6, udp } from '../../../support/capture-builder.ts';

const PEER = '192.0.2.1';
const some = new Uint8Array(30);
const traffic = { peers: new Set([PEER, '2001:db8::1']), udpPorts: new Set([500, 4500, 1701]) };

const belongs = (packet: Uint8Array, wanted: Parameters<typeof isOuterTraffic>[0] = traffic) =>
  isOuterTraffic(wanted, 'ip', packet, packet.length);

describe('the outside of a tunnel', () => {
  it.each([
    ['IKE', ipv4(udp(some, 500, 500))],
    ['IKE from a port of a NAT', ipv4(udp(some, 1024, 4500))],
    ['L2TP', ipv4(udp(some, 40_000, 1701))],
    ['ESP', ipv4(some, { protocol: 50 })],
    ['AH', ipv4(some, { protocol: 51 })],
    ['what goes to the peer', ipv4(udp(some), { source: '192.0.2.9', destination: PEER })],
    ['IKE over IPv6', ipv6(udp(some, 500, 500))],
    ['ESP over IPv6', ipv6(some, { nextHeader: 50 })],
    ['a later fragment of a datagram', ipv4(some, { offset: 800 })],
  ])('has %s', (_what, packet) => {
    expect(belongs(packet)).toBe(true);
  });

  it.each([
    ['ICMP', ipv4(some, { protocol: 1 })],
    ['TCP', ipv4(some, { protocol: 6 })],
    ['DNS', ipv4(udp(some, 40_000, 53))],
    ['IKE with somebody else', ipv4(udp(some, 500, 500), { source: '192.0.2.7' })],
    ['a packet that is cut off in its header', ipv4(some).subarray(0, 12)],
    ['a datagram without its ports', ipv4(new Uint8Array(3))],
    ['no IP at all', new Uint8Array(40)],
    ['nothing', new Uint8Array(0)],
  ])('has not: %s', (_what, packet) => {
    expect(belongs(packet)).toBe(false);
  });

  it('has everybody where no peer is known', () => {
    const { udpPorts } = traffic;
    expect(belongs(ipv4(udp(some, 500, 500), { source: '192.0.2.7' }), { udpPorts })).toBe(true);
    expect(belongs(ipv4(udp(some, 40_000, 53)), { udpPorts })).toBe(false);
  });

  it('is found behind an Ethernet header and a VLAN tag, also where the packet was cut off', () => {
    const frame = ethernet(ipv4(udp(new Uint8Array(1000), 500, 500)), [7]);
    expect(isOuterTraffic(traffic, 'ethernet', frame.subarray(0, 64), frame.length)).toBe(true);
    expect(isOuterTraffic(traffic, 'ethernet', new Uint8Array(42), 42)).toBe(false);
  });
});
