/**
 * Exchanges in MODP groups (RFC 2409 section 6.2, RFC 3526 sections 2 to 7), generator 2.
 *
 * By key objects rather than `createDiffieHellman`, which tests the prime anew for every object: 0.2 s for 2048 bits,
 * half a minute for 8192. A key object costs one exponentiation when it is made, and one for the secret.
 */
import { createPrivateKey, createPublicKey, diffieHellman, getDiffieHellman, type KeyObject } from 'node:crypto';
import { ByteReader, DecodeError, EncodeError } from '../../bytes.ts';
import type { RandomSource } from '../../machine.ts';
import { DER, derInteger, derValue, readDer, withoutLeadingZeros } from './der.ts';
import { octetsOf } from './hash.ts';
import type { KeyExchangeMath } from './key-exchange-math.ts';
import { wipe } from './secrets.ts';

interface ModpGroup {
  /** What `getDiffieHellman` calls the prime. */
  readonly prime: string;
  /** Of the private value: the larger estimate of RFC 3526 section 8, twice the strength. */
  readonly exponentOctets: number;
}

const GROUPS: Readonly<Record<string, ModpGroup>> = {
  modp1024: { prime: 'modp2', exponentOctets: 24 },
  modp1536: { prime: 'modp5', exponentOctets: 30 },
  modp2048: { prime: 'modp14', exponentOctets: 40 },
  modp3072: { prime: 'modp15', exponentOctets: 53 },
  modp4096: { prime: 'modp16', exponentOctets: 60 },
  modp6144: { prime: 'modp17', exponentOctets: 68 },
  modp8192: { prime: 'modp18', exponentOctets: 78 },
};

/** `dhKeyAgreement`, 1.2.840.113549.1.3.1 (PKCS #3). */
const DH_KEY_AGREEMENT = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x03, 0x01);
const GENERATOR = Uint8Array.of(2);
/** INTEGER 0: version of a PKCS #8 PrivateKeyInfo. */
const PKCS8_VERSION = derInteger(new Uint8Array(0));

/** The prime and what never changes of its keys' encoding. */
interface ModpParameters {
  readonly prime: Uint8Array;
  /** DER of the AlgorithmIdentifier. */
  readonly algorithm: Uint8Array;
}

const parametersByGroup = new Map<string, ModpParameters>();

function parametersOf(group: string, name: string): ModpParameters {
  const known = parametersByGroup.get(group);
  if (known !== undefined) return known;
  const prime = octetsOf(getDiffieHellman(name).getPrime());
  const domain = derValue(DER.sequence, derInteger(prime), derInteger(GENERATOR));
  const algorithm = derValue(DER.sequence, derValue(DER.objectIdentifier, DH_KEY_AGREEMENT), domain);
  const parameters = { prime, algorithm };
  parametersByGroup.set(group, parameters);
  return parameters;
}

/** @throws EncodeError when `group` is not a MODP group of the transform table. */
export function createModpExchange(group: string, random: RandomSource): KeyExchangeMath {
  const row = GROUPS[group];
  if (row === undefined) throw new EncodeError(`${group} is no MODP group`);
  const parameters = parametersOf(group, row.prime);
  const privateValue = Uint8Array.from(random.bytes(row.exponentOctets));
  // Of one length always: the time of an exponentiation then tells nothing about it. Never 0 or 1 either.
  privateValue[0] = (privateValue[0] ?? 0) | 0x80;
  const key = privateKey(parameters, privateValue);
  wipe(privateValue);
  return {
    publicValue: publicValueOf(parameters, key),
    sharedSecret: (peer) => sharedSecret(parameters, key, peer),
  };
}

function sharedSecret(parameters: ModpParameters, privateKey: KeyObject, peer: Uint8Array): Uint8Array {
  checkPublicValue(parameters.prime, peer);
  const bits = derValue(DER.bitString, Uint8Array.of(0), derInteger(peer));
  const info = Buffer.from(derValue(DER.sequence, parameters.algorithm, bits));
  let secret: Buffer;
  try {
    const publicKey = createPublicKey({ key: info, format: 'der', type: 'spki' });
    secret = diffieHellman({ privateKey, publicKey });
  } catch {
    throw new DecodeError('KE: the public value is not of the group');
  }
  const padded = padLeft(octetsOf(secret), parameters.prime.length);
  wipe(secret);
  return padded;
}

/** RFC 6989 section 2.1: for a safe prime, 1 < r < p-1 is all there is to check. */
function checkPublicValue(prime: Uint8Array, peer: Uint8Array): void {
  if (peer.length !== prime.length) {
    throw new DecodeError(`KE: ${prime.length} octets wanted, ${peer.length} received`);
  }
  const largest = Uint8Array.from(prime);
  // The prime is odd: p-1 differs in the last bit only.
  largest[largest.length - 1] = (largest[largest.length - 1] ?? 1) - 1;
  const digits = withoutLeadingZeros(peer);
  const isZeroOrOne = digits.length === 0 || (digits.length === 1 && digits[0] === 1);
  if (isZeroOrOne || Buffer.compare(peer, largest) >= 0) {
    throw new DecodeError('KE: the public value lies outside 2..p-2');
  }
}

/** PKCS #8 of the private value. OpenSSL computes the public value while it reads this. */
function privateKey(parameters: ModpParameters, privateValue: Uint8Array): KeyObject {
  const inner = derInteger(privateValue);
  const wrapped = derValue(DER.octetString, inner);
  const info = derValue(DER.sequence, PKCS8_VERSION, parameters.algorithm, wrapped);
  const key = Buffer.from(info);
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  } finally {
    wipe(inner, wrapped, info, key);
  }
}

function publicValueOf(parameters: ModpParameters, key: KeyObject): Uint8Array {
  const info = octetsOf(createPublicKey(key).export({ format: 'der', type: 'spki' }));
  const fields = new ByteReader(readDer(new ByteReader(info), DER.sequence, 'SubjectPublicKeyInfo'));
  readDer(fields, DER.sequence, 'AlgorithmIdentifier');
  const bits = new ByteReader(readDer(fields, DER.bitString, 'subjectPublicKey'));
  bits.skip(1, 'unused bits');
  return padLeft(withoutLeadingZeros(readDer(bits, DER.integer, 'public value')), parameters.prime.length);
}

/** RFC 2409 section 5, RFC 7296 section 2.14: zeros in front, up to the length of the modulus. */
function padLeft(digits: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  out.set(digits, length - digits.length);
  return out;
}
