/** IPv6 user packets of a session, both ways. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dataMessage, ForwarderBench, INTERFACE, NETWORK, pppFrame, SESSION } from './forwarder-bench.ts';
import { ipv4Packet, ipv6Packet, rightTcpChecksum, tcpChecksum, tcpSegment, withTcpChecksum } from './packets.ts';

const PEER_LINK_LOCAL = 'fe80::2';
const IPV6 = ['2001:db8::/64', `${PEER_LINK_LOCAL}/128`];
const BOTH = { destinations: [...NETWORK.destinations, ...IPV6], sources: [...NETWORK.sources, ...IPV6] };
const TO_PEER = { tunnelId: 30, sessionId: 40 };
const UDP = 17;
const ICMPV6 = 58;

const bench = (network: Partial<typeof NETWORK> = BOTH): ForwarderBench => new ForwarderBench({}, network);
const fromPeer = (packet: Uint8Array, header = [0xff, 0x03, 0x00, 0x57]): Uint8Array =>
  dataMessage(pppFrame(header, packet));

describe('IPv6 packets to the peer', () => {
  it.each([
    [false, [0xff, 0x03, 0x00, 0x57]],
    [true, [0x57]],
  ])('have a PPP header of their own (compressed: %s)', (compressed, header) => {
    const one = bench({ ...BOTH, protocolCompression: compressed, addressControlCompression: compressed });
    const packet = ipv6Packet(UDP, new Uint8Array(20));
    one.packet(packet);
    expect(one.sent[0]?.bytes).toEqual(dataMessage(pppFrame(header, packet), TO_PEER));
    expect(one.forwarder.counters().sessions[0]).toMatchObject({ packetsSent: 1, octetsSent: packet.length });
  });

  it('find the session of the longest prefix among several', () => {
    const one = bench();
    const network = { ...NETWORK, destinations: ['2001:db8::7/128'], sources: [] };
    one.forwarder.table.putSession({ ...SESSION, key: 2, localSessionId: 21, peerSessionId: 41, network });
    one.packet(ipv6Packet(UDP, new Uint8Array(20), { destination: '2001:db8::7' }));
    one.packet(ipv6Packet(UDP, new Uint8Array(20), { destination: '2001:db8::8' }));
    expect(one.sent.map(({ bytes }) => bytes[5])).toEqual([41, 40]);
  });

  it('go nowhere without such a session, after its removal, and to a group', () => {
    const one = bench({ ...BOTH, destinations: ['::/0'] });
    one.packet(ipv6Packet(ICMPV6, new Uint8Array(8), { destination: 'ff02::1' }));
    one.packet(ipv6Packet(ICMPV6, new Uint8Array(8), { destination: 'ff0e::5' }));
    expect(one.drops()).toEqual({ noRoute: 2 });
    one.forwarder.table.removeSession(1);
    one.packet(ipv6Packet(UDP, new Uint8Array(8)));
    expect(one.sent).toEqual([]);
    expect(one.drops()).toEqual({ noRoute: 3 });
  });

  it('that are too big are told of by ICMPv6, and dropped', () => {
    const one = bench();
    one.packet(ipv6Packet(UDP, new Uint8Array(1361)));
    expect(one.sent).toEqual([]);
    expect(one.sessionDrops()).toEqual({ tooBig: 1 });
    const error = Buffer.from(one.delivered[0]?.packet ?? []);
    expect([one.delivered[0]?.to, error[6], error[40], error.readUInt32BE(44)]).toEqual([INTERFACE, ICMPV6, 2, 1400]);
  });

  it('have the MSS of their SYN lowered to the MTU less 60', () => {
    const one = bench();
    one.packet(withTcpChecksum(ipv6Packet(6, tcpSegment(0x02, [2, 4, 1460 >> 8, 1460 & 0xff])), 40));
    const packet = one.sent[0]?.bytes.slice(-64) ?? new Uint8Array();
    expect(Buffer.from(packet).readUInt16BE(62)).toBe(1340);
    expect(tcpChecksum(packet, 40)).toBe(rightTcpChecksum(packet, 40));
  });
});

describe('IPv6 packets from the peer', () => {
  it.each([
    ['an address of its networks', '2001:db8::9', 1, {}],
    ['its link-local address', PEER_LINK_LOCAL, 1, {}],
    ['an address of somebody else', '2001:db8:1::9', 0, { wrongSource: 1 }],
    ["another peer's link-local address", 'fe80::3', 0, { wrongSource: 1 }],
    ['no address', '::', 0, { wrongSource: 1 }],
  ])('from %s are judged by their source', (_, source, delivered, drops) => {
    const one = bench();
    one.datagram(fromPeer(ipv6Packet(UDP, new Uint8Array(20), { source })));
    expect(one.delivered).toHaveLength(delivered);
    expect(one.sessionDrops()).toEqual(drops);
  });

  it('reach the TUN without the padding of PPP', () => {
    const one = bench();
    const packet = ipv6Packet(UDP, new Uint8Array(20));
    one.datagram(fromPeer(Buffer.concat([packet, Buffer.alloc(9)]), [0x57]));
    expect(one.delivered).toEqual([{ to: INTERFACE, packet }]);
  });

  it('are dropped when cut short, or not of IPv6', () => {
    const one = bench();
    const packet = ipv6Packet(UDP, new Uint8Array(20));
    one.datagram(fromPeer(packet.subarray(0, 50)));
    one.datagram(fromPeer(ipv4Packet({ source: '10.99.0.2' })));
    expect(one.sessionDrops()).toEqual({ malformed: 2 });
  });

  it('are frames of a foreign protocol while IPv6 is not open', () => {
    const one = bench({});
    const packet = ipv6Packet(UDP, new Uint8Array(20));
    one.datagram(fromPeer(packet));
    expect(one.delivered).toEqual([]);
    expect(one.events).toEqual([{ kind: 'ppp-frame', session: 1, frame: pppFrame([0x00, 0x57], packet) }]);
  });

  it('leave IPv4 closed where only IPv6 is open', () => {
    const one = bench({ destinations: IPV6, sources: IPV6 });
    one.datagram(dataMessage(pppFrame([0x21], ipv4Packet({ source: '10.99.0.2' }))));
    one.packet(ipv4Packet());
    expect([one.sessionDrops(), one.drops()]).toEqual([{ wrongSource: 1 }, { noRoute: 1 }]);
  });

  it('have the MSS of their SYN lowered, too', () => {
    const one = bench();
    one.datagram(fromPeer(withTcpChecksum(ipv6Packet(6, tcpSegment(0x02, [2, 4, 5, 0xb4])), 40)));
    expect(Buffer.from(one.delivered[0]?.packet ?? []).readUInt16BE(62)).toBe(1340);
  });
});

describe('router discovery', () => {
  it.each([
    ['a solicitation', Uint8Array.of(133, 0, 0, 0, 0, 0, 0, 0), '::'],
    ['an advertisement', Uint8Array.of(134, 0, 0, 0, 0, 0, 0, 0), PEER_LINK_LOCAL],
  ])('is for the control plane and never for the TUN: %s', (_, message, source) => {
    const one = bench();
    const plain = ipv6Packet(ICMPV6, message, { source, destination: 'ff02::2' });
    const behindOptions = Buffer.concat([Uint8Array.of(ICMPV6, 0, 1, 4, 0, 0, 0, 0), message]);
    const hidden = ipv6Packet(0, behindOptions, { source, destination: 'ff02::2' });
    for (const packet of [plain, hidden]) one.datagram(fromPeer(packet));
    expect(one.delivered).toEqual([]);
    expect(one.events).toEqual(
      [plain, hidden].map((packet) => ({
        kind: 'ppp-frame',
        session: 1,
        frame: pppFrame([0x00, 0x57], packet),
      })),
    );
  });

  it('is handed up so many times a second and no more', () => {
    const one = bench();
    const packet = ipv6Packet(ICMPV6, Uint8Array.of(133, 0, 0, 0, 0, 0, 0, 0));
    for (let count = 0; count < 1000; count++) one.datagram(fromPeer(packet));
    expect(one.events).toHaveLength(10);
    expect(one.sessionDrops()).toEqual({ controlRate: 990 });
  });

  it('is not what other messages of ICMPv6 are', () => {
    const one = bench();
    one.datagram(fromPeer(ipv6Packet(ICMPV6, Uint8Array.of(135, 0, 0, 0, 0, 0, 0, 0))));
    one.datagram(fromPeer(ipv6Packet(ICMPV6, new Uint8Array())));
    expect(one.delivered).toHaveLength(2);
  });
});

it('whatever a peer sends as IPv6, only whole packets of its own addresses reach the TUN', () => {
  const packet = ipv6Packet(UDP, new Uint8Array(20));
  const changes = fc.array(fc.tuple(fc.nat(packet.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
  let delivered = 0;
  fc.assert(
    fc.property(changes, fc.nat(packet.length), (octets, length) => {
      const one = bench();
      const bad = packet.slice(0, octets.length === 4 ? length : packet.length);
      for (const [at, value] of octets) if (at < bad.length) bad[at] = value;
      one.datagram(fromPeer(bad));
      for (const { packet: out } of one.delivered) {
        delivered += 1;
        expect(out.length).toBe(40 + ((out[4] ?? 0) << 8) + (out[5] ?? 0));
        expect([out[8], out[9], out[10], out[11]]).toEqual([0x20, 0x01, 0x0d, 0xb8]);
      }
    }),
    { numRuns: 1000 },
  );
  expect(delivered).toBeGreaterThan(50);
});
