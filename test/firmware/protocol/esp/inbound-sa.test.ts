import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EspCipher } from '../../../../firmware/protocol/esp/cipher.ts';
import { InboundSa } from '../../../../firmware/protocol/esp/inbound-sa.ts';
import { putEspHeader } from '../../../../firmware/protocol/esp/packet.ts';
import { INBOUND_REFUSALS } from '../../../../firmware/protocol/esp/receiving-sa.ts';
import { CE, ECT_0, NOT_ECT } from '../../../../firmware/protocol/esp/traffic-class.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import {
  ANYWHERE,
  CBC,
  checksum,
  cipherOf,
  GCM,
  ipv4Packet,
  ipv6Packet,
  LOCAL,
  OUTER,
  octets,
  open,
  pair,
  REMOTE,
  SPI,
  seal,
  selector,
  udp,
} from './harness.ts';

const PAYLOAD = udp(REMOTE, LOCAL, 1701, 1701, octets('c802'));
const TUNNEL = { mode: 'tunnel' } as const;

/** A packet whose text is chosen octet by octet. */
function sealText(text: Uint8Array, sequence: number): Uint8Array {
  const cipher = cipherOf(GCM, 'seal');
  const packet = new Uint8Array(16 + text.length + 16);
  putEspHeader(packet, 0, SPI, sequence);
  packet.set(text, 16);
  cipher.seal(packet, 0, packet.length, -1);
  cipher.close();
  return packet;
}

