/** PKCS #12 files (RFC 7292): certificates and their key under a passphrase, `.p12` or `.pfx`. */
import { createHmac } from 'node:crypto';
import { DecodeError } from '../protocol/bytes.ts';
import { definite } from './definite.ts';
import { context, DerReader, onlyDer, TAG } from './der-reader.ts';
import {
  AlgorithmError,
  decryptWithPassphrase,
  HASHES,
  identifier,
  pkcs12Key,
  rounds,
} from './passphrase-encryption.ts';

const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';
const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1';
const X509_CRL = '1.2.840.113549.1.9.23.1';
const BAG = '1.2.840.113549.1.12.10.1';

/** Bags in bags. */
const MAX_DEPTH = 4;

export interface Pkcs12Content {
  /** DER. */
  readonly certificates: readonly Uint8Array[];
  readonly revocationLists: readonly Uint8Array[];
  /** PKCS #8, DER, not encrypted. */
  readonly keys: readonly Uint8Array[];
}

interface Draft {
  readonly certificates: Uint8Array[];
  readonly revocationLists: Uint8Array[];
  readonly keys: Uint8Array[];
}

/** Whether the octets may be such a file: a SEQUENCE that begins with version 3. */
export function looksLikePkcs12(octets: Uint8Array): boolean {
  try {
    const version = new DerReader(definite(octets)).inside(TAG.sequence, 'PFX').optional(TAG.integer, 'version');
    return version !== undefined && version.contents.length === 1 && version.contents[0] === 3;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return false;
  }
}

/**
 * @returns `undefined` with a wrong passphrase.
 * @throws AlgorithmError when it is encrypted in a way that is not known here; DecodeError when it is damaged.
 */
export function readPkcs12(octets: Uint8Array, passphrase: string): Pkcs12Content | undefined {
  const file = new DerReader(definite(octets)).inside(TAG.sequence, 'PFX');
  file.next(TAG.integer, 'version');
  const safe = file.inside(TAG.sequence, 'authSafe');
  if (identifier(safe) !== DATA) throw new AlgorithmError('a signature instead of a passphrase');
  const contents = explicit(safe, TAG.octetString, 'authSafe').contents;
  if (!file.done && !isAuthentic(file.inside(TAG.sequence, 'macData'), contents, passphrase)) return undefined;
  const draft: Draft = { certificates: [], revocationLists: [], keys: [] };
  const infos = onlyDer(definite(contents), TAG.sequence, 'AuthenticatedSafe');
  while (!infos.done) {
    const info = infos.inside(TAG.sequence, 'ContentInfo');
    const kind = identifier(info);
    if (kind === DATA) readBags(explicit(info, TAG.octetString, 'data').contents, passphrase, draft, 0);
    else if (kind === ENCRYPTED_DATA) {
      const sealed = new DerReader(explicit(info, TAG.sequence, 'EncryptedData').contents);
      readBags(openEncryptedData(sealed, passphrase), passphrase, draft, 0);
    } else throw new AlgorithmError('a part for the owner of another key');
  }
  return draft;
}

/** The one value inside [0]. */
function explicit(reader: DerReader, tag: number, what: string) {
  return reader.inside(context(0, 'constructed'), what).next(tag, what);
}

function isAuthentic(mac: DerReader, contents: Uint8Array, passphrase: string): boolean {
  const info = mac.inside(TAG.sequence, 'DigestInfo');
  const id = identifier(info.inside(TAG.sequence, 'digestAlgorithm'));
  const wanted = info.next(TAG.octetString, 'digest').contents;
  const salt = mac.next(TAG.octetString, 'macSalt').contents;
  const iterations = mac.done ? 1 : rounds(mac.next(TAG.integer, 'iterations').contents);
  const hash = HASHES.get(id);
  if (hash === undefined) throw new AlgorithmError('an authentication of an unknown kind (PBMAC1, perhaps)');
  const key = pkcs12Key(hash, passphrase, salt, 3, iterations, wanted.length);
  return createHmac(hash, key).update(contents).digest().equals(wanted);
}

function openEncryptedData(data: DerReader, passphrase: string): Uint8Array {
  data.next(TAG.integer, 'version');
  const info = data.inside(TAG.sequence, 'EncryptedContentInfo');
  info.next(TAG.objectIdentifier, 'contentType');
  const algorithm = info.inside(TAG.sequence, 'contentEncryptionAlgorithm');
  const sealed = info.any('encryptedContent');
  return decryptWithPassphrase(algorithm, implicitOctets(sealed.tag, sealed.contents), passphrase);
}

/** [0] IMPLICIT OCTET STRING, in one piece, or as Windows writes it in several. */
function implicitOctets(tag: number, contents: Uint8Array): Uint8Array {
  if (tag === context(0, 'primitive')) return contents;
  const pieces: Uint8Array[] = [];
  const reader = new DerReader(contents);
  while (!reader.done) pieces.push(reader.next(TAG.octetString, 'encryptedContent').contents);
  return Buffer.concat(pieces);
}

function readBags(octets: Uint8Array, passphrase: string, draft: Draft, depth: number): void {
  const bags = onlyDer(definite(octets), TAG.sequence, 'SafeContents');
  while (!bags.done) {
    const bag = bags.inside(TAG.sequence, 'SafeBag');
    const kind = identifier(bag);
    const value = bag.inside(context(0, 'constructed'), 'bagValue').any('bagValue');
    const inside = new DerReader(value.contents);
    if (kind === `${BAG}.1`) draft.keys.push(value.whole);
    else if (kind === `${BAG}.2`) draft.keys.push(openShroudedKey(inside, passphrase));
    else if (kind === `${BAG}.3`) {
      if (identifier(inside) === X509_CERTIFICATE)
        draft.certificates.push(explicit(inside, TAG.octetString, 'certificate').contents);
    } else if (kind === `${BAG}.4`) {
      if (identifier(inside) === X509_CRL)
        draft.revocationLists.push(explicit(inside, TAG.octetString, 'CRL').contents);
    } else if (kind === `${BAG}.6` && depth < MAX_DEPTH) readBags(value.whole, passphrase, draft, depth + 1);
  }
}

/** EncryptedPrivateKeyInfo (RFC 5958 section 3). */
function openShroudedKey(reader: DerReader, passphrase: string): Uint8Array {
  const algorithm = reader.inside(TAG.sequence, 'encryptionAlgorithm');
  return decryptWithPassphrase(algorithm, reader.next(TAG.octetString, 'encryptedData').contents, passphrase);
}
