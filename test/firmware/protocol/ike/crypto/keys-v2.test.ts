import { describe, expect, it } from 'vitest';
import { concatBytes, EncodeError, hex, utf8Bytes } from '../../../../../firmware/protocol/bytes.ts';
import {
  childKeymat,
  ikeSaKeys,
  pskAuth,
  rekeyedIkeSaKeys,
  wipeIkeSaKeys,
} from '../../../../../firmware/protocol/ike/crypto/keys-v2.ts';
import { prf, prfPlus } from '../../../../../firmware/protocol/ike/crypto/prf.ts';
import { octets } from '../octets.ts';
import { IKEV2_KDF } from './kdf-vectors.ts';

const PROPOSAL = { encryption: 'aes128', integrity: 'sha1', prf: 'sha1', group: 'modp1024' };
const SEED = {
  nonceI: octets(IKEV2_KDF.nonceI),
  nonceR: octets(IKEV2_KDF.nonceR),
  spiI: octets(IKEV2_KDF.spiI),
  spiR: octets(IKEV2_KDF.spiR),
  sharedSecret: octets(IKEV2_KDF.sharedSecret),
};
const ROOT = { prf: 'sha1', skD: octets(IKEV2_KDF.keys[0]) };

describe('keys of an IKE SA (RFC 7296 section 2.14)', () => {
  it('are those of the NIST vector, in the order of the RFC', () => {
    const keys = ikeSaKeys(PROPOSAL, SEED);
    const { skD, skAi, skAr, skEi, skEr, skPi, skPr } = keys;
    expect([skD, skAi, skAr, skEi, skEr, skPi, skPr].map(hex)).toEqual(IKEV2_KDF.keys);
  });

  it('have no integrity keys and salted encryption keys with a combined-mode cipher', () => {
    const keys = ikeSaKeys({ encryption: 'aes256gcm16', prf: 'sha384', group: 'ecp384' }, SEED);
    expect(keys.skAi).toHaveLength(0);
    expect(keys.skAr).toHaveLength(0);
    expect(keys.skEi).toHaveLength(36);
    expect(keys.skEr).toHaveLength(36);
    expect(keys.skD).toHaveLength(48);
    expect(keys.skPr).toHaveLength(48);
    const skeyseed = prf('sha384', concatBytes(SEED.nonceI, SEED.nonceR), SEED.sharedSecret);
    const text = concatBytes(SEED.nonceI, SEED.nonceR, SEED.spiI, SEED.spiR);
    const stream = prfPlus('sha384', skeyseed, text, 48 * 3 + 36 * 2);
    expect(concatBytes(keys.skD, keys.skEi, keys.skEr, keys.skPi, keys.skPr)).toEqual(stream);
  });

  it('of an SA made by rekeying begin with the SKEYSEED of the NIST vector (section 2.18)', () => {
    const seed = { ...SEED, sharedSecret: octets(IKEV2_KDF.newSharedSecret) };
    const keys = rekeyedIkeSaKeys(PROPOSAL, seed, ROOT);
    const text = concatBytes(SEED.nonceI, SEED.nonceR, SEED.spiI, SEED.spiR);
    const stream = prfPlus('sha1', octets(IKEV2_KDF.rekeyedSkeyseed), text, 132);
    const { skD, skAi, skAr, skEi, skEr, skPi, skPr } = keys;
    expect(concatBytes(skD, skAi, skAr, skEi, skEr, skPi, skPr)).toEqual(stream);
  });

  it('of an SA made by rekeying take SKEYSEED by the old prf and all else by the new one', () => {
    const keys = rekeyedIkeSaKeys({ ...PROPOSAL, prf: 'sha256' }, SEED, ROOT);
    const skeyseed = prf('sha1', ROOT.skD, SEED.sharedSecret, SEED.nonceI, SEED.nonceR);
    const text = concatBytes(SEED.nonceI, SEED.nonceR, SEED.spiI, SEED.spiR);
    expect(keys.skD).toEqual(prfPlus('sha256', skeyseed, text, 32));
  });

  it('of an SA made by rekeying with an additional key exchange have its secret last in SKEYSEED (RFC 9370 section 2.2.4)', () => {
    const additionalSecret = octets('0102030405060708');
    const skeyseed = prf('sha1', ROOT.skD, SEED.sharedSecret, SEED.nonceI, SEED.nonceR, additionalSecret);
    const text = concatBytes(SEED.nonceI, SEED.nonceR, SEED.spiI, SEED.spiR);
    const { skD } = rekeyedIkeSaKeys(PROPOSAL, { ...SEED, additionalSecret }, ROOT);
    expect(skD).toEqual(prfPlus('sha1', skeyseed, text, 20));
  });

  it('are refused without an integrity algorithm where the cipher needs one, and with a short SPI', () => {
    expect(() => ikeSaKeys({ encryption: 'aes128', prf: 'sha1', group: 'modp1024' }, SEED)).toThrow(EncodeError);
    expect(() => ikeSaKeys(PROPOSAL, { ...SEED, spiI: new Uint8Array(4) })).toThrow(EncodeError);
  });

  it('are zeros once wiped', () => {
    const keys = ikeSaKeys(PROPOSAL, SEED);
    wipeIkeSaKeys(keys);
    for (const key of Object.values(keys)) expect(key).toEqual(new Uint8Array(key.length));
  });
});

