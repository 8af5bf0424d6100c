import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hex } from '../../../../../firmware/protocol/bytes.ts';
import {
  AUTH_METHOD,
  isSignature,
  SIGNATURE_HASHES,
  signAuth,
  signatureProblem,
} from '../../../../../firmware/protocol/ike/crypto/signature.ts';

const OCTETS = Buffer.from('message | nonce | prf(SK_p, ID)');
const WRONG = 'does not belong to its certificate';

const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PAIRS: Readonly<Record<string, { readonly privateKey: KeyObject; readonly publicKey: KeyObject }>> = {
  rsa: RSA,
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ed25519: generateKeyPairSync('ed25519'),
  ed448: generateKeyPairSync('ed448'),
};
const names = Object.keys(PAIRS);

function pair(name: string) {
  const found = PAIRS[name];
  if (found === undefined) throw new Error(name);
  return found;
}

/** AlgorithmIdentifier of a digital signature, hexadecimal. */
function algorithm(data: Uint8Array): string {
  return hex(data.subarray(1, 1 + (data[0] ?? 0)));
}

describe('a digital signature (RFC 7427)', () => {
  it.each([
    ['rsa', '304106092a864886f70d01010a3034'], // RSASSA-PSS with parameters
    ['p256', '300a06082a8648ce3d040302'],
    ['p384', '300a06082a8648ce3d040303'],
    ['p521', '300a06082a8648ce3d040304'],
    ['ed25519', '300506032b6570'],
    ['ed448', '300506032b6571'],
  ])('by a key of %s bears the algorithm of RFC 7427 appendix A or RFC 8420, and verifies', (name, identifier) => {
    const { privateKey, publicKey } = pair(name);
    const signature = signAuth(privateKey, OCTETS, SIGNATURE_HASHES);
    expect(signature?.method).toBe(AUTH_METHOD.digitalSignature);
    expect(algorithm(signature?.data ?? new Uint8Array(0)).startsWith(identifier)).toBe(true);
    expect(signature && signatureProblem(publicKey, OCTETS, signature)).toBeUndefined();
  });

  it('takes a hash that the peer knows, though the curve would have another', () => {
    const signature = signAuth(pair('p256').privateKey, OCTETS, [4]);
    expect(algorithm(signature?.data ?? new Uint8Array(0))).toBe('300a06082a8648ce3d040304');
    expect(signature && signatureProblem(pair('p256').publicKey, OCTETS, signature)).toBeUndefined();
  });

  it('with PKCS #1 v1.5 is believed, with SHA-1 it is not', () => {
    const data = (identifier: string, hash: string) => {
      const name = Buffer.from(identifier, 'hex');
      return Buffer.concat([Uint8Array.of(name.length), name, sign(hash, OCTETS, RSA.privateKey)]);
    };
    const method = AUTH_METHOD.digitalSignature;
    const good = { method, data: data('300d06092a864886f70d01010b0500', 'sha256') };
    const old = { method, data: data('300d06092a864886f70d0101050500', 'sha1') };
    const mixed = { method, data: data('300d06092a864886f70d01010c0500', 'sha256') };
    expect(signatureProblem(RSA.publicKey, OCTETS, good)).toBeUndefined();
    expect(signatureProblem(RSA.publicKey, OCTETS, old)).toBe('is by an algorithm that is not believed here');
    expect(signatureProblem(RSA.publicKey, OCTETS, mixed)).toBe(WRONG);
  });

  it('is not made where the peer knows no hash for the key', () => {
    expect(signAuth(pair('ed25519').privateKey, OCTETS, [2, 3, 4])).toBeUndefined();
    expect(signAuth(pair('ed448').privateKey, OCTETS, [])).toBeUndefined();
  });
});

describe('a signature by the older methods', () => {
  it.each([
    ['rsa', AUTH_METHOD.rsa, 256],
    ['p256', AUTH_METHOD.ecdsaP256, 64],
    ['p384', AUTH_METHOD.ecdsaP384, 96],
    ['p521', AUTH_METHOD.ecdsaP521, 132],
  ])('is what a peer gets that announced no hash: %s', (name, method, octets) => {
    const { privateKey, publicKey } = pair(name);
    const signature = signAuth(privateKey, OCTETS, []);
    expect(signature?.method).toBe(method);
    expect(signature?.data.length).toBe(octets);
    expect(signature && signatureProblem(publicKey, OCTETS, signature)).toBeUndefined();
  });
});

describe('a signature that is not good', () => {
  it('of any key is that of no other key, and of no other octets', () => {
    for (const signer of names) {
      const signature = signAuth(pair(signer).privateKey, OCTETS, SIGNATURE_HASHES);
      if (signature === undefined) throw new Error(signer);
      for (const other of names.filter((name) => name !== signer)) {
        expect(signatureProblem(pair(other).publicKey, OCTETS, signature), `${signer} ${other}`).toBe(WRONG);
      }
      expect(signatureProblem(pair(signer).publicKey, Buffer.from('other'), signature)).toBe(WRONG);
    }
  });

  it('is refused whatever the octets, and never thrown about', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.integer({ min: 0, max: 255 }),
        fc.uint8Array({ maxLength: 300 }),
        (name, method, data) => {
          expect(signatureProblem(pair(name).publicKey, OCTETS, { method, data })).toMatch(/./);
        },
      ),
    );
  });

  it('with one octet changed is refused', () => {
    for (const name of names) {
      const signature = signAuth(pair(name).privateKey, OCTETS, SIGNATURE_HASHES);
      if (signature === undefined) throw new Error(name);
      for (let at = 0; at < signature.data.length; at += 7) {
        const data = signature.data.slice();
        data[at] = (data[at] ?? 0) ^ 0x40;
        expect(signatureProblem(pair(name).publicKey, OCTETS, { ...signature, data }), `${name} ${at}`).toMatch(/./);
      }
    }
  });

  it('is that of a short RSA key, however good', () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const signature = { method: AUTH_METHOD.rsa, data: sign('sha1', OCTETS, short.privateKey) };
    expect(signatureProblem(short.publicKey, OCTETS, signature)).toBe('is by an RSA key of less than 2048 bits');
  });
});

describe('Auth Methods', () => {
  it('are told apart', () => {
    expect([1, 9, 10, 11, 14].map(isSignature)).toEqual([true, true, true, true, true]);
    expect([0, 2, 3, 12, 13, 255].map(isSignature)).toEqual([false, false, false, false, false, false]);
  });
});
