/** The algorithms of the packet cipher port: names, sizes, and the check of what a cipher is opened with. */
import { HalError } from './hal-error.ts';
import type { PacketAuthenticatorSpec, PacketCipherSpec } from './packet-cipher.ts';

export interface PacketEncryption {
  readonly mode: 'cbc' | 'ctr' | 'gcm' | 'ccm' | 'chacha20-poly1305';
  /** Name in OpenSSL and in node:crypto. */
  readonly cipher: string;
  /** Key without salt. */
  readonly keyOctets: number;
  /** Behind the key; begins the nonce. */
  readonly saltOctets: number;
  readonly ivOctets: number;
  readonly blockOctets: number;
  /** Of a combined mode; 0 where an integrity algorithm is needed. */
  readonly icvOctets: number;
}

export interface PacketIntegrity {
  /** Digest below HMAC, as OpenSSL and node:crypto call it. */
  readonly digest: 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';
  readonly keyOctets: number;
  /** What is left of the digest in a packet. */
  readonly icvOctets: number;
}

/** RFC 3602 (CBC), RFC 3686 (CTR), RFC 4106 (GCM), RFC 4309 (CCM) with one key size. */
function aes(bits: 128 | 192 | 256): readonly (readonly [string, PacketEncryption])[] {
  const keyOctets = bits / 8;
  const combined = (mode: 'gcm' | 'ccm', icvOctets: number): readonly [string, PacketEncryption] => [
    `aes${bits}${mode}${icvOctets}`,
    {
      mode,
      cipher: `aes-${bits}-${mode}`,
      keyOctets,
      saltOctets: mode === 'gcm' ? 4 : 3,
      ivOctets: 8,
      blockOctets: 1,
      icvOctets,
    },
  ];
  return [
    [
      `aes${bits}`,
      { mode: 'cbc', cipher: `aes-${bits}-cbc`, keyOctets, saltOctets: 0, ivOctets: 16, blockOctets: 16, icvOctets: 0 },
    ],
    [
      `aes${bits}ctr`,
      { mode: 'ctr', cipher: `aes-${bits}-ctr`, keyOctets, saltOctets: 4, ivOctets: 8, blockOctets: 1, icvOctets: 0 },
    ],
    ...([8, 12, 16] as const).flatMap((icv) => [combined('gcm', icv), combined('ccm', icv)]),
  ];
}

export const PACKET_ENCRYPTIONS: ReadonlyMap<string, PacketEncryption> = new Map<string, PacketEncryption>([
  ...aes(128),
  ...aes(192),
  ...aes(256),
  // RFC 7634 section 2
  [
    'chacha20poly1305',
    {
      mode: 'chacha20-poly1305',
      cipher: 'chacha20-poly1305',
      keyOctets: 32,
      saltOctets: 4,
      ivOctets: 8,
      blockOctets: 1,
      icvOctets: 16,
    },
  ],
  // RFC 2451
  [
    '3des',
    { mode: 'cbc', cipher: 'des-ede3-cbc', keyOctets: 24, saltOctets: 0, ivOctets: 8, blockOctets: 8, icvOctets: 0 },
  ],
]);

/** RFC 2403, RFC 2404, RFC 4868; `sha256-96` as Android up to 7 truncates it. */
export const PACKET_INTEGRITIES: ReadonlyMap<string, PacketIntegrity> = new Map<string, PacketIntegrity>([
  ['md5', { digest: 'md5', keyOctets: 16, icvOctets: 12 }],
  ['sha1', { digest: 'sha1', keyOctets: 20, icvOctets: 12 }],
  ['sha256', { digest: 'sha256', keyOctets: 32, icvOctets: 16 }],
  ['sha256-96', { digest: 'sha256', keyOctets: 32, icvOctets: 12 }],
  ['sha384', { digest: 'sha384', keyOctets: 48, icvOctets: 24 }],
  ['sha512', { digest: 'sha512', keyOctets: 64, icvOctets: 32 }],
]);

/** SPI and Sequence Number, octets. */
export const PACKET_HEADER = 8;

