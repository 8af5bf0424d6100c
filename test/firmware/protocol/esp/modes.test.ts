import { describe, expect, it } from 'vitest';
import { CE, ECT_0, ECT_1, NOT_ECT } from '../../../../firmware/protocol/esp/traffic-class.ts';
import { TransportMode } from '../../../../firmware/protocol/esp/transport-mode.ts';
import { TunnelMode } from '../../../../firmware/protocol/esp/tunnel-mode.ts';
import { CBC, checksum, GCM, ipv4Packet, ipv6Packet, LOCAL, octets, pair, REMOTE, selector, udp } from './harness.ts';

const ROOM = 200;
const DATAGRAM = udp(REMOTE, LOCAL, 1701, 1701, octets('c802000c000000000000'));

interface Ends {
  encapsulate(packet: Uint8Array): Uint8Array | string;
  decapsulate(packet: Uint8Array): Uint8Array | string;
}

/** Both directions of a mode, on copies of packets. */
function ends(mode: TransportMode | TunnelMode, { outbound, inbound }: ReturnType<typeof pair>): Ends {
  const into = { offset: -1, length: -1, nextHeader: -1 };
  return {
    encapsulate(packet) {
      const bytes = new Uint8Array(2 * ROOM + packet.length);
      bytes.set(packet, ROOM);
      const verdict = mode.encapsulate(outbound, bytes, ROOM, packet.length, 0, into);
      return verdict === 'sealed' ? bytes.slice(into.offset, into.offset + into.length) : verdict;
    },
    decapsulate(packet) {
      const bytes = packet.slice();
      const verdict = mode.decapsulate(inbound, bytes, 0, bytes.length, 0, into);
      return verdict === 'deliver' ? bytes.slice(into.offset, into.offset + into.length) : verdict;
    },
  };
}

function must(packet: Uint8Array | string): Uint8Array {
  if (typeof packet === 'string') throw new Error(packet);
  return packet;
}

describe('transport mode', () => {
  it('puts ESP between the header and the payload, and takes it out again without a trace', () => {
    for (const suite of [GCM, CBC]) {
      const both = ends(new TransportMode(), pair(suite));
      const packet = ipv4Packet(REMOTE, LOCAL, 17, DATAGRAM, { trafficClass: 0xb8, fragment: 0x4000 });
      const sealed = must(both.encapsulate(packet));
      expect(sealed[9]).toBe(50);
      expect(sealed.length).toBe((sealed[2] ?? 0) * 256 + (sealed[3] ?? 0));
      expect(checksum(sealed.subarray(0, 20))).toBe(0);
      expect(sealed.subarray(12, 20)).toEqual(packet.subarray(12, 20));
      expect(Buffer.from(sealed).includes(Buffer.from(DATAGRAM.subarray(8)))).toBe(false);
      expect(both.decapsulate(sealed)).toEqual(packet);
      expect(both.decapsulate(sealed)).toBe('replayed');
    }
  });

  it('keeps the options of the header, also when they are longer than the space that ESP makes', () => {
    const both = ends(new TransportMode(), pair());
    const plain = ipv4Packet(REMOTE, LOCAL, 17, Buffer.concat([new Uint8Array(40).fill(1), DATAGRAM]));
    plain[0] = 0x4f;
    plain[10] = 0;
    plain[11] = 0;
    const sum = checksum(plain.subarray(0, 60));
    plain.set([sum >> 8, sum & 255], 10);
    const sealed = must(both.encapsulate(plain));
    expect(checksum(sealed.subarray(0, 60))).toBe(0);
    expect(both.decapsulate(sealed)).toEqual(plain);
  });

  it('is not for fragments, in either direction', () => {
    const both = ends(new TransportMode(), pair());
    for (const fragment of [0x2000, 0x0001]) {
      expect(both.encapsulate(ipv4Packet(REMOTE, LOCAL, 17, DATAGRAM, { fragment }))).toBe('notWhole');
      const sealed = must(both.encapsulate(ipv4Packet(REMOTE, LOCAL, 17, DATAGRAM)));
      sealed[6] = fragment >> 8;
      sealed[7] = fragment & 255;
      expect(both.decapsulate(sealed)).toBe('notEsp');
    }
  });

  it('leaves packets of other protocols and of IPv6 to others', () => {
    const both = ends(new TransportMode(), pair());
    expect(both.decapsulate(ipv4Packet(REMOTE, LOCAL, 17, DATAGRAM))).toBe('notEsp');
    expect(both.encapsulate(ipv6Packet('::1', '::2', 17, DATAGRAM))).toBe('notWhole');
    expect(both.decapsulate(octets('45'))).toBe('notEsp');
  });

  it('holds the addresses of the header against the selectors', () => {
    const both = ends(new TransportMode(), pair(GCM, { remoteSelectors: [selector(REMOTE)] }));
    expect(both.decapsulate(must(both.encapsulate(ipv4Packet(REMOTE, LOCAL, 17, DATAGRAM))))).toBeInstanceOf(
      Uint8Array,
    );
    expect(both.decapsulate(must(both.encapsulate(ipv4Packet('198.51.100.3', LOCAL, 17, DATAGRAM))))).toBe('selectors');
  });

  it('refuses a packet without room for ESP in front of it', () => {
    const { outbound } = pair();
    const packet = ipv4Packet(REMOTE, LOCAL, 17, DATAGRAM);
    const bytes = new Uint8Array(300);
    bytes.set(packet, 10);
    const into = { offset: 0, length: 0 };
    expect(new TransportMode().encapsulate(outbound, bytes, 10, packet.length, 0, into)).toBe('noRoom');
  });
});

