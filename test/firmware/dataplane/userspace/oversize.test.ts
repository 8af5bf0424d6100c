/** Packets that are larger than their way takes: path MTU, fragments, ICMP. */
import { describe, expect, it } from 'vitest';
import { carry, EspEnd, LEFT, protectedPair, RAW_ESP, RIGHT, TUN, tunnelPair } from './esp-bench.ts';
import { internetChecksum, ipv4, ipv4Packet, ipv6Packet, tcpSegment, withTcpChecksum } from './packets.ts';

const DONT_FRAGMENT = 0x4000;
const TEN_MINUTES = 600_000;

const tunnelPacket = (octets: number, fragment = DONT_FRAGMENT, source = '10.1.0.5') =>
  ipv4Packet({ source, destination: '10.2.0.6', fragment, payload: new Uint8Array(octets - 20).fill(7) });

/** The largest packet that goes through, found by trying. */
function largest(end: EspEnd, packet: (octets: number) => Uint8Array): number {
  for (let octets = 1400; octets > 100; octets--) {
    end.packet(packet(octets));
    if (end.taken().length > 0) return octets;
  }
  throw new Error('nothing goes through');
}

describe('the path MTU', () => {
  it.each([
    // 8 octets of header, 8 of IV, 16 of ICV; the text is a multiple of 4 and ends with 2 octets of trailer.
    ['in UDP', 2, 1000 - 20 - 8 - 8 - 8 - 16],
    ['by raw ESP', RAW_ESP, 1000 - 20 - 8 - 8 - 16],
  ])('bounds packets in tunnel mode %s, to the octet', (_, socket, text) => {
    const [left] = tunnelPair({ socket });
    expect(largest(left, tunnelPacket)).toBe(1400);
    left.forwarder.pathMtus.learn(RIGHT, 1000, 0);
    const octets = Math.floor(text / 4) * 4 - 2;
    expect(largest(left, tunnelPacket)).toBe(octets);
    left.packet(tunnelPacket(octets));
    const outer = (left.taken()[0]?.bytes.length ?? 0) + 20 + (socket === RAW_ESP ? 0 : 8);
    expect(outer).toBeLessThanOrEqual(1000);
    expect(outer).toBeGreaterThan(1000 - 4);
  });

  it('bounds packets of a protected session, whose headers count, in CBC too', () => {
    const packet = (octets: number) =>
      ipv4Packet({ destination: '10.99.0.2', fragment: DONT_FRAGMENT, payload: new Uint8Array(octets - 20) });
    for (const encryption of ['aes128gcm16', 'aes256']) {
      const [left, right] = protectedPair({}, encryption);
      left.session(1, left.l2tpPath(1), '10.99.0.2', { lengthField: true, sequencing: true });
      left.forwarder.pathMtus.learn(RIGHT, 1000, 0);
      const octets = largest(left, packet);
      left.packet(packet(octets));
      const outer = 28 + (left.taken()[0]?.bytes.length ?? 0);
      expect(outer, encryption).toBeLessThanOrEqual(1000);
      expect(outer, encryption).toBeGreaterThan(1000 - 16);
      expect(left.forwarder.counters().sessions[0]?.drops['tooBig']).toBe(1400 - octets);
      carry(left, right);
    }
  });

  it('bounds packets of a session in clear', () => {
    const end = new EspEnd(LEFT, RIGHT);
    end.forwarder.table.addSocket({ id: 9, purpose: 'l2tp', family: 4, address: '0.0.0.0', port: 1701, mark: 0 });
    const { bearer: _, ...path } = end.l2tpPath(1);
    end.session(1, path, '10.99.0.2', { socket: 9 });
    end.forwarder.pathMtus.learn(RIGHT, 1000, 0);
    const packet = (octets: number) =>
      ipv4Packet({ destination: '10.99.0.2', fragment: DONT_FRAGMENT, payload: new Uint8Array(octets - 20) });
    expect(largest(end, packet)).toBe(1000 - 20 - 8 - 6 - 1);
  });

  it('clamps the MSS', () => {
    const [left, right] = tunnelPair();
    left.forwarder.pathMtus.learn(RIGHT, 1000, 0);
    const mtu = largest(left, tunnelPacket);
    const syn = tcpSegment(2, [2, 4, 5, 180]);
    left.packet(
      withTcpChecksum(ipv4Packet({ source: '10.1.0.5', destination: '10.2.0.6', protocol: 6, payload: syn }), 20),
    );
    carry(left, right);
    expect(Buffer.from(right.delivered[0]?.packet ?? []).readUInt16BE(42)).toBe(mtu - 40);
  });

  it('is forgotten after ten minutes, and concerns one peer only', () => {
    const [left] = tunnelPair();
    left.forwarder.pathMtus.learn('198.51.100.77', 600, 0);
    expect(largest(left, tunnelPacket)).toBe(1400);
    left.forwarder.pathMtus.learn(RIGHT, 1000, 0);
    left.now = TEN_MINUTES - 1;
    expect(largest(left, tunnelPacket)).toBeLessThan(1000);
    left.now = TEN_MINUTES;
    expect(largest(left, tunnelPacket)).toBe(1400);
  });

  it('is remembered of the peers of SAs only: forged reports of others must not push theirs out', () => {
    const [left] = tunnelPair();
    left.forwarder.learnPathMtu(RIGHT, 1000, 0);
    for (let i = 0; i < 5000; i++) left.forwarder.learnPathMtu(`10.9.${i >> 8}.${i & 255}`, 600, 0);
    expect(largest(left, tunnelPacket)).toBeLessThan(1000);
  });

  it('is not believed below what the kernel believes, nor above it: it would refuse such packets', () => {
    const [left] = tunnelPair();
    left.forwarder.pathMtus.learn(RIGHT, 68, 0);
    // 8 ESP, 8 IV, 16 ICV, 2 trailer, in UDP over IPv4, and a multiple of four.
    expect(largest(left, tunnelPacket)).toBe(552 - 28 - 34);
  });
});

