/** Certificate revocation lists (CRL, RFC 5280 section 5), read from DER. */
import { DecodeError } from '../protocol/bytes.ts';
import { serialText } from './certificate.ts';
import { context, DerReader, onlyDer, smallInteger, TAG, time } from './der-reader.ts';
import { extensionsIn } from './extensions.ts';
import { objectIdentifierText } from './object-identifier.ts';
import { readSigned, type Signed } from './signed.ts';

/** Longest list that is read, octets; some 10000 certificates. */
export const MAX_REVOCATION_LIST_OCTETS = 524_288;

export interface Revocation {
  /** ms since 1970. */
  readonly at: number;
  /** CRLReason; absent where the issuer gives none. */
  readonly code?: number;
  /** The same in words, where there is something to say. */
  readonly reason?: string;
}

export interface RevocationList {
  readonly signed: Signed;
  /** DER Name. */
  readonly issuer: Uint8Array;
  /** ms since 1970. */
  readonly thisUpdate: number;
  /** When the next one was to come; a list without it is not of RFC 5280, and there are some. */
  readonly nextUpdate?: number;
  /** By serial number, lower-case hexadecimal without leading zeros. */
  readonly revoked: ReadonlyMap<string, Revocation>;
}

/** CRLReason (section 5.3.1). */
const REASONS: ReadonlyMap<number, string> = new Map([
  [1, 'its key is in the wrong hands'],
  [2, 'the key of the authority is in the wrong hands'],
  [3, 'its owner has changed affiliation'],
  [4, 'it was replaced by another one'],
  [5, 'its owner needs it no more'],
  [6, 'it is on hold'],
  [9, 'its owner has lost a privilege'],
  [10, 'the authority for its attributes is in the wrong hands'],
]);

const REASON_CODE = '551d15';
const INDIRECT = '551d1d';

/** @throws DecodeError whatever is wrong with the octets; also for lists of changes only, and for those of other issuers. */
export function parseRevocationList(der: Uint8Array): RevocationList {
  if (der.length > MAX_REVOCATION_LIST_OCTETS) throw new DecodeError(`CRL: ${der.length} octets`);
  const signed = readSigned(der, 'CertificateList');
  const fields = onlyDer(signed.content, TAG.sequence, 'TBSCertList');
  fields.optional(TAG.integer, 'version');
  const algorithm = fields.next(TAG.sequence, 'signature').whole;
  if (!Buffer.from(algorithm).equals(signed.algorithm)) throw new DecodeError('two signature algorithms');
  const issuer = fields.next(TAG.sequence, 'issuer').whole;
  const thisUpdate = time(fields.any('thisUpdate'), 'thisUpdate');
  const isTime = fields.tag === TAG.utcTime || fields.tag === TAG.generalizedTime;
  const nextUpdate = isTime ? { nextUpdate: time(fields.any('nextUpdate'), 'nextUpdate') } : {};
  const entries = fields.optional(TAG.sequence, 'revokedCertificates');
  const extensions = fields.optional(context(0, 'constructed'), 'crlExtensions');
  fields.end('TBSCertList');
  if (extensions !== undefined) refuseCritical(new DerReader(extensions.contents).inside(TAG.sequence, 'Extensions'));
  const revoked = new Map<string, Revocation>();
  const list = new DerReader(entries?.contents ?? new Uint8Array(0));
  while (!list.done) {
    const entry = list.inside(TAG.sequence, 'revokedCertificate');
    const serial = serialText(entry.next(TAG.integer, 'userCertificate').contents);
    const at = time(entry.any('revocationDate'), 'revocationDate');
    const code = entry.done ? undefined : reasonIn(entry.inside(TAG.sequence, 'crlEntryExtensions'));
    const reason = REASONS.get(code ?? 0);
    revoked.set(serial, {
      at,
      ...(code === undefined ? {} : { code }),
      ...(reason === undefined ? {} : { reason }),
    });
  }
  return { signed, issuer, thisUpdate, ...nextUpdate, revoked };
}

/** A list of changes to another one, or of a part of the certificates, says so in a critical extension (section 5.2). */
function refuseCritical(reader: DerReader): void {
  const critical = extensionsIn(reader).find((extension) => extension.critical);
  if (critical !== undefined) throw new DecodeError(`the extension ${objectIdentifierText(critical.id)} of a CRL`);
}

function reasonIn(reader: DerReader): number | undefined {
  let reason: number | undefined;
  for (const { id, critical, value } of extensionsIn(reader)) {
    if (id === REASON_CODE) {
      reason = smallInteger(new DerReader(value).next(TAG.enumerated, 'reasonCode').contents, 'reasonCode');
    } else if (critical || id === INDIRECT) throw new DecodeError('a CRL with certificates of other issuers');
  }
  return reason;
}
