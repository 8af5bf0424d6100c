/**
 * Signatures in the AUTH payload of IKEv2: digital signatures of any algorithm (RFC 7427, RFC 8420), and the older methods
 * that name one each (RFC 7296 section 3.8, RFC 4754). The random numbers that some algorithms need are OpenSSL's own:
 * `node:crypto` takes none.
 */
import { constants, type KeyObject, sign, verify } from 'node:crypto';
import { ByteReader, concatBytes, DecodeError, hex } from '../../bytes.ts';
import { DER, derInteger, derValue } from './der.ts';

/** Auth Method (IANA registry). */
export const AUTH_METHOD = {
  rsa: 1,
  sharedKey: 2,
  ecdsaP256: 9,
  ecdsaP384: 10,
  ecdsaP521: 11,
  digitalSignature: 14,
} as const;

type HashName = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** Hash Algorithm numbers of SIGNATURE_HASH_ALGORITHMS (RFC 7427 section 7). 5, "Identity", is for EdDSA (RFC 8420). */
const SHA_NUMBERS: ReadonlyMap<number, HashName> = new Map([
  [2, 'sha256'],
  [3, 'sha384'],
  [4, 'sha512'],
]);
const IDENTITY_HASH = 5;

/** What this side takes, the best first. SHA-1 is not among them: a peer that has no better one uses the method of RSA. */
export const SIGNATURE_HASHES: readonly number[] = [2, 3, 4, IDENTITY_HASH];

const HASH_OIDS: Readonly<Record<Exclude<HashName, 'sha1'>, string>> = {
  sha256: '608648016503040201',
  sha384: '608648016503040202',
  sha512: '608648016503040203',
};
const SALT_OCTETS: Readonly<Record<HashName, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };
const NULL = Uint8Array.of(5, 0);

/** The smallest RSA key that is used or believed, bits (RFC 8247 section 4). */
const MIN_RSA_BITS = 2048;

const CURVES: Readonly<Record<string, { readonly method: number; readonly sha: HashName } | undefined>> = {
  prime256v1: { method: AUTH_METHOD.ecdsaP256, sha: 'sha256' },
  secp384r1: { method: AUTH_METHOD.ecdsaP384, sha: 'sha384' },
  secp521r1: { method: AUTH_METHOD.ecdsaP521, sha: 'sha512' },
};

/** One way to sign, and how RFC 7427 names it. */
interface Algorithm {
  /** The kinds of key, as `node:crypto` names them. */
  readonly keys: readonly string[];
  /** `undefined`: the algorithm hashes by itself. */
  readonly sha: Exclude<HashName, 'sha1'> | undefined;
  readonly pss: boolean;
  /** The AlgorithmIdentifier, DER; the first is the one that is sent. */
  readonly identifiers: readonly Uint8Array[];
}

const ALGORITHMS: readonly Algorithm[] = [
  ...(['sha256', 'sha384', 'sha512'] as const).flatMap((sha, index): Algorithm[] => [
    { keys: ['rsa', 'rsa-pss'], sha, pss: true, identifiers: [pssIdentifier(sha, true), pssIdentifier(sha, false)] },
    { keys: ['rsa'], sha, pss: false, identifiers: [identifier(`2a864886f70d01010${'bcd'[index]}`, NULL)] },
    { keys: ['ec'], sha, pss: false, identifiers: [identifier(`2a8648ce3d04030${index + 2}`)] },
  ]),
  { keys: ['ed25519'], sha: undefined, pss: false, identifiers: [identifier('2b6570')] },
  { keys: ['ed448'], sha: undefined, pss: false, identifiers: [identifier('2b6571')] },
];

function identifier(oid: string, ...parameters: readonly Uint8Array[]): Uint8Array {
  return derValue(DER.sequence, derValue(DER.objectIdentifier, Buffer.from(oid, 'hex')), ...parameters);
}

/** RSASSA-PSS with MGF1 of the same hash and a salt as long as the hash (RFC 7427 appendix A.4). */
function pssIdentifier(hash: Exclude<HashName, 'sha1'>, withNull: boolean): Uint8Array {
  const digest = identifier(HASH_OIDS[hash], ...(withNull ? [NULL] : []));
  const salt = derInteger(Uint8Array.of(SALT_OCTETS[hash]));
  const parameters = [
    derValue(0xa0, digest),
    derValue(0xa1, identifier('2a864886f70d010108', digest)),
    derValue(0xa2, salt),
  ];
  return identifier('2a864886f70d01010a', derValue(DER.sequence, ...parameters));
}

