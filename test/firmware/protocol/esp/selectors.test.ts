import { describe, expect, it } from 'vitest';
import { newIpPacket, readIpPacket } from '../../../../firmware/protocol/esp/ip-packet.ts';
import { addressOctets, newFlow, SaSelectors, type Selector } from '../../../../firmware/protocol/esp/selectors.ts';
import type { TrafficSelector } from '../../../../firmware/protocol/ike/ike-types.ts';
import { ANYWHERE, ANYWHERE_IPV6, ipv4Packet, ipv6Packet, octets, selector } from './harness.ts';

const OPAQUE = { firstPort: 65_535, lastPort: 0 };

/** Whether a packet from the remote side passes. */
function passes(
  packet: Uint8Array,
  local: readonly Selector[],
  remote: readonly Selector[] = [ANYWHERE, ANYWHERE_IPV6],
) {
  const read = newIpPacket();
  if (!readIpPacket(packet, 0, packet.length, read)) throw new Error('no packet');
  const flow = newFlow();
  flow.localBytes = packet;
  flow.localAt = read.destinationAt;
  flow.remoteBytes = packet;
  flow.remoteAt = read.sourceAt;
  flow.addressOctets = read.addressOctets;
  flow.protocol = read.protocol;
  flow.localPort = read.destinationPort;
  flow.remotePort = read.sourcePort;
  return new SaSelectors(local, remote).match(flow);
}

const TO_53 = octets('d431 0035 0008 0000');

describe('selectors', () => {
  it('include both ends of a range and nothing beyond', () => {
    const to = (address: string) => ipv4Packet('10.0.0.1', address, 17, TO_53);
    const range = [selector('10.1.0.128', '10.2.0.3')];
    for (const inside of ['10.1.0.128', '10.1.255.0', '10.2.0.3']) expect(passes(to(inside), range), inside).toBe(true);
    for (const out of ['10.1.0.127', '10.2.0.4', '9.255.255.255', '11.0.0.0'])
      expect(passes(to(out), range)).toBe(false);
  });

  it('are an alternative each, on either side', () => {
    const packet = ipv4Packet('10.0.0.1', '10.9.0.1', 17, TO_53);
    const none = selector('10.1.0.0');
    expect(passes(packet, [none, selector('10.9.0.1')], [none, selector('10.0.0.1')])).toBe(true);
    expect(passes(packet, [none, selector('10.9.0.1')], [none])).toBe(false);
    expect(passes(packet, [none], [selector('10.0.0.1')])).toBe(false);
    expect(passes(packet, [], [selector('10.0.0.1')])).toBe(false);
  });

  it('tell protocols and ports apart, on the side that they are for', () => {
    const packet = ipv4Packet('10.0.0.1', '10.9.0.1', 17, TO_53);
    const here = (rest: Partial<Selector>) => passes(packet, [selector('10.9.0.1', '10.9.0.1', rest)]);
    const there = (rest: Partial<Selector>) => passes(packet, [ANYWHERE], [selector('10.0.0.1', '10.0.0.1', rest)]);
    expect(here({ protocol: 17, firstPort: 53, lastPort: 53 })).toBe(true);
    expect(here({ firstPort: 50, lastPort: 60 })).toBe(true);
    expect(here({ protocol: 6, firstPort: 53, lastPort: 53 })).toBe(false);
    expect(here({ protocol: 17, firstPort: 54, lastPort: 65_535 })).toBe(false);
    expect(there({ protocol: 17, firstPort: 54_321, lastPort: 54_321 })).toBe(true);
    expect(there({ protocol: 17, firstPort: 53, lastPort: 53 })).toBe(false);
    expect(here(OPAQUE)).toBe(false);
  });

  it('take type and code of ICMP for a port on both sides', () => {
    const echo = { protocol: 1, firstPort: 0x0800, lastPort: 0x08ff };
    const all = (rest: Partial<Selector>) => [selector('0.0.0.0', '255.255.255.255', rest)];
    const icmp = (hex: string) => ipv4Packet('10.0.0.1', '10.9.0.1', 1, octets(hex));
    expect(passes(icmp('0800 0000 0001 0001'), all(echo), all(echo))).toBe(true);
    expect(passes(icmp('0000 0000 0001 0001'), all(echo), all(echo))).toBe(false);
  });

  it('let a packet whose ports cannot be seen through only where ports are any, or opaque', () => {
    const later = ipv4Packet('10.0.0.1', '10.9.0.1', 17, TO_53, { fragment: 0x0010 });
    const gre = ipv4Packet('10.0.0.1', '10.9.0.1', 47, TO_53);
    const short = ipv4Packet('10.0.0.1', '10.9.0.1', 17, octets('d43100'));
    for (const packet of [later, gre, short]) {
      expect(passes(packet, [ANYWHERE])).toBe(true);
      expect(passes(packet, [selector('10.9.0.1', '10.9.0.1', OPAQUE)])).toBe(true);
      expect(passes(packet, [selector('10.9.0.1', '10.9.0.1', { firstPort: 53, lastPort: 53 })])).toBe(false);
      expect(passes(packet, [selector('10.9.0.1', '10.9.0.1', { firstPort: 0, lastPort: 65_534 })])).toBe(false);
    }
    const first = ipv4Packet('10.0.0.1', '10.9.0.1', 17, TO_53, { fragment: 0x2000 });
    expect(passes(first, [selector('10.9.0.1', '10.9.0.1', { firstPort: 53, lastPort: 53 })])).toBe(true);
  });

  it('see through the extension headers of IPv6, and give up on a fragment that hides the ports', () => {
    const dns = [selector('2001:db8::', '2001:db8::ffff', { protocol: 17, firstPort: 53, lastPort: 53 })];
    const send = (next: number, hex: string) => ipv6Packet('2001:db8:1::1', '2001:db8::53', next, octets(hex));
    expect(passes(send(17, 'd431 0035 0008 0000'), dns)).toBe(true);
    expect(passes(send(0, '3c00000000000000 1100000000000000 d431003500080000'), dns)).toBe(true);
    expect(passes(send(44, '1100 0001 00000001 d431003500080000'), dns)).toBe(true);
    expect(passes(send(44, '1100 0009 00000001 d431003500080000'), dns)).toBe(false);
    expect(passes(send(44, '1100 0009 00000001 d431003500080000'), [ANYWHERE_IPV6])).toBe(true);
    expect(passes(send(6, 'd431 0035 0008 0000'), dns)).toBe(false);
    expect(passes(ipv6Packet('2001:db8:1::1', '2001:db8:0:1::53', 17, TO_53), dns)).toBe(false);
  });

  it('are what IKE negotiates, and refuse what is no range', () => {
    const negotiated: TrafficSelector = selector('10.0.0.0', '10.0.0.255');
    expect(() => new SaSelectors([negotiated], [ANYWHERE])).not.toThrow();
    expect(() => new SaSelectors([selector('10.0.0.0', '::1')], [])).toThrow('address family');
    expect(() => new SaSelectors([selector('10.0.0')], [])).toThrow('no IP address');
    expect(addressOctets('2001:db8::1')).toEqual(octets('20010db8000000000000000000000001'));
  });
});

