/** Keys, initialization vectors and HASH payloads of IKEv1 (RFC 2409 sections 5, 5.5, 5.7 and appendix B). */
import { concatBytes, EncodeError } from '../../bytes.ts';
import type { ChildKeys } from '../ike-types.ts';
import type { EspProposal } from '../proposals.ts';
import { transform } from '../transforms.ts';
import { childKeyOctets, cutChildKeys } from './child-keys.ts';
import { hash } from './hash.ts';
import { prf } from './prf.ts';
import { wipe } from './secrets.ts';

/** Keys of an ISAKMP SA; each as long as the output of its hash. */
export interface Phase1Keys {
  readonly skeyid: Uint8Array;
  /** For the keys of child SAs. */
  readonly skeyidD: Uint8Array;
  /** For the HASH payloads of phase 2. */
  readonly skeyidA: Uint8Array;
  /** The cipher's key is made of it: {@link phase1EncryptionKey}. */
  readonly skeyidE: Uint8Array;
}

/** What Main Mode's first four messages gave. */
export interface Phase1Seed {
  /** Ni_b: data of the Nonce payload. */
  readonly nonceI: Uint8Array;
  /** Nr_b. */
  readonly nonceR: Uint8Array;
  /** CKY-I, 8 octets. */
  readonly cookieI: Uint8Array;
  /** CKY-R, 8 octets. */
  readonly cookieR: Uint8Array;
  /** g^xy, in the full length of the group. */
  readonly sharedSecret: Uint8Array;
}

const COOKIE_OCTETS = 8;
const NOTHING = new Uint8Array(0);

/**
 * `SKEYID = prf(psk, Ni_b | Nr_b)` and what follows from it (section 5).
 *
 * @param hashName negotiated hash, by the name of its prf in the transform table.
 * @throws EncodeError on an unknown hash or a cookie that has not 8 octets.
 */
export function phase1KeysPsk(hashName: string, psk: Uint8Array, seed: Phase1Seed): Phase1Keys {
  return phase1Keys(hashName, prf(hashName, psk, seed.nonceI, seed.nonceR), seed);
}

/** As {@link phase1KeysPsk}, for authentication by signature: `SKEYID = prf(Ni_b | Nr_b, g^xy)` (section 5). */
export function phase1KeysSignature(hashName: string, seed: Phase1Seed): Phase1Keys {
  const nonces = concatBytes(seed.nonceI, seed.nonceR);
  return phase1Keys(hashName, prf(hashName, nonces, seed.sharedSecret), seed);
}

function phase1Keys(hashName: string, skeyid: Uint8Array, seed: Phase1Seed): Phase1Keys {
  if (seed.cookieI.length !== COOKIE_OCTETS || seed.cookieR.length !== COOKIE_OCTETS) {
    throw new EncodeError(`a cookie has ${COOKIE_OCTETS} octets`);
  }
  const derive = (previous: Uint8Array, number: number): Uint8Array =>
    prf(hashName, skeyid, previous, seed.sharedSecret, seed.cookieI, seed.cookieR, Uint8Array.of(number));
  const skeyidD = derive(NOTHING, 0);
  const skeyidA = derive(skeyidD, 1);
  const skeyidE = derive(skeyidA, 2);
  return { skeyid, skeyidD, skeyidA, skeyidE };
}

/** For when the SA is gone. */
export function wipePhase1Keys(keys: Phase1Keys): void {
  wipe(keys.skeyid, keys.skeyidD, keys.skeyidA, keys.skeyidE);
}

/**
 * The key of the ISAKMP SA's cipher: the first octets of SKEYID_e, or, where it is too short, of `K1 | K2 | ...` with
 * `K1 = prf(SKEYID_e, 0)`, `Kn = prf(SKEYID_e, Kn-1)` (appendix B).
 */
export function phase1EncryptionKey(encryption: string, hashName: string, skeyidE: Uint8Array): Uint8Array {
  const { keyOctets } = transform('encryption', encryption);
  if (skeyidE.length >= keyOctets) return skeyidE.slice(0, keyOctets);
  return feedback(keyOctets, (previous) => prf(hashName, skeyidE, previous ?? Uint8Array.of(0)));
}

/**
 * IV of the first encrypted message of phase 1: the first octets of `hash(g^xi | g^xr)` (appendix B).
 * Every later one is the last ciphertext block of the message before it.
 */
export function phase1Iv(encryption: string, hashName: string, publicI: Uint8Array, publicR: Uint8Array): Uint8Array {
  return ivMaterial(encryption, hashName, publicI, publicR);
}

/**
 * IV of the first message of a Quick Mode or Informational: the first octets of `hash(last block of phase 1 | M-ID)`
 * (appendix B).
 *
 * @param lastBlock last ciphertext block of phase 1.
 * @param messageId 32 bits, unsigned, of the exchange's own header.
 */
export function phase2Iv(encryption: string, hashName: string, lastBlock: Uint8Array, messageId: number): Uint8Array {
  return ivMaterial(encryption, hashName, lastBlock, u32(messageId));
}

