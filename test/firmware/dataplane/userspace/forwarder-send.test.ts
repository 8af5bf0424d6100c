/** Packets to the peer: TUN to socket, and frames of the control plane. */
import { describe, expect, it } from 'vitest';
import { decodeDataMessage, newDataMessage } from '../../../../firmware/protocol/l2tp/data-message.ts';
import { dataMessage, ForwarderBench, INTERFACE, LOCAL, NETWORK, PEER, pppFrame, SESSION } from './forwarder-bench.ts';
import { ipv4Packet, ipv6Packet, rightTcpChecksum, tcpChecksum, tcpSegment, withTcpChecksum } from './packets.ts';

const PACKET = ipv4Packet({ source: '10.99.0.1', destination: '10.99.0.2' });
const TO_PEER = { tunnelId: 30, sessionId: 40 };

describe('user packets to the peer', () => {
  it.each([
    [false, false, [0xff, 0x03, 0x00, 0x21]],
    [true, false, [0xff, 0x03, 0x21]],
    [false, true, [0x00, 0x21]],
    [true, true, [0x21]],
  ])('have the PPP header that was negotiated (protocol %s, address and control %s)', (protocol, address, header) => {
    const bench = new ForwarderBench({}, { protocolCompression: protocol, addressControlCompression: address });
    bench.packet(PACKET);
    expect(bench.sent).toEqual([
      {
        socket: 1,
        bytes: dataMessage(pppFrame(header, PACKET), TO_PEER),
        remote: { address: PEER, port: 1701 },
        fromAddress: LOCAL,
        trafficClass: 0,
      },
    ]);
    expect(bench.forwarder.counters().sessions[0]).toMatchObject({ packetsSent: 1, octetsSent: PACKET.length });
  });

  it('and control frames bear the DSCP of the session, with an ECN field of zero', () => {
    const bench = new ForwarderBench({ dscp: 46 });
    bench.packet(PACKET);
    bench.forwarder.sendPppFrame(1, Uint8Array.of(0xc0, 0x21, 9, 1, 0, 4), 0);
    bench.forwarder.table.putSession(SESSION);
    bench.packet(PACKET);
    expect(bench.sent.map(({ trafficClass }) => trafficClass)).toEqual([0xb8, 0xb8, 0]);
  });

  it('have a Length field where the session wants one', () => {
    const bench = new ForwarderBench({ lengthField: true });
    bench.packet(PACKET);
    const frame = pppFrame([0xff, 0x03, 0x00, 0x21], PACKET);
    expect(bench.sent[0]?.bytes).toEqual(dataMessage(frame, { ...TO_PEER, length: true }));
  });

  it('are numbered from zero where the session wants it, control frames included', () => {
    const bench = new ForwarderBench({ sequencing: true, lengthField: true });
    bench.packet(PACKET);
    bench.forwarder.sendPppFrame(1, Uint8Array.of(0xc0, 0x21, 9, 1, 0, 4), 0);
    bench.packet(PACKET);
    expect(bench.sent.map(({ bytes }) => decoded(bytes))).toMatchObject([
      { sequenced: true, ns: 0 },
      { sequenced: true, ns: 1 },
      { sequenced: true, ns: 2 },
    ]);
  });

  it('are numbered as long as the peer numbers its own, and go on where they stopped', () => {
    const bench = new ForwarderBench();
    const fromPeer = (ns?: number): void =>
      bench.datagram(dataMessage(Uint8Array.of(0xc0, 0x21, 9, 1, 0, 4), ns === undefined ? {} : { ns }));
    const sequenced = (): unknown => {
      bench.packet(PACKET);
      const message = decoded(bench.sent.at(-1)?.bytes ?? new Uint8Array());
      return message.sequenced ? message.ns : 'none';
    };
    expect(sequenced()).toBe('none');
    fromPeer(0);
    expect([sequenced(), sequenced()]).toEqual([0, 1]);
    fromPeer();
    expect(sequenced()).toBe('none');
    fromPeer(1);
    expect(sequenced()).toBe(2);
  });

  it('go to the session with the longest matching prefix', () => {
    const bench = new ForwarderBench();
    const host = { ...SESSION, key: 2, localSessionId: 22, peerSessionId: 42 };
    bench.forwarder.table.putSession({ ...host, network: { ...NETWORK, destinations: ['10.99.0.2/32', '::/0'] } });
    bench.packet(PACKET);
    bench.packet(ipv4Packet({ destination: '10.99.0.3' }));
    expect(bench.sent.map(({ bytes }) => decoded(bytes).sessionId)).toEqual([42, 40]);
    bench.forwarder.table.removeSession(2);
    bench.packet(PACKET);
    expect(decoded(bench.sent.at(-1)?.bytes ?? new Uint8Array()).sessionId).toBe(40);
  });

  it('are not taken from an interface of another session', () => {
    const bench = new ForwarderBench();
    bench.forwarder.table.addInterface({ id: 2 });
    bench.packet(PACKET, 2);
    expect(bench.sent).toEqual([]);
    expect(bench.drops()).toEqual({ noRoute: 1 });
  });

  it('without a session that takes them are counted, IPv6 among them', () => {
    const bench = new ForwarderBench();
    bench.packet(ipv4Packet({ destination: '192.0.2.1' }));
    bench.packet(ipv4Packet({ destination: '224.0.0.22' }));
    bench.packet(ipv6Packet(58, new Uint8Array(8)));
    bench.closeNetwork();
    bench.packet(PACKET);
    expect(bench.sent).toEqual([]);
    expect(bench.drops()).toEqual({ noRoute: 4 });
  });

  it('that are no IP packets are counted', () => {
    const bench = new ForwarderBench();
    bench.packet(new Uint8Array());
    bench.packet(Uint8Array.of(0x45, 0, 0));
    bench.packet(new Uint8Array(40));
    expect(bench.drops()).toEqual({ notIp: 3 });
  });

  it('larger than the MTU of the session are counted and not sent, where they must not be fragmented', () => {
    const bench = new ForwarderBench({}, { mtu: 100 });
    bench.packet(ipv4Packet({ payload: new Uint8Array(81), fragment: 0x4000 }));
    expect(bench.sent).toEqual([]);
    expect(bench.sessionDrops()).toEqual({ tooBig: 1 });
    bench.packet(ipv4Packet({ payload: new Uint8Array(80) }));
    expect(bench.sent).toHaveLength(1);
  });

  it('have the MSS of their SYN clamped', () => {
    const bench = new ForwarderBench();
    const syn = ipv4Packet({ protocol: 6, payload: tcpSegment(0x02, [2, 4, 0x05, 0xb4]) });
    bench.packet(withTcpChecksum(syn, 20));
    const packet = (bench.sent[0]?.bytes ?? new Uint8Array()).slice(10);
    expect([packet[42], packet[43]]).toEqual([1360 >>> 8, 1360 & 0xff]);
    expect(tcpChecksum(packet, 20)).toBe(rightTcpChecksum(packet, 20));
  });

  it('that the kernel does not send are counted', () => {
    const bench = new ForwarderBench();
    bench.sendResult = 'EHOSTUNREACH';
    bench.packet(PACKET);
    expect(bench.forwarder.counters().sessions[0]).toMatchObject({ packetsSent: 0, drops: { sendFailed: 1 } });
  });

  it('stop when their interface is removed, and stay stopped when its id comes back', () => {
    const bench = new ForwarderBench();
    bench.forwarder.table.removeInterface(INTERFACE);
    bench.packet(PACKET);
    bench.datagram(dataMessage(pppFrame([0x21], ipv4Packet())));
    expect(bench.drops()).toEqual({ noRoute: 1 });
    expect(bench.sessionDrops()).toEqual({ networkClosed: 1 });
  });
});

describe('PPP frames of the control plane', () => {
  it('go out with full PPP headers, whatever was negotiated', () => {
    const bench = new ForwarderBench({}, { protocolCompression: true, addressControlCompression: true });
    bench.forwarder.sendPppFrame(1, Uint8Array.of(0x80, 0x21, 1, 1, 0, 4), 0);
    const frame = Uint8Array.of(0xff, 0x03, 0x80, 0x21, 1, 1, 0, 4);
    expect(bench.sent[0]?.bytes).toEqual(dataMessage(frame, TO_PEER));
    expect(bench.forwarder.counters().sessions[0]).toMatchObject({ packetsSent: 0 });
  });
});

function decoded(bytes: Uint8Array) {
  const message = newDataMessage();
  if (decodeDataMessage(bytes, 0, bytes.length, message) !== undefined) throw new Error('no data message was sent');
  return message;
}