describe('the sender of a packet that is too big', () => {
  it('is told by ICMP from where it sent to, with the size that fits and the beginning of its packet', () => {
    const [left] = tunnelPair();
    const packet = tunnelPacket(1401);
    left.packet(packet);
    expect(left.sent).toEqual([]);
    expect(left.policyDrops(1)).toEqual({ tooBig: 1 });
    expect(left.delivered).toHaveLength(1);
    const error = Buffer.from(left.delivered[0]?.packet ?? []);
    expect(left.delivered[0]?.to).toBe(TUN);
    expect(error.length).toBe(576);
    expect(error.readUInt16BE(2)).toBe(576);
    expect([error[0], error[8], error[9]]).toEqual([0x45, 64, 1]);
    expect(error.readUInt32BE(12)).toBe(ipv4('10.2.0.6'));
    expect(error.readUInt32BE(16)).toBe(ipv4('10.1.0.5'));
    expect([error[20], error[21]]).toEqual([3, 4]);
    expect(error.readUInt16BE(26)).toBe(1400);
    expect(internetChecksum(error.subarray(0, 20))).toBe(0);
    expect(internetChecksum(error.subarray(20))).toBe(0);
    expect(new Uint8Array(error.subarray(28))).toEqual(packet.subarray(0, 548));
  });

  it('is told by ICMPv6, never to send less than 1280', () => {
    const [left] = tunnelPair();
    const packet = ipv6Packet(17, new Uint8Array(1361));
    for (const mtu of [1400, 1280]) {
      left.packet(packet);
      const error = Buffer.from(left.delivered.pop()?.packet ?? []);
      expect(error.length).toBe(1280);
      expect([error[0], error[6], error[40], error[41]]).toEqual([0x60, 58, 2, 0]);
      expect(error.readUInt32BE(44)).toBe(mtu);
      expect(new Uint8Array(error.subarray(8, 24))).toEqual(packet.subarray(24, 40));
      expect(new Uint8Array(error.subarray(24, 40))).toEqual(packet.subarray(8, 24));
      const pseudo = Buffer.concat([error.subarray(8, 40), Uint8Array.of(0, 0, 1240 >> 8, 1240 & 255, 0, 0, 0, 58)]);
      expect(internetChecksum(Buffer.concat([pseudo, error.subarray(40)]))).toBe(0);
      expect(new Uint8Array(error.subarray(48))).toEqual(packet.subarray(0, 1232));
      left.forwarder.pathMtus.learn(RIGHT, 1000, 0);
    }
    expect(left.policyDrops(1)).toEqual({ tooBig: 2 });
  });

  it('is not told on an interface without an address, nor more than a hundred times a second', () => {
    const [left] = tunnelPair();
    for (let count = 0; count < 300; count++) left.packet(tunnelPacket(1401));
    expect(left.delivered).toHaveLength(100);
    left.now += 500;
    for (let count = 0; count < 300; count++) left.packet(tunnelPacket(1401));
    expect(left.delivered).toHaveLength(150);
    expect(left.policyDrops(1)).toEqual({ tooBig: 600 });
    left.now += 5000;
    left.forwarder.table.addInterface({ id: TUN });
    left.packet(tunnelPacket(1401));
    expect(left.delivered).toHaveLength(150);
  });

  it('is not told of an ICMP error, of a later fragment, nor when it is nobody', () => {
    const [left] = tunnelPair();
    const everywhere = [
      { protocol: 0, firstPort: 0, lastPort: 65_535, firstAddress: '0.0.0.0', lastAddress: '255.255.255.255' },
    ];
    left.ipPolicy(1, 1, { localSelectors: everywhere, remoteSelectors: everywhere });
    const payload = new Uint8Array(1400).fill(3);
    const ends = { source: '10.1.0.5', destination: '10.2.0.6', payload };
    left.packet(ipv4Packet({ ...ends, protocol: 1, fragment: DONT_FRAGMENT }));
    left.packet(ipv4Packet({ ...ends, fragment: DONT_FRAGMENT | 5 }));
    left.packet(ipv4Packet({ ...ends, source: '0.0.0.0', fragment: DONT_FRAGMENT }));
    left.packet(ipv4Packet({ ...ends, source: '224.0.0.5', fragment: DONT_FRAGMENT }));
    left.packet(ipv4Packet({ ...ends, destination: '239.1.1.1', fragment: DONT_FRAGMENT }));
    expect(left.delivered).toEqual([]);
    // A ping is told of.
    payload[0] = 8;
    left.packet(ipv4Packet({ ...ends, protocol: 1, fragment: DONT_FRAGMENT }));
    expect(left.delivered).toHaveLength(1);
    expect(left.policyDrops(1)).toEqual({ tooBig: 6 });
  });

  it('is told on behalf of a session, too', () => {
    const [left] = protectedPair();
    left.session(1, left.l2tpPath(1), '10.99.0.2');
    left.packet(ipv4Packet({ destination: '10.99.0.2', fragment: DONT_FRAGMENT, payload: new Uint8Array(1381) }));
    expect(left.delivered).toHaveLength(1);
    expect(left.forwarder.counters().sessions[0]?.drops['tooBig']).toBe(1);
  });
});