describe('an inbound SA', () => {
  it('delivers what was sealed, out of order too, each packet once', () => {
    const { outbound, inbound } = pair();
    const packets = Array.from({ length: 40 }, (_, i) => seal(outbound, Uint8Array.of(i)));
    const shuffled = packets.map((packet, i) => ({ packet, i })).sort((a, b) => ((a.i * 17) % 40) - ((b.i * 17) % 40));
    for (const { packet, i } of shuffled) expect(open(inbound, packet)).toHaveProperty('payload', Uint8Array.of(i));
    for (const { packet } of shuffled) expect(open(inbound, packet)).toBe('replayed');
    expect(inbound.refusals.replayed).toBe(40);
    expect(inbound.lifetime.packets).toBe(40);
  });

  it('looks at the replay window first, at the ICV next, and moves the window last', () => {
    const { outbound } = pair();
    const calls: string[] = [];
    const real = cipherOf(GCM, 'open');
    const cipher: EspCipher = {
      ivOctets: 8,
      icvOctets: 16,
      blockOctets: 1,
      iv: 'counter',
      seal() {},
      open: (...packet) => {
        calls.push('icv');
        return real.open(...packet);
      },
      close: () => real.close(),
    };
    const common = { spi: SPI, extendedSequenceNumbers: false, lifetimes: {}, replayWindow: 32 };
    const ends = { localSelectors: [ANYWHERE], remoteSelectors: [ANYWHERE] };
    const inbound = new InboundSa({ ...common, ...ends, cipher, mode: 'transport' }, 0);
    const [first, second] = [seal(outbound, PAYLOAD), seal(outbound, PAYLOAD)];
    expect(open(inbound, first)).toHaveProperty('payload');
    expect(calls).toEqual(['icv']);
    expect(open(inbound, first)).toBe('replayed');
    expect(calls).toEqual(['icv']);

    // A forgery far ahead: were the window moved by it, everything honest would be too old.
    const forged = second.slice();
    putEspHeader(forged, 0, SPI, 1_000_000);
    expect(open(inbound, forged)).toBe('notAuthentic');
    expect(inbound.sequence).toBe(1);
    expect(open(inbound, second)).toHaveProperty('payload');

    for (let i = 0; i < 31; i++) expect(open(inbound, seal(outbound, PAYLOAD))).toHaveProperty('payload');
    calls.length = 0;
    expect(open(inbound, first)).toBe('tooOld');
    expect(calls).toEqual([]);
  });

  it('refuses another SPI, and a packet of a length that its cipher never makes', () => {
    const { outbound, inbound } = pair(CBC);
    const packet = seal(outbound, PAYLOAD);
    const other = packet.slice();
    putEspHeader(other, 0, SPI + 1, 1);
    expect(open(inbound, other)).toBe('wrongSpi');
    for (let length = 0; length < packet.length; length++) {
      const verdict = open(inbound, packet.subarray(0, length));
      expect(['tooShort', 'notAuthentic'], `${length} octets`).toContain(verdict);
    }
    expect(open(inbound, packet)).toHaveProperty('payload', PAYLOAD);
  });

  it('never throws and never delivers, whatever a stranger sends', () => {
    const { inbound } = pair(CBC, TUNNEL);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, ours) => {
        if (ours && bytes.length >= 8) putEspHeader(bytes, 0, SPI, bytes[7] ?? 0);
        expect(INBOUND_REFUSALS).toContain(open(inbound, bytes));
      }),
      { numRuns: 500 },
    );
    expect(inbound.sequence).toBe(0);
  });

  it('never throws either when an authentic packet is nonsense inside', () => {
    const { inbound } = pair(GCM, TUNNEL);
    let sequence = 0;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 120 }), fc.constantFrom(4, 41, 17, 59), (text, next) => {
        text[text.length - 1] = next;
        // Half of them look like IP at first sight.
        if (text.length > 40 && (text[1] ?? 0) < 128) text[0] = next === 4 ? 0x45 : 0x60;
        sequence += 1;
        open(inbound, sealText(text, sequence));
      }),
      { numRuns: 1000 },
    );
    expect(inbound.refusals.notAuthentic).toBe(0);
    expect(inbound.refusals.padding).toBeGreaterThan(0);
    expect(inbound.refusals.malformed).toBeGreaterThan(0);
    expect(inbound.refusals.wrongMode).toBeGreaterThan(0);
  });

  it('takes padding that is not 1, 2, 3 ..., and text that is not aligned to 4 octets', () => {
    const { inbound } = pair();
    expect(open(inbound, sealText(octets('0a0b ff00ff 03 11'), 1))).toEqual({
      payload: octets('0a0b'),
      nextHeader: 17,
    });
  });

  it('throws dummy packets away, but notes their numbers', () => {
    const { outbound, inbound } = pair();
    const dummy = seal(outbound, new Uint8Array(100), 59);
    expect(open(inbound, dummy)).toBe('dummy');
    expect(open(inbound, dummy)).toBe('replayed');
    expect(inbound.dummies).toBe(1);
  });

  it('carries nothing after its life, and counts in it only what was authentic', () => {
    const limits = { packets: { soft: 2, hard: 3 }, seconds: { soft: 10, hard: 20 } };
    const { outbound, inbound } = pair(GCM, { lifetimes: limits });
    const packet = seal(outbound, PAYLOAD);
    const bad = packet.slice();
    bad[20] = (bad[20] ?? 0) ^ 1;
    for (let i = 0; i < 5; i++) expect(open(inbound, bad)).toBe('notAuthentic');
    expect(open(inbound, packet)).toHaveProperty('payload');
    for (let i = 0; i < 5; i++) expect(open(inbound, packet)).toBe('replayed');
    expect(inbound.lifetime.packets).toBe(1);
    expect(open(inbound, seal(outbound, PAYLOAD))).toHaveProperty('payload');
    expect(open(inbound, seal(outbound, PAYLOAD))).toHaveProperty('payload');
    expect(open(inbound, seal(outbound, PAYLOAD))).toBe('expired');
    expect(inbound.lifetime.poll()).toEqual({ kind: 'lifetime-soft', unit: 'packets' });
    expect(inbound.lifetime.poll()).toEqual({ kind: 'lifetime-hard', unit: 'packets' });

    const aged = pair(GCM, { lifetimes: limits });
    expect(open(aged.inbound, seal(aged.outbound, PAYLOAD), { now: 20_000 })).toBe('expired');
    expect(aged.inbound.refusals.expired).toBe(1);
    // It was not even looked at.
    expect(aged.inbound.sequence).toBe(0);
  });

  it('is not made of an SPI or a window that makes no sense', () => {
    for (const spi of [0, 255, 1.5, 2 ** 32]) expect(() => pair(GCM, { spi })).toThrow('SPI');
    expect(() => pair(GCM, { replayWindow: 100 })).toThrow('replay window');
  });
});

