/** Nothing of a protected socket ever leaves but as ESP, whatever state its policy is in. */
import { describe, expect, it } from 'vitest';
import { carry, EspEnd, L2TP, LEFT, PORT_4500, protectedPair, RIGHT } from './esp-bench.ts';
import { ipv4Packet, ipv6Packet } from './packets.ts';

const SECRET = Uint8Array.from({ length: 64 }, (_, i) => 0xa0 + (i % 7));
const CONTROL = Uint8Array.from([0xc8, 0x02, 0, 12 + SECRET.length, 0, 10, 0, 0, 0, 0, 0, 0, ...SECRET]);
const PACKET = ipv4Packet({ source: '10.99.0.1', destination: '10.99.0.2', payload: SECRET });
const FRAME = Uint8Array.of(0xc0, 0x21, 9, 1, 0, 68, ...SECRET);

/** Everything by which a protected socket sends: a control message, a user packet, a PPP frame. */
function sendEverything(end: EspEnd, bearer = 1): void {
  end.control(end.l2tpPath(bearer), CONTROL);
  end.packet(PACKET);
  end.forwarder.sendPppFrame(1, FRAME, end.now);
}

/** Asserts that what left is ESP of this SPI by the socket for it, and holds nothing that can be read. */
function assertProtected(end: EspEnd, spi: number, count: number): void {
  const sent = end.taken();
  expect(sent).toHaveLength(count);
  for (const { socket, bytes } of sent) {
    expect(socket).toBe(PORT_4500);
    expect(Buffer.from(bytes).readUInt32BE(0)).toBe(spi);
    expect(Buffer.from(bytes).includes(Buffer.from(SECRET.subarray(0, 8)))).toBe(false);
  }
}

describe('a protected socket', () => {
  it('sends nothing before there is a policy, nor before that has a pair', () => {
    const end = new EspEnd(LEFT, RIGHT);
    end.session(1, end.l2tpPath(1), '10.99.0.2');
    sendEverything(end);
    expect(end.drops()).toEqual({ noSa: 3 });
    end.protect(1);
    sendEverything(end);
    end.putSa(end.sa(1, 1));
    sendEverything(end);
    expect(end.sent).toEqual([]);
    expect(end.policyDrops(1)).toEqual({ noSa: 6 });
    end.protect(1, 1);
    sendEverything(end);
    assertProtected(end, 0x1001, 3);
  });

  it('sends IPv6 in a session no other way', () => {
    const end = new EspEnd(LEFT, RIGHT);
    end.session(1, end.l2tpPath(1), '2001:db8::2');
    const packet = ipv6Packet(17, SECRET);
    end.packet(packet);
    end.protect(1);
    end.packet(packet);
    expect(end.sent).toEqual([]);
    expect([end.drops(), end.policyDrops(1)]).toEqual([{ noSa: 1 }, { noSa: 1 }]);
    end.putSa(end.sa(1, 1));
    end.protect(1, 1);
    end.packet(packet);
    assertProtected(end, 0x1001, 1);
  });

  it('sends nothing between the end of a pair and the next one', () => {
    const [end] = protectedPair();
    end.session(1, end.l2tpPath(1), '10.99.0.2');
    sendEverything(end);
    assertProtected(end, 0x1001, 3);
    end.forwarder.sas.remove(1);
    sendEverything(end);
    expect(end.sent).toEqual([]);
    end.putSa(end.sa(2, 1));
    sendEverything(end);
    expect(end.sent).toEqual([]);
    expect(end.policyDrops(1)).toEqual({ noSa: 6 });
    end.protect(1, 2);
    sendEverything(end);
    assertProtected(end, 0x1002, 3);
  });

  it('sends nothing after its policy was removed, and its pairs are gone with it', () => {
    const [end, peer] = protectedPair();
    end.session(1, end.l2tpPath(1), '10.99.0.2');
    peer.control(peer.l2tpPath(1), CONTROL);
    end.forwarder.removePolicy(1);
    sendEverything(end);
    expect(end.sent).toEqual([]);
    expect(end.drops()).toEqual({ noSa: 3 });
    expect(end.forwarder.counters().sas).toEqual([]);
    carry(peer, end);
    end.wait(500);
    expect(end.drops()).toEqual({ noSa: 3, unknownSpi: 1 });
  });

  it('sends nothing under the policy of another socket, nor without a bearer', () => {
    const [end] = protectedPair();
    const other = { id: 8, purpose: 'protected-l2tp', family: 4, address: '0.0.0.0', port: 1701, mark: 0 } as const;
    end.forwarder.table.addSocket(other);
    end.forwarder.sendDatagram(8, end.l2tpPath(1), CONTROL, 0);
    const { bearer: _, ...path } = end.l2tpPath(1);
    end.control(path, CONTROL);
    end.session(1, path, '10.99.0.2');
    end.packet(PACKET);
    expect(end.sent).toEqual([]);
    expect(end.drops()).toEqual({ noSa: 3 });
  });

  it('has no way out by a socket in clear when a path with a bearer goes to one by mistake', () => {
    const [end] = protectedPair();
    const clear = { id: 9, purpose: 'l2tp', family: 4, address: '0.0.0.0', port: 1701, mark: 0 } as const;
    end.forwarder.table.addSocket(clear);
    end.forwarder.sendDatagram(9, end.l2tpPath(1), CONTROL, 0);
    end.session(1, end.l2tpPath(1), '10.99.0.2', { socket: 9 });
    end.packet(PACKET);
    expect(end.sent).toEqual([]);
    expect(end.drops()).toEqual({ noSa: 2 });
  });

  it('sends nothing that the selectors of its pair do not allow, nor after the end of its life', () => {
    const [end] = protectedPair();
    end.putSa(end.sa(1, 1, { remoteSelectors: [{ ...PORT_1701, firstAddress: RIGHT, lastAddress: RIGHT }] }));
    end.control(end.l2tpPath(1, 40_000), CONTROL);
    expect(end.sent).toEqual([]);
    expect(end.policyDrops(1)).toEqual({ selectors: 1 });
    end.putSa(end.sa(1, 1, { lifetimes: { packets: { soft: 1, hard: 1 } } }));
    end.control(end.l2tpPath(1), CONTROL);
    expect(end.taken()).toHaveLength(1);
    end.control(end.l2tpPath(1), CONTROL);
    expect(end.sent).toEqual([]);
    expect(end.saDrops(1)).toEqual({ expired: 1 });
  });

  it('sends nothing when its cipher breaks: the pair is given up, and the engine lives', () => {
    const [end] = protectedPair();
    const pair = end.forwarder.sas.pair(1);
    if (pair === undefined) throw new Error('there is no pair');
    pair.outbound.close();
    end.control(end.l2tpPath(1), CONTROL);
    end.control(end.l2tpPath(1), CONTROL);
    expect(end.sent).toEqual([]);
    expect(end.events).toEqual([{ kind: 'sa-lifetime', sa: 1, limit: 'hard', unit: 'packets' }]);
    expect(end.policyDrops(1)).toEqual({ noSa: 1 });
  });

  it('is closed with its sessions', () => {
    const [end] = protectedPair();
    end.session(1, end.l2tpPath(1), '10.99.0.2');
    end.forwarder.table.removeSocket(L2TP);
    sendEverything(end);
    expect(end.sent).toEqual([]);
  });
});

const PORT_1701 = { protocol: 17, firstPort: 1701, lastPort: 1701 };
