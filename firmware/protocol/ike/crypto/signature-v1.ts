/**
 * Signatures of phase 1 (RFC 2409 section 5.1): RSA with PKCS #1 v1.5 padding of type 1 over HASH_I or HASH_R as it is, without
 * the DigestInfo that names a hash elsewhere.
 */
import { constants, type KeyObject, privateEncrypt, publicDecrypt } from 'node:crypto';
import { EncodeError } from '../../bytes.ts';
import { equalSecrets } from './secrets.ts';

/** Octets around the hash: 00 01, at least eight FF, 00 (RFC 8017 section 9.2). */
const PADDING_OCTETS = 11;

/** Whether a key can sign in phase 1. */
export function signsPhase1(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'rsa';
}

/** @throws EncodeError when the key is none of RSA, or too short for the hash. */
export function signPhase1(key: KeyObject, hash: Uint8Array): Uint8Array {
  if (!signsPhase1(key) || modulusOctets(key) < hash.length + PADDING_OCTETS)
    throw new EncodeError('no RSA key for that');
  return Uint8Array.from(privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, hash));
}

/**
 * Whether `signature` is of this hash. The whole block that it must hold is made and compared: whoever takes it apart
 * instead, and is lenient with the padding, can be deceived where the exponent is 3 (CVE-2018-16151, CVE-2018-16152).
 */
export function verifyPhase1(key: KeyObject, hash: Uint8Array, signature: Uint8Array): boolean {
  if (!signsPhase1(key)) return false;
  const octets = modulusOctets(key);
  if (signature.length !== octets || octets < hash.length + PADDING_OCTETS) return false;
  const expected = new Uint8Array(octets).fill(0xff);
  expected.set([0, 1]);
  expected.set([0, ...hash], octets - hash.length - 1);
  try {
    return equalSecrets(publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature), expected);
  } catch {
    // A number that is not below the modulus.
    return false;
  }
}

function modulusOctets(key: KeyObject): number {
  return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}
