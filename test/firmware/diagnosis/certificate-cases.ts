/** Failures of certificates as they are made, and which of the known ones they are. */
import type { Certificate } from '../../../firmware/certificates/certificate.ts';
import * as certificates from '../../../firmware/certificates/certificate-failures.ts';
import { parseDistinguishedName } from '../../../firmware/protocol/ike/distinguished-name.ts';
import type { Failure } from '../../../firmware/protocol/machine.ts';

const NONE = new Uint8Array(0);
const CERTIFICATE: Certificate = {
  der: NONE,
  signed: { content: NONE, algorithm: NONE, signature: NONE },
  serialNumber: '01',
  issuer: parseDistinguishedName('CN=Acme CA') ?? NONE,
  subject: parseDistinguishedName('CN=branch') ?? NONE,
  notBefore: 0,
  notAfter: 1000,
  publicKeyInfo: NONE,
  extensions: { isAuthority: false, unknown: [], names: [{ kind: 'dns', value: 'branch.example' }] },
};
const ID = { kind: 'fqdn', value: 'srv.lab' } as const;
const NOW = { at: 2000, trusted: true };

export const CERTIFICATE_CASES: readonly (readonly [string, Failure])[] = [
  ['certificate-expired', certificates.expired(CERTIFICATE, NOW)],
  ['certificate-early', certificates.notYetValid(CERTIFICATE, { at: 0, trusted: false })],
  ['certificate-name', certificates.wrongName(CERTIFICATE, ID)],
  ['certificate-authority', certificates.unknownAuthority(CERTIFICATE, [CERTIFICATE])],
  ['certificate-authority', certificates.forged(CERTIFICATE, CERTIFICATE)],
  ['certificate-revoked', certificates.revokedCertificate(CERTIFICATE, { at: 1500, reason: 'it was replaced' })],
  ['certificate-unfit', certificates.unfit(CERTIFICATE, 'is not allowed to sign (keyUsage)')],
  ['certificate-unfit', certificates.weak(CERTIFICATE, 'a signature by RSA with MD5')],
  ['certificate-unfit', certificates.noCertificate(ID)],
  ['certificate-unfit', certificates.unreadable(ID, 'Certificate: tag 48 wanted, 0 seen')],
];
