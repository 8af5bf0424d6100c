/** What is encrypted under a passphrase in PKCS #8 and PKCS #12: PBES2 (RFC 8018 section 6.2), and the old ways (RFC 7292 appendix C). */
import { createDecipheriv, createHash, pbkdf2Sync } from 'node:crypto';
import { DecodeError } from '../protocol/bytes.ts';
import { type DerReader, smallInteger, TAG } from './der-reader.ts';
import { objectIdentifierText } from './object-identifier.ts';
import { rc2CbcDecrypt } from './rc2.ts';

/** Rounds of a key derivation: more would keep the command busy for minutes. */
const MAX_ITERATIONS = 10_000_000;

/** The algorithm is not one that can be read here; the message is its name. */
export class AlgorithmError extends Error {
  override readonly name = 'AlgorithmError';
}

/** Hashes by OBJECT IDENTIFIER, and those of HMAC. */
export const HASHES: ReadonlyMap<string, string> = new Map([
  ['1.3.14.3.2.26', 'sha1'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);
const HMACS: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.2.7', 'sha1'],
  ['1.2.840.113549.2.9', 'sha256'],
  ['1.2.840.113549.2.10', 'sha384'],
  ['1.2.840.113549.2.11', 'sha512'],
]);

const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';

interface Cipher {
  readonly name: string;
  readonly keyOctets: number;
}

/** Those of PBES2. */
const CIPHERS: ReadonlyMap<string, Cipher> = new Map([
  ['2.16.840.1.101.3.4.1.2', { name: 'aes-128-cbc', keyOctets: 16 }],
  ['2.16.840.1.101.3.4.1.22', { name: 'aes-192-cbc', keyOctets: 24 }],
  ['2.16.840.1.101.3.4.1.42', { name: 'aes-256-cbc', keyOctets: 32 }],
  ['1.2.840.113549.3.7', { name: 'des-ede3-cbc', keyOctets: 24 }],
]);

/** Those that PKCS #12 had before, all with SHA-1. */
const OLD_CIPHERS: ReadonlyMap<string, Cipher> = new Map([
  ['1.2.840.113549.1.12.1.3', { name: 'des-ede3-cbc', keyOctets: 24 }],
  ['1.2.840.113549.1.12.1.4', { name: 'des-ede-cbc', keyOctets: 16 }],
  ['1.2.840.113549.1.12.1.5', { name: 'rc2', keyOctets: 16 }],
  ['1.2.840.113549.1.12.1.6', { name: 'rc2', keyOctets: 5 }],
]);

/** For the words: what cannot be read. */
const OTHERS: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.12.1.1', 'RC4 with 128 bits'],
  ['1.2.840.113549.1.12.1.2', 'RC4 with 40 bits'],
  ['1.2.840.113549.1.5.3', 'DES with MD5'],
  ['1.2.840.113549.1.5.10', 'DES with SHA-1'],
  ['1.2.840.113549.1.5.14', 'PBMAC1'],
  ['1.3.6.1.4.1.11591.4.11', 'scrypt'],
]);

/**
 * @param algorithm what is inside the AlgorithmIdentifier.
 * @throws AlgorithmError when it is not known here; DecodeError when the result is none, that is with a wrong passphrase.
 */
export function decryptWithPassphrase(algorithm: DerReader, sealed: Uint8Array, passphrase: string): Uint8Array {
  const id = identifier(algorithm);
  const old = OLD_CIPHERS.get(id);
  if (id === PBES2) return pbes2(algorithm, sealed, passphrase);
  if (old === undefined) throw unknownAlgorithm(id);
  const { salt, iterations } = saltAndRounds(algorithm);
  const derive = (purpose: 1 | 2, length: number) => pkcs12Key('sha1', passphrase, salt, purpose, iterations, length);
  return decipher(old, derive(1, old.keyOctets), derive(2, 8), sealed);
}

