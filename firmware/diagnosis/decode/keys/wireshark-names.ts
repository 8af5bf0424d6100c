/**
 * What Wireshark 4.0 calls algorithms in `ikev2_decryption_table` and `esp_sa`, beside the names of the transform table.
 *
 * Of the transform table it lacks ChaCha20-Poly1305 (later versions have it for ESP) and AES-CCM for ESP: those go by our
 * own names, which this side reads as well.
 */
import { findTransform } from '../../../protocol/ike/transforms.ts';
import type { DecodeCipher, DecodeIntegrity } from './decode-keys.ts';

/** An encryption name, and the transforms that it may stand for: the length of the key decides. */
interface CipherName {
  readonly title: string;
  readonly transforms: readonly string[];
}

const AES_BITS = [128, 192, 256] as const;
const ICV_OCTETS = [16, 8, 12] as const;

const aes = (suffix: string): readonly string[] => AES_BITS.map((bits) => `aes${bits}${suffix}`);

/** IKEv2: each key size has a name of its own. */
const IKEV2_CIPHERS: readonly CipherName[] = [
  { title: '3DES [RFC2451]', transforms: ['3des'] },
  ...AES_BITS.flatMap((bits) => [
    { title: `AES-CBC-${bits} [RFC3602]`, transforms: [`aes${bits}`] },
    { title: `AES-CTR-${bits} [RFC5930]`, transforms: [`aes${bits}ctr`] },
    ...ICV_OCTETS.flatMap((icv) => [
      { title: `AES-GCM-${bits} with ${icv} octet ICV [RFC5282]`, transforms: [`aes${bits}gcm${icv}`] },
      { title: `AES-CCM-${bits} with ${icv} octet ICV [RFC5282]`, transforms: [`aes${bits}ccm${icv}`] },
    ]),
  ]),
];
const IKEV2_NULL = 'NULL [RFC2410]';

const IKEV2_INTEGRITIES: ReadonlyMap<string, DecodeIntegrity> = new Map<string, DecodeIntegrity>([
  ['NONE [RFC4306]', { kind: 'none' }],
  ['HMAC_MD5_96 [RFC2403]', { kind: 'known', name: 'md5' }],
  ['HMAC_SHA1_96 [RFC2404]', { kind: 'known', name: 'sha1' }],
  ['HMAC_MD5_128 [RFC4595]', { kind: 'unchecked', icvOctets: 16 }],
  ['HMAC_SHA1_160 [RFC4595]', { kind: 'unchecked', icvOctets: 20 }],
  ['HMAC_SHA2_256_96 [draft-ietf-ipsec-ciph-sha-256-00]', { kind: 'known', name: 'sha256-96' }],
  ['HMAC_SHA2_256_128 [RFC4868]', { kind: 'known', name: 'sha256' }],
  ['HMAC_SHA2_384_192 [RFC4868]', { kind: 'known', name: 'sha384' }],
  ['HMAC_SHA2_512_256 [RFC4868]', { kind: 'known', name: 'sha512' }],
  ...[64, 96, 128, 160, 192, 256].map((bits): [string, DecodeIntegrity] => [
    `ANY ${bits}-bits of Authentication [No Checking]`,
    { kind: 'unchecked', icvOctets: bits / 8 },
  ]),
]);

/** Versions after 4.0 have it. */
const LATER = 'ChaCha20 with Poly1305 [RFC7634]';

const ESP_CIPHERS: readonly CipherName[] = [
  { title: 'AES-CBC [RFC3602]', transforms: aes('') },
  { title: 'AES-CTR [RFC3686]', transforms: aes('ctr') },
  { title: 'TripleDES-CBC [RFC2451]', transforms: ['3des'] },
  { title: 'AES-GCM with 16 octet ICV [RFC4106]', transforms: aes('gcm16') },
  { title: 'AES-GCM with 12 octet ICV [RFC4106]', transforms: aes('gcm12') },
  { title: 'AES-GCM with 8 octet ICV [RFC4106]', transforms: aes('gcm8') },
  // Says no length: the usual one is meant.
  { title: 'AES-GCM [RFC4106]', transforms: aes('gcm16') },
  { title: LATER, transforms: ['chacha20poly1305'] },
  ...['DES-CBC [RFC2405]', 'CAST5-CBC [RFC2144]', 'BLOWFISH-CBC [RFC2451]', 'TWOFISH-CBC'].map((title) => ({
    title,
    transforms: [],
  })),
];
const ESP_NULL = 'NULL';

