/** Private keys as this router makes them, and what they sign with. */
import { createPublicKey, generateKeyPairSync, type KeyObject, type webcrypto } from 'node:crypto';
import type { KeyType } from './key-types.ts';

/** A new one, by the random numbers of Node. RSA takes up to some seconds. */
export function makeKey(type: KeyType): KeyObject {
  switch (type) {
    case 'ecdsa-p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    case 'ecdsa-p384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
    case 'rsa-3072':
      return generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey;
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
  }
}

/** SubjectPublicKeyInfo, DER. */
export function publicKeyInfo(privateKey: KeyObject): Uint8Array {
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
}

/** PKCS #8. */
export function keyPem(privateKey: KeyObject): string {
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

interface Signer {
  readonly keys: webcrypto.CryptoKeyPair;
  readonly algorithm: { readonly name: string; readonly hash?: string };
}

/** For Web Crypto. @throws RangeError for a kind of key that this router does not sign certificates with. */
export function signer(privateKey: KeyObject): Signer {
  const { algorithm, key } = webAlgorithms(privateKey);
  const keys = {
    privateKey: privateKey.toCryptoKey(key, true, ['sign']),
    publicKey: createPublicKey(privateKey).toCryptoKey(key, true, ['verify']),
  };
  return { keys, algorithm };
}

function webAlgorithms(privateKey: KeyObject) {
  const { namedCurve = '' } = privateKey.asymmetricKeyDetails ?? {};
  switch (privateKey.asymmetricKeyType) {
    case 'rsa': {
      const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
      return { algorithm, key: algorithm };
    }
    case 'ed25519': {
      const algorithm = { name: 'Ed25519' };
      return { algorithm, key: algorithm };
    }
    case 'ec': {
      const curve = CURVES.get(namedCurve);
      if (curve !== undefined)
        return { algorithm: { name: 'ECDSA', hash: curve.hash }, key: { name: 'ECDSA', namedCurve: curve.name } };
    }
  }
  throw new RangeError(`a key of the kind ${privateKey.asymmetricKeyType} ${namedCurve} signs no certificates here`);
}

/** With the hash that is as strong. */
const CURVES: ReadonlyMap<string, { readonly name: string; readonly hash: string }> = new Map([
  ['prime256v1', { name: 'P-256', hash: 'SHA-256' }],
  ['secp384r1', { name: 'P-384', hash: 'SHA-384' }],
  ['secp521r1', { name: 'P-521', hash: 'SHA-512' }],
]);
