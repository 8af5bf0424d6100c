/** Rules about certificates, and about how the ends of an IPsec connection prove who they are. */

import { type Certificate, publicKeyOf, sameName } from '../certificates/certificate.ts';
import { KEY_USAGE } from '../certificates/extensions.ts';
import { speaksFor } from '../certificates/identity-match.ts';
import { keyText, keyWeakness } from '../certificates/key-strength.ts';
import {
  type CertificateMaterial,
  MaterialError,
  readCertificate,
  readChain,
  readKey,
  readRevocationLists,
} from '../certificates/material.ts';
import { verifySigned } from '../certificates/signed.ts';
import { parseIkeIdentity } from './ike-identity.ts';
import { ipsecEntries } from './ipsec-entries.ts';
import { itemPath, memberPath } from './json-path.ts';
import { quoted } from './problem.ts';
import type { ConfigurationRule, Finding } from './rule.ts';
import { type Configuration, ownEntry } from './schema.ts';
import { nearest } from './spelling.ts';

export const CERTIFICATES_RULES: readonly ConfigurationRule[] = [
  {
    name: 'certificate-unreadable',
    severity: 'error',
    description: 'Certificates, keys and revocation lists can be read, and a key belongs to the certificate beside it.',
    check: unreadable,
  },
  {
    name: 'certificate-crl',
    severity: 'error',
    description: 'A revocation list stands beside the certificate of the authority that has signed it.',
    check: foreignLists,
  },
  {
    name: 'certificate-weak',
    severity: 'warning',
    description: 'A certificate has a key that peers believe: RSA with 2048 bits or more, ECDSA, Ed25519.',
    check: weakKeys,
  },
  {
    name: 'certificate-version',
    severity: 'error',
    description: 'With version 1 of IKE the own certificate has an RSA key.',
    check: signingVersion,
  },
  {
    name: 'certificate-own',
    severity: 'error',
    description: 'The certificate of a connection exists, and has its private key beside it.',
    check: ownCertificate,
  },
  {
    name: 'certificate-authorities',
    severity: 'error',
    description: 'The authorities of a connection exist, and their certificates may issue others.',
    check: authorities,
  },
  {
    name: 'certificate-identity',
    severity: 'error',
    description: 'With a certificate the own identity is one of the names in it, since the peer looks for it there.',
    check: ownIdentity,
  },
];

interface Named {
  readonly material: CertificateMaterial;
  readonly path: string;
}

function certificates(configuration: Configuration): Named[] {
  return Object.entries(configuration.ipsec.certificates).map(([name, material]) => ({
    material,
    path: memberPath('ipsec.certificates', name),
  }));
}

/** What a part of the material is read as; the reason where it cannot be. */
function attempt<T>(read: () => T): T | MaterialError {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MaterialError)) throw error;
    return error;
  }
}

/** The certificate, if it can be read: another rule says so where it cannot. */
function readable(material: CertificateMaterial | undefined): Certificate | undefined {
  const certificate = material && attempt(() => readCertificate(material));
  return certificate instanceof MaterialError ? undefined : certificate;
}

function* unreadable(configuration: Configuration): Iterable<Finding> {
  for (const { material, path } of certificates(configuration)) {
    const certificate = attempt(() => readCertificate(material));
    const results = [
      certificate,
      attempt(() => readChain(material)),
      attempt(() => readRevocationLists(material)),
      certificate instanceof MaterialError ? undefined : attempt(() => readKey(material, certificate)),
    ];
    for (const result of results) {
      if (!(result instanceof MaterialError)) continue;
      yield { path: `${path}.${result.part}`, found: result.message, allowed: result.remedy };
    }
  }
}

