/** IP packets in tunnel mode, both ways. */
import { describe, expect, it } from 'vitest';
import { CE, ECT_0 } from '../../../../firmware/protocol/esp/traffic-class.ts';
import { carry, EspEnd, LEFT, RAW_ESP, RIGHT, range, TUN, tunnelPair } from './esp-bench.ts';
import { ipv4Packet, ipv6Packet, rightTcpChecksum, tcpChecksum, tcpSegment, withTcpChecksum } from './packets.ts';

const THERE = ipv4Packet({ source: '10.1.0.5', destination: '10.2.0.6' });
const BACK = ipv4Packet({ source: '10.2.0.6', destination: '10.1.0.5' });

describe('a policy for IP packets', () => {
  it('carries IPv4 and IPv6 that it covers, both ways', () => {
    const [left, right] = tunnelPair();
    const six = ipv6Packet(17, new Uint8Array(20));
    left.packet(THERE);
    left.packet(six);
    right.packet(BACK);
    carry(left, right);
    carry(right, left);
    expect(right.delivered).toEqual([
      { to: TUN, packet: THERE },
      { to: TUN, packet: six },
    ]);
    expect(left.delivered).toEqual([{ to: TUN, packet: BACK }]);
    expect(left.saCounters(1)).toMatchObject({ packetsSent: 2, octetsSent: THERE.length + six.length });
    expect([left.drops(), left.saDrops(1), left.policyDrops(1)]).toEqual([{}, {}, {}]);
  });

  it('goes by raw ESP sockets, and takes the congestion mark of the outer header', () => {
    const [left, right] = tunnelPair({ socket: RAW_ESP });
    const packet = THERE.slice();
    packet[1] = ECT_0;
    left.packet(packet);
    carry(left, right, { offset: 24, trafficClass: CE });
    expect(right.delivered[0]?.packet[1]).toBe(CE);
  });

  it('leaves what no policy of the interface covers, and drops what it covers without a pair', () => {
    const end = new EspEnd(LEFT, RIGHT);
    end.ipPolicy(1);
    for (const packet of [
      ipv4Packet({ source: '10.1.0.5', destination: '10.3.0.6' }),
      ipv4Packet({ source: '10.3.0.5', destination: '10.2.0.6' }),
      BACK,
    ]) {
      end.packet(packet);
    }
    expect(end.drops()).toEqual({ noRoute: 3 });
    end.packet(THERE);
    expect(end.policyDrops(1)).toEqual({ noSa: 1 });
    end.ipPolicy(1, undefined, { interface: 77 });
    end.packet(THERE);
    expect(end.drops()).toEqual({ noRoute: 4 });
    end.ipPolicy(1);
    end.forwarder.removePolicy(1);
    end.packet(THERE);
    expect(end.drops()).toEqual({ noRoute: 5 });
    expect(end.sent).toEqual([]);
  });

  it('comes before those that were added later, even without a pair', () => {
    const [left] = tunnelPair();
    left.ipPolicy(2, undefined, { localSelectors: [range('10.1.0.5')], remoteSelectors: [range('10.2.0.6')] });
    left.packet(THERE);
    expect(left.taken()).toHaveLength(1);
    left.forwarder.sas.remove(1);
    left.packet(THERE);
    expect([left.policyDrops(1), left.policyDrops(2)]).toEqual([{ noSa: 1 }, {}]);
  });

  it('does not send what the selectors of its pair do not allow', () => {
    const [left] = tunnelPair();
    left.putSa(left.sa(1, 1, { mode: 'tunnel', remoteSelectors: [range('10.2.9.0', '10.2.9.255')] }));
    left.packet(THERE);
    expect(left.sent).toEqual([]);
    expect(left.policyDrops(1)).toEqual({ selectors: 1 });
  });

  it('tells ports apart', () => {
    const [left] = tunnelPair();
    const dns = { protocol: 17, firstPort: 53, lastPort: 53 };
    left.ipPolicy(1, 1, { remoteSelectors: [range('10.2.0.6', '10.2.0.6', dns)] });
    const udp = (port: number) => Uint8Array.of(0x30, 0x39, port >> 8, port & 255, 0, 8, 0, 0);
    left.packet(ipv4Packet({ source: '10.1.0.5', destination: '10.2.0.6', payload: udp(53) }));
    left.packet(ipv4Packet({ source: '10.1.0.5', destination: '10.2.0.6', payload: udp(54) }));
    // The later fragment of a datagram to port 53: nobody can know.
    left.packet(ipv4Packet({ source: '10.1.0.5', destination: '10.2.0.6', payload: udp(53), fragment: 1 }));
    expect(left.taken()).toHaveLength(1);
    expect(left.drops()).toEqual({ noRoute: 2 });
  });

  it('lets nothing in that the pair or the policy does not allow', () => {
    const [left, right] = tunnelPair();
    const anything = [range('0.0.0.0', '255.255.255.255')];
    const all = { mode: 'tunnel', localSelectors: anything, remoteSelectors: anything } as const;
    left.ipPolicy(1, 1, { localSelectors: anything, remoteSelectors: anything });
    left.putSa(left.sa(1, 1, all));
    const foreign = ipv4Packet({ source: '192.168.1.1', destination: '10.2.0.6' });
    left.packet(foreign);
    carry(left, right);
    expect(right.saDrops(1)).toEqual({ selectors: 1 });
    right.putSa(right.sa(1, 1, all));
    left.packet(foreign);
    left.packet(THERE);
    carry(left, right);
    expect(right.saDrops(1)).toEqual({ selectors: 1, wrongInside: 1 });
    expect(right.delivered.map(({ packet }) => packet)).toEqual([THERE]);
  });

  it('clamps the MSS of a SYN in both directions', () => {
    const [left, right] = tunnelPair();
    const syn = (source: string, destination: string) =>
      withTcpChecksum(ipv4Packet({ source, destination, protocol: 6, payload: tcpSegment(2, [2, 4, 5, 180]) }), 20);
    right.ipPolicy(1, 1, { mtu: 1300 });
    left.packet(syn('10.1.0.5', '10.2.0.6'));
    carry(left, right);
    const packet = right.delivered[0]?.packet ?? new Uint8Array();
    expect([packet[42], packet[43]]).toEqual([1260 >>> 8, 1260 & 0xff]);
    expect(tcpChecksum(packet, 20)).toBe(rightTcpChecksum(packet, 20));
    left.delivered.length = 0;
    right.packet(syn('10.2.0.6', '10.1.0.5'));
    carry(right, left);
    expect(left.delivered[0]?.packet[43]).toBe(1260 & 0xff);
  });

  it('counts what the TUN does not take', () => {
    const [left, right] = tunnelPair();
    right.tunTakes = false;
    left.packet(THERE);
    carry(left, right);
    expect(right.policyDrops(1)).toEqual({ tunRefused: 1 });
  });
});