export interface Signature {
  /** Auth Method. */
  readonly method: number;
  /** Authentication Data. */
  readonly data: Uint8Array;
}

/**
 * Signs what AUTH covers.
 *
 * @param peerHashes what the peer announced in SIGNATURE_HASH_ALGORITHMS; empty when it did not.
 * @returns `undefined` when there is no way to sign with this key that such a peer could verify.
 */
export function signAuth(key: KeyObject, octets: Uint8Array, peerHashes: readonly number[]): Signature | undefined {
  const algorithm = algorithmFor(key, peerHashes);
  if (algorithm === undefined) return signOldAuth(key, octets);
  const [name = new Uint8Array(0)] = algorithm.identifiers;
  const signature = sign(algorithm.sha ?? null, octets, withPadding(key, algorithm));
  return {
    method: AUTH_METHOD.digitalSignature,
    data: concatBytes(Uint8Array.of(name.length), name, signature),
  };
}

/** RFC 8247 section 4: RSASSA-PSS before PKCS #1 v1.5; with a curve the hash that is as strong. */
function algorithmFor(key: KeyObject, peerHashes: readonly number[]): Algorithm | undefined {
  const type = key.asymmetricKeyType ?? '';
  const fitting = ALGORITHMS.filter(({ keys, sha }) => {
    const understood = peerHashes.some((number) =>
      sha === undefined ? number === IDENTITY_HASH : SHA_NUMBERS.get(number) === sha,
    );
    return keys.includes(type) && understood;
  });
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
  return fitting.find(({ sha }) => sha === curve?.sha) ?? fitting[0];
}

function signOldAuth(key: KeyObject, octets: Uint8Array): Signature | undefined {
  if (key.asymmetricKeyType === 'rsa') {
    return { method: AUTH_METHOD.rsa, data: sign('sha1', octets, key) };
  }
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (curve === undefined) return undefined;
  return { method: curve.method, data: sign(curve.sha, octets, { key, dsaEncoding: 'ieee-p1363' }) };
}

/** Why a signature is not believed: the clause that tells nothing. */
const WRONG = 'does not belong to its certificate';

/** Whether a peer's AUTH is by signature, of whatever kind. */
export function isSignature(method: number): boolean {
  return method !== AUTH_METHOD.sharedKey && (Object.values(AUTH_METHOD) as readonly number[]).includes(method);
}

/**
 * Verifies a peer's signature over `octets`. Never throws, whatever the octets.
 * @returns why it is not believed, as a clause without subject; `undefined`: it is good.
 */
export function signatureProblem(key: KeyObject, octets: Uint8Array, { method, data }: Signature): string | undefined {
  if (key.asymmetricKeyType?.startsWith('rsa') && (key.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA_BITS) {
    return `is by an RSA key of less than ${MIN_RSA_BITS} bits`;
  }
  try {
    if (method === AUTH_METHOD.digitalSignature) return digitalSignatureProblem(key, octets, data);
    if (method === AUTH_METHOD.rsa) {
      const fits = key.asymmetricKeyType === 'rsa' && verify('sha1', octets, key, data);
      return fits ? undefined : WRONG;
    }
    const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
    if (curve?.method !== method) return WRONG;
    return verify(curve.sha, octets, { key, dsaEncoding: 'ieee-p1363' }, data) ? undefined : WRONG;
  } catch {
    // OpenSSL throws at some malformed signatures.
    return WRONG;
  }
}

function digitalSignatureProblem(key: KeyObject, octets: Uint8Array, data: Uint8Array): string | undefined {
  let name: Uint8Array;
  let signature: Uint8Array;
  try {
    const reader = new ByteReader(data);
    name = reader.bytes(reader.u8('ASN.1 Length'), 'AlgorithmIdentifier');
    signature = reader.rest();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return 'is malformed';
  }
  const algorithm = ALGORITHMS.find(({ identifiers }) => identifiers.some((one) => hex(one) === hex(name)));
  if (algorithm === undefined) return 'is by an algorithm that is not believed here';
  if (!algorithm.keys.includes(key.asymmetricKeyType ?? '')) return WRONG;
  return verify(algorithm.sha ?? null, octets, withPadding(key, algorithm), signature) ? undefined : WRONG;
}

function withPadding(key: KeyObject, { sha, pss }: Algorithm) {
  if (!pss || sha === undefined) return { key };
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: SALT_OCTETS[sha] };
}