describe('the selectors of an inbound SA in transport mode', () => {
  const l2tp = { protocol: 17, firstPort: 1701, lastPort: 1701 };
  const settings = {
    localSelectors: [selector(LOCAL, LOCAL, l2tp)],
    remoteSelectors: [selector(REMOTE, REMOTE, { protocol: 17 })],
  };

  it('let pass what IKE agreed on, and nothing else', () => {
    const { outbound, inbound } = pair(GCM, settings);
    const send = (ports: readonly [number, number], next = 17): unknown =>
      open(inbound, seal(outbound, udp(REMOTE, LOCAL, ports[0], ports[1], octets('00')), next));
    expect(send([1701, 1701])).toHaveProperty('nextHeader', 17);
    expect(send([40_000, 1701])).toHaveProperty('nextHeader', 17);
    expect(send([1701, 1702])).toBe('selectors');
    expect(send([1701, 1701], 6)).toBe('selectors');
    expect(send([1701, 1701], 4)).toBe('selectors');
    expect(inbound.refusals.selectors).toBe(3);
  });

  it('refuse a payload that is too short to have ports, and other addresses', () => {
    const { outbound, inbound } = pair(GCM, settings);
    expect(open(inbound, seal(outbound, octets('06a506')))).toBe('selectors');
    const outer = { local: octets('c0000203'), remote: octets('c6336402'), trafficClass: 0 };
    expect(open(inbound, seal(outbound, PAYLOAD), { outer })).toBe('selectors');
  });
});

describe('the selectors of an inbound SA in tunnel mode', () => {
  const settings = {
    ...TUNNEL,
    localSelectors: [selector('10.1.0.0', '10.1.255.255')],
    remoteSelectors: [selector('10.2.0.0', '10.2.255.255')],
  };

  it('hold the inner addresses, not the outer ones, against what IKE agreed on', () => {
    const { outbound, inbound } = pair(GCM, settings);
    const send = (source: string, destination: string): unknown =>
      open(inbound, seal(outbound, ipv4Packet(source, destination, 17, PAYLOAD), 4));
    expect(send('10.2.3.4', '10.1.2.3')).toHaveProperty('nextHeader', 4);
    expect(send('10.3.0.0', '10.1.2.3')).toBe('selectors');
    expect(send('10.2.3.4', '10.0.255.255')).toBe('selectors');
    expect(send('10.1.2.3', '10.2.3.4')).toBe('selectors');
    expect(send(REMOTE, LOCAL)).toBe('selectors');
  });

  it('hold the ports of either side against what was agreed on for that side', () => {
    const dns = { protocol: 17, firstPort: 53, lastPort: 53 };
    const anywhere = { remoteSelectors: [ANYWHERE], localSelectors: [selector('0.0.0.0', '255.255.255.255', dns)] };
    const { outbound, inbound } = pair(GCM, { ...TUNNEL, ...anywhere });
    const send = (from: number, to: number): unknown =>
      open(inbound, seal(outbound, ipv4Packet(REMOTE, LOCAL, 17, udp(REMOTE, LOCAL, from, to, octets(''))), 4));
    expect(send(5353, 53)).toHaveProperty('nextHeader', 4);
    expect(send(53, 5353)).toBe('selectors');
  });

  it('are for one address family', () => {
    const { outbound, inbound } = pair(GCM, { ...TUNNEL, localSelectors: [ANYWHERE], remoteSelectors: [ANYWHERE] });
    expect(open(inbound, seal(outbound, ipv6Packet('2001:db8::1', '2001:db8::2', 17, PAYLOAD), 41))).toBe('selectors');
  });

  it('give out the inner packet without what was put behind it to hide its length', () => {
    const { outbound, inbound } = pair(GCM, settings);
    const packet = ipv4Packet('10.2.0.1', '10.1.0.1', 17, PAYLOAD);
    const padded = Buffer.concat([packet, new SeededRandom(4).bytes(50)]);
    expect(open(inbound, seal(outbound, padded, 4))).toEqual({ payload: packet, nextHeader: 4 });
  });

  it('refuse what is no IP packet, or not of the version that Next Header says', () => {
    const { outbound, inbound } = pair(GCM, settings);
    const packet = ipv4Packet('10.2.0.1', '10.1.0.1', 17, PAYLOAD);
    expect(open(inbound, seal(outbound, packet, 41))).toBe('malformed');
    expect(open(inbound, seal(outbound, packet.subarray(0, 19), 4))).toBe('malformed');
    expect(open(inbound, seal(outbound, packet.subarray(0, 25), 4))).toBe('malformed');
    expect(open(inbound, seal(outbound, PAYLOAD, 17))).toBe('wrongMode');
  });
});

