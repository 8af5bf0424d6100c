/**
 * Every algorithm that IKE negotiates, in one table: names and numbers of IKEv2 (RFC 7296 section 3.3.2 and the IANA
 * registry), numbers of IKEv1 (RFC 2409 appendix A, RFC 2407 sections 4.4.4 and 4.5), sizes, strength.
 *
 * Absent on purpose: single DES, RC4, MD4 and the 768-bit group, which nobody should speak any more.
 */
import { EncodeError } from '../bytes.ts';
import { BLOWFISH } from './blowfish.ts';

/** Digest of `node:crypto` below a prf, an integrity algorithm or an IKEv1 hash. */
export type HashName = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** How a cipher is run. `gcm`, `ccm` and `chacha20-poly1305` are combined modes: they need no integrity algorithm. */
export type CipherMode = 'cbc' | 'ctr' | 'gcm' | 'ccm' | 'chacha20-poly1305';

interface TransformRow {
  /** As in this project's configuration. Unique under its kind only. */
  readonly name: string;
  /** For people: `AES-GCM with 128-bit key`. */
  readonly title: string;
  /** Transform ID in IKEv2; absent: cannot be negotiated there. */
  readonly v2?: number;
  /** Security in bits, as estimated by RFC 3526 section 8, NIST SP 800-57 part 1 and the like. */
  readonly strength: number;
  /** For old peers only: RFC 8247 and RFC 8221 advise against it. */
  readonly legacy: boolean;
}

export interface EncryptionTransform extends TransformRow {
  readonly kind: 'encryption';
  readonly mode: CipherMode;
  /** Name of the cipher in `node:crypto`. */
  readonly cipher: string;
  /** Key without salt. */
  readonly keyOctets: number;
  /** Taken from the keying material behind the key; begins the nonce (RFC 4106 section 4, RFC 3686 section 4). */
  readonly saltOctets: number;
  /** In front of the ciphertext, in ESP and in IKE. */
  readonly ivOctets: number;
  /** What plaintext is padded to: 8 or 16 in CBC, 1 elsewhere. (ESP wants multiples of 4 besides.) */
  readonly blockOctets: number;
  /** Of a combined mode; 0 elsewhere. */
  readonly icvOctets: number;
  /** Whether the Key Length attribute goes with it. Its value is `keyOctets * 8`. */
  readonly keyLengthAttribute: boolean;
  /** IKEv1 phase 1, Encryption Algorithm attribute; absent: not there. */
  readonly phase1?: number;
  /** IKEv1 phase 2, ESP transform identifier; absent: not there. */
  readonly phase2?: number;
}

export interface PrfTransform extends TransformRow {
  readonly kind: 'prf';
  readonly hash: HashName;
  /** Of the output, and the preferred size of its key. */
  readonly octets: number;
  /** IKEv1 phase 1, Hash Algorithm attribute: the prf is HMAC of it. */
  readonly phase1: number;
}

export interface IntegrityTransform extends TransformRow {
  readonly kind: 'integrity';
  readonly hash: HashName;
  readonly keyOctets: number;
  readonly icvOctets: number;
  /** IKEv1 phase 2, Authentication Algorithm attribute. */
  readonly phase2: number;
}

export interface GroupTransform extends TransformRow {
  readonly kind: 'group';
  readonly family: 'modp' | 'ecp' | 'x25519';
  /** Group number, the same in IKEv1 and IKEv2. */
  readonly v2: number;
  /** Of the KE payload's data. */
  readonly publicOctets: number;
  /** Of the shared secret: g^ir in its full length, or the x coordinate. */
  readonly secretOctets: number;
}

/** A key exchange beside the first one (RFC 9370). */
export interface AdditionalTransform extends TransformRow {
  readonly kind: 'additional';
  readonly v2: number;
}

export interface EsnTransform extends TransformRow {
  readonly kind: 'esn';
  readonly v2: number;
}

export type Transform =
  | EncryptionTransform
  | PrfTransform
  | IntegrityTransform
  | GroupTransform
  | AdditionalTransform
  | EsnTransform;
