import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AhInboundSa } from '../../../../firmware/protocol/ah/inbound-sa.ts';
import { AhOutboundSa } from '../../../../firmware/protocol/ah/outbound-sa.ts';
import { addressOctets } from '../../../../firmware/protocol/esp/selectors.ts';
import type { SealedPacket } from '../../../../firmware/protocol/esp/sending-sa.ts';
import { PACKET_INTEGRITIES } from '../../../../hal/packet-cipher-suite.ts';
import { PortablePacketCipherFactory } from '../../../../hal/portable/packet-cipher.ts';
import { ANYWHERE, ipv4Packet, octets, selector } from '../esp/harness.ts';
import { ahKey, ahPair, openAh, sealAh } from './harness.ts';

const INNER = ipv4Packet('10.1.0.5', '10.2.0.6', 17, octets('0035d431 000c0000 01020304'));
const TWO_32 = 0x1_0000_0000;

/** Octets of the outer header that a router may change: TOS, flags and fragment offset, TTL, checksum. */
const MUTABLE = [1, 6, 7, 8, 10, 11];

describe('a packet of AH', () => {
  it('is what the RFC says, octet by octet', () => {
    // Section 3.3.3: the outer header with zeros for what is mutable, AH with zeros for the ICV, and the payload.
    const key = octets('0b0b0b0b 0b0b0b0b 0b0b0b0b 0b0b0b0b 0b0b0b0b');
    const inner = octets('45000014 00010000 40fd65f3 0a010005 0a020006');
    const header = '45000040 00020000 00330000 c0000201 c6336402';
    const authenticated = octets(`${header} 04040000 00001001 00000001 000000000000000000000000`);
    const icv = createHmac('sha1', key).update(authenticated).update(inner).digest('hex').slice(0, 24);
    const outbound = new AhOutboundSa(
      {
        spi: 0x1001,
        extendedSequenceNumbers: false,
        lifetimes: {},
        authenticator: new PortablePacketCipherFactory().openAuthenticator({ integrity: 'sha1', integrityKey: key }),
        ends: { local: addressOctets('192.0.2.1'), remote: addressOctets('198.51.100.2') },
      },
      0,
    );
    // What goes out has DF and a TTL; the kernel adds the checksum.
    const sent = octets(`45000040 00024000 40330000 c0000201 c6336402 04040000 00001001 00000001 ${icv}`);
    expect(sealAh(outbound, inner)).toEqual(new Uint8Array([...sent, ...inner]));
  });

  it.each([...PACKET_INTEGRITIES.keys()])('comes back with %s, with either size of sequence numbers', (integrity) => {
    for (const extendedSequenceNumbers of [false, true]) {
      const { outbound, inbound } = ahPair(integrity, { extendedSequenceNumbers });
      for (let count = 0; count < 3; count++) expect(openAh(inbound, sealAh(outbound, INNER))).toEqual(INNER);
      expect(inbound.sequence).toBe(3);
    }
  });

  it('fills 32 bits, of whatever size its ICV is, and tells room exactly', () => {
    for (const [integrity, { icvOctets }] of PACKET_INTEGRITIES) {
      const { outbound } = ahPair(integrity);
      expect(sealAh(outbound, INNER)).toHaveLength(20 + 12 + icvOctets + INNER.length);
      expect(outbound.largestPayload(1480)).toBe(1480 - 12 - icvOctets);
    }
  });

  it('is taken with the padding of IPv6, which the kernel of Linux sends unless told otherwise', () => {
    const { outbound, inbound } = ahPair();
    const [packet, key] = [sealAh(outbound, INNER), ahKey('sha256')];
    const padded = new Uint8Array([...packet.subarray(0, 48), 1, 2, 3, 4, ...INNER]);
    padded[3] = padded.length;
    padded[21] = 32 / 4 - 2;
    const covered = padded.slice();
    for (const at of MUTABLE) covered[at] = 0;
    covered.fill(0, 32, 48);
    padded.set(createHmac('sha256', key).update(covered).digest().subarray(0, 16), 32);
    expect(openAh(inbound, padded)).toEqual(INNER);
  });

  it('is refused with any other size of header', () => {
    for (const words of [0, 3, 4, 6, 7, 255]) {
      const { outbound, inbound } = ahPair();
      const packet = sealAh(outbound, INNER);
      packet[21] = words;
      expect(typeof openAh(inbound, packet)).toBe('string');
      expect(inbound.sequence).toBe(0);
    }
  });

  it('has a new Identification each time, and never zero', () => {
    const { outbound } = ahPair('sha256', { lastSequence: 65_533 });
    const ids = [1, 2, 3, 4].map(() => Buffer.from(sealAh(outbound, INNER)).readUInt16BE(4));
    expect(ids).toEqual([65_535, 1, 2, 3]);
  });
});

