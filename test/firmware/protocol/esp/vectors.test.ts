import { createCipheriv, createDecipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { EspCipher } from '../../../../firmware/protocol/esp/cipher.ts';
import { InboundSa } from '../../../../firmware/protocol/esp/inbound-sa.ts';
import { OutboundSa } from '../../../../firmware/protocol/esp/outbound-sa.ts';
import type { OpenedPacket } from '../../../../firmware/protocol/esp/receiving-sa.ts';
import { ANYWHERE, cipherOf, OUTER, octets } from './harness.ts';

/** Octets of the outer IPv4 header, which the kernel writes and takes off. */
const OUTER_HEADER = 20;
const ICMP = 1;
const IPV4 = 4;

/** AES-128-CBC without an ICV, as in the samples of RFC 3602. */
function bareCbc(key: Uint8Array): EspCipher {
  const text = (bytes: Uint8Array, at: number, length: number) => bytes.subarray(at + 24, at + length);
  const iv = (bytes: Uint8Array, at: number) => bytes.slice(at + 8, at + 24);
  return {
    ivOctets: 16,
    icvOctets: 0,
    blockOctets: 16,
    iv: 'random',
    seal(bytes, at, length) {
      const cipher = createCipheriv('aes-128-cbc', key, iv(bytes, at)).setAutoPadding(false);
      bytes.set(cipher.update(text(bytes, at, length)), at + 24);
    },
    open(bytes, at, length) {
      const cipher = createDecipheriv('aes-128-cbc', key, iv(bytes, at)).setAutoPadding(false);
      bytes.set(cipher.update(text(bytes, at, length)), at + 24);
      return true;
    },
    close() {},
  };
}

const PING = `08090a0b 0c0d0e0f 10111213 14151617 18191a1b 1c1d1e1f 20212223 24252627 28292a2b 2c2d2e2f 30313233 34353637`;

/** RFC 3602 section 4, cases 5 to 8. */
const SAMPLES = [
  {
    name: 'case 5, transport mode',
    mode: 'transport',
    key: '90d382b410eeba7ad938c46cec1a82bf',
    spi: 0x4321,
    sequence: 1,
    plain: `45000054 08f20000 4001f9fe c0a87b03 c0a87b64 08000ebd a70a0000 8e9c083d b95b0700 ${PING}`,
    iv: 'e96e8c08 ab465763 fd098d45 dd3ff893',
    sealed: `4500007c 08f20000 4032f9a5 c0a87b03 c0a87b64 00004321 00000001 e96e8c08 ab465763 fd098d45 dd3ff893
      f663c25d 325c18c6 a9453e19 4e120849 a4870b66 cc6b9965 330013b4 898dc856
      a4699e52 3a55db08 0b59ec3a 8e4b7e52 775b07d1 db34ed9c 538ab50c 551b874a a269add0 47ad2d59 13ac19b7 cfbad4a6`,
  },
  {
    name: 'case 6, transport mode',
    mode: 'transport',
    key: '90d382b410eeba7ad938c46cec1a82bf',
    spi: 0x4321,
    sequence: 8,
    plain: `45000030 08fe0000 4001fa16 c0a87b03 c0a87b64 0800b5e8 a80a0500 a69c083d 0b660e00 77777777 77777777 77777777`,
    iv: '69d08df7 d203329d b093fc49 24e5bd80',
    sealed: `4500004c 08fe0000 4032f9c9 c0a87b03 c0a87b64 00004321 00000008 69d08df7 d203329d b093fc49 24e5bd80
      f5199588 1ec4e0c4 488987ce 742e8109 689bb379 d2d750c0 d915dca3 46a89f75`,
  },
  {
    name: 'case 7, tunnel mode',
    mode: 'tunnel',
    key: '0123456789abcdef0123456789abcdef',
    spi: 0x8765,
    sequence: 2,
    plain: `45000054 09040000 4001f988 c0a87b03 c0a87bc8 08009f76 a90a0100 b49c083d 02a20400 ${PING}`,
    iv: 'f4e76524 4f6407ad f13dc138 0f673f37',
    sealed: `4500008c 09050000 4032f91e c0a87b03 c0a87bc8 00008765 00000002 f4e76524 4f6407ad f13dc138 0f673f37
      773b5241 a4c44922 5e4f3ce5 ed611b0c 237ca96c f74a9301 3c1b0ea1 a0cf70f8
      e4ecaec7 8ac53aad 7a0f022b 859243c6 47752e94 a859352b 8a4d4d2d ecd136e5
      c177f132 ad3fbfb2 201ac990 4c74ee0a 109e0ca1 e4dfe9d5 a100b842 f1c22f0d`,
  },
  {
    name: 'case 8, tunnel mode',
    mode: 'tunnel',
    key: '0123456789abcdef0123456789abcdef',
    spi: 0x8765,
    sequence: 5,
    plain: `45000044 090c0000 4001f990 c0a87b03 c0a87bc8 0800d63c aa0a0200 c69c083d a3de0300
      ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff`,
    iv: '85d47224 b5f3dd5d 2101d4ea 8dffab22',
    sealed: `4500007c 090d0000 4032f926 c0a87b03 c0a87bc8 00008765 00000005 85d47224 b5f3dd5d 2101d4ea 8dffab22
      15b92683 819596a8 047232cc 00f7048f e45318e1 1f8a0f62 ede3c3fc 61203bb5
      0f980a08 c9843fd3 a1b06d5c 07ff9639 b7eb7dfb 3512e5de 435e7207 ed971ef3 d2726d9b 5ef6affc 6d17a0de cbb13892`,
  },
] as const;

const EVERYTHING = { localSelectors: [ANYWHERE], remoteSelectors: [ANYWHERE], lifetimes: {} };

describe('the samples of RFC 3602', () => {
  for (const sample of SAMPLES) {
    const tunnel = sample.mode === 'tunnel';
    const sealed = octets(sample.sealed).subarray(OUTER_HEADER);
    // In transport mode the header of the plain packet is the outer one.
    const plain = octets(sample.plain).subarray(tunnel ? 0 : OUTER_HEADER);
    const nextHeader = tunnel ? IPV4 : ICMP;

    it(`are made octet for octet: ${sample.name}`, () => {
      // The IVs of the samples are handed in as if they had been drawn.
      const random = {
        bytes: (length: number) => new Uint8Array(length).map((_, i) => octets(sample.iv)[i % 16] ?? 0),
      };
      const outbound = new OutboundSa(
        {
          spi: sample.spi,
          cipher: bareCbc(octets(sample.key)),
          random,
          extendedSequenceNumbers: false,
          lifetimes: {},
          lastSequence: sample.sequence - 1,
        },
        0,
      );
      const bytes = new Uint8Array(300);
      bytes.set(plain, 100);
      const into = { offset: 0, length: 0 };
      expect(outbound.seal(bytes, 100, plain.length, nextHeader, 0, into)).toBe('sealed');
      const made = bytes.slice(into.offset, into.offset + into.length);
      expect(Buffer.from(made).toString('hex')).toBe(Buffer.from(sealed).toString('hex'));
    });

    it(`are understood: ${sample.name}`, () => {
      const settings = { spi: sample.spi, cipher: bareCbc(octets(sample.key)), extendedSequenceNumbers: false };
      const inbound = new InboundSa({ ...settings, ...EVERYTHING, mode: sample.mode }, 0);
      const bytes = sealed.slice();
      const into: OpenedPacket = { offset: 0, length: 0, nextHeader: 0 };
      expect(inbound.open(bytes, 0, bytes.length, OUTER, 0, into)).toBe('deliver');
      expect(into.nextHeader).toBe(nextHeader);
      const opened = bytes.slice(into.offset, into.offset + into.length);
      expect(Buffer.from(opened).toString('hex')).toBe(Buffer.from(plain).toString('hex'));
    });
  }
});

describe('the example of RFC 7634', () => {
  const KEY = octets('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f a0a1a2a3');
  const PACKET = octets(`
    45 00 00 8c 23 45 00 00 40 32 de 5b cb 00 71 99 cb 00 71 05 01 02 03 04 00 00 00 05 10 11 12 13
    14 15 16 17 24 03 94 28 b9 7f 41 7e 3c 13 75 3a 4f 05 08 7b 67 c3 52 e6 a7 fa b1 b9 82 d4 66 ef
    40 7a e5 c6 14 ee 80 99 d5 28 44 eb 61 aa 95 df ab 4c 02 f7 2a a7 1e 7c 4c 4f 64 c9 be fe 2f ac
    c6 38 e8 f3 cb ec 16 3f ac 46 9b 50 27 73 f6 fb 94 e6 64 da 91 65 b8 28 29 f6 41 e0 76 aa a8 26
    6b 7f b0 f7 b1 1b 36 99 07 e1 ad 43`);

  it('is opened by an SA in tunnel mode, once', () => {
    const cipher = cipherOf({ encryption: 'chacha20poly1305', encryptionKey: KEY }, 'open');
    const settings = { spi: 0x01020304, cipher, extendedSequenceNumbers: false };
    const inbound = new InboundSa({ ...settings, ...EVERYTHING, mode: 'tunnel' }, 0);
    const bytes = PACKET.slice();
    const length = bytes.length - OUTER_HEADER;
    const into: OpenedPacket = { offset: 0, length: 0, nextHeader: 0 };
    expect(inbound.open(bytes, OUTER_HEADER, length, OUTER, 0, into)).toBe('deliver');
    expect(into).toEqual({ offset: 36, length: 84, nextHeader: 4 });
    expect(Buffer.from(bytes.subarray(36, 56)).toString('hex')).toBe('45000054a6f200004001e778c6336405c0000205');
    expect(inbound.sequence).toBe(5);
    expect(inbound.open(PACKET.slice(), OUTER_HEADER, length, OUTER, 0, into)).toBe('replayed');
  });
});