function ivMaterial(encryption: string, hashName: string, ...data: readonly Uint8Array[]): Uint8Array {
  return hash(transform('prf', hashName).hash, ...data).slice(0, transform('encryption', encryption).ivOctets);
}

/** What Quick Mode gave for one SA of the pair. */
export interface Phase2Seed {
  /** Protocol-ID of the proposal: 3 for ESP (RFC 2407 section 4.4.1). */
  readonly protocol: number;
  /** Chosen by whoever receives on this SA. */
  readonly spi: number;
  /** Ni_b of this Quick Mode. */
  readonly nonceI: Uint8Array;
  /** Nr_b. */
  readonly nonceR: Uint8Array;
  /** g(qm)^xy, with perfect forward secrecy. */
  readonly sharedSecret?: Uint8Array;
}

/**
 * Keys of one direction (section 5.5): `K1 = prf(SKEYID_d, [g(qm)^xy |] protocol | SPI | Ni_b | Nr_b)`,
 * `Kn = prf(SKEYID_d, Kn-1 | the same)`.
 *
 * @throws EncodeError when `esp` is no working combination.
 */
export function phase2Keymat(
  esp: EspProposal,
  phase1: { readonly hash: string; readonly skeyidD: Uint8Array },
  seed: Phase2Seed,
): ChildKeys {
  const text = concatBytes(
    seed.sharedSecret ?? NOTHING,
    Uint8Array.of(seed.protocol),
    u32(seed.spi),
    seed.nonceI,
    seed.nonceR,
  );
  const material = feedback(childKeyOctets(esp), (previous) =>
    prf(phase1.hash, phase1.skeyidD, previous ?? NOTHING, text),
  );
  const keys = cutChildKeys(esp, material);
  wipe(text, material);
  return keys;
}

/** The first `length` octets of `K1 | K2 | ...`, where each is made of the one before. */
function feedback(length: number, next: (previous: Uint8Array | undefined) => Uint8Array): Uint8Array {
  const out = new Uint8Array(length);
  let previous: Uint8Array | undefined;
  for (let at = 0; at < length; at += previous.length) {
    previous = next(previous);
    out.set(previous.subarray(0, length - at), at);
  }
  return out;
}

/** What HASH_I and HASH_R cover, besides SKEYID. */
export interface Phase1HashInput {
  /** g^xi: data of the initiator's KE payload. */
  readonly publicI: Uint8Array;
  /** g^xr. */
  readonly publicR: Uint8Array;
  readonly cookieI: Uint8Array;
  readonly cookieR: Uint8Array;
  /** SAi_b: the initiator's whole SA payload as sent, without generic header. */
  readonly saBody: Uint8Array;
  /** IDii_b or IDir_b: the ID payload of whoever makes the hash, without generic header. */
  readonly idBody: Uint8Array;
}

/** `prf(SKEYID, g^xi | g^xr | CKY-I | CKY-R | SAi_b | IDii_b)` (section 5). To be compared by `equalSecrets`. */
export function hashI(hashName: string, skeyid: Uint8Array, input: Phase1HashInput): Uint8Array {
  const { publicI, publicR, cookieI, cookieR, saBody, idBody } = input;
  return prf(hashName, skeyid, publicI, publicR, cookieI, cookieR, saBody, idBody);
}

/** `prf(SKEYID, g^xr | g^xi | CKY-R | CKY-I | SAi_b | IDir_b)` (section 5). To be compared by `equalSecrets`. */
export function hashR(hashName: string, skeyid: Uint8Array, input: Phase1HashInput): Uint8Array {
  const { publicI, publicR, cookieI, cookieR, saBody, idBody } = input;
  return prf(hashName, skeyid, publicR, publicI, cookieR, cookieI, saBody, idBody);
}

/**
 * HASH(1) of Quick Mode and of an Informational: `prf(SKEYID_a, M-ID | payloads)` (sections 5.5, 5.7).
 *
 * @param payloads all that follows the HASH payload, generic headers included, padding excluded.
 */
export function hash1(hashName: string, skeyidA: Uint8Array, messageId: number, payloads: Uint8Array): Uint8Array {
  return prf(hashName, skeyidA, u32(messageId), payloads);
}

/** HASH(2) of Quick Mode: `prf(SKEYID_a, M-ID | Ni_b | payloads)` (section 5.5). */
export function hash2(
  hashName: string,
  skeyidA: Uint8Array,
  messageId: number,
  nonceI: Uint8Array,
  payloads: Uint8Array,
): Uint8Array {
  return prf(hashName, skeyidA, u32(messageId), nonceI, payloads);
}

/** HASH(3) of Quick Mode: `prf(SKEYID_a, 0 | M-ID | Ni_b | Nr_b)` (section 5.5). */
export function hash3(
  hashName: string,
  skeyidA: Uint8Array,
  messageId: number,
  nonceI: Uint8Array,
  nonceR: Uint8Array,
): Uint8Array {
  return prf(hashName, skeyidA, Uint8Array.of(0), u32(messageId), nonceI, nonceR);
}

/** @throws EncodeError when `value` is no unsigned 32-bit number. */
function u32(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
    throw new EncodeError(`${value} is no 32-bit number`);
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}