describe('reading IP packets', () => {
  const read = (packet: Uint8Array) => readIpPacket(packet, 0, packet.length, newIpPacket());

  it('refuses what is cut short, contradicts itself, or is no IP', () => {
    const packet = ipv4Packet('10.0.0.1', '10.0.0.2', 17, TO_53);
    expect(read(packet)).toBe(true);
    for (let length = 0; length < packet.length; length++) expect(read(packet.subarray(0, length))).toBe(false);
    for (const [at, value] of [
      [0, 0x44],
      [0, 0x4f],
      [0, 0x55],
      [3, 19],
    ] as const) {
      const bad = packet.slice();
      bad[at] = value;
      expect(read(bad), `octet ${at}: ${value}`).toBe(false);
    }
    expect(readIpPacket(packet, 0, packet.length + 1, newIpPacket())).toBe(false);
    expect(readIpPacket(packet, -1, packet.length, newIpPacket())).toBe(false);
  });

  it('does not follow extension headers of IPv6 for ever, nor beyond the packet', () => {
    const chain = (count: number) => {
      const headers = new Uint8Array(count * 8);
      for (let i = 0; i < count; i++) headers[i * 8] = i === count - 1 ? 59 : 60;
      return ipv6Packet('::1', '::2', 60, headers);
    };
    expect(read(chain(8))).toBe(true);
    expect(read(chain(9))).toBe(false);
    expect(read(ipv6Packet('::1', '::2', 60, octets('11ff000000000000')))).toBe(false);
    expect(read(ipv6Packet('::1', '::2', 60, octets('1100')))).toBe(false);
  });
});