/** A spec that was found good, its key taken apart. The arrays are views on the caller's. */
export type PacketSuite = { readonly encryption: PacketEncryption; readonly key: Uint8Array } & (
  | { readonly kind: 'combined'; readonly salt: Uint8Array }
  | {
      readonly kind: 'separate';
      readonly salt: Uint8Array;
      readonly integrity: PacketIntegrity;
      readonly integrityKey: Uint8Array;
    }
);

/** @throws HalError when no such algorithm exists, or a key has the wrong length or is missing. */
export function packetSuite(spec: PacketCipherSpec): PacketSuite {
  const encryption = PACKET_ENCRYPTIONS.get(spec.encryption);
  if (encryption === undefined) throw unknown('encryption', spec.encryption, PACKET_ENCRYPTIONS);
  const { keyOctets, saltOctets } = encryption;
  assertKey(spec.encryption, spec.encryptionKey, keyOctets + saltOctets);
  const key = spec.encryptionKey.subarray(0, keyOctets);
  const salt = spec.encryptionKey.subarray(keyOctets);
  if (encryption.icvOctets > 0) {
    if (spec.integrity === undefined) return { kind: 'combined', encryption, key, salt };
    throw new HalError(
      `${spec.encryption} authenticates by itself, but ${spec.integrity} was asked for besides: leave it out.`,
      'EINVAL',
    );
  }
  const integrityKey = spec.integrityKey ?? new Uint8Array();
  const integrity = packetIntegrity({ integrity: spec.integrity ?? 'none', integrityKey });
  return { kind: 'separate', encryption, key, salt, integrity, integrityKey };
}

/** @throws HalError when no such algorithm exists, or its key has the wrong length. */
export function packetIntegrity({ integrity: name, integrityKey }: PacketAuthenticatorSpec): PacketIntegrity {
  const integrity = PACKET_INTEGRITIES.get(name);
  if (integrity === undefined) throw unknown('integrity', name, PACKET_INTEGRITIES);
  assertKey(name, integrityKey, integrity.keyOctets);
  return integrity;
}

/** Clears the place of an ICV. @throws RangeError when the octets or the ICV do not lie within the buffer. */
export function clearIcv(bytes: Uint8Array, at: number, length: number, icvAt: number, icvOctets: number): void {
  const fits = Number.isInteger(at) && Number.isInteger(length) && at >= 0 && at + length <= bytes.byteLength;
  if (!fits || !Number.isInteger(icvAt) || icvAt < 0 || icvAt + icvOctets > bytes.byteLength) {
    throw new RangeError(`no ICV at ${icvAt} and ${length} octets at ${at} of ${bytes.byteLength}`);
  }
  bytes.fill(0, icvAt, icvAt + icvOctets);
}

/**
 * Where the text of a packet begins.
 * @throws RangeError when the packet does not fit its buffer, or its text is empty or no multiple of the block.
 */
export function textOffset(
  bytes: Uint8Array,
  at: number,
  length: number,
  ivOctets: number,
  icvOctets: number,
  blockOctets: number,
): number {
  const start = at + PACKET_HEADER + ivOctets;
  const text = at + length - icvOctets - start;
  const fits = Number.isInteger(at) && Number.isInteger(length) && at >= 0 && at + length <= bytes.byteLength;
  if (fits && text > 0 && text % blockOctets === 0) return start;
  throw new RangeError(`no packet of ${length} octets with ${text} of text at ${at} of ${bytes.byteLength}`);
}

function unknown(kind: string, name: string, known: ReadonlyMap<string, unknown>): HalError {
  return new HalError(
    `There is no ${kind} algorithm ${name} for packets: choose one of ${[...known.keys()].join(', ')}.`,
    'EINVAL',
  );
}

function assertKey(name: string, key: Uint8Array, octets: number): void {
  if (key.length === octets) return;
  throw new HalError(
    `The key of ${name} has ${key.length} octets, but ${octets} are needed: derive it anew.`,
    'EINVAL',
  );
}
