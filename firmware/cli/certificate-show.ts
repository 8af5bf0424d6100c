/** Certificates for people and programs: those in files, and those of the configuration in force. */
import { createHash } from 'node:crypto';
import { type Certificate, certificateText, publicKeyOf } from '../certificates/certificate.ts';
import { dateText } from '../certificates/certificate-failures.ts';
import { concernsOf, expiryWords } from '../certificates/concerns.ts';
import { generalNameText } from '../certificates/general-names.ts';
import { keyText } from '../certificates/key-strength.ts';
import {
  type CertificateMaterial,
  MaterialError,
  readCertificate,
  readRevocationLists,
} from '../certificates/material.ts';
import { parseRevocationList } from '../certificates/revocation-list.ts';
import { signatureName } from '../certificates/signed.ts';
import { isObject } from '../config/schema-node.ts';
import { distinguishedNameText } from '../protocol/ike/distinguished-name.ts';
import { readFiles } from './certificate-files.ts';
import type { Context } from './command.ts';
import { done } from './output.ts';
import { table } from './table.ts';

/** As `--json` shows it. Times are RFC 3339. */
export interface CertificateFacts {
  readonly subject: string;
  readonly names: readonly string[];
  readonly issuer: string;
  readonly serialNumber: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly authority: boolean;
  readonly key: string;
  readonly signature: string;
  /** SHA-256 of all of it, hexadecimal. */
  readonly fingerprint: string;
}

export function certificateFacts(certificate: Certificate): CertificateFacts {
  const { subject, issuer, serialNumber, notBefore, notAfter, extensions, signed, der } = certificate;
  const key = publicKeyOf(certificate);
  return {
    subject: distinguishedNameText(subject),
    names: (extensions.names ?? []).map(generalNameText),
    issuer: distinguishedNameText(issuer),
    serialNumber,
    notBefore: new Date(notBefore).toISOString(),
    notAfter: new Date(notAfter).toISOString(),
    authority: extensions.isAuthority,
    key: key === undefined ? 'of an unknown kind' : keyText(key),
    signature: signatureName(signed),
    fingerprint: createHash('sha256').update(der).digest('hex'),
  };
}

export async function showFiles(context: Context, files: readonly string[]): Promise<number> {
  const { certificates, keys, revocationLists } = await readFiles(context, files);
  const lists = revocationLists.map((der) => parseRevocationList(der));
  if (context.options.json === true) {
    const data = {
      certificates: certificates.map(certificateFacts),
      keys: keys.map(keyText),
      revocationLists: lists.map(({ issuer, revoked, nextUpdate }) => ({
        issuer: distinguishedNameText(issuer),
        revoked: [...revoked.keys()],
        ...(nextUpdate === undefined ? {} : { nextUpdate: new Date(nextUpdate).toISOString() }),
      })),
    };
    context.out(JSON.stringify(data, undefined, 2));
    return done;
  }
  for (const certificate of certificates) for (const line of factLines(certificate)) context.out(line);
  for (const key of keys) context.out(`private key: ${keyText(key)}`);
  for (const { issuer, revoked, nextUpdate } of lists) {
    const next = nextUpdate === undefined ? '' : `, the next one is due on ${dateText(nextUpdate)}`;
    context.out(`revocation list of "${distinguishedNameText(issuer)}": ${revoked.size} revoked${next}`);
  }
  return done;
}

function factLines(certificate: Certificate): readonly string[] {
  const { names, issuer, serialNumber, authority, key, signature, fingerprint } = certificateFacts(certificate);
  const { notBefore, notAfter } = certificate;
  const concern = expiryWords(certificate, { at: Date.now(), trusted: true });
  const rows = [
    ['for', names.join(', ') || (authority ? 'an authority: it issues others' : 'nobody: it has no subjectAltName')],
    ['issued by', issuer],
    ['valid', `${dateText(notBefore)} to ${dateText(notAfter)}${concern === undefined ? '' : `; ${concern.text}`}`],
    ['key', `${key}, signed by ${signature}`],
    ['serial number', serialNumber],
    ['SHA-256', fingerprint],
  ];
  return [`certificate ${certificateText(certificate)}`, ...table(rows).map((line) => `  ${line}`)];
}

/** One entry of `ipsec.certificates`, as `show certificates --json` has it. */
type ConfiguredCertificate = {
  readonly name: string;
  /** Whether the private key is there. */
  readonly hasKey: boolean;
  /** Connections of which it is the own certificate or an authority. */
  readonly usedBy: readonly string[];
  /** What a person should know, in words. */
  readonly concerns: readonly string[];
  /** Certificates that its list says are revoked. */
  readonly revoked?: number;
} & Partial<CertificateFacts>;

/** @param configuration as the router shows it, secrets left out. @param at ms since 1970. */
export function configuredCertificates(configuration: unknown, at: number): readonly ConfiguredCertificate[] {
  const ipsec = memberOf(configuration, 'ipsec');
  const connections = Object.entries(memberOf(ipsec, 'connections'));
  return Object.entries(memberOf(ipsec, 'certificates')).flatMap(([name, entry]) => {
    const material = materialOf(entry);
    if (material === undefined) return [];
    const users = connections.filter(([, connection]) => isObject(connection) && names(connection).includes(name));
    return {
      name,
      hasKey: material.key !== undefined,
      usedBy: users.map(([user]) => user),
      concerns: concernsOf(name, material, { at, trusted: true }).map(({ text }) => text),
      ...factsOf(material),
    };
  });
}

function names(connection: Readonly<Record<string, unknown>>): readonly unknown[] {
  const { certificate, authorities } = connection;
  return [certificate, ...(Array.isArray(authorities) ? authorities : [])];
}

function factsOf(material: CertificateMaterial): Partial<ConfiguredCertificate> {
  try {
    const lists = readRevocationLists(material);
    const revoked = lists.reduce((sum, list) => sum + list.revoked.size, 0);
    return { ...certificateFacts(readCertificate(material)), ...(lists.length === 0 ? {} : { revoked }) };
  } catch (error) {
    // That it cannot be read stands in the concerns.
    if (!(error instanceof MaterialError)) throw error;
    return {};
  }
}

function materialOf(entry: unknown): CertificateMaterial | undefined {
  if (!isObject(entry) || typeof entry['certificate'] !== 'string') return undefined;
  const text = (key: string) => (typeof entry[key] === 'string' ? { [key]: entry[key] } : {});
  return { certificate: entry['certificate'], ...text('chain'), ...text('key'), ...text('crl') };
}

function memberOf(value: unknown, key: string): Readonly<Record<string, unknown>> {
  const member = isObject(value) ? value[key] : undefined;
  return isObject(member) ? member : {};
}

export function certificatesText(certificates: readonly ConfiguredCertificate[]): readonly string[] {
  if (certificates.length === 0) return ['no certificates: "culvert certificate import" brings some in'];
  const rows = certificates.map(
    ({ name, subject = '-', names: speaks = [], notAfter = '-', hasKey, authority, usedBy }) => [
      name,
      hasKey ? 'with key' : authority === true ? 'authority' : 'without key',
      subject,
      speaks.join(', ') || '-',
      notAfter.slice(0, 10),
      usedBy.join(', ') || '-',
    ],
  );
  const concerns = certificates.flatMap(({ concerns: found }) => found);
  return [...table([['NAME', 'KIND', 'SUBJECT', 'FOR', 'UNTIL', 'USED BY'], ...rows]), ...concerns];
}
