/** A small certificate authority: it issues certificates for IKE, and lists what it has revoked. Octets are DER. */
import { type KeyObject, randomBytes } from 'node:crypto';
import { derInteger } from '../protocol/ike/crypto/der.ts';
import type { Certificate } from './certificate.ts';
import { KEY_PURPOSE } from './extensions.ts';
import { type GeneralName, ipText } from './general-names.ts';
import { objectIdentifierText } from './object-identifier.ts';
import { signer } from './signing-keys.ts';
import { x509Library } from './x509-library.ts';

/** Octets of a serial number, positive: nobody can foretell it (RFC 5280 section 4.1.2.2 allows 20). */
const SERIAL_OCTETS = 16;

const CRL_NUMBER = '2.5.29.20';

type Library = Awaited<ReturnType<typeof x509Library>>;

/** From when to when it holds, ms since 1970; whole seconds count. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface Issuer {
  readonly certificate: Certificate;
  readonly privateKey: KeyObject;
}

/** Signed by itself. It may issue certificates, but no other authorities. @param subject a DER Name. */
export async function createAuthority(
  subject: Uint8Array,
  privateKey: KeyObject,
  validity: Validity,
): Promise<Uint8Array> {
  const x509 = await x509Library();
  const { keys, algorithm } = signer(privateKey);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: new x509.Name(subject),
    ...dates(validity),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return new Uint8Array(certificate.rawData);
}

export interface EndEntity {
  /** A DER Name. */
  readonly subject: Uint8Array;
  /** For whom it speaks; none of the kinds `directory` and `other`. */
  readonly names: readonly GeneralName[];
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyInfo: Uint8Array;
}

/** For one end of a connection. Key purposes are those that other IKE implementations look for, too. */
export async function issueCertificate(issuer: Issuer, end: EndEntity, validity: Validity): Promise<Uint8Array> {
  const x509 = await x509Library();
  const { keys, algorithm } = signer(issuer.privateKey);
  const publicKey = new x509.PublicKey(Buffer.from(end.publicKeyInfo));
  const purposes = [KEY_PURPOSE.serverAuth, KEY_PURPOSE.clientAuth, KEY_PURPOSE.ipsecIke].map(objectIdentifierText);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: new x509.Name(end.subject),
    issuer: new x509.Name(issuer.certificate.subject),
    ...dates(validity),
    publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(purposes),
      ...subjectAltName(x509, end.names),
      await authorityKey(x509, issuer),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return new Uint8Array(certificate.rawData);
}

/** A request that somebody else may issue a certificate (PKCS #10, RFC 2986). */
export async function createRequest(
  { subject, names }: Omit<EndEntity, 'publicKeyInfo'>,
  privateKey: KeyObject,
): Promise<Uint8Array> {
  const x509 = await x509Library();
  const { keys, algorithm } = signer(privateKey);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: new x509.Name(subject),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      ...subjectAltName(x509, names),
    ],
  });
  return new Uint8Array(request.rawData);
}

/** Why a certificate is revoked, as people say it (RFC 5280 section 5.3.1). */
export const REVOCATION_REASONS = {
  unspecified: 0,
  'key-compromise': 1,
  'affiliation-changed': 3,
  superseded: 4,
  'cessation-of-operation': 5,
} as const;

export type RevocationReason = keyof typeof REVOCATION_REASONS;

export interface RevokedCertificate {
  /** Hexadecimal. */
  readonly serialNumber: string;
  /** ms since 1970. */
  readonly at: number;
  /** CRLReason. */
  readonly code?: number;
}

/** A CRL. @param times when it is made, and when the next one is due, ms since 1970. */
export async function createRevocationList(
  issuer: Issuer,
  revoked: readonly RevokedCertificate[],
  times: { readonly thisUpdate: number; readonly nextUpdate: number },
): Promise<Uint8Array> {
  const x509 = await x509Library();
  const { keys, algorithm } = signer(issuer.privateKey);
  // A number that grows (RFC 5280 section 5.2.3): seconds do, and need no memory.
  const number = Buffer.alloc(6);
  number.writeUIntBE(Math.floor(times.thisUpdate / 1000), 0, 6);
  const list = await x509.X509CrlGenerator.create({
    issuer: new x509.Name(issuer.certificate.subject),
    thisUpdate: new Date(times.thisUpdate),
    nextUpdate: new Date(times.nextUpdate),
    signingKey: keys.privateKey,
    signingAlgorithm: algorithm,
    entries: revoked.map(({ serialNumber: serial, at, code }) => ({
      serialNumber: serial,
      revocationDate: new Date(at),
      ...(code === undefined || code === 0 ? {} : { reason: code }),
    })),
    extensions: [
      await authorityKey(x509, issuer),
      new x509.Extension(CRL_NUMBER, false, Buffer.from(derInteger(number))),
    ],
  });
  return new Uint8Array(list.rawData);
}

async function authorityKey(x509: Library, { certificate, privateKey }: Issuer) {
  const { subjectKeyId } = certificate.extensions;
  return subjectKeyId === undefined
    ? await x509.AuthorityKeyIdentifierExtension.create(signer(privateKey).keys.publicKey)
    : new x509.AuthorityKeyIdentifierExtension(subjectKeyId);
}

function subjectAltName(x509: Library, names: readonly GeneralName[]) {
  const named = names.flatMap((name) => {
    if (name.kind === 'ip') return { type: 'ip' as const, value: ipText(name.value) ?? '' };
    return name.kind === 'dns' || name.kind === 'email' ? { type: name.kind, value: name.value } : [];
  });
  return named.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(named)];
}

/** The highest bit is zero, so that no octet comes in front. */
function serialNumber(): string {
  const octets = randomBytes(SERIAL_OCTETS);
  octets[0] = ((octets[0] ?? 0) & 0x3f) | 0x40;
  return octets.toString('hex');
}

function dates({ notBefore, notAfter }: Validity) {
  return { notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
}