describe('keys of a child SA (RFC 7296 section 2.17)', () => {
  const esp = { encryption: 'aes128', integrity: 'sha1', esn: false };

  it.each([
    ['without', undefined, IKEV2_KDF.childKeymat],
    ['with', octets(IKEV2_KDF.newSharedSecret), IKEV2_KDF.childKeymatWithSecret],
  ])('are those of the NIST vector %s perfect forward secrecy', (_, sharedSecret, expected) => {
    const seed = { nonceI: SEED.nonceI, nonceR: SEED.nonceR, ...(sharedSecret ? { sharedSecret } : {}) };
    const { initiator, responder } = childKeymat(esp, ROOT, seed);
    expect(initiator.encryption).toBe('aes128');
    expect(initiator.integrity).toBe('sha1');
    const { encryptionKey, integrityKey } = responder;
    const none = new Uint8Array(0);
    const fromInitiator = [initiator.encryptionKey, initiator.integrityKey ?? none];
    expect(hex(concatBytes(...fromInitiator, encryptionKey, integrityKey ?? none))).toBe(expected);
    expect(integrityKey).toHaveLength(20);
  });

  it('hold the salt at the end of the encryption key, and no integrity key, with a combined-mode cipher', () => {
    const chacha = { encryption: 'chacha20poly1305', esn: true };
    const { initiator, responder } = childKeymat(chacha, ROOT, SEED);
    const stream = prfPlus('sha1', ROOT.skD, concatBytes(SEED.sharedSecret, SEED.nonceI, SEED.nonceR), 72);
    expect(initiator).toEqual({ encryption: 'chacha20poly1305', encryptionKey: stream.subarray(0, 36) });
    expect(responder).toEqual({ encryption: 'chacha20poly1305', encryptionKey: stream.subarray(36) });
  });

  it('are refused for a cipher with a wrong or missing companion', () => {
    expect(() => childKeymat({ encryption: 'aes128', esn: false }, ROOT, SEED)).toThrow(EncodeError);
    const both = { encryption: 'aes128gcm16', integrity: 'sha1', esn: false };
    expect(() => childKeymat(both, ROOT, SEED)).toThrow(EncodeError);
  });
});

describe('AUTH with a pre-shared key (RFC 7296 section 2.15)', () => {
  const psk = utf8Bytes('a pre-shared key');
  const signed = {
    message: octets('00112233445566778899'),
    peerNonce: octets('a0a1a2a3a4a5a6a7'),
    skP: new Uint8Array(32).fill(4),
    idBody: octets('01000000c0000201'),
  };

  it('signs message, nonce of the other side and identity under the padded key', () => {
    const key = prf('sha256', psk, utf8Bytes('Key Pad for IKEv2'));
    const identity = prf('sha256', signed.skP, signed.idBody);
    const octetsToSign = concatBytes(signed.message, signed.peerNonce, identity);
    expect(pskAuth('sha256', psk, signed)).toEqual(prf('sha256', key, octetsToSign));
  });

  it('changes with the key and with everything signed', () => {
    const right = hex(pskAuth('sha256', psk, signed));
    expect(hex(pskAuth('sha256', utf8Bytes('a pre-shared keY'), signed))).not.toBe(right);
    for (const part of ['message', 'peerNonce', 'skP', 'idBody'] as const) {
      const changed = Uint8Array.from(signed[part]);
      changed[0] = (changed[0] ?? 0) ^ 1;
      expect(hex(pskAuth('sha256', psk, { ...signed, [part]: changed }))).not.toBe(right);
    }
  });

  it('leaves key and inputs as they were', () => {
    pskAuth('sha256', psk, signed);
    expect(psk).toEqual(utf8Bytes('a pre-shared key'));
    expect(signed.skP).toEqual(new Uint8Array(32).fill(4));
  });
});
