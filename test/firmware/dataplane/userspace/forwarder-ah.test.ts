/** SA pairs of AH: by their own socket, with the IP header as part of the packet. */
import { describe, expect, it } from 'vitest';
import { ipv4Packet, octets } from '../../protocol/esp/harness.ts';
import { carry, type EspEnd, LEFT, RAW_ESP, RIGHT, range, tunnelPair } from './esp-bench.ts';

/** Id of the AH socket. */
const RAW_AH = 5;

const keysOf = (spi: number) => ({
  encryption: 'none',
  encryptionKey: new Uint8Array(),
  integrity: 'sha512',
  integrityKey: new Uint8Array(64).fill(spi & 0xff),
  spi,
});

function ahPair(): readonly [EspEnd, EspEnd] {
  const ends = tunnelPair();
  for (const end of ends) {
    const mine = end.address === LEFT;
    const [local, remote] = [range('10.1.0.0', '10.1.255.255'), range('10.2.0.0', '10.2.255.255')];
    end.forwarder.table.addSocket({ id: RAW_AH, purpose: 'ah', family: 4, address: '0.0.0.0', port: 0, mark: 0 });
    end.putSa(
      end.sa(2, 1, {
        mode: 'tunnel',
        socket: RAW_AH,
        path: { remote: { address: end.peer, port: 0 }, local: { address: end.address, port: 0 } },
        inbound: keysOf(mine ? 0x2002 : 0x1002),
        outbound: keysOf(mine ? 0x1002 : 0x2002),
        localSelectors: [mine ? local : remote],
        remoteSelectors: [mine ? remote : local],
      }),
    );
    end.ipPolicy(1, 2);
  }
  return ends;
}

const PACKET = ipv4Packet('10.1.0.5', '10.2.0.6', 17, octets('00350035 000c0000 01020304'));

describe('a pair of AH', () => {
  it('carries a packet in clear, authenticated, and delivers it', () => {
    const [left, right] = ahPair();
    left.packet(PACKET);
    const [sent] = left.sent;
    expect(sent).toMatchObject({ socket: RAW_AH, remote: { address: RIGHT }, fromAddress: LEFT });
    expect(sent?.bytes.subarray(0, 2)).toEqual(Uint8Array.of(0x45, 0));
    // Don't Fragment.
    expect(sent?.bytes[6]).toBe(0x40);
    expect(sent?.bytes.subarray(-PACKET.length)).toEqual(PACKET);
    carry(left, right);
    expect(right.delivered).toEqual([{ to: 1, packet: PACKET }]);
    expect(right.events).toEqual([{ kind: 'sa-received', sa: 2 }]);
    expect(right.saCounters(2)).toMatchObject({ packetsReceived: 1, octetsReceived: PACKET.length });
    expect(left.saCounters(2)).toMatchObject({ packetsSent: 1, octetsSent: PACKET.length });
  });

  it('is not found by ESP, nor a pair of ESP by AH', () => {
    const [left, right] = ahPair();
    left.packet(PACKET);
    const [sent] = left.taken();
    const packet = sent?.bytes ?? new Uint8Array();
    right.receive(packet.subarray(24), {}, RAW_ESP);
    const esp = packet.slice();
    esp.set([0, 0, 0x10, 0x01], 24);
    right.receive(esp, {}, RAW_AH);
    right.wait(500);
    expect(right.drops()).toEqual({ unknownSpi: 2 });
    expect(right.events).toMatchObject([
      { kind: 'unknown-spi', spi: 0x1002, socket: RAW_ESP },
      { kind: 'unknown-spi', spi: 0x1001, socket: RAW_AH },
    ]);
  });

  it('counts what is changed on the way, repeated, or no AH at all', () => {
    const [left, right] = ahPair();
    left.packet(PACKET);
    const packet = left.taken()[0]?.bytes ?? new Uint8Array();
    const changed = packet.slice();
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    for (const bytes of [changed, packet, packet]) right.receive(bytes, {}, RAW_AH);
    const options = new Uint8Array([...packet.subarray(0, 20), 1, 1, 1, 0, ...packet.subarray(20)]);
    options[0] = 0x46;
    right.receive(options, {}, RAW_AH);
    expect(right.saDrops(2)).toEqual({ notAuthentic: 1, replayed: 1, outerHeader: 1 });
    for (const junk of [new Uint8Array(0), new Uint8Array(31).fill(0x45), new Uint8Array(40)])
      right.receive(junk, {}, RAW_AH);
    expect(right.drops()).toEqual({ malformed: 3 });
  });

  it('sends between other addresses once it is told so, which the ICV covers', () => {
    const [left, right] = ahPair();
    const path = { remote: { address: '198.51.100.77', port: 0 }, local: { address: '192.0.2.9', port: 0 } };
    const [local, remote] = [[range('10.1.0.0', '10.1.255.255')], [range('10.2.0.0', '10.2.255.255')]];
    left.putSa(left.sa(2, 1, { mode: 'tunnel', socket: RAW_AH, path, localSelectors: local, remoteSelectors: remote }));
    left.packet(PACKET);
    expect([...(left.sent[0]?.bytes.subarray(12, 20) ?? [])]).toEqual([192, 0, 2, 9, 198, 51, 100, 77]);
    carry(left, right);
    expect(right.delivered).toHaveLength(1);
  });

  it('leaves as much room as the way and its headers do', () => {
    const [left] = ahPair();
    left.forwarder.learnPathMtu(RIGHT, 1000, 0);
    left.packet(ipv4Packet('10.1.0.5', '10.2.0.6', 17, new Uint8Array(1000 - 64 - 20)));
    expect(left.taken()[0]?.bytes).toHaveLength(1000);
  });
});