export type TransformKind = Transform['kind'];
export type TransformOf<Kind extends TransformKind> = Extract<Transform, { readonly kind: Kind }>;

/** Transform Type in IKEv2 (RFC 7296 section 3.3.2; RFC 9370 section 3.1, of whose seven there is but the first here). */
export const TRANSFORM_TYPES = { encryption: 1, prf: 2, integrity: 3, group: 4, esn: 5, additional: 6 } as const;

const LEGACY = true;

/** AES in one mode of `ICV` variants, with each key size. */
function aes(bits: 128 | 192 | 256): readonly EncryptionTransform[] {
  const common = { kind: 'encryption', keyOctets: bits / 8, strength: bits, legacy: false } as const;
  const sized = { ...common, keyLengthAttribute: true } as const;
  const combined = (mode: 'gcm' | 'ccm', saltOctets: number, icvOctets: number, id: number): EncryptionTransform => ({
    ...sized,
    name: `aes${bits}${mode}${icvOctets}`,
    title: `AES-${mode.toUpperCase()} with ${bits}-bit key${icvOctets === 16 ? '' : ` and ${icvOctets * 8}-bit ICV`}`,
    v2: id,
    phase2: id,
    mode,
    cipher: `aes-${bits}-${mode}`,
    saltOctets,
    ivOctets: 8,
    blockOctets: 1,
    icvOctets,
  });
  return [
    {
      ...sized,
      name: `aes${bits}`,
      title: `AES-CBC with ${bits}-bit key`,
      v2: 12,
      phase1: 7,
      phase2: 12,
      mode: 'cbc',
      cipher: `aes-${bits}-cbc`,
      saltOctets: 0,
      ivOctets: 16,
      blockOctets: 16,
      icvOctets: 0,
    },
    {
      ...sized,
      name: `aes${bits}ctr`,
      title: `AES-CTR with ${bits}-bit key`,
      v2: 13,
      phase2: 13,
      mode: 'ctr',
      cipher: `aes-${bits}-ctr`,
      saltOctets: 4,
      ivOctets: 8,
      blockOctets: 1,
      icvOctets: 0,
    },
    // RFC 4309 section 8, RFC 5282 section 7.2
    combined('ccm', 3, 8, 14),
    combined('ccm', 3, 12, 15),
    combined('ccm', 3, 16, 16),
    // RFC 4106 section 8, RFC 5282 section 7.2
    combined('gcm', 4, 8, 18),
    combined('gcm', 4, 12, 19),
    combined('gcm', 4, 16, 20),
  ];
}

function prf(hash: HashName, octets: number, v2: number, phase1: number, strength: number): PrfTransform {
  const title = `PRF-HMAC-${HASH_TITLES[hash]}`;
  return { kind: 'prf', name: hash, title, v2, phase1, hash, octets, strength, legacy: isLegacyHash(hash) };
}

function integrity(
  hash: HashName,
  octets: { readonly key: number; readonly icv: number },
  id: { readonly v2: number; readonly phase2: number },
): IntegrityTransform {
  const title = `HMAC-${HASH_TITLES[hash]}-${octets.icv * 8}`;
  const sizes = { keyOctets: octets.key, icvOctets: octets.icv, strength: octets.icv * 8 };
  return { kind: 'integrity', name: hash, title, ...id, hash, ...sizes, legacy: isLegacyHash(hash) };
}

function modp(bits: number, v2: number, strength: number, legacy = false): GroupTransform {
  const sizes = { publicOctets: bits / 8, secretOctets: bits / 8 };
  return {
    kind: 'group',
    name: `modp${bits}`,
    title: `${bits}-bit MODP`,
    v2,
    family: 'modp',
    ...sizes,
    strength,
    legacy,
  };
}

