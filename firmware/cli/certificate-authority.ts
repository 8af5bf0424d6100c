/** Actions of `culvert certificate` that make files: an authority of one's own, and what it issues. */
import type { KeyObject } from 'node:crypto';
import {
  createAuthority,
  createRequest,
  createRevocationList,
  type Issuer,
  issueCertificate,
  REVOCATION_REASONS,
  type RevocationReason,
} from '../certificates/authority.ts';
import { type Certificate, certificateText, parseCertificate, sameName } from '../certificates/certificate.ts';
import { type GeneralName, generalNameText } from '../certificates/general-names.ts';
import { ImportError } from '../certificates/import-error.ts';
import { belongs } from '../certificates/material.ts';
import { pemText } from '../certificates/pem.ts';
import { writePkcs12 } from '../certificates/pkcs12-export.ts';
import { parseRevocationList } from '../certificates/revocation-list.ts';
import { keyPem, makeKey, publicKeyInfo } from '../certificates/signing-keys.ts';
import { readFile, readRequestFile } from './certificate-files.ts';
import { atLeastOne, days, keyType, names, subject, validity } from './certificate-options.ts';
import { certificateFacts } from './certificate-show.ts';
import { type Context, UsageError } from './command.ts';
import { didYouMean } from './did-you-mean.ts';
import { done } from './output.ts';
import { passphraseOf } from './passphrase.ts';
import { refuseExisting, writeTextFile } from './text-file.ts';

const AUTHORITY_DAYS = 3650;
/** What Apple's systems take at most. */
const END_DAYS = 825;
const LIST_DAYS = 30;
const DAY_MS = 86_400_000;

export async function createCa(context: Context, [name = '']: readonly string[]): Promise<number> {
  const key = await newKey(context, name, ['crt', 'key']);
  const der = await createAuthority(subject(context, name), key, validity(context, AUTHORITY_DAYS));
  return await written(context, name, parseCertificate(der), key);
}

export async function issue(context: Context, [name = '']: readonly string[]): Promise<number> {
  const issuer = await authorityOf(context);
  const wanted = atLeastOne(names(context, name), 'the certificate');
  const key = await newKey(context, name, ['crt', 'key']);
  const end = { subject: subject(context, name), names: wanted, publicKeyInfo: publicKeyInfo(key) };
  return await written(context, name, await issued(issuer, end, context), key);
}

export async function request(context: Context, [name = '']: readonly string[]): Promise<number> {
  const wanted = atLeastOne(names(context, name), 'the request');
  const key = await newKey(context, name, ['csr', 'key']);
  const der = await createRequest({ subject: subject(context, name), names: wanted }, key);
  await writeTextFile(`${name}.key`, keyPem(key), context.options.force === true);
  await writeTextFile(`${name}.csr`, pemText('CERTIFICATE REQUEST', der), context.options.force === true);
  return told(context, { requestFile: `${name}.csr`, keyFile: `${name}.key` }, [
    `${name}.csr asks for a certificate for ${namesText(wanted)}: give it to the authority; ${name}.key stays here`,
  ]);
}

export async function sign(context: Context, [file = '']: readonly string[]): Promise<number> {
  const issuer = await authorityOf(context);
  const name = file.replace(/\.csr$/, '');
  if (context.options.force !== true) await refuseExisting(`${name}.crt`);
  const asked = await readRequestFile(file);
  const chosen = context.options.names === undefined ? asked.names.filter(canBeIssued) : names(context, name);
  const end = {
    subject: context.options.subject === undefined ? asked.subject : subject(context, name),
    names: atLeastOne(chosen, 'the certificate'),
    publicKeyInfo: asked.publicKeyInfo,
  };
  return await written(context, name, await issued(issuer, end, context));
}

export async function revoke(context: Context, [file = '']: readonly string[]): Promise<number> {
  const issuer = await authorityOf(context);
  const { ca = '', reason = 'unspecified' } = context.options;
  if (!isReason(reason)) {
    const known = Object.keys(REVOCATION_REASONS);
    throw new UsageError(
      `there is no reason "${reason}": choose one of ${known.join(', ')}${didYouMean(reason, known)}`,
    );
  }
  const now = Date.now();
  const list = `${ca}.crl`;
  const before = await revokedBefore(list, issuer.certificate);
  const added: Certificate[] = file === list ? [] : [await oneCertificate(file)];
  for (const certificate of added) {
    if (!sameName(certificate.issuer, issuer.certificate.subject))
      throw new ImportError(
        `${certificateText(certificate)} is not of this authority: name the one that has issued it`,
      );
    if (!before.has(certificate.serialNumber))
      before.set(certificate.serialNumber, { at: now, code: REVOCATION_REASONS[reason] });
  }
  const revoked = [...before].map(([serialNumber, revocation]) => ({ serialNumber, ...revocation }));
  const nextUpdate = now + days(context.options.days, LIST_DAYS) * DAY_MS;
  const der = await createRevocationList(issuer, revoked, { thisUpdate: now, nextUpdate });
  await writeTextFile(list, pemText('X509 CRL', der), true);
  return told(context, { listFile: list, revoked: revoked.length, nextUpdate: new Date(nextUpdate).toISOString() }, [
    `${list} has ${revoked.length} revoked certificates in it: import it beside the authority, wherever that is believed`,
  ]);
}

