/** Packets that are here before their SA: the peer may send as soon as it has answered. */
import { describe, expect, it } from 'vitest';
import { carry, EspEnd, LEFT, PORT_4500, protectedPair, RIGHT } from './esp-bench.ts';

const CONTROL = Uint8Array.from([0xc8, 0x02, 0, 12, 0, 10, 0, 0, 0, 0, 0, 0]);

/** The left end sends `count` messages by the pair 2, which the right end does not have yet. */
function sendEarly(left: EspEnd, count: number): void {
  left.putSa(left.sa(2, 1));
  left.protect(1, 2);
  for (let sent = 0; sent < count; sent++) left.control(left.l2tpPath(1), CONTROL);
}

/** ESP of an SPI that nobody will ever have. */
const lost = (spi: number): Uint8Array => Uint8Array.from([0, 0, 0x77, spi, 0, 0, 0, 1, 9, 9]);

describe('packets that are here before their SA', () => {
  it('wait for it, and are received in their order when it comes; the hint goes out all the same', () => {
    const [left, right] = protectedPair();
    sendEarly(left, 3);
    carry(left, right);
    expect(right.kinds()).toEqual(['unknown-spi', 'unknown-spi', 'unknown-spi']);
    right.wait(499);
    right.putSa(right.sa(2, 1));
    expect(right.saCounters(2)).toMatchObject({ packetsReceived: 3, drops: {} });
    expect(right.kinds().slice(3)).toEqual(['sa-received', 'datagram', 'datagram', 'datagram']);
    right.wait(1000);
    expect(right.drops()).toEqual({});
    expect(right.forwarder.nextDeadline()).toBeUndefined();
  });

  it('are received once, however often the pair is programmed', () => {
    const [left, right] = protectedPair();
    sendEarly(left, 1);
    carry(left, right);
    for (let times = 0; times < 2; times++) right.putSa(right.sa(2, 1));
    expect(right.saCounters(2)).toMatchObject({ packetsReceived: 1, drops: {} });
  });

  it('are judged as any other: what is not authentic, or comes twice, is refused', () => {
    const [left, right] = protectedPair();
    sendEarly(left, 1);
    const [sent] = left.taken();
    const bytes = sent?.bytes ?? new Uint8Array();
    const forged = bytes.slice();
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    for (const packet of [forged, bytes, bytes]) right.receive(packet);
    right.putSa(right.sa(2, 1));
    expect(right.saCounters(2)).toMatchObject({ packetsReceived: 1, drops: { notAuthentic: 1, replayed: 1 } });
  });

  it('wait so long and no longer', () => {
    const [left, right] = protectedPair();
    sendEarly(left, 1);
    carry(left, right);
    expect(right.forwarder.nextDeadline()).toBe(500);
    right.wait(500);
    expect(right.drops()).toEqual({ unknownSpi: 1 });
    right.putSa(right.sa(2, 1));
    expect(right.saCounters(2)).toMatchObject({ packetsReceived: 0 });
  });

  it('come with the first SA, too, of which nobody is known', () => {
    const left = new EspEnd(LEFT, RIGHT);
    const right = new EspEnd(RIGHT, LEFT);
    for (const end of [left, right]) end.protect(1);
    sendEarly(left, 1);
    carry(left, right);
    right.putSa(right.sa(2, 1));
    expect(right.saCounters(2)).toMatchObject({ packetsReceived: 1 });
  });

  it('have a bound for each peer, for all, and for strangers, whose packets take nobody else his room', () => {
    const [left, right] = protectedPair();
    for (let count = 0; count < 300; count++) right.receive(lost(1), { remoteAddress: '203.0.113.66' });
    expect(right.drops()).toEqual({ unknownSpi: 300 - 16 });
    for (let count = 0; count < 100; count++) right.receive(lost(2));
    expect(right.drops()).toEqual({ unknownSpi: 300 - 16 + 100 - 64 });
    for (let peer = 0; peer < 10; peer++) {
      const path = {
        remote: { address: `198.51.100.${100 + peer}`, port: 4500 },
        local: { address: RIGHT, port: 4500 },
      };
      right.putSa(right.sa(10 + peer, 1, { path }));
    }
    sendEarly(left, 1);
    const [early] = left.taken();
    right.receive(early?.bytes ?? new Uint8Array(), { remoteAddress: '198.51.100.100' });
    right.putSa(right.sa(2, 1));
    expect(right.saCounters(2)).toMatchObject({ packetsReceived: 1 });
    const before = right.drops()['unknownSpi'] ?? 0;
    for (let peer = 0; peer < 10; peer++)
      for (let count = 0; count < 64; count++) right.receive(lost(3), { remoteAddress: `198.51.100.${100 + peer}` });
    expect(right.drops()).toEqual({ unknownSpi: before + 640 - (256 - 64) });
    right.wait(500);
    right.receive(lost(4), { remoteAddress: '203.0.113.66' });
    expect(right.drops()).toEqual({ unknownSpi: 300 + 100 + 640 });
  });

  it('do not wait when they are longer than any link takes', () => {
    const [, right] = protectedPair();
    right.receive(Uint8Array.from([...lost(1), ...new Uint8Array(9300)]), {}, PORT_4500);
    expect(right.drops()).toEqual({ unknownSpi: 1 });
  });
});