function ecp(bits: number, v2: number, strength: number): GroupTransform {
  const coordinate = Math.ceil(bits / 8);
  const sizes = { publicOctets: coordinate * 2, secretOctets: coordinate };
  return {
    kind: 'group',
    name: `ecp${bits}`,
    title: `${bits}-bit ECP`,
    v2,
    family: 'ecp',
    ...sizes,
    strength,
    legacy: false,
  };
}

const HASH_TITLES = {
  md5: 'MD5',
  sha1: 'SHA1',
  sha256: 'SHA2-256',
  sha384: 'SHA2-384',
  sha512: 'SHA2-512',
} as const satisfies Record<HashName, string>;

function isLegacyHash(hash: HashName): boolean {
  return hash === 'md5' || hash === 'sha1';
}

/** Strongest and most usual first, within each kind. */
export const TRANSFORMS: readonly Transform[] = [
  ...aes(256),
  ...aes(192),
  ...aes(128),
  {
    // RFC 7634 section 4; no number in IKEv1
    kind: 'encryption',
    name: 'chacha20poly1305',
    title: 'ChaCha20-Poly1305',
    v2: 28,
    mode: 'chacha20-poly1305',
    cipher: 'chacha20-poly1305',
    keyOctets: 32,
    saltOctets: 4,
    ivOctets: 8,
    blockOctets: 1,
    icvOctets: 16,
    keyLengthAttribute: false,
    strength: 256,
    legacy: false,
  },
  {
    // RFC 2451
    kind: 'encryption',
    name: '3des',
    title: '3DES-CBC',
    v2: 3,
    phase1: 5,
    phase2: 3,
    mode: 'cbc',
    cipher: 'des-ede3-cbc',
    keyOctets: 24,
    saltOctets: 0,
    ivOctets: 8,
    blockOctets: 8,
    icvOctets: 0,
    keyLengthAttribute: false,
    strength: 112,
    legacy: LEGACY,
  },
  ...BLOWFISH,

  // RFC 4868 section 4, RFC 2409 appendix A and its registry
  prf('sha512', 64, 7, 6, 256),
  prf('sha384', 48, 6, 5, 192),
  prf('sha256', 32, 5, 4, 128),
  prf('sha1', 20, 2, 2, 80),
  prf('md5', 16, 1, 1, 64),

  // RFC 4868, RFC 2404, RFC 2403; RFC 2407 section 4.5 and its registry
  integrity('sha512', { key: 64, icv: 32 }, { v2: 14, phase2: 7 }),
  integrity('sha384', { key: 48, icv: 24 }, { v2: 13, phase2: 6 }),
  integrity('sha256', { key: 32, icv: 16 }, { v2: 12, phase2: 5 }),
  {
    // draft-ietf-ipsec-ciph-sha-256-00, which Android up to 7 and old Linux kernels follow under the number of SHA2-256
    kind: 'integrity',
    name: 'sha256-96',
    title: 'HMAC-SHA2-256-96 (truncated as by old Android)',
    phase2: 5,
    hash: 'sha256',
    keyOctets: 32,
    icvOctets: 12,
    strength: 96,
    legacy: LEGACY,
  },
  integrity('sha1', { key: 20, icv: 12 }, { v2: 2, phase2: 2 }),
  integrity('md5', { key: 16, icv: 12 }, { v2: 1, phase2: 1 }),

  // RFC 8031
  {
    kind: 'group',
    name: 'x25519',
    title: 'X25519',
    v2: 31,
    family: 'x25519',
    publicOctets: 32,
    secretOctets: 32,
    strength: 128,
    legacy: false,
  },
  // RFC 5903
  ecp(256, 19, 128),
  ecp(384, 20, 192),
  ecp(521, 21, 256),
  // RFC 3526; the 1024-bit one RFC 2409 section 6.2
  modp(8192, 18, 200),
  modp(6144, 17, 176),
  modp(4096, 16, 152),
  modp(3072, 15, 128),
  modp(2048, 14, 112),
  modp(1536, 5, 96, LEGACY),
  modp(1024, 2, 80, LEGACY),

  // draft-ietf-ipsecme-ikev2-mlkem section 5
  { kind: 'additional', name: 'mlkem768', title: 'ML-KEM-768', v2: 36, strength: 192, legacy: false },

  { kind: 'esn', name: 'esn', title: '64-bit sequence numbers', v2: 1, strength: 0, legacy: false },
  { kind: 'esn', name: 'noesn', title: '32-bit sequence numbers', v2: 0, strength: 0, legacy: false },
];

