/** Certificates (X.509, RFC 5280 section 4.1), read from DER. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { DecodeError, hex } from '../protocol/bytes.ts';
import { distinguishedNameKey, distinguishedNameText } from '../protocol/ike/distinguished-name.ts';
import { context, DerReader, onlyDer, TAG, time } from './der-reader.ts';
import { type CertificateExtensions, readExtensions } from './extensions.ts';
import { readSigned, type Signed } from './signed.ts';

/** Longest certificate that is read, octets. One with a hundred names has some 5000. */
export const MAX_CERTIFICATE_OCTETS = 32_768;

export interface Certificate {
  /** All of it. */
  readonly der: Uint8Array;
  readonly signed: Signed;
  /** Lower-case hexadecimal without leading zeros. */
  readonly serialNumber: string;
  /** DER Names. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** ms since 1970; the last second still counts. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyInfo: Uint8Array;
  readonly extensions: CertificateExtensions;
}

const NO_EXTENSIONS: CertificateExtensions = { isAuthority: false, unknown: [] };

/** @throws DecodeError whatever is wrong with the octets. */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_CERTIFICATE_OCTETS) throw new DecodeError(`certificate: ${der.length} octets`);
  const signed = readSigned(der, 'Certificate');
  const fields = onlyDer(signed.content, TAG.sequence, 'TBSCertificate');
  fields.optional(context(0, 'constructed'), 'version');
  const serialNumber = serialText(fields.next(TAG.integer, 'serialNumber').contents);
  const algorithm = fields.next(TAG.sequence, 'signature').whole;
  if (!Buffer.from(algorithm).equals(signed.algorithm)) throw new DecodeError('two signature algorithms');
  const issuer = fields.next(TAG.sequence, 'issuer').whole;
  const validity = fields.inside(TAG.sequence, 'validity');
  const notBefore = time(validity.any('notBefore'), 'notBefore');
  const notAfter = time(validity.any('notAfter'), 'notAfter');
  const subject = fields.next(TAG.sequence, 'subject').whole;
  const publicKeyInfo = fields.next(TAG.sequence, 'subjectPublicKeyInfo').whole;
  fields.optional(context(1, 'primitive'), 'issuerUniqueID');
  fields.optional(context(2, 'primitive'), 'subjectUniqueID');
  const extensions = fields.optional(context(3, 'constructed'), 'extensions');
  fields.end('TBSCertificate');
  return {
    der,
    signed,
    serialNumber,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKeyInfo,
    extensions:
      extensions === undefined
        ? NO_EXTENSIONS
        : readExtensions(new DerReader(extensions.contents).inside(TAG.sequence, 'Extensions')),
  };
}

/** Of an INTEGER's contents. */
export function serialText(contents: Uint8Array): string {
  return hex(contents).replace(/^(00)+(?=.)/, '');
}

/** @returns `undefined` when it is of a kind that is not known here. */
export function publicKeyOf({ publicKeyInfo }: Certificate): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(publicKeyInfo), format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

/** Whether issuer and subject are the same name. */
export function isSelfIssued({ issuer, subject }: Certificate): boolean {
  return sameName(issuer, subject);
}

export function sameName(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).equals(b) || distinguishedNameKey(a) === distinguishedNameKey(b);
}

/** For people: the subject, in quotes; safe to print. */
export function certificateText({ subject, serialNumber }: Certificate): string {
  const text = distinguishedNameText(subject);
  return text === '' ? `with the serial number ${serialNumber.slice(0, 40)}` : `"${text}"`;
}
