import { createHash, type KeyObject } from 'node:crypto';
import { DecodeError } from '../protocol/bytes.ts';
import type { CertificateTrust } from '../protocol/ike/authentication.ts';
import type { CertificateRefusal } from '../protocol/ike/certificate-refusal.ts';
import type { IkeIdentity } from '../protocol/ike/ike-types.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import { noCertificate, unreadable, type WallTime, wrongName } from './certificate-failures.ts';
import { speaksFor } from './identity-match.ts';
import { judgePath } from './path.ts';
import type { RevocationList } from './revocation-list.ts';

/** Certificates of a stranger that are looked at; what is behind them is not read. */
const MAX_FROM_STRANGER = 12;

export interface Trust {
  /** Their certificates are believed. */
  readonly authorities: readonly Certificate[];
  /** Certificates that peers may leave out. */
  readonly intermediates: readonly Certificate[];
  readonly revocationLists: readonly RevocationList[];
  readonly wall: () => WallTime;
}

/** Judges by the certificates as they are now, and the time of each call. */
export function certificateTrust(trust: Trust): CertificateTrust {
  return {
    authorityKeyHashes: trust.authorities.map(({ publicKeyInfo }) => createHash('sha1').update(publicKeyInfo).digest()),
    authorityNames: trust.authorities.map(({ subject }) => subject),
    judge: (chain, identity) => judge(trust, chain, identity),
  };
}

/** The name comes last: a certificate that is not believed says nothing, and its names are not to be told. */
function judge(trust: Trust, chain: readonly Uint8Array[], identity: IkeIdentity): KeyObject | CertificateRefusal {
  const [first, ...others] = chain.slice(0, MAX_FROM_STRANGER);
  if (first === undefined) return noCertificate(identity);
  try {
    const certificate = parseCertificate(first);
    const sent = others.flatMap(readable);
    const { authorities, intermediates, revocationLists, wall } = trust;
    const surroundings = { authorities, intermediates: [...sent, ...intermediates], revocationLists, now: wall() };
    const key = judgePath(certificate, surroundings);
    return 'reason' in key || speaksFor(certificate, identity) ? key : wrongName(certificate, identity);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return unreadable(identity, error.message);
  }
}

/** What cannot be read leads nowhere, and may not have been needed. */
function readable(der: Uint8Array): readonly Certificate[] {
  try {
    return [parseCertificate(der)];
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return [];
  }
}