function* foreignLists(configuration: Configuration): Iterable<Finding> {
  for (const { material, path } of certificates(configuration)) {
    const authority = readable(material);
    const key = authority && publicKeyOf(authority);
    const lists = attempt(() => readRevocationLists(material));
    if (authority === undefined || key === undefined || lists instanceof MaterialError) continue;
    const allowed = 'a list that this authority has signed, for all of its certificates';
    for (const { issuer, signed } of lists) {
      if (!sameName(issuer, authority.subject))
        yield { path: `${path}.crl`, found: 'a list of another authority', allowed };
      else if (verifySigned(signed, key) !== 'good')
        yield { path: `${path}.crl`, found: 'a list that the key of this authority has not signed', allowed };
      else if (authority.extensions.keyUsage?.has(KEY_USAGE.cRLSign) === false)
        yield {
          path: `${path}.crl`,
          found: 'a list of an authority that may not sign lists (keyUsage cRLSign)',
          allowed,
        };
    }
  }
}

function* weakKeys(configuration: Configuration): Iterable<Finding> {
  for (const { material, path } of certificates(configuration)) {
    const certificate = readable(material);
    const key = certificate && publicKeyOf(certificate);
    const weakness = key && keyWeakness(key);
    if (weakness === undefined) continue;
    const allowed = 'a key that is believed: RSA with 2048 bits or more, ECDSA with P-256 or more, Ed25519';
    yield { path: `${path}.certificate`, found: `a key of ${weakness}`, allowed };
  }
}

function* signingVersion(configuration: Configuration): Iterable<Finding> {
  for (const { path, version, certificate: name } of ipsecEntries(configuration)) {
    if (version !== 1 || name === undefined) continue;
    const certificate = readable(ownEntry(configuration.ipsec.certificates, name));
    const key = certificate && publicKeyOf(certificate);
    if (key === undefined || key.asymmetricKeyType === 'rsa') continue;
    const found = `${quoted(name)}, a certificate with ${keyText(key)}`;
    const allowed = 'a certificate with an RSA key, or version 2: with others version 1 cannot sign here';
    yield { path: `${path}.certificate`, found, allowed };
  }
}

function* ownCertificate(configuration: Configuration): Iterable<Finding> {
  const known = configuration.ipsec.certificates;
  for (const { path, certificate } of ipsecEntries(configuration)) {
    if (certificate === undefined) continue;
    const material = ownEntry(known, certificate);
    if (material === undefined) yield unknownName(`${path}.certificate`, certificate, known);
    else if (material.key === undefined) {
      const found = `${quoted(certificate)}, which has no private key ("key")`;
      yield { path: `${path}.certificate`, found, allowed: 'a certificate with its private key' };
    }
  }
}

function* authorities(configuration: Configuration): Iterable<Finding> {
  const known = configuration.ipsec.certificates;
  for (const { path, authorities: trusted = [] } of ipsecEntries(configuration)) {
    for (const [index, name] of trusted.entries()) {
      const at = itemPath(`${path}.authorities`, index);
      const material = ownEntry(known, name);
      if (material === undefined) yield unknownName(at, name, known);
      else if (readable(material)?.extensions.isAuthority === false) {
        const found = `${quoted(name)}, whose certificate is none of an authority (basicConstraints CA)`;
        yield { path: at, found, allowed: 'the certificate of the authority that has issued that of the peer' };
      }
    }
  }
}

function unknownName(path: string, name: string, known: Configuration['ipsec']['certificates']): Finding {
  const names = Object.keys(known);
  const suggestion = nearest(name, names);
  return {
    path,
    found: `${quoted(name)}, which is no certificate of this configuration`,
    allowed: names.length === 0 ? 'a name under "ipsec.certificates"' : names.map(quoted).join(', '),
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

function* ownIdentity(configuration: Configuration): Iterable<Finding> {
  for (const { path, certificate: name, localId } of ipsecEntries(configuration)) {
    const certificate = name === undefined ? undefined : readable(ownEntry(configuration.ipsec.certificates, name));
    const identity = localId === undefined ? undefined : parseIkeIdentity(localId);
    if (certificate === undefined || identity === undefined || speaksFor(certificate, identity)) continue;
    const allowed = 'a name in subjectAltName of the certificate, its whole subject, or no key "localId"';
    yield { path: `${path}.localId`, found: `${quoted(localId ?? '')}, for which the certificate is not`, allowed };
  }
}
