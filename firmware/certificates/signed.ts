/** What an authority has signed: certificates, CRLs and requests all have this shape (RFC 5280 section 4.1.1). */
import { constants, type KeyObject, verify } from 'node:crypto';
import { DecodeError, hex } from '../protocol/bytes.ts';
import { context, DerReader, onlyDer, smallInteger, TAG, wholeOctets } from './der-reader.ts';
import { objectIdentifierText } from './object-identifier.ts';

export interface Signed {
  /** The signed octets. */
  readonly content: Uint8Array;
  /** AlgorithmIdentifier, DER. */
  readonly algorithm: Uint8Array;
  readonly signature: Uint8Array;
}

/** @throws DecodeError */
export function readSigned(der: Uint8Array, what: string): Signed {
  const reader = onlyDer(der, TAG.sequence, what);
  const content = reader.next(TAG.sequence, what).whole;
  const algorithm = reader.next(TAG.sequence, 'signatureAlgorithm').whole;
  const signature = wholeOctets(reader.next(TAG.bitString, 'signature').contents, 'signature');
  reader.end(what);
  return { content, algorithm, signature };
}

/** How a signature is made. `hash` absent: the algorithm has one of its own. */
interface Method {
  readonly name: string;
  readonly keys: readonly string[];
  readonly hash?: string;
  readonly saltLength?: number;
  /** Somebody may forge it: never taken. */
  readonly broken?: true;
}

const RSA = ['rsa'];
const ECDSA = ['ec'];

/** By contents of the OBJECT IDENTIFIER in hexadecimal (RFC 3279, 4055, 5758, 8410). */
const METHODS: Readonly<Record<string, Method>> = {
  '2a864886f70d010102': { name: 'RSA with MD2', keys: RSA, broken: true },
  '2a864886f70d010104': { name: 'RSA with MD5', keys: RSA, broken: true },
  '2a864886f70d010105': { name: 'RSA with SHA-1', keys: RSA, broken: true },
  '2a864886f70d01010b': { name: 'RSA with SHA-256', keys: RSA, hash: 'sha256' },
  '2a864886f70d01010c': { name: 'RSA with SHA-384', keys: RSA, hash: 'sha384' },
  '2a864886f70d01010d': { name: 'RSA with SHA-512', keys: RSA, hash: 'sha512' },
  '2a8648ce3d0401': { name: 'ECDSA with SHA-1', keys: ECDSA, broken: true },
  '2a8648ce3d040302': { name: 'ECDSA with SHA-256', keys: ECDSA, hash: 'sha256' },
  '2a8648ce3d040303': { name: 'ECDSA with SHA-384', keys: ECDSA, hash: 'sha384' },
  '2a8648ce3d040304': { name: 'ECDSA with SHA-512', keys: ECDSA, hash: 'sha512' },
  '2a8648ce380403': { name: 'DSA with SHA-1', keys: ['dsa'], broken: true },
  '2b6570': { name: 'Ed25519', keys: ['ed25519'] },
  '2b6571': { name: 'Ed448', keys: ['ed448'] },
};

const RSASSA_PSS = '2a864886f70d01010a';

/** Hashes of RSASSA-PSS by contents of the OBJECT IDENTIFIER. */
const PSS_HASHES: Readonly<Record<string, string>> = {
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
};

/** `broken`: by an algorithm that can be forged, or that is not known here; its name. */
export type Verdict = 'good' | 'wrong' | { readonly broken: string };

/** Never throws, whatever the octets. */
export function verifySigned({ content, algorithm, signature }: Signed, key: KeyObject): Verdict {
  const method = methodOf(algorithm);
  if (method.broken === true) return { broken: method.name };
  if (!method.keys.includes(key.asymmetricKeyType ?? '')) return 'wrong';
  try {
    const { hash, saltLength } = method;
    const padding = saltLength === undefined ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
    return verify(hash, content, { key, ...padding }, signature) ? 'good' : 'wrong';
  } catch {
    return 'wrong';
  }
}

/** In words: `RSA with SHA-256`. */
export function signatureName({ algorithm }: Signed): string {
  return methodOf(algorithm).name;
}

function methodOf(algorithm: Uint8Array): Method {
  const unknown = (name: string): Method => ({ name, keys: [], broken: true });
  try {
    const reader = onlyDer(algorithm, TAG.sequence, 'AlgorithmIdentifier');
    const id = hex(reader.next(TAG.objectIdentifier, 'algorithm').contents);
    if (id === RSASSA_PSS) return pssMethod(reader) ?? unknown('RSASSA-PSS with an old hash');
    const method = Object.hasOwn(METHODS, id) ? METHODS[id] : undefined;
    return method ?? unknown(`the unknown algorithm ${objectIdentifierText(id)}`);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return unknown('an algorithm that cannot be read');
  }
}

/** RSASSA-PSS-params (RFC 4055 section 3.1). Everything that is left out means SHA-1, and is refused. */
function pssMethod(reader: DerReader): Method | undefined {
  const params = reader.inside(TAG.sequence, 'RSASSA-PSS-params');
  const hash = pssHash(params.optional(context(0, 'constructed'), 'hashAlgorithm')?.contents);
  const mask = params.optional(context(1, 'constructed'), 'maskGenAlgorithm')?.contents;
  const salt = params.optional(context(2, 'constructed'), 'saltLength')?.contents;
  if (hash === undefined || mask === undefined) return undefined;
  const generator = new DerReader(mask).inside(TAG.sequence, 'maskGenAlgorithm');
  generator.next(TAG.objectIdentifier, 'mgf1');
  // Node takes one hash for both.
  if (pssHash(generator.next(TAG.sequence, 'hash of mgf1').whole) !== hash) return undefined;
  const saltLength =
    salt === undefined ? 20 : smallInteger(new DerReader(salt).any('saltLength').contents, 'saltLength');
  const name = `RSASSA-PSS with ${hash.replace('sha', 'SHA-')}`;
  return { name, keys: ['rsa', 'rsa-pss'], hash, saltLength };
}

function pssHash(algorithm: Uint8Array | undefined): string | undefined {
  if (algorithm === undefined) return undefined;
  const id = onlyDer(algorithm, TAG.sequence, 'AlgorithmIdentifier').next(TAG.objectIdentifier, 'hash').contents;
  return Object.hasOwn(PSS_HASHES, hex(id)) ? PSS_HASHES[hex(id)] : undefined;
}