describe('tunnel mode', () => {
  const header = { source: REMOTE, destination: LOCAL };
  const tunnel = () => ends(new TunnelMode(header), pair(GCM, { mode: 'tunnel' }));

  it('puts a whole packet behind a new header, and takes it out again as it was', () => {
    const both = tunnel();
    for (const packet of [
      ipv4Packet('10.0.0.1', '10.0.0.2', 17, DATAGRAM, { trafficClass: 0xba, fragment: 0x4000 }),
      ipv4Packet('10.0.0.1', '10.0.0.2', 17, DATAGRAM, { fragment: 0x2001 }),
      ipv6Packet('2001:db8::1', '2001:db8::2', 17, DATAGRAM, 0xba),
    ]) {
      const sealed = must(both.encapsulate(packet));
      expect(sealed.subarray(0, 2)).toEqual(Uint8Array.of(0x45, packet[0] === 0x45 ? (packet[1] ?? 0) : 0xba));
      expect(sealed.length).toBe((sealed[2] ?? 0) * 256 + (sealed[3] ?? 0));
      expect(sealed.subarray(8, 10)).toEqual(Uint8Array.of(64, 50));
      expect(sealed.subarray(12, 20)).toEqual(octets('c6336402 c0000201'));
      expect(checksum(sealed.subarray(0, 20))).toBe(0);
      expect(both.decapsulate(sealed)).toEqual(packet);
    }
  });

  it('copies the DF bit, or sets or clears it when told to; IPv6 inside is never fragmented', () => {
    const flags = (dontFragment: 'copy' | 'set' | 'clear', packet: Uint8Array) =>
      must(ends(new TunnelMode({ ...header, dontFragment }), pair()).encapsulate(packet)).subarray(6, 8);
    const plain = ipv4Packet('10.0.0.1', '10.0.0.2', 17, DATAGRAM);
    const set = ipv4Packet('10.0.0.1', '10.0.0.2', 17, DATAGRAM, { fragment: 0x4000 });
    const ipv6 = ipv6Packet('2001:db8::1', '2001:db8::2', 17, DATAGRAM);
    expect([plain, set, ipv6].map((packet) => flags('copy', packet)[0])).toEqual([0, 0x40, 0x40]);
    expect([plain, set, ipv6].map((packet) => flags('set', packet)[0])).toEqual([0x40, 0x40, 0x40]);
    expect([plain, set, ipv6].map((packet) => flags('clear', packet)[0])).toEqual([0, 0, 0]);
  });

  it('hides the DSCP when told to, but not ECN', () => {
    const both = ends(new TunnelMode({ ...header, dscp: 0 }), pair());
    const packet = ipv4Packet('10.0.0.1', '10.0.0.2', 17, DATAGRAM, { trafficClass: 0xb8 | ECT_1 });
    expect(must(both.encapsulate(packet))[1]).toBe(ECT_1);
  });

  it('numbers its outer packets', () => {
    const both = tunnel();
    const packet = ipv4Packet('10.0.0.1', '10.0.0.2', 17, DATAGRAM);
    const ids = [1, 2].map(() => Buffer.from(must(both.encapsulate(packet))).readUInt16BE(4));
    expect(ids).toEqual([1, 2]);
  });

  it('carries a congestion mark inwards, with a right checksum, and leaves the DSCP as it was', () => {
    const inner4 = ipv4Packet('10.0.0.1', '10.0.0.2', 17, DATAGRAM, { trafficClass: 0xb8 | ECT_0 });
    const inner6 = ipv6Packet('2001:db8::1', '2001:db8::2', 17, DATAGRAM, 0xb8 | ECT_0);
    const both = tunnel();
    const congest = (packet: Uint8Array, trafficClass: number) => {
      const sealed = must(both.encapsulate(packet));
      sealed[1] = trafficClass;
      return both.decapsulate(sealed);
    };
    const marked4 = must(congest(inner4, CE));
    expect(marked4[1]).toBe(0xb8 | CE);
    expect(checksum(marked4.subarray(0, 20))).toBe(0);
    expect(marked4.subarray(20)).toEqual(inner4.subarray(20));
    expect(must(congest(inner6, CE))).toEqual(ipv6Packet('2001:db8::1', '2001:db8::2', 17, DATAGRAM, 0xb8 | CE));
    expect(must(congest(inner4, NOT_ECT))).toEqual(inner4);
    const deaf = ipv4Packet('10.0.0.1', '10.0.0.2', 17, DATAGRAM, { trafficClass: 0xb8 });
    expect(congest(deaf, CE)).toBe('congestion');
    expect(congest(deaf, ECT_0)).toEqual(deaf);
  });

  it('refuses what is no IP packet, and what leaves no room', () => {
    const both = tunnel();
    expect(both.encapsulate(octets('00'))).toBe('notIp');
    expect(both.decapsulate(ipv4Packet(REMOTE, LOCAL, 6, DATAGRAM))).toBe('notEsp');
    const { outbound } = pair();
    const bytes = new Uint8Array(300);
    const packet = ipv4Packet('10.0.0.1', '10.0.0.2', 17, DATAGRAM);
    bytes.set(packet, 35);
    const into = { offset: 0, length: 0 };
    expect(new TunnelMode(header).encapsulate(outbound, bytes, 35, packet.length, 0, into)).toBe('noRoom');
  });

  it('has IPv4 addresses outside', () => {
    expect(() => new TunnelMode({ source: '::1', destination: LOCAL })).toThrow('no IPv4 address');
  });
});