export async function exportPkcs12(context: Context, [name = '']: readonly string[]): Promise<number> {
  const file = `${name}.p12`;
  const { ca, force = false } = context.options;
  if (!force) await refuseExisting(file);
  const certificate = await oneCertificate(`${name}.crt`);
  const key = await keyOf(`${name}.key`, certificate);
  const authority = ca === undefined ? [] : [await oneCertificate(`${ca}.crt`)];
  const passphrase = await passphraseOf(context, true);
  await writeTextFile(file, writePkcs12(certificate, key, authority, passphrase, name), force);
  return told(context, { file, ...certificateFacts(certificate) }, [
    `${file} has the certificate ${certificateText(certificate)} and its key in it; nobody reads the key without the passphrase`,
  ]);
}

/** Nothing is made before it is known that it can be written. */
async function newKey(context: Context, name: string, endings: readonly string[]): Promise<KeyObject> {
  const type = keyType(context);
  if (context.options.force !== true) for (const ending of endings) await refuseExisting(`${name}.${ending}`);
  return makeKey(type);
}

async function written(context: Context, name: string, certificate: Certificate, key?: KeyObject): Promise<number> {
  const force = context.options.force === true;
  if (key !== undefined) await writeTextFile(`${name}.key`, keyPem(key), force);
  await writeTextFile(`${name}.crt`, pemText('CERTIFICATE', certificate.der), force);
  const files = { certificateFile: `${name}.crt`, ...(key === undefined ? {} : { keyFile: `${name}.key` }) };
  const facts = certificateFacts(certificate);
  const speaks = facts.names.length === 0 ? '' : ` for ${facts.names.join(', ')}`;
  const secret = key === undefined ? '' : `; its key is in ${name}.key, for you only`;
  return told(context, { ...files, ...facts }, [
    `${name}.crt: ${certificateText(certificate)}${speaks}, until ${facts.notAfter.slice(0, 10)}${secret}`,
  ]);
}

function told({ options, out }: Context, data: object, lines: readonly string[]): number {
  if (options.json === true) out(JSON.stringify(data, undefined, 2));
  else for (const line of lines) out(line);
  return done;
}

/** @throws UsageError without `--ca`; ImportError, FileError when its files are not there. */
async function authorityOf({ options }: Context): Promise<Issuer> {
  const { ca } = options;
  if (ca === undefined)
    throw new UsageError('--ca NAME is needed: the authority, made by "culvert certificate create-ca NAME"');
  const certificate = await oneCertificate(`${ca}.crt`);
  if (!certificate.extensions.isAuthority)
    throw new ImportError(`${ca}.crt is no certificate of an authority: make one with "culvert certificate create-ca"`);
  return { certificate, privateKey: await keyOf(`${ca}.key`, certificate) };
}

async function issued(
  issuer: Issuer,
  end: Parameters<typeof issueCertificate>[1],
  context: Context,
): Promise<Certificate> {
  const { notBefore, notAfter } = validity(context, END_DAYS);
  const { certificate } = issuer;
  // Beyond its authority a certificate is not believed.
  const within = {
    notBefore: Math.max(notBefore, certificate.notBefore),
    notAfter: Math.min(notAfter, certificate.notAfter),
  };
  return parseCertificate(await issueCertificate(issuer, end, within));
}

async function oneCertificate(file: string): Promise<Certificate> {
  const [certificate] = (await readFile(file, undefined)).certificates;
  if (certificate === undefined) throw new ImportError(`there is no certificate in ${file}: name another file`);
  return certificate;
}

async function keyOf(file: string, certificate: Certificate): Promise<KeyObject> {
  const [key] = (await readFile(file, undefined)).keys;
  if (key === undefined) throw new ImportError(`there is no private key in ${file}: name another file`);
  if (!belongs(key, certificate))
    throw new ImportError(`the key in ${file} belongs to another certificate: put the right one there`);
  return key;
}

async function revokedBefore(list: string, authority: Certificate) {
  const revoked = new Map<string, { readonly at: number; readonly code?: number }>();
  const there = await refuseExisting(list).then(
    () => false,
    () => true,
  );
  if (!there) return revoked;
  for (const der of (await readFile(list, undefined)).revocationLists) {
    const { issuer, revoked: known } = parseRevocationList(der);
    if (!sameName(issuer, authority.subject))
      throw new ImportError(`${list} is the list of another authority: move it away`);
    for (const [serialNumber, { at, code }] of known)
      revoked.set(serialNumber, { at, ...(code === undefined ? {} : { code }) });
  }
  return revoked;
}

function isReason(text: string): text is RevocationReason {
  return Object.hasOwn(REVOCATION_REASONS, text);
}

function canBeIssued({ kind }: GeneralName): boolean {
  return kind === 'dns' || kind === 'email' || kind === 'ip';
}

function namesText(found: readonly GeneralName[]): string {
  return found.map(generalNameText).join(', ');
}
