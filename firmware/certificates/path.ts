/** The way from a certificate to an authority that is believed (RFC 5280 section 6), found and judged. */
import type { KeyObject } from 'node:crypto';
import type { CertificateRefusal } from '../protocol/ike/certificate-refusal.ts';
import { type Certificate, isSelfIssued, publicKeyOf, sameName } from './certificate.ts';
import {
  expired,
  forged,
  notYetValid,
  revokedCertificate,
  unfit,
  unknownAuthority,
  type WallTime,
  weak,
} from './certificate-failures.ts';
import { KEY_PURPOSE, KEY_USAGE } from './extensions.ts';
import { forbiddenName, type GeneralName } from './general-names.ts';
import { keyWeakness } from './key-strength.ts';
import type { RevocationList } from './revocation-list.ts';
import { verifySigned } from './signed.ts';

/** Certificates on the way, with both ends. */
const MAX_LENGTH = 8;
/** Signatures that are verified for one stranger: with many certificates of the same name there are many ways. */
const MAX_VERIFICATIONS = 32;

export interface PathSurroundings {
  /** Believed without a signature. */
  readonly authorities: readonly Certificate[];
  /** May lie on the way. */
  readonly intermediates: readonly Certificate[];
  readonly revocationLists: readonly RevocationList[];
  readonly now: WallTime;
}

/** @returns the key of the certificate, when there is a way on which everything is right; else what is wrong on the best one. */
export function judgePath(certificate: Certificate, surroundings: PathSurroundings): KeyObject | CertificateRefusal {
  return new Search(surroundings).from(certificate);
}

class Search {
  readonly #surroundings: PathSurroundings;
  readonly #keys = new Map<Certificate, KeyObject | undefined>();
  #verifications = 0;
  /** What is wrong on the first of the ways whose signatures are right. */
  #failure: CertificateRefusal | undefined;
  /** A signature that is not what it should be. */
  #forgery: CertificateRefusal | undefined;

  constructor(surroundings: PathSurroundings) {
    this.#surroundings = surroundings;
  }

  from(certificate: Certificate): KeyObject | CertificateRefusal {
    const key = this.#keyOf(certificate);
    if (key === undefined) return weak(certificate, 'a key of a kind unknown here');
    if (this.#extend([certificate])) return key;
    return this.#failure ?? this.#forgery ?? unknownAuthority(certificate, this.#surroundings.authorities);
  }

  /** @param path the certificate first. @returns whether there is a good way on from its end. */
  #extend(path: readonly Certificate[]): boolean {
    const last = path.at(-1);
    if (last === undefined || path.length >= MAX_LENGTH) return false;
    const { authorities, intermediates } = this.#surroundings;
    for (const authority of authorities) {
      if (!sameName(authority.subject, last.issuer) || !this.#hasSigned(authority, last)) continue;
      const failure = this.#judge([...path, authority]);
      if (failure === undefined) return true;
      this.#failure ??= failure;
    }
    for (const issuer of intermediates) {
      if (path.includes(issuer) || !mayHaveIssued(issuer, last)) continue;
      if (this.#hasSigned(issuer, last) && this.#extend([...path, issuer])) return true;
    }
    return false;
  }

  #hasSigned(issuer: Certificate, certificate: Certificate): boolean {
    const key = this.#keyOf(issuer);
    this.#verifications += 1;
    if (key === undefined || this.#verifications > MAX_VERIFICATIONS) return false;
    // Before it is used: a stranger may choose one that keeps the router busy.
    const weakness = keyWeakness(key);
    if (weakness !== undefined) {
      this.#forgery ??= weak(issuer, `a key of ${weakness}`);
      return false;
    }
    const verdict = verifySigned(certificate.signed, key);
    if (verdict === 'good') return true;
    if (verdict !== 'wrong') this.#forgery ??= weak(certificate, `a signature by ${verdict.broken}`);
    else if (this.#surroundings.authorities.includes(issuer)) this.#forgery ??= forged(certificate, issuer);
    return false;
  }

  #keyOf(certificate: Certificate): KeyObject | undefined {
    if (!this.#keys.has(certificate)) this.#keys.set(certificate, publicKeyOf(certificate));
    return this.#keys.get(certificate);
  }

  /** The signatures of this path are right. @returns what else is wrong with it. */
  #judge(path: readonly Certificate[]): CertificateRefusal | undefined {
    const [end, ...authorities] = path;
    if (end === undefined) return undefined;
    for (const certificate of path) {
      const failure = this.#judgeAny(certificate);
      if (failure !== undefined) return failure;
    }
    for (const [below, authority] of authorities.entries()) {
      const failure = judgeAuthority(authority, path.slice(0, below + 1)) ?? this.#revocation(path[below], authority);
      if (failure !== undefined) return failure;
    }
    return judgeEnd(end);
  }

  #judgeAny(certificate: Certificate): CertificateRefusal | undefined {
    const { now } = this.#surroundings;
    const key = this.#keyOf(certificate);
    const weakness = key === undefined ? 'a kind unknown here' : keyWeakness(key);
    if (weakness !== undefined) return weak(certificate, `a key of ${weakness}`);
    if (now.at > certificate.notAfter + 999) return expired(certificate, now);
    // An untrusted clock says what time it is at least.
    if (now.at < certificate.notBefore) return notYetValid(certificate, now);
    const [unknown] = certificate.extensions.unknown;
    return unknown === undefined
      ? undefined
      : unfit(certificate, `has the critical extension ${unknown}, which is not understood here`);
  }

  #revocation(certificate: Certificate | undefined, issuer: Certificate): CertificateRefusal | undefined {
    if (certificate === undefined) return undefined;
    const key = this.#keyOf(issuer);
    for (const list of this.#surroundings.revocationLists) {
      if (!sameName(list.issuer, issuer.subject)) continue;
      const revocation = list.revoked.get(certificate.serialNumber);
      if (revocation === undefined || key === undefined || !maySignLists(issuer)) continue;
      if (verifySigned(list.signed, key) === 'good') return revokedCertificate(certificate, revocation);
    }
    return undefined;
  }
}

