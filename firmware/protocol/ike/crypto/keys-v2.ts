/** Keys and authentication of IKEv2 (RFC 7296 sections 2.14, 2.15, 2.17, 2.18; RFC 9370 section 2.2.4). */
import { concatBytes, EncodeError, utf8Bytes } from '../../bytes.ts';
import type { ChildKeys } from '../ike-types.ts';
import type { EspProposal, IkeProposal } from '../proposals.ts';
import { isCombinedMode, transform } from '../transforms.ts';
import { childKeyOctets, cutChildKeys } from './child-keys.ts';
import { prf, prfPlus } from './prf.ts';
import { wipe } from './secrets.ts';

/** Keys of an IKE SA (RFC 7296 section 2.14). */
export interface IkeSaKeys {
  /** For the keys of child SAs, and of the IKE SA that takes over. */
  readonly skD: Uint8Array;
  /** Integrity, of what the original initiator sends. Empty with a combined-mode cipher. */
  readonly skAi: Uint8Array;
  readonly skAr: Uint8Array;
  /** Encryption, of what the original initiator sends; with the salt at its end where the cipher has one. */
  readonly skEi: Uint8Array;
  readonly skEr: Uint8Array;
  /** For the AUTH payload. */
  readonly skPi: Uint8Array;
  readonly skPr: Uint8Array;
}

/** What the exchange that made the SA gave. */
export interface IkeSaSeed {
  /** Ni: data of the Nonce payload. */
  readonly nonceI: Uint8Array;
  /** Nr. */
  readonly nonceR: Uint8Array;
  /** 8 octets. */
  readonly spiI: Uint8Array;
  /** 8 octets. */
  readonly spiR: Uint8Array;
  /** g^ir, in the full length of the group. */
  readonly sharedSecret: Uint8Array;
  /** SK(1): of the additional key exchange that followed CREATE_CHILD_SA. */
  readonly additionalSecret?: Uint8Array;
}

/** What lives on of an IKE SA in the keys made under it. */
export interface IkeSaRoot {
  /** Negotiated prf of that SA, by its name in the transform table. */
  readonly prf: string;
  readonly skD: Uint8Array;
}

/** Octets of an IKE SPI (RFC 7296 section 3.1). */
const SPI_OCTETS = 8;

const NOTHING = new Uint8Array(0);

const KEY_PAD = utf8Bytes('Key Pad for IKEv2');

/** Keys of an SA made by IKE_SA_INIT: `SKEYSEED = prf(Ni | Nr, g^ir)`. @throws EncodeError when `proposal` is none. */
export function ikeSaKeys(proposal: IkeProposal, seed: IkeSaSeed): IkeSaKeys {
  const nonces = concatBytes(seed.nonceI, seed.nonceR);
  return expand(proposal, seed, prf(proposal.prf, nonces, seed.sharedSecret));
}

/**
 * Keys of an SA made by CREATE_CHILD_SA (section 2.18): `SKEYSEED = prf(SK_d (old), g^ir (new) | Ni | Nr)` with the prf
 * of the old SA; the expansion uses the new one's. With an additional key exchange `SK(0) | Ni | Nr | SK(1)` (RFC 9370 section
 * 2.2.4). @throws EncodeError when `proposal` is none.
 */
export function rekeyedIkeSaKeys(proposal: IkeProposal, seed: IkeSaSeed, old: IkeSaRoot): IkeSaKeys {
  return expand(
    proposal,
    seed,
    prf(old.prf, old.skD, seed.sharedSecret, seed.nonceI, seed.nonceR, seed.additionalSecret ?? NOTHING),
  );
}

