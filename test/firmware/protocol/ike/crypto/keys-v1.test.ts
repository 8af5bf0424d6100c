import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EncodeError, hex, utf8Bytes } from '../../../../../firmware/protocol/bytes.ts';
import {
  hash1,
  hash2,
  hash3,
  hashI,
  hashR,
  phase1EncryptionKey,
  phase1Iv,
  phase1KeysPsk,
  phase1KeysSignature,
  phase2Iv,
  phase2Keymat,
  wipePhase1Keys,
} from '../../../../../firmware/protocol/ike/crypto/keys-v1.ts';
import { octets } from '../octets.ts';
import { IKEV1_KDF } from './kdf-vectors.ts';

/** HMAC by hand, of hexadecimal text. */
function hmac(hash: string, key: Uint8Array, ...parts: readonly (string | Uint8Array)[]): string {
  const mac = createHmac(hash, key);
  for (const part of parts) mac.update(typeof part === 'string' ? octets(part) : part);
  return mac.digest('hex');
}

describe('keys of an ISAKMP SA (RFC 2409 section 5)', () => {
  const exchange = {
    cookieI: octets(IKEV1_KDF.cookieI),
    cookieR: octets(IKEV1_KDF.cookieR),
    sharedSecret: octets(IKEV1_KDF.sharedSecret),
  };

  it('follow from SKEYID as in the NIST vector', () => {
    const nonces = { nonceI: octets(IKEV1_KDF.nonceI), nonceR: octets(IKEV1_KDF.nonceR) };
    const keys = phase1KeysSignature('sha1', { ...exchange, ...nonces });
    expect(hex(keys.skeyid)).toBe(IKEV1_KDF.skeyid);
    expect(hex(keys.skeyidD)).toBe(IKEV1_KDF.skeyidD);
    expect(hex(keys.skeyidA)).toBe(IKEV1_KDF.skeyidA);
    expect(hex(keys.skeyidE)).toBe(IKEV1_KDF.skeyidE);
  });

  it('begin with prf(psk, Ni_b | Nr_b)', () => {
    const seed = { ...exchange, nonceI: octets(IKEV1_KDF.nonceI), nonceR: octets(IKEV1_KDF.nonceR) };
    const keys = phase1KeysPsk('md5', utf8Bytes('secret'), seed);
    expect(hex(keys.skeyid)).toBe(hmac('md5', utf8Bytes('secret'), IKEV1_KDF.nonceI, IKEV1_KDF.nonceR));
    wipePhase1Keys(keys);
    for (const key of Object.values(keys)) expect(key).toEqual(new Uint8Array(16));
  });

  it('need cookies of 8 octets', () => {
    const seed = { ...exchange, nonceI: octets('01'), nonceR: octets('02'), cookieR: octets('03') };
    expect(() => phase1KeysPsk('sha1', utf8Bytes('secret'), seed)).toThrow(EncodeError);
  });
});

describe('encryption of an ISAKMP SA (RFC 2409 appendix B)', () => {
  const skeyidE = octets('49a1d53a80fb77e663552964fbbcb45092021473');

  it('takes its key from the front of SKEYID_e where that is long enough', () => {
    expect(phase1EncryptionKey('aes128', 'sha1', skeyidE)).toEqual(skeyidE.subarray(0, 16));
    expect(phase1EncryptionKey('aes256', 'sha256', new Uint8Array(32).fill(5))).toEqual(new Uint8Array(32).fill(5));
  });

  it.each([
    ['3des', 24],
    ['aes192', 24],
    ['aes256', 32],
  ])('feeds the prf into itself, from a zero octet on, where SKEYID_e is too short for %s', (cipher, length) => {
    const first = hmac('sha1', skeyidE, '00');
    const second = hmac('sha1', skeyidE, first);
    expect(hex(phase1EncryptionKey(cipher, 'sha1', skeyidE))).toBe((first + second).slice(0, length * 2));
  });

  it('takes its first IV from the hash of both public values', () => {
    const digest = createHash('sha1').update(octets('aabbccdd')).digest('hex');
    expect(hex(phase1Iv('aes256', 'sha1', octets('aabb'), octets('ccdd')))).toBe(digest.slice(0, 32));
    expect(hex(phase1Iv('3des', 'sha1', octets('aabb'), octets('ccdd')))).toBe(digest.slice(0, 16));
  });

  it('takes the IV of a phase 2 exchange from the hash of the last block and the message id', () => {
    const block = new Uint8Array(16).fill(1);
    const digest = createHash('md5').update(block).update(octets('89abcdef')).digest('hex');
    expect(hex(phase2Iv('aes128', 'md5', block, 0x89abcdef))).toBe(digest);
    expect(() => phase2Iv('aes128', 'md5', block, 2 ** 32)).toThrow(EncodeError);
  });
});