function isOfKind<Kind extends TransformKind>(row: Transform, kind: Kind): row is TransformOf<Kind> {
  return row.kind === kind;
}

function find<Kind extends TransformKind>(
  kind: Kind,
  matches: (row: TransformOf<Kind>) => boolean,
): TransformOf<Kind> | undefined {
  for (const row of TRANSFORMS) if (isOfKind(row, kind) && matches(row)) return row;
  return undefined;
}

const byName: ReadonlyMap<string, Transform> = new Map(TRANSFORMS.map((row) => [`${row.kind} ${row.name}`, row]));

/** The kind of an IKEv2 Transform Type; `undefined` when unknown. */
export function transformKind(type: number): TransformKind | undefined {
  return TRANSFORMS.find((row) => TRANSFORM_TYPES[row.kind] === type)?.kind;
}

/** By name; `undefined` when there is none. */
export function findTransform<Kind extends TransformKind>(kind: Kind, name: string): TransformOf<Kind> | undefined {
  const row = byName.get(`${kind} ${name}`);
  return row !== undefined && isOfKind(row, kind) ? row : undefined;
}

/** By name. @throws EncodeError when there is none: a mistake of the caller. */
export function transform<Kind extends TransformKind>(kind: Kind, name: string): TransformOf<Kind> {
  const row = findTransform(kind, name);
  if (row === undefined) throw new EncodeError(`no ${kind} algorithm is called ${name}`);
  return row;
}

/** Key Length attributes are exact: one where none belongs, or none where one belongs, names nothing we know. */
function hasKeyBits(row: Transform, keyBits: number | undefined): boolean {
  const expected = row.kind === 'encryption' && row.keyLengthAttribute ? row.keyOctets * 8 : undefined;
  return keyBits === expected;
}

/**
 * By IKEv2 Transform ID; `undefined` when unknown. Transform ID 0 of integrity and group (NONE) is no algorithm, and unknown.
 *
 * @param keyBits Key Length attribute, where the transform has one (RFC 7296 section 3.3.5).
 */
export function findTransformV2<Kind extends TransformKind>(
  kind: Kind,
  id: number,
  keyBits?: number,
): TransformOf<Kind> | undefined {
  return find(kind, (row) => row.v2 === id && hasKeyBits(row, keyBits));
}

/** IKEv1 phase 1, by Encryption Algorithm and, where there is one, Key Length attribute. */
export function findPhase1Encryption(id: number, keyBits?: number): EncryptionTransform | undefined {
  return find('encryption', (row) => row.phase1 === id && hasKeyBits(row, keyBits));
}

/** IKEv1 phase 1, by Hash Algorithm attribute. */
export function findPhase1Hash(id: number): PrfTransform | undefined {
  return find('prf', (row) => row.phase1 === id);
}

/** IKEv1 phase 2, by ESP transform identifier and, where there is one, Key Length attribute. */
export function findPhase2Encryption(id: number, keyBits?: number): EncryptionTransform | undefined {
  return find('encryption', (row) => row.phase2 === id && hasKeyBits(row, keyBits));
}

/** IKEv1 phase 2, by Authentication Algorithm attribute; 5 is `sha256`, never `sha256-96`. */
export function findPhase2Integrity(id: number): IntegrityTransform | undefined {
  return find('integrity', (row) => row.phase2 === id);
}

/** By IKEv1 Group Description attribute, of either phase. */
export function findGroupV1(id: number): GroupTransform | undefined {
  return findTransformV2('group', id);
}

/** Whether the cipher checks integrity by itself. */
export function isCombinedMode(row: EncryptionTransform): boolean {
  return row.icvOctets > 0;
}
