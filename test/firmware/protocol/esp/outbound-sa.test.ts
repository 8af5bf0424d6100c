import { describe, expect, it } from 'vitest';
import type { EspCipher } from '../../../../firmware/protocol/esp/cipher.ts';
import { OutboundSa } from '../../../../firmware/protocol/esp/outbound-sa.ts';
import { espSequence } from '../../../../firmware/protocol/esp/packet.ts';
import type { SealedPacket } from '../../../../firmware/protocol/esp/sending-sa.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { CBC, cipherOf, GCM, open, pair, SPI, seal } from './harness.ts';

const TWO_32 = 2 ** 32;

function ivOf(packet: Uint8Array, octets: number): string {
  return Buffer.from(packet.subarray(8, 8 + octets)).toString('hex');
}

function settings(cipher: EspCipher) {
  return { spi: SPI, cipher, random: new SeededRandom(1), extendedSequenceNumbers: false, lifetimes: {} };
}

describe('an outbound SA', () => {
  it('numbers its packets from 1', () => {
    const { outbound } = pair();
    const numbers = [1, 2, 3].map(() => espSequence(seal(outbound, new Uint8Array(5)), 0));
    expect(numbers).toEqual([1, 2, 3]);
    expect(outbound.sequence).toBe(3);
  });

  it('takes the sequence number as IV in counter modes, both halves of it', () => {
    const { outbound } = pair(GCM, { extendedSequenceNumbers: true, lastSequence: 5 * TWO_32 - 2 });
    const ivs = [1, 2, 3].map(() => ivOf(seal(outbound, new Uint8Array(5)), 8));
    expect(ivs).toEqual(['00000004ffffffff', '0000000500000000', '0000000500000001']);
  });

  it('draws a random IV for every packet in CBC, never the same', () => {
    const { outbound } = pair(CBC);
    const ivs = new Set(Array.from({ length: 1000 }, () => ivOf(seal(outbound, new Uint8Array(5)), 16)));
    expect(ivs.size).toBe(1000);
  });

  it('stops for good before 32-bit sequence numbers wrap', () => {
    const { outbound, inbound } = pair(GCM, { lastSequence: TWO_32 - 3 });
    expect(open(inbound, seal(outbound, new Uint8Array(5)))).toHaveProperty('payload');
    expect(espSequence(seal(outbound, new Uint8Array(5)), 0)).toBe(TWO_32 - 1);
    const events = [outbound.lifetime.poll(), outbound.lifetime.poll(), outbound.lifetime.poll()];
    expect(events).toEqual([
      { kind: 'lifetime-soft', unit: 'sequence' },
      { kind: 'lifetime-hard', unit: 'sequence' },
      undefined,
    ]);
    for (let i = 0; i < 3; i++) expect(() => seal(outbound, new Uint8Array(5))).toThrow('expired');
    expect(outbound.sequence).toBe(TWO_32 - 1);
    expect(outbound.refusals.expired).toBe(3);
  });

  it('carries extended sequence numbers over the wrap of the low half, and the other end follows', () => {
    for (const suite of [GCM, CBC]) {
      const { outbound, inbound } = pair(suite, { extendedSequenceNumbers: true, lastSequence: TWO_32 / 2 });
      expect(open(inbound, seal(outbound, new Uint8Array(5)))).toHaveProperty('payload');
      const later = pair(suite, { extendedSequenceNumbers: true, lastSequence: TWO_32 - 100 }).outbound;
      const late = seal(later, Uint8Array.of(1));
      for (let i = 0; i < 200; i++) {
        const packet = seal(later, Uint8Array.of(i));
        expect(open(inbound, packet), `packet ${i}`).toHaveProperty('payload', Uint8Array.of(i));
        expect(open(inbound, packet)).toBe('replayed');
      }
      expect(inbound.sequence).toBe(TWO_32 + 101);
      expect(open(inbound, late)).toHaveProperty('payload', Uint8Array.of(1));
    }
  });

  it('asks for its successor when a sixteenth of the sequence numbers is left', () => {
    const { outbound } = pair(GCM, { lastSequence: Math.floor(((TWO_32 - 1) * 15) / 16) - 2 });
    seal(outbound, new Uint8Array(5));
    expect(outbound.lifetime.poll()).toBeUndefined();
    seal(outbound, new Uint8Array(5));
    expect(outbound.lifetime.poll()).toEqual({ kind: 'lifetime-soft', unit: 'sequence' });
  });

  it('does not use a number again when its cipher failed', () => {
    const working = cipherOf(GCM, 'seal');
    let fails = true;
    const cipher: EspCipher = {
      ivOctets: 8,
      icvOctets: 16,
      blockOctets: 1,
      iv: 'counter',
      seal: (...packet) => {
        if (fails) throw new Error('broken');
        working.seal(...packet);
      },
      open: () => false,
      close: () => working.close(),
    };
    const outbound = new OutboundSa(settings(cipher), 0);
    expect(() => seal(outbound, new Uint8Array(5))).toThrow('broken');
    fails = false;
    expect(ivOf(seal(outbound, new Uint8Array(5)), 8)).toBe('0000000000000002');
  });

  it('refuses and counts what does not fit around the payload or into an IP packet, using no number', () => {
    const { outbound } = pair();
    const into: SealedPacket = { offset: 0, length: 0 };
    const room = new Uint8Array(70_000);
    expect(outbound.seal(room, outbound.headroom - 1, 10, 17, 0, into)).toBe('noRoom');
    expect(outbound.seal(room.subarray(0, 44), 16, 10, 17, 0, into)).toBe('sealed');
    expect(outbound.seal(room.subarray(0, 43), 16, 10, 17, 0, into)).toBe('noRoom');
    expect(outbound.seal(room, 16, 65_535, 17, 0, into)).toBe('noRoom');
    expect(outbound.seal(room, 16, -1, 17, 0, into)).toBe('noRoom');
    expect(outbound.refusals.noRoom).toBe(4);
    expect(outbound.sequence).toBe(1);
  });

  it('is not made of an SPI, a counter or a cipher that makes no sense', () => {
    const cipher = cipherOf(GCM, 'seal');
    for (const spi of [0, -1, 1.5, TWO_32]) expect(() => new OutboundSa({ ...settings(cipher), spi }, 0)).toThrow();
    for (const lastSequence of [-1, 0.5, TWO_32 - 1, Number.NaN]) {
      expect(() => new OutboundSa({ ...settings(cipher), lastSequence }, 0)).toThrow('no sequence number');
    }
    const wide: EspCipher = { ...cipher, ivOctets: 16, iv: 'counter', seal() {}, open: () => false, close() {} };
    expect(() => new OutboundSa(settings(wide), 0)).toThrow('does not fit');
  });
});