describe('keys of an IPsec SA (RFC 2409 section 5.5)', () => {
  const skeyidD = octets(IKEV1_KDF.skeyidD);
  const seed = { protocol: 3, spi: 0xc1234567, nonceI: octets('a1a2a3a4'), nonceR: octets('b1b2b3b4') };
  const text = '03 c1234567 a1a2a3a4 b1b2b3b4';

  it('are K1 | K2 | ..., each made of the one before, protocol, SPI and nonces', () => {
    const esp = { encryption: 'aes256', integrity: 'sha1', esn: false };
    const keys = phase2Keymat(esp, { hash: 'sha1', skeyidD }, seed);
    const k1 = hmac('sha1', skeyidD, text);
    const k2 = hmac('sha1', skeyidD, k1, text);
    const k3 = hmac('sha1', skeyidD, k2, text);
    expect(hex(keys.encryptionKey) + hex(keys.integrityKey ?? new Uint8Array(0))).toBe((k1 + k2 + k3).slice(0, 104));
    expect(keys.encryptionKey).toHaveLength(32);
    expect(keys.integrityKey).toHaveLength(20);
  });

  it('hold the shared secret in front with perfect forward secrecy', () => {
    const esp = { encryption: '3des', integrity: 'md5', group: 'modp1024', esn: false };
    const sharedSecret = octets('d1d2d3d4d5d6');
    const keys = phase2Keymat(esp, { hash: 'sha1', skeyidD }, { ...seed, sharedSecret });
    const k1 = hmac('sha1', skeyidD, sharedSecret, text);
    const k2 = hmac('sha1', skeyidD, k1, sharedSecret, text);
    expect(hex(keys.encryptionKey) + hex(keys.integrityKey ?? new Uint8Array(0))).toBe(k1 + k2);
    expect(sharedSecret).toEqual(octets('d1d2d3d4d5d6'));
  });

  it('hold the salt at the end of the encryption key with AES-GCM (RFC 4106 section 8.1)', () => {
    const keys = phase2Keymat({ encryption: 'aes128gcm16', esn: false }, { hash: 'sha1', skeyidD }, seed);
    expect(keys).toEqual({ encryption: 'aes128gcm16', encryptionKey: octets(hmac('sha1', skeyidD, text)) });
  });

  it('differ from one SPI to the other, as the two directions do', () => {
    const esp = { encryption: 'aes128', integrity: 'sha1', esn: false };
    const one = phase2Keymat(esp, { hash: 'sha1', skeyidD }, seed);
    const other = phase2Keymat(esp, { hash: 'sha1', skeyidD }, { ...seed, spi: 1 });
    expect(one.encryptionKey).not.toEqual(other.encryptionKey);
  });
});

describe('HASH payloads (RFC 2409 sections 5 and 5.5)', () => {
  const key = new Uint8Array(20).fill(8);
  const input = {
    publicI: octets('01'),
    publicR: octets('02'),
    cookieI: octets('03'),
    cookieR: octets('04'),
    saBody: octets('05'),
    idBody: octets('06'),
  };

  it('of phase 1 cover public values and cookies of the sender first, then SA and identity', () => {
    expect(hex(hashI('sha1', key, input))).toBe(hmac('sha1', key, '01 02 03 04 05 06'));
    expect(hex(hashR('sha1', key, input))).toBe(hmac('sha1', key, '02 01 04 03 05 06'));
  });

  it('of phase 2 cover message id, nonces and payloads, each in its own way', () => {
    const payloads = octets('0a0b0c');
    expect(hex(hash1('sha256', key, 0xfedcba98, payloads))).toBe(hmac('sha256', key, 'fedcba98 0a0b0c'));
    expect(hex(hash2('sha256', key, 0xfedcba98, octets('77'), payloads))).toBe(
      hmac('sha256', key, 'fedcba98 77 0a0b0c'),
    );
    expect(hex(hash3('sha256', key, 1, octets('77'), octets('88')))).toBe(hmac('sha256', key, '00 00000001 77 88'));
  });

  it('need a message id of 32 bits', () => {
    for (const bad of [-1, 2 ** 32, 0.5, Number.NaN]) {
      expect(() => hash1('sha1', key, bad, new Uint8Array(0))).toThrow(EncodeError);
    }
  });
});