describe('an IPv6 packet that every path must carry', () => {
  it('goes through in fragments of the outer packet, even where that has less room', () => {
    const [left, right] = tunnelPair();
    left.forwarder.pathMtus.learn(RIGHT, 1000, 0);
    const packet = ipv6Packet(17, new Uint8Array(1240).fill(9));
    left.packet(packet);
    left.packet(ipv6Packet(17, new Uint8Array(1241)));
    left.packet(ipv6Packet(17, new Uint8Array(100)));
    expect(left.sent.map(({ mayFragment }) => mayFragment)).toEqual([true, false]);
    carry(left, right);
    expect(right.delivered[0]?.packet).toEqual(packet);
    expect([left.delivered.length, left.policyDrops(1)]).toEqual([1, { tooBig: 1 }]);
  });

  it('does so in a protected session, too', () => {
    const [left, right] = protectedPair();
    left.session(1, left.l2tpPath(1), '2001:db8::2');
    right.session(1, right.l2tpPath(1), '2001:db8::1');
    left.forwarder.pathMtus.learn(RIGHT, 1000, 0);
    const packet = ipv6Packet(17, new Uint8Array(1240).fill(9));
    left.packet(packet);
    left.packet(ipv6Packet(17, new Uint8Array(1241)));
    left.packet(ipv6Packet(17, new Uint8Array(100)));
    expect(left.sent.map(({ mayFragment }) => mayFragment)).toEqual([true, false]);
    carry(left, right);
    expect(right.delivered[0]?.packet).toEqual(packet);
    expect(left.forwarder.counters().sessions[0]?.drops['tooBig']).toBe(1);
  });
});

