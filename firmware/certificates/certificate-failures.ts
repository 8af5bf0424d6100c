/** Why a certificate is not believed, in words. */

import type { CertificateFlaw, CertificateRefusal } from '../protocol/ike/certificate-refusal.ts';
import { distinguishedNameText } from '../protocol/ike/distinguished-name.ts';
import { identityText } from '../protocol/ike/identity.ts';
import type { IkeIdentity } from '../protocol/ike/ike-types.ts';
import { printable } from '../protocol/printable.ts';
import { type Certificate, certificateText } from './certificate.ts';
import { generalNameText } from './general-names.ts';
import type { Revocation } from './revocation-list.ts';

/** Names of one certificate, or authorities, that are told. */
const MOST_TOLD = 4;

/** What time it is, and whether that is known. */
export interface WallTime {
  /** ms since 1970. */
  readonly at: number;
  /** `false`: the clock has not been set since the start, and `at` is only what it must be at least. */
  readonly trusted: boolean;
}

/** `2026-11-27 06:25 UTC`. @param at ms since 1970. */
export function dateText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function refused(flaw: CertificateFlaw, reason: string, remedy: string): CertificateRefusal {
  return { step: 'authentication', reason, remedy, cause: 'refused', flaw };
}

export function noCertificate(identity: IkeIdentity): CertificateRefusal {
  return refused(
    'unfit',
    `the peer ${identityText(identity)} sent no certificate`,
    'tell the peer to send its certificate, or that it has to prove itself by one',
  );
}

/** @param what `the certificate`, `a certificate above its own`. */
export function unreadable(identity: IkeIdentity, why: string): CertificateRefusal {
  return refused(
    'unfit',
    `what the peer ${identityText(identity)} sent as its certificate cannot be read: ${printable(why)}`,
    'give the peer a new certificate, or report this with a capture',
  );
}

export function expired(certificate: Certificate, now: WallTime): CertificateRefusal {
  return refused(
    'expired',
    `the certificate ${certificateText(certificate)} has expired: it was valid until ${dateText(certificate.notAfter)}, ` +
      `and now it is ${nowText(now)}`,
    now.trusted
      ? `have the certificate of "${distinguishedNameText(certificate.subject)}" renewed`
      : 'set the clock of this router; if the certificate has expired by the right time as well, have it renewed',
  );
}

export function notYetValid(certificate: Certificate, now: WallTime): CertificateRefusal {
  return refused(
    'not-yet-valid',
    `the certificate ${certificateText(certificate)} is not valid yet: it will be from ${dateText(certificate.notBefore)} ` +
      `on, and now it is ${nowText(now)}`,
    now.trusted
      ? 'check the clock of this router and that of whoever issued the certificate, or wait until then'
      : 'set the clock of this router',
  );
}

/** `2026-11-27 06:25 UTC`, and whether that is known. */
export function nowText({ at, trusted }: WallTime): string {
  return trusted
    ? dateText(at)
    : `${dateText(at)} at least (the clock of this router has not been set since its start)`;
}

export function wrongName(certificate: Certificate, identity: IkeIdentity): CertificateRefusal {
  return refused(
    'identity',
    `the certificate ${certificateText(certificate)} is of somebody else: the peer says that it is ${identityText(identity)}, ` +
      `and the certificate ${namesText(certificate)}`,
    `give the peer a certificate with ${identityText(identity)} in its subjectAltName, or let it call itself what its ` +
      'certificate says',
  );
}

/** `is for branch.example, 10.0.0.1`. */
export function namesText({ extensions: { names = [] } }: Certificate): string {
  const known = names.filter(({ kind }) => kind !== 'other').map(generalNameText);
  const told = known.slice(0, MOST_TOLD).map(printable).join(', ') + (known.length > MOST_TOLD ? ' and others' : '');
  return told === '' ? 'has no subjectAltName' : `is for ${told}`;
}

export function unknownAuthority(certificate: Certificate, authorities: readonly Certificate[]): CertificateRefusal {
  const told = authorities.slice(0, MOST_TOLD).map(certificateText).join(', ');
  return refused(
    'authority',
    `the certificate ${certificateText(certificate)} was issued by "${distinguishedNameText(certificate.issuer)}", and that ` +
      `is not one of the authorities that are believed here: ${told === '' ? 'none' : told}`,
    'give the peer a certificate of one of these, or add its authority to "authorities" of the connection',
  );
}

export function forged(certificate: Certificate, issuer: Certificate): CertificateRefusal {
  return refused(
    'authority',
    `the certificate ${certificateText(certificate)} was not signed by the authority ${certificateText(issuer)} that is ` +
      'believed here, but by another key under the same name',
    'if the authority has a new key, add its new certificate to "authorities"; otherwise somebody pretends to be the peer',
  );
}

export function revokedCertificate(certificate: Certificate, { at, reason }: Revocation): CertificateRefusal {
  return refused(
    'revoked',
    `the certificate ${certificateText(certificate)} was revoked by "${distinguishedNameText(certificate.issuer)}" on ` +
      `${dateText(at)}${reason === undefined ? '' : ` because ${reason}`}`,
    'find out why, and give the peer a new certificate',
  );
}

export function weak(certificate: Certificate, what: string): CertificateRefusal {
  return refused(
    'unfit',
    `the certificate ${certificateText(certificate)} has ${what}, which can be forged or is not known here`,
    'have it issued again with a key of RSA 3072, ECDSA P-256 or Ed25519, and SHA-256',
  );
}

/** @param why what follows "which", as `is not allowed to issue others`. */
export function unfit(certificate: Certificate, why: string): CertificateRefusal {
  return refused(
    'unfit',
    `the certificate ${certificateText(certificate)} does not serve here: it ${printable(why)}`,
    'have it issued again for IKE: keyUsage digitalSignature, and for authorities basicConstraints CA and keyCertSign',
  );
}
