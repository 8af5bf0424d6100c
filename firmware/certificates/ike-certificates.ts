/** From the certificates of a connection to what the IKE machines take. */
import type { CertificateTrust, SigningCredential } from '../protocol/ike/authentication.ts';
import type { IkeIdentity } from '../protocol/ike/ike-types.ts';
import { isSelfIssued, sameName } from './certificate.ts';
import type { WallTime } from './certificate-failures.ts';
import { ownIdentity } from './identity-match.ts';
import { type CertificateMaterial, readCertificate, readChain, readKey, readRevocationLists } from './material.ts';
import { explainRefusal } from './own-refusal.ts';
import { certificateTrust } from './trust.ts';

/**
 * @param wall what time it is whenever a peer refuses the certificate.
 * @throws MaterialError when it cannot be used; RangeError when there is no key.
 */
export function signingCredential(material: CertificateMaterial, wall: () => WallTime): SigningCredential {
  const certificate = readCertificate(material);
  const privateKey = readKey(material, certificate);
  if (privateKey === undefined) throw new RangeError('a certificate without its private key');
  // A peer that believes an authority has its certificate.
  const between = readChain(material).filter((other) => !isSelfIssued(other));
  return {
    chain: [certificate, ...between].map(({ der }) => der),
    privateKey,
    explain: (flaw) => explainRefusal([certificate, ...between], flaw, wall()),
  };
}

/**
 * What this side calls itself. A distinguished name is sent as it stands in the certificate: peers compare the octets.
 * @param configured what people want. @throws MaterialError
 */
export function certificateIdentity(material: CertificateMaterial, configured: IkeIdentity | undefined): IkeIdentity {
  const certificate = readCertificate(material);
  if (configured === undefined) return ownIdentity(certificate);
  const isSubject = configured.kind === 'dn' && sameName(configured.value, certificate.subject);
  return isSubject ? { kind: 'dn', value: certificate.subject } : configured;
}

/** @throws MaterialError when one cannot be used. */
export function trustIn(authorities: readonly CertificateMaterial[], wall: () => WallTime): CertificateTrust {
  return certificateTrust({
    authorities: authorities.map(readCertificate),
    intermediates: authorities.flatMap(readChain),
    revocationLists: authorities.flatMap(readRevocationLists),
    wall,
  });
}