describe('tampering', () => {
  it('with any octet is noticed, but with those that routers change', () => {
    const { outbound } = ahPair();
    const packet = sealAh(outbound, INNER);
    for (let at = 0; at < packet.length; at++) {
      const changed = packet.slice();
      // The fragment fields would make a part of it: DF alone.
      changed[at] = (changed[at] ?? 0) ^ (at === 6 ? 0x40 : 0x01);
      const { inbound } = ahPair();
      if (at === 7) continue;
      if (MUTABLE.includes(at)) expect(openAh(inbound, changed), `octet ${at}`).toEqual(INNER);
      else {
        expect(typeof openAh(inbound, changed), `octet ${at}`).toBe('string');
        expect(inbound.sequence).toBe(0);
      }
    }
  });

  it('with an address, as a NAT does, is not authentic', () => {
    const { outbound, inbound } = ahPair();
    const packet = sealAh(outbound, INNER);
    packet.set([203, 0, 113, 9], 12);
    expect(openAh(inbound, packet)).toBe('notAuthentic');
    expect(inbound.refusals.notAuthentic).toBe(1);
  });

  it('is refused and counted with IP options, and of a fragment', () => {
    const { outbound, inbound } = ahPair();
    const packet = sealAh(outbound, INNER);
    const options = packet.slice();
    options[0] = 0x46;
    expect(openAh(inbound, options)).toBe('outerHeader');
    for (const [at, value] of [
      [6, 0x20],
      [7, 0x01],
    ] as const) {
      const fragment = packet.slice();
      fragment[at] = value;
      expect(openAh(inbound, fragment)).toBe('outerHeader');
    }
    expect(inbound.refusals.outerHeader).toBe(3);
    expect(openAh(inbound, packet)).toEqual(INNER);
  });
});

describe('an inbound SA of AH', () => {
  it('takes nothing twice, and nothing older than its window', () => {
    const { outbound, inbound } = ahPair('sha256', { replayWindow: 32 });
    const packets = Array.from({ length: 40 }, () => sealAh(outbound, INNER));
    expect(openAh(inbound, packets[39] ?? INNER)).toEqual(INNER);
    expect(openAh(inbound, packets[39] ?? INNER)).toBe('replayed');
    expect(openAh(inbound, packets[0] ?? INNER)).toBe('tooOld');
    expect(openAh(inbound, packets[20] ?? INNER)).toEqual(INNER);
  });

  it('knows the half of an extended number that is not sent', () => {
    const beginningAt = (lastSequence: number) =>
      ahPair('sha256', { extendedSequenceNumbers: true, lastSequence }).outbound;
    const { inbound } = ahPair('sha256', { extendedSequenceNumbers: true });
    const before = beginningAt(TWO_32 - 2);
    for (const outbound of [beginningAt(TWO_32 / 2), before, before]) {
      expect(openAh(inbound, sealAh(outbound, INNER))).toEqual(INNER);
    }
    expect(inbound.sequence).toBe(TWO_32);
    // The same low half with another high one is another packet.
    expect(openAh(inbound, sealAh(beginningAt(0), INNER))).toBe('notAuthentic');
  });

  it('delivers only what its selectors allow', () => {
    const { outbound, inbound } = ahPair('sha256', { remoteSelectors: [selector('10.9.0.0', '10.9.0.255')] });
    expect(openAh(inbound, sealAh(outbound, INNER))).toBe('selectors');
  });

  it('ends with its lifetime', () => {
    const { outbound, inbound } = ahPair('sha256', { lifetimes: { packets: { soft: 1, hard: 1 } } });
    expect(openAh(inbound, sealAh(outbound, INNER))).toEqual(INNER);
    expect(openAh(inbound, sealAh(outbound, INNER))).toBe('expired');
  });

  it('takes octets of any kind, and delivers none that are not authentic', () => {
    const { inbound } = ahPair();
    const { outbound } = ahPair();
    const good = sealAh(outbound, INNER);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 120 }),
          fc
            .tuple(fc.nat(good.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 }), fc.nat(good.length))
            .map(([at, junk, cut]) => {
              const bytes = good.slice();
              bytes.set(junk.subarray(0, bytes.length - at), at);
              return bytes.subarray(0, cut);
            }),
        ),
        (bytes) => {
          const immutable = (from: Uint8Array) => from.filter((_, at) => !MUTABLE.includes(at));
          const same = Buffer.from(immutable(bytes)).equals(Buffer.from(immutable(good)));
          if (!same) expect(typeof openAh(inbound, bytes)).toBe('string');
        },
      ),
      { numRuns: 2000 },
    );
    expect(inbound.sequence).toBe(0);
    expect(openAh(inbound, good)).toEqual(INNER);
  });
});

describe('an SA of AH', () => {
  it('wants to know both its IPv4 ends', () => {
    const { outbound } = ahPair();
    const local = addressOctets('192.0.2.1');
    expect(() => outbound.moveTo({ local, remote: addressOctets('2001:db8::1') })).toThrow(/IPv4/);
    expect(() => outbound.moveTo({ local: addressOctets('0.0.0.0'), remote: local })).toThrow(/not known/);
    outbound.moveTo({ local, remote: addressOctets('192.0.2.9') });
    expect([...sealAh(outbound, INNER).subarray(12, 20)]).toEqual([192, 0, 2, 1, 192, 0, 2, 9]);
  });

  it('refuses what does not fit its buffer, and keeps its number then', () => {
    const { outbound } = ahPair();
    const into: SealedPacket = { offset: 0, length: 0 };
    expect(outbound.seal(new Uint8Array(100), outbound.headroom - 1, 20, 4, 0, into)).toBe('noRoom');
    expect(outbound.sequence).toBe(0);
  });

  it('is asked for an SPI that may be assigned', () => {
    const { inbound } = ahPair();
    const settings = { extendedSequenceNumbers: false, mode: 'tunnel', lifetimes: {} } as const;
    const selectors = { localSelectors: [ANYWHERE], remoteSelectors: [ANYWHERE] };
    const authenticator = new PortablePacketCipherFactory().openAuthenticator({
      integrity: 'md5',
      integrityKey: new Uint8Array(16),
    });
    expect(inbound.spi).toBeGreaterThan(255);
    expect(() => new AhInboundSa({ ...settings, ...selectors, authenticator, spi: 255 }, 0)).toThrow(/no SPI/);
  });
});
