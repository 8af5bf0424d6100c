import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, DecodeError, EncodeError, hex } from '../../../../../firmware/protocol/bytes.ts';
import {
  cbcDecrypt,
  cbcEncrypt,
  ctrCrypt,
  openAead,
  sealAead,
} from '../../../../../firmware/protocol/ike/crypto/cipher.ts';
import { isCombinedMode, TRANSFORMS } from '../../../../../firmware/protocol/ike/transforms.ts';
import { octets } from '../octets.ts';
import { sealCcm } from './ccm-reference.ts';
import { AES_CBC, AES_CTR, AES_GCM, CHACHA20_POLY1305 } from './cipher-vectors.ts';

const CIPHERS = TRANSFORMS.flatMap((row) => (row.kind === 'encryption' ? [row] : []));
const CBC = CIPHERS.filter((row) => row.mode === 'cbc');
const COMBINED = CIPHERS.filter(isCombinedMode);

const fill = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

describe('CBC', () => {
  it.each(AES_CBC)('encrypts and decrypts as RFC 3602 case $case', ({ key, iv, plaintext, ciphertext }) => {
    expect(hex(cbcEncrypt('aes128', octets(key), octets(iv), octets(plaintext)))).toBe(ciphertext);
    expect(hex(cbcDecrypt('aes128', octets(key), octets(iv), octets(ciphertext)))).toBe(plaintext);
  });

  it('with 3DES gives the example of NIST SP 800-67 appendix B, block by block', () => {
    const key = octets('0123456789abcdef23456789abcdef01456789abcdef0123');
    const examples = [
      ['5468652071756663', 'a826fd8ce53b855f'],
      ['6b2062726f776e20', 'cce21c8112256fe6'],
      ['666f78206a756d70', '68d5c05dd9b6b900'],
    ] as const;
    for (const [plaintext, ciphertext] of examples) {
      expect(hex(cbcEncrypt('3des', key, new Uint8Array(8), octets(plaintext)))).toBe(ciphertext);
    }
  });

  it('chains from message to message when the last block becomes the next IV (RFC 2409 appendix B)', () => {
    for (const { name, keyOctets, ivOctets } of CBC) {
      const key = fill(keyOctets, 3);
      const text = Uint8Array.from({ length: ivOctets * 5 }, (_, i) => i);
      const whole = cbcEncrypt(name, key, fill(ivOctets, 9), text);
      const first = cbcEncrypt(name, key, fill(ivOctets, 9), text.subarray(0, ivOctets * 2));
      const second = cbcEncrypt(name, key, first.subarray(-ivOctets), text.subarray(ivOctets * 2));
      expect(concatBytes(first, second)).toEqual(whole);
    }
  });

  it('refuses a ciphertext that is empty or ends inside a block', () => {
    for (const { name, keyOctets, ivOctets } of CBC) {
      for (const length of [0, 1, ivOctets - 1, ivOctets + 1]) {
        const decrypt = (): Uint8Array => cbcDecrypt(name, fill(keyOctets, 1), fill(ivOctets, 1), fill(length, 1));
        expect(decrypt).toThrow(DecodeError);
      }
      expect(() => cbcEncrypt(name, fill(keyOctets, 1), fill(ivOctets, 1), fill(5, 1))).toThrow(EncodeError);
    }
  });
});

describe('AES-CTR', () => {
  it.each(AES_CTR)('works both ways as RFC 3686 vector $case', ({ name, key, iv, plaintext, ciphertext }) => {
    expect(hex(ctrCrypt(name, octets(key), octets(iv), octets(plaintext)))).toBe(ciphertext);
    expect(hex(ctrCrypt(name, octets(key), octets(iv), octets(ciphertext)))).toBe(plaintext);
  });
});