function pbes2(algorithm: DerReader, sealed: Uint8Array, passphrase: string): Uint8Array {
  const params = algorithm.inside(TAG.sequence, 'PBES2-params');
  const derivation = params.inside(TAG.sequence, 'keyDerivationFunc');
  const scheme = params.inside(TAG.sequence, 'encryptionScheme');
  const function_ = identifier(derivation);
  if (function_ !== PBKDF2) throw unknownAlgorithm(function_);
  const { salt, iterations, rest } = saltAndRounds(derivation);
  rest.optional(TAG.integer, 'keyLength');
  const prf = rest.done ? 'sha1' : HMACS.get(identifier(rest.inside(TAG.sequence, 'prf')));
  const cipherId = identifier(scheme);
  const cipher = CIPHERS.get(cipherId);
  if (cipher === undefined) throw unknownAlgorithm(cipherId);
  if (prf === undefined) throw new AlgorithmError('an unknown hash in PBKDF2');
  const iv = scheme.next(TAG.octetString, 'iv').contents;
  return decipher(cipher, pbkdf2Sync(passphrase, salt, iterations, cipher.keyOctets, prf), iv, sealed);
}

function decipher({ name }: Cipher, key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (name === 'rc2') return rc2CbcDecrypt(key, iv, sealed);
  try {
    const open = createDecipheriv(name, key, iv);
    return Buffer.concat([open.update(sealed), open.final()]);
  } catch {
    throw new DecodeError('what is encrypted does not open');
  }
}

function saltAndRounds(reader: DerReader): {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly rest: DerReader;
} {
  const rest = reader.inside(TAG.sequence, 'parameters');
  const salt = rest.next(TAG.octetString, 'salt').contents;
  return { salt, iterations: rounds(rest.next(TAG.integer, 'iterations').contents), rest };
}

/** @throws DecodeError when it would take too long. */
export function rounds(contents: Uint8Array): number {
  const iterations = smallInteger(contents, 'iterations');
  if (iterations < 1 || iterations > MAX_ITERATIONS) throw new DecodeError(`${iterations} iterations`);
  return iterations;
}

/** Of an AlgorithmIdentifier, dotted. */
export function identifier(algorithm: DerReader): string {
  return objectIdentifierText(Buffer.from(algorithm.next(TAG.objectIdentifier, 'algorithm').contents).toString('hex'));
}

export function unknownAlgorithm(id: string): AlgorithmError {
  return new AlgorithmError(OTHERS.get(id) ?? `the algorithm ${id}`);
}

/**
 * Key derivation of PKCS #12 (RFC 7292 appendix B.2). @param purpose 1: key, 2: initial vector, 3: MAC.
 */
export function pkcs12Key(
  hash: string,
  passphrase: string,
  salt: Uint8Array,
  purpose: 1 | 2 | 3,
  iterations: number,
  length: number,
): Uint8Array {
  const block = hash === 'sha384' || hash === 'sha512' ? 128 : 64;
  // BMPString with a zero at its end.
  const password = Buffer.from(`${passphrase}\0`, 'utf16le').swap16();
  const input = Buffer.concat([stretched(salt, block), stretched(password, block)]);
  const diversifier = Buffer.alloc(block, purpose);
  const parts: Buffer[] = [];
  for (let made = 0; made < length; ) {
    let digest = createHash(hash).update(diversifier).update(input).digest();
    for (let round = 1; round < iterations; round += 1) digest = createHash(hash).update(digest).digest();
    parts.push(digest);
    made += digest.length;
    addToBlocks(input, stretched(digest, block).subarray(0, block), block);
  }
  return Buffer.concat(parts).subarray(0, length);
}

/** Repeated up to a whole number of blocks; nothing stays nothing. */
function stretched(octets: Uint8Array, block: number): Buffer {
  const length = block * Math.ceil(octets.length / block);
  return length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, octets);
}

/** Each block becomes (block + addend + 1) modulo 2^(8 * block). */
function addToBlocks(input: Buffer, addend: Uint8Array, block: number): void {
  for (let start = 0; start < input.length; start += block) {
    let carry = 1;
    for (let at = block - 1; at >= 0; at -= 1) {
      const sum = (input[start + at] ?? 0) + (addend[at] ?? 0) + carry;
      input[start + at] = sum & 0xff;
      carry = sum >>> 8;
    }
  }
}