/** `{SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr} = prf+(SKEYSEED, Ni | Nr | SPIi | SPIr)`. */
function expand(proposal: IkeProposal, seed: IkeSaSeed, skeyseed: Uint8Array): IkeSaKeys {
  if (seed.spiI.length !== SPI_OCTETS || seed.spiR.length !== SPI_OCTETS) {
    throw new EncodeError(`an IKE SPI has ${SPI_OCTETS} octets`);
  }
  const cipher = transform('encryption', proposal.encryption);
  const prfOctets = transform('prf', proposal.prf).octets;
  const encryptionOctets = cipher.keyOctets + cipher.saltOctets;
  const integrityOctets = isCombinedMode(cipher) ? 0 : transform('integrity', proposal.integrity ?? 'none').keyOctets;
  const text = concatBytes(seed.nonceI, seed.nonceR, seed.spiI, seed.spiR);
  const stream = prfPlus(proposal.prf, skeyseed, text, 3 * prfOctets + 2 * (integrityOctets + encryptionOctets));
  let at = 0;
  const take = (octets: number): Uint8Array => {
    at += octets;
    return stream.slice(at - octets, at);
  };
  const keys = {
    skD: take(prfOctets),
    skAi: take(integrityOctets),
    skAr: take(integrityOctets),
    skEi: take(encryptionOctets),
    skEr: take(encryptionOctets),
    skPi: take(prfOctets),
    skPr: take(prfOctets),
  };
  wipe(skeyseed, stream);
  return keys;
}

/** For when the SA is gone. */
export function wipeIkeSaKeys(keys: IkeSaKeys): void {
  wipe(keys.skD, keys.skAi, keys.skAr, keys.skEi, keys.skEr, keys.skPi, keys.skPr);
}

/**
 * Keys of a pair of child SAs (section 2.17): `KEYMAT = prf+(SK_d, [g^ir (new) |] Ni | Nr)`; with an additional key
 * exchange `prf+(SK_d, SK(0) | Ni | Nr | SK(1))` (RFC 9370 section 2.2.4).
 *
 * @param seed nonces of the exchange that makes the pair (for the first one those of IKE_SA_INIT), and with perfect
 *   forward secrecy the shared secret of its own key exchange.
 * @returns `initiator`: keys of what the initiator of that exchange sends; whoever began the IKE SA does not matter.
 * @throws EncodeError when `esp` is no working combination.
 */
export function childKeymat(
  esp: EspProposal,
  ike: IkeSaRoot,
  seed: Pick<IkeSaSeed, 'nonceI' | 'nonceR' | 'additionalSecret'> & { readonly sharedSecret?: Uint8Array },
): { readonly initiator: ChildKeys; readonly responder: ChildKeys } {
  const octets = childKeyOctets(esp);
  const text = concatBytes(seed.sharedSecret ?? NOTHING, seed.nonceI, seed.nonceR, seed.additionalSecret ?? NOTHING);
  const material = prfPlus(ike.prf, ike.skD, text, 2 * octets);
  const initiator = cutChildKeys(esp, material.subarray(0, octets));
  const responder = cutChildKeys(esp, material.subarray(octets));
  wipe(text, material);
  return { initiator, responder };
}

/** What a side's AUTH payload covers (section 2.15). */
export interface SignedOctets {
  /** That side's IKE_SA_INIT message as sent, from the IKE header on, without non-ESP marker. */
  readonly message: Uint8Array;
  /** The other side's nonce. */
  readonly peerNonce: Uint8Array;
  /** SK_pi when that side is the original initiator, SK_pr when the responder. */
  readonly skP: Uint8Array;
  /** That side's ID payload without its generic header: type, three reserved octets, data. */
  readonly idBody: Uint8Array;
  /** IntAuth, where there were IKE_INTERMEDIATE exchanges (RFC 9242 section 3.3.2). */
  readonly intAuth?: Uint8Array;
}

/** `message | nonce | prf(SK_p, ID') [| IntAuth]`: what AUTH covers, whatever makes it (section 2.15). */
export function authOctets(prfName: string, signed: SignedOctets): Uint8Array {
  const { message, peerNonce, skP, idBody, intAuth = new Uint8Array(0) } = signed;
  return concatBytes(message, peerNonce, prf(prfName, skP, idBody), intAuth);
}

/**
 * AUTH with a pre-shared key: `prf(prf(PSK, "Key Pad for IKEv2"), <what it covers>)` (section 2.15); with the key that an
 * EAP method made, too (section 2.16).
 * To be compared by `equalSecrets`.
 */
export function pskAuth(prfName: string, psk: Uint8Array, signed: SignedOctets): Uint8Array {
  const padded = prf(prfName, psk, KEY_PAD);
  const auth = prf(prfName, padded, authOctets(prfName, signed));
  wipe(padded);
  return auth;
}