const ESP_INTEGRITIES: ReadonlyMap<string, DecodeIntegrity> = new Map<string, DecodeIntegrity>([
  ['NULL', { kind: 'none' }],
  ['HMAC-SHA-1-96 [RFC2404]', { kind: 'known', name: 'sha1' }],
  ['HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]', { kind: 'known', name: 'sha256-96' }],
  ['HMAC-SHA-256-128 [RFC4868]', { kind: 'known', name: 'sha256' }],
  ['HMAC-SHA-384-192 [RFC4868]', { kind: 'known', name: 'sha384' }],
  ['HMAC-SHA-512-256 [RFC4868]', { kind: 'known', name: 'sha512' }],
  ['HMAC-MD5-96 [RFC2403]', { kind: 'known', name: 'md5' }],
  ['MAC-RIPEMD-160-96 [RFC2857]', { kind: 'unchecked', icvOctets: 12 }],
  ...[64, 96, 128, 192, 256].map((bits): [string, DecodeIntegrity] => [
    `ANY ${bits} bit authentication [no checking]`,
    { kind: 'unchecked', icvOctets: bits / 8 },
  ]),
]);

export type KeyTable = 'ikev2' | 'esp';

const TABLES = {
  ikev2: { ciphers: IKEV2_CIPHERS, nothing: IKEV2_NULL, integrities: IKEV2_INTEGRITIES },
  esp: { ciphers: ESP_CIPHERS, nothing: ESP_NULL, integrities: ESP_INTEGRITIES },
} as const;

/** Octets of key, salt included, that an encryption algorithm of the transform table takes. */
function keyOctetsOf(name: string): number {
  const row = findTransform('encryption', name);
  return row === undefined ? 0 : row.keyOctets + row.saltOctets;
}

/** Encryption names of a table, for whoever wrote another one. */
export function cipherTitles(table: KeyTable): readonly string[] {
  return [TABLES[table].nothing, ...TABLES[table].ciphers.map(({ title }) => title)];
}

export function integrityTitles(table: KeyTable): readonly string[] {
  return [...TABLES[table].integrities.keys()];
}

/**
 * The cipher of this name with a key of so many octets. @returns the lengths that would fit, where this one does not;
 * `undefined` when there is no such name.
 */
export function cipherOf(
  table: KeyTable,
  title: string,
  keyOctets: number,
): DecodeCipher | { readonly kind: 'wrong-key'; readonly octets: readonly number[] } | undefined {
  const { ciphers, nothing } = TABLES[table];
  if (title === nothing) return keyOctets === 0 ? { kind: 'null' } : { kind: 'wrong-key', octets: [0] };
  const known = ciphers.find((row) => row.title === title)?.transforms;
  const names = known ?? (findTransform('encryption', title) === undefined ? undefined : [title]);
  if (names === undefined) return undefined;
  if (names.length === 0) return { kind: 'unreadable', name: title };
  const name = names.find((one) => keyOctetsOf(one) === keyOctets);
  return name === undefined ? { kind: 'wrong-key', octets: names.map(keyOctetsOf) } : { kind: 'known', name };
}

/** The integrity algorithm of this name; `undefined` when there is none. */
export function integrityOf(table: KeyTable, title: string): DecodeIntegrity | undefined {
  return TABLES[table].integrities.get(title);
}

/** Octets of its key; `undefined`: any number will do. */
export function integrityKeyOctets(integrity: DecodeIntegrity): number | undefined {
  if (integrity.kind === 'none') return 0;
  return integrity.kind === 'known' ? findTransform('integrity', integrity.name)?.keyOctets : undefined;
}

/** What Wireshark calls an encryption algorithm of the transform table; else its name there. */
export function cipherTitle(table: KeyTable, name: string): string {
  return TABLES[table].ciphers.find(({ transforms }) => transforms.includes(name))?.title ?? name;
}

/** The same of an integrity algorithm; absent: of a combined mode. */
export function integrityTitle(table: KeyTable, name: string | undefined): string {
  for (const [title, integrity] of TABLES[table].integrities) {
    if (name === undefined ? integrity.kind === 'none' : integrity.kind === 'known' && integrity.name === name)
      return title;
  }
  return name ?? '';
}

/** Whether Wireshark 4.0 has a name for an encryption algorithm of the transform table. */
export function isKnownToWireshark(table: KeyTable, name: string): boolean {
  const title = cipherTitle(table, name);
  return title !== name && title !== LATER;
}