/** The name is right, and so is the key's identifier where both sides have one (RFC 5280 section 4.2.1.1). */
function mayHaveIssued(issuer: Certificate, certificate: Certificate): boolean {
  const { authorityKeyId } = certificate.extensions;
  const { subjectKeyId } = issuer.extensions;
  if (!sameName(issuer.subject, certificate.issuer)) return false;
  return authorityKeyId === undefined || subjectKeyId === undefined || authorityKeyId === subjectKeyId;
}

/** @param below the certificates between the authority and the end, and the end, that first. */
function judgeAuthority(authority: Certificate, below: readonly Certificate[]): CertificateRefusal | undefined {
  const { isAuthority, pathLength, keyUsage, nameConstraints } = authority.extensions;
  if (!isAuthority) return unfit(authority, 'is not allowed to issue others (basicConstraints)');
  if (keyUsage !== undefined && !keyUsage.has(KEY_USAGE.keyCertSign))
    return unfit(authority, 'is not allowed to issue others (keyUsage)');
  const between = below.slice(1).filter((certificate) => !isSelfIssued(certificate)).length;
  if (pathLength !== undefined && between > pathLength)
    return unfit(authority, `allows ${pathLength} authorities below it, and there are ${between}`);
  if (nameConstraints === undefined) return undefined;
  for (const certificate of below) {
    if (isSelfIssued(certificate) && certificate !== below[0]) continue;
    const forbidden = namesOf(certificate).find((name) => forbiddenName(name, nameConstraints) !== undefined);
    if (forbidden === undefined) continue;
    const what = forbiddenName(forbidden, nameConstraints);
    return unfit(authority, `may not issue certificates for ${what}`);
  }
  return undefined;
}

function namesOf({ subject, extensions }: Certificate): readonly GeneralName[] {
  const own: readonly GeneralName[] = subject.length > 2 ? [{ kind: 'directory', value: subject }] : [];
  return [...own, ...(extensions.names ?? [])];
}

function judgeEnd(end: Certificate): CertificateRefusal | undefined {
  const { keyUsage, keyPurposes } = end.extensions;
  if (keyUsage !== undefined && !keyUsage.has(KEY_USAGE.digitalSignature) && !keyUsage.has(KEY_USAGE.nonRepudiation))
    return unfit(end, 'is not allowed to sign (keyUsage)');
  const good: readonly string[] = Object.values(KEY_PURPOSE);
  return keyPurposes === undefined || keyPurposes.some((purpose) => good.includes(purpose))
    ? undefined
    : unfit(end, 'is for another purpose than IKE (extKeyUsage)');
}

/** Whether its revocation lists count. */
export function maySignLists({ extensions: { keyUsage } }: Certificate): boolean {
  return keyUsage === undefined || keyUsage.has(KEY_USAGE.cRLSign);
}