describe('combined modes', () => {
  it.each(AES_GCM.cases)('seal as the GCM specification with a key of $bits bits', ({ bits, key, ciphertext, tag }) => {
    const { salt, iv, associated, plaintext } = AES_GCM;
    for (const icvOctets of [8, 12, 16]) {
      const name = `aes${bits}gcm${icvOctets}`;
      const sealed = sealAead(name, octets(key + salt), octets(iv), octets(associated), octets(plaintext));
      expect(hex(sealed)).toBe(ciphertext + tag.slice(0, icvOctets * 2));
      expect(openAead(name, octets(key + salt), octets(iv), octets(associated), sealed)).toEqual(octets(plaintext));
    }
  });

  it.each(CHACHA20_POLY1305)('seal as $source', ({ key, iv, associated, plaintext, sealed }) => {
    const name = 'chacha20poly1305';
    expect(hex(sealAead(name, octets(key), octets(iv), octets(associated), octets(plaintext)))).toBe(sealed);
    expect(openAead(name, octets(key), octets(iv), octets(associated), octets(sealed))).toEqual(octets(plaintext));
  });

  it('seal with CCM as its definition says, which itself gives packet vector 1 of RFC 3610', () => {
    const reference = sealCcm(
      octets('c0c1c2c3c4c5c6c7c8c9cacbcccdcecf'),
      octets('00000003020100a0a1a2a3a4a5'),
      octets('0001020304050607'),
      octets('08090a0b0c0d0e0f101112131415161718191a1b1c1d1e'),
      8,
    );
    expect(hex(reference)).toBe('588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0');
    const input = fc.record({
      row: fc.constantFrom(...COMBINED.filter(({ mode }) => mode === 'ccm')),
      key: fc.uint8Array({ minLength: 35, maxLength: 35 }),
      iv: fc.uint8Array({ minLength: 8, maxLength: 8 }),
      associated: fc.uint8Array({ maxLength: 50 }),
      plaintext: fc.uint8Array({ maxLength: 100 }),
    });
    fc.assert(
      fc.property(input, ({ row, key, iv, associated, plaintext }) => {
        const secret = key.subarray(0, row.keyOctets);
        const salt = key.subarray(32);
        const expected = sealCcm(secret, concatBytes(salt, iv), associated, plaintext, row.icvOctets);
        expect(sealAead(row.name, concatBytes(secret, salt), iv, associated, plaintext)).toEqual(expected);
      }),
    );
  });

  it('open what they sealed, and nothing in which one bit was changed', () => {
    const input = fc.record({
      row: fc.constantFrom(...COMBINED),
      iv: fc.uint8Array({ minLength: 8, maxLength: 8 }),
      associated: fc.uint8Array({ maxLength: 40 }),
      plaintext: fc.uint8Array({ maxLength: 80 }),
      bit: fc.nat(),
    });
    const flipped = (bytes: Uint8Array, bit: number): Uint8Array => {
      const out = Uint8Array.from(bytes);
      const at = bit % (out.length * 8);
      out[at >> 3] = (out[at >> 3] ?? 0) ^ (1 << (at & 7));
      return out;
    };
    fc.assert(
      fc.property(input, ({ row, iv, associated, plaintext, bit }) => {
        const key = fill(row.keyOctets + row.saltOctets, 1 + (bit % 200));
        const sealed = sealAead(row.name, key, iv, associated, plaintext);
        expect(sealed).toHaveLength(plaintext.length + row.icvOctets);
        expect(openAead(row.name, key, iv, associated, sealed)).toEqual(plaintext);
        expect(openAead(row.name, key, iv, associated, flipped(sealed, bit))).toBeUndefined();
        expect(openAead(row.name, key, flipped(iv, bit), associated, sealed)).toBeUndefined();
        expect(openAead(row.name, flipped(key, bit), iv, associated, sealed)).toBeUndefined();
        expect(openAead(row.name, key, iv, concatBytes(associated, fill(1, 0)), sealed)).toBeUndefined();
        if (associated.length > 0) {
          expect(openAead(row.name, key, iv, flipped(associated, bit), sealed)).toBeUndefined();
        }
      }),
    );
  });

  it.each(COMBINED)(
    'of $name does not open what is shorter than its ICV',
    ({ name, keyOctets, saltOctets, icvOctets }) => {
      for (let length = 0; length < icvOctets; length += 1) {
        const opened = openAead(name, fill(keyOctets + saltOctets, 1), fill(8, 1), fill(4, 1), fill(length, 1));
        expect(opened).toBeUndefined();
      }
    },
  );
});

describe('every cipher', () => {
  it.each(CIPHERS)(
    '$name takes keys and IVs of its own lengths only',
    ({ name, mode, keyOctets, saltOctets, ivOctets }) => {
      const run = (key: Uint8Array, iv: Uint8Array): Uint8Array => {
        if (mode === 'cbc') return cbcEncrypt(name, key, iv, fill(32, 1));
        if (mode === 'ctr') return ctrCrypt(name, key, iv, fill(32, 1));
        return sealAead(name, key, iv, fill(8, 1), fill(32, 1));
      };
      const key = fill(keyOctets + saltOctets, 5);
      expect(run(key, fill(ivOctets, 1)).length).toBeGreaterThanOrEqual(32);
      expect(() => run(key.subarray(1), fill(ivOctets, 1))).toThrow(EncodeError);
      expect(() => run(key, fill(ivOctets + 1, 1))).toThrow(EncodeError);
    },
  );

  it('is run in its own mode only', () => {
    expect(() => cbcEncrypt('aes128ctr', fill(20, 1), fill(8, 1), fill(16, 1))).toThrow(EncodeError);
    expect(() => ctrCrypt('aes128', fill(16, 1), fill(16, 1), fill(16, 1))).toThrow(EncodeError);
    expect(() => sealAead('aes128', fill(16, 1), fill(16, 1), fill(0, 1), fill(16, 1))).toThrow(EncodeError);
  });
});
