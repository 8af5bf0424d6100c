import { constants, generateKeyPairSync, privateEncrypt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EncodeError } from '../../../../../firmware/protocol/bytes.ts';
import { signPhase1, signsPhase1, verifyPhase1 } from '../../../../../firmware/protocol/ike/crypto/signature-v1.ts';

const OCTETS = 128;
const HASH = Uint8Array.from({ length: 32 }, (_, at) => at);
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: OCTETS * 8 });

/** What a signer who may pad as he likes signs. */
function signed(block: Uint8Array): Uint8Array {
  return privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, block);
}

function block(change: (good: Uint8Array) => void = () => undefined): Uint8Array {
  const good = new Uint8Array(OCTETS).fill(0xff);
  good.set([0, 1]);
  good.set([0, ...HASH], OCTETS - HASH.length - 1);
  change(good);
  return good;
}

describe('signatures of phase 1', () => {
  it('are the padded hash itself, without the name of a hash', () => {
    expect(Buffer.from(signPhase1(privateKey, HASH)).equals(signed(block()))).toBe(true);
    expect(verifyPhase1(publicKey, HASH, signPhase1(privateKey, HASH))).toBe(true);
  });

  it('hold for their hash and key only', () => {
    const signature = signPhase1(privateKey, HASH);
    expect(verifyPhase1(publicKey, HASH.toReversed(), signature)).toBe(false);
    expect(verifyPhase1(publicKey, HASH.subarray(1), signature)).toBe(false);
    expect(verifyPhase1(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey, HASH, signature)).toBe(false);
  });

  it('do not hold with any other padding (CVE-2018-16151, CVE-2018-16152)', () => {
    const forged: Record<string, Uint8Array> = {
      'type 2': block((good) => good.set([2], 1)),
      'no octet of zero at the start': block((good) => good.set([1, 1]))
        .map((octet, at) => (at === 0 ? 0 : octet))
        .fill(0x7f, 2, 3),
      'less padding, and something behind the hash': block((good) => {
        good.fill(0x55, 10);
        good.set([0, ...HASH], 10);
      }),
      'something within the padding': block((good) => good.set([0xfe], 20)),
      'a longer hash that ends in this one': block((good) => good.set([0], OCTETS - HASH.length - 5)),
      'all zeros': new Uint8Array(OCTETS),
    };
    for (const [what, octets] of Object.entries(forged)) {
      expect(verifyPhase1(publicKey, HASH, signed(octets)), what).toBe(false);
    }
  });

  it('do not hold where they are no number of the right size', () => {
    const signature = signPhase1(privateKey, HASH);
    expect(verifyPhase1(publicKey, HASH, Uint8Array.of(0, ...signature))).toBe(false);
    expect(verifyPhase1(publicKey, HASH, signature.subarray(1))).toBe(false);
    expect(verifyPhase1(publicKey, HASH, new Uint8Array(OCTETS).fill(0xff))).toBe(false);
    expect(verifyPhase1(publicKey, HASH, new Uint8Array(0))).toBe(false);
  });

  it('need an RSA key with room for the hash', () => {
    const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const short = generateKeyPairSync('rsa', { modulusLength: 512 });
    expect([signsPhase1(privateKey), signsPhase1(elliptic.privateKey)]).toEqual([true, false]);
    expect(() => signPhase1(elliptic.privateKey, HASH)).toThrow(EncodeError);
    expect(() => signPhase1(short.privateKey, new Uint8Array(64))).toThrow(EncodeError);
    expect(verifyPhase1(elliptic.publicKey, HASH, new Uint8Array(OCTETS))).toBe(false);
    expect(verifyPhase1(short.publicKey, new Uint8Array(64), new Uint8Array(64))).toBe(false);
  });
});