describe('a congestion mark on the outer header in tunnel mode', () => {
  const carry = (packet: Uint8Array, trafficClass: number, nextHeader = 4) => {
    const { outbound, inbound } = pair(GCM, TUNNEL);
    const opened = open(inbound, seal(outbound, packet, nextHeader), { outer: { ...OUTER, trafficClass } });
    return typeof opened === 'string' ? opened : opened.payload;
  };

  it('is carried inwards, with a right checksum, and leaves the DSCP as it was', () => {
    const inner = ipv4Packet('10.0.0.1', '10.0.0.2', 17, PAYLOAD, { trafficClass: 0xb8 | ECT_0 });
    const marked = carry(inner, CE);
    if (typeof marked === 'string') throw new Error(marked);
    expect(marked[1]).toBe(0xb8 | CE);
    expect(checksum(marked.subarray(0, 20))).toBe(0);
    expect(marked.subarray(20)).toEqual(inner.subarray(20));
    expect(carry(inner, NOT_ECT)).toEqual(inner);
    const inner6 = ipv6Packet('2001:db8::1', '2001:db8::2', 17, PAYLOAD, 0xb8 | ECT_0);
    expect(carry(inner6, CE, 41)).toEqual(ipv6Packet('2001:db8::1', '2001:db8::2', 17, PAYLOAD, 0xb8 | CE));
  });

  it('ends the packet where its sender would not understand it', () => {
    const deaf = ipv4Packet('10.0.0.1', '10.0.0.2', 17, PAYLOAD, { trafficClass: 0xb8 });
    expect(carry(deaf, CE)).toBe('congestion');
    expect(carry(deaf, ECT_0)).toEqual(deaf);
  });
});

describe('an inbound SA that is programmed anew', () => {
  it('keeps its window and counters, and has the new selectors and limits', () => {
    const { outbound, inbound } = pair(GCM, { remoteSelectors: [selector(REMOTE)] });
    const first = seal(outbound, PAYLOAD);
    expect(open(inbound, first)).toHaveProperty('payload');
    inbound.reprogram({
      localSelectors: [ANYWHERE],
      remoteSelectors: [selector('198.51.100.9')],
      lifetimes: { packets: { soft: 2, hard: 2 } },
    });
    expect(open(inbound, first)).toBe('replayed');
    expect(open(inbound, seal(outbound, PAYLOAD))).toBe('selectors');
    expect(inbound.lifetime.poll()).toEqual({ kind: 'lifetime-soft', unit: 'packets' });
    expect(open(inbound, seal(outbound, PAYLOAD))).toBe('expired');
  });

  it('stays as it was when the new selectors make no sense', () => {
    const { outbound, inbound } = pair();
    const bad = { localSelectors: [selector('nowhere')], remoteSelectors: [ANYWHERE], lifetimes: {} };
    expect(() => inbound.reprogram(bad)).toThrow('no IP address');
    expect(open(inbound, seal(outbound, PAYLOAD))).toHaveProperty('payload');
  });
});
