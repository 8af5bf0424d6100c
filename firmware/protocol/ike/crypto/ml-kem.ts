/**
 * ML-KEM-768 (FIPS 203) as an additional key exchange (draft-ietf-ipsecme-ikev2-mlkem): the initiator sends an
 * encapsulation key, the responder a ciphertext.
 *
 * The initiator's key comes from the {@link RandomSource}. What the responder draws, OpenSSL draws by itself: nothing can be
 * handed in there, as with signatures.
 */
import { createPrivateKey, createPublicKey, decapsulate, encapsulate, type KeyObject } from 'node:crypto';
import { concatBytes, DecodeError } from '../../bytes.ts';
import type { RandomSource } from '../../machine.ts';
import { DER, derValue } from './der.ts';
import { octetsOf } from './hash.ts';
import { wipe } from './secrets.ts';

/** `d | z` (FIPS 203 section 7.1). */
const SEED_OCTETS = 64;
const PUBLIC_OCTETS = 1184;
const CIPHERTEXT_OCTETS = 1088;

/** `id-alg-ml-kem-768`, 2.16.840.1.101.3.4.4.2 (RFC 9935 section 3). */
const ALGORITHM = derValue(
  DER.sequence,
  derValue(DER.objectIdentifier, Uint8Array.of(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x04, 0x02)),
);
const PKCS8_VERSION = derValue(DER.integer, Uint8Array.of(0));

/** `[0] IMPLICIT OCTET STRING`: the private key as its seed (RFC 9935 section 6). */
const SEED_CHOICE = 0x80;

/** The initiator's side of one exchange. */
export interface Decapsulator {
  /** For the KE payload, 1184 octets. */
  readonly publicValue: Uint8Array;
  /** @returns 32 octets. @throws DecodeError when `ciphertext` has not 1088 octets. */
  sharedSecret(ciphertext: Uint8Array): Uint8Array;
}

export function createDecapsulator(random: RandomSource): Decapsulator {
  const seed = Uint8Array.from(random.bytes(SEED_OCTETS));
  const key = privateKey(seed);
  const info = octetsOf(createPublicKey(key).export({ format: 'der', type: 'spki' }));
  return { publicValue: info.slice(-PUBLIC_OCTETS), sharedSecret: (ciphertext) => open(key, ciphertext) };
}

function open(key: KeyObject, ciphertext: Uint8Array): Uint8Array {
  if (ciphertext.length !== CIPHERTEXT_OCTETS) {
    throw new DecodeError(`KE: ${CIPHERTEXT_OCTETS} octets wanted, ${ciphertext.length} received`);
  }
  return taken(decapsulate(key, Buffer.from(ciphertext)));
}

/**
 * The responder's side. @param publicValue of the initiator. @returns the ciphertext for it, and 32 octets that both know then.
 * @throws DecodeError when it is no encapsulation key (FIPS 203 section 7.2).
 */
export function encapsulateTo(publicValue: Uint8Array): {
  readonly ciphertext: Uint8Array;
  readonly sharedSecret: Uint8Array;
} {
  if (publicValue.length !== PUBLIC_OCTETS) {
    throw new DecodeError(`KE: ${PUBLIC_OCTETS} octets wanted, ${publicValue.length} received`);
  }
  const bits = derValue(DER.bitString, concatBytes(Uint8Array.of(0), publicValue));
  const info = Buffer.from(derValue(DER.sequence, ALGORITHM, bits));
  let made: { readonly ciphertext: Buffer; readonly sharedKey: Buffer };
  try {
    made = encapsulate(createPublicKey({ key: info, format: 'der', type: 'spki' }));
  } catch {
    throw new DecodeError('KE: no encapsulation key');
  }
  return { ciphertext: Uint8Array.from(made.ciphertext), sharedSecret: taken(made.sharedKey) };
}

function taken(secret: Buffer): Uint8Array {
  const copy = Uint8Array.from(secret);
  wipe(secret);
  return copy;
}

function privateKey(seed: Uint8Array): KeyObject {
  const inner = derValue(SEED_CHOICE, seed);
  const wrapped = derValue(DER.octetString, inner);
  const info = derValue(DER.sequence, PKCS8_VERSION, ALGORITHM, wrapped);
  const key = Buffer.from(info);
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  } finally {
    wipe(seed, inner, wrapped, info, key);
  }
}