describe('an IPv4 packet that may be fragmented', () => {
  /** Puts the fragments together again. */
  function reassembled(fragments: readonly Uint8Array[]): Uint8Array {
    const parts = fragments.map((fragment) => {
      const bytes = Buffer.from(fragment);
      const header = ((bytes[0] ?? 0) & 15) * 4;
      expect(bytes.readUInt16BE(2)).toBe(bytes.length);
      expect(internetChecksum(bytes.subarray(0, header))).toBe(0);
      return { at: (bytes.readUInt16BE(6) & 0x1fff) * 8, more: (bytes.readUInt16BE(6) & 0x2000) !== 0, header, bytes };
    });
    parts.sort((a, b) => a.at - b.at);
    expect(parts.map(({ more }) => more)).toEqual(parts.map((_, index) => index < parts.length - 1));
    const first = parts[0]?.at ?? 0;
    const payload: number[] = [];
    for (const { at, header, bytes } of parts) {
      expect(at - first).toBe(payload.length);
      payload.push(...bytes.subarray(header));
    }
    return Uint8Array.from(payload);
  }

  it('goes as fragments, which make up the packet, in tunnel mode and in a session', () => {
    const data = Uint8Array.from({ length: 3000 }, (_, i) => i % 251);
    const [left, right] = tunnelPair();
    left.packet(ipv4Packet({ source: '10.1.0.5', destination: '10.2.0.6', payload: data }));
    carry(left, right);
    const fragments = right.delivered.map(({ packet }) => packet);
    expect(fragments.map(({ length }) => length)).toEqual([1396, 1396, 268]);
    expect(reassembled(fragments)).toEqual(data);
    expect(left.policyDrops(1)).toEqual({});

    const [client, server] = protectedPair();
    client.session(1, client.l2tpPath(1), '10.99.0.2');
    server.session(1, server.l2tpPath(1), '10.99.0.1');
    client.packet(ipv4Packet({ payload: data }));
    carry(client, server);
    expect(reassembled(server.delivered.map(({ packet }) => packet))).toEqual(data);
    expect(client.forwarder.counters().sessions[0]).toMatchObject({ packetsSent: 3, drops: { tooBig: 0 } });
  });

  it('has its ports looked at as a whole: all fragments go by the same selectors', () => {
    const [left] = tunnelPair();
    const port = { protocol: 17, firstPort: 0x0707, lastPort: 0x0707 };
    const remoteSelectors = [{ firstAddress: '10.2.0.6', lastAddress: '10.2.0.6', ...port }];
    left.ipPolicy(1, 1, { remoteSelectors });
    left.putSa(
      left.sa(1, 1, {
        mode: 'tunnel',
        remoteSelectors,
        localSelectors: [
          {
            ...port,
            protocol: 0,
            firstPort: 0,
            lastPort: 65_535,
            firstAddress: '10.1.0.0',
            lastAddress: '10.1.255.255',
          },
        ],
      }),
    );
    left.packet(tunnelPacket(3000, 0));
    expect(left.taken()).toHaveLength(3);
    expect(left.policyDrops(1)).toEqual({});
  });

  it('that is a fragment itself is cut further', () => {
    const [left, right] = tunnelPair();
    left.packet(tunnelPacket(2000, 0x2000 | 100));
    left.packet(tunnelPacket(2000, 200));
    carry(left, right);
    const fields = right.delivered.map(({ packet }) => Buffer.from(packet).readUInt16BE(6));
    expect(fields).toEqual([0x2000 | 100, 0x2000 | 272, 0x2000 | 200, 372]);
  });

  it('that would end beyond the end of any datagram is dropped: its offset would run over into the flags', () => {
    const [left] = tunnelPair();
    left.packet(tunnelPacket(2000, 0x1fff));
    left.packet(tunnelPacket(2000, 0x2000 | 0x1fff));
    expect([left.taken(), left.policyDrops(1)]).toEqual([[], { tooBig: 2 }]);
  });

  it('has only those options in later fragments that belong there', () => {
    const [left, right] = tunnelPair();
    const packet = ipv4Packet({
      source: '10.1.0.5',
      destination: '10.2.0.6',
      options: 12,
      payload: new Uint8Array(2000),
    });
    // Record Route (7, not copied), No Operation, Router Alert (148, copied), No Operation.
    packet.set([7, 3, 4, 1, 1, 148, 4, 0, 0, 1, 1, 0], 20);
    packet.set([0, 0], 10);
    const sum = internetChecksum(packet.subarray(0, 32));
    packet.set([sum >> 8, sum & 255], 10);
    left.packet(packet);
    carry(left, right);
    const [first, second] = right.delivered.map(({ packet: fragment }) => fragment);
    expect(first?.subarray(20, 32)).toEqual(packet.subarray(20, 32));
    expect(second?.[0]).toBe(0x46);
    expect(second?.subarray(20, 24)).toEqual(Uint8Array.of(148, 4, 0, 0));
    expect(reassembled([first ?? new Uint8Array(), second ?? new Uint8Array()])).toEqual(new Uint8Array(2000));
  });
});
