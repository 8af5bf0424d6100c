import { createPrivateKey } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import {
  createAuthority,
  createRequest,
  createRevocationList,
  type Issuer,
  issueCertificate,
} from '../../../firmware/certificates/authority.ts';
import { parseCertificate } from '../../../firmware/certificates/certificate.ts';
import { type GeneralName, generalNameText } from '../../../firmware/certificates/general-names.ts';
import { trustIn } from '../../../firmware/certificates/ike-certificates.ts';
import { readCertificateFile } from '../../../firmware/certificates/import.ts';
import { KEY_TYPES, type KeyType } from '../../../firmware/certificates/key-types.ts';
import { pemBlocks, pemText } from '../../../firmware/certificates/pem.ts';
import { writePkcs12 } from '../../../firmware/certificates/pkcs12-export.ts';
import { parseRequest } from '../../../firmware/certificates/request.ts';
import { parseRevocationList } from '../../../firmware/certificates/revocation-list.ts';
import { keyPem, makeKey, publicKeyInfo } from '../../../firmware/certificates/signing-keys.ts';
import { hex } from '../../../firmware/protocol/bytes.ts';
import { distinguishedNameText, parseDistinguishedName } from '../../../firmware/protocol/ike/distinguished-name.ts';
import { DAY, Workshop } from './test-authority.ts';

const workshop = new Workshop();
afterAll(() => workshop.remove());

// OpenSSL judges by the clock of this machine.
const NOW = Date.now();
const VALIDITY = { notBefore: NOW - DAY, notAfter: NOW + 30 * DAY };
const NAMES: readonly GeneralName[] = [
  { kind: 'dns', value: 'hq.example' },
  { kind: 'ip', value: Uint8Array.of(192, 0, 2, 1) },
  { kind: 'ip', value: Uint8Array.from(Buffer.from('20010db8000000000000000000000001', 'hex')) },
  { kind: 'email', value: 'admin@hq.example' },
];

function name(text: string): Uint8Array {
  const parsed = parseDistinguishedName(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

async function authority(type: KeyType, subject = 'C=DE, O=Acme, CN=Acme CA'): Promise<Issuer> {
  const privateKey = makeKey(type);
  return { privateKey, certificate: parseCertificate(await createAuthority(name(subject), privateKey, VALIDITY)) };
}

function plain(names: readonly GeneralName[]): readonly string[] {
  return names.map((given) => `${given.kind} ${generalNameText(given)}`);
}

function write(file: string, label: string, der: Uint8Array): string {
  return workshop.write(file, pemText(label, der));
}

describe.each(KEY_TYPES)('an authority with %s', (type) => {
  it('issues what OpenSSL believes, and this router', async () => {
    const ca = await authority(type);
    const end = { subject: name('O=Acme, CN=hq'), names: NAMES, publicKeyInfo: publicKeyInfo(makeKey('ecdsa-p256')) };
    const der = await issueCertificate(ca, end, VALIDITY);
    write('ca.pem', 'CERTIFICATE', ca.certificate.der);
    write('hq.pem', 'CERTIFICATE', der);
    const verify = ['verify', '-x509_strict', '-CAfile', 'ca.pem'];
    expect(workshop.openssl(...verify, '-purpose', 'sslserver', '-verify_hostname', 'hq.example', 'hq.pem')).toBe(
      'hq.pem: OK\n',
    );
    expect(workshop.openssl(...verify, '-purpose', 'sslclient', '-verify_ip', '2001:db8::1', 'hq.pem')).toBe(
      'hq.pem: OK\n',
    );
    const trust = trustIn([{ certificate: pemText('CERTIFICATE', ca.certificate.der) }], () => ({
      at: NOW,
      trusted: true,
    }));
    for (const identity of [
      { kind: 'fqdn', value: 'hq.example' },
      { kind: 'ipv4', value: '192.0.2.1' },
      { kind: 'email', value: 'admin@hq.example' },
    ] as const)
      expect(trust.judge([der], identity)).toMatchObject({ type: 'public' });
  });

  it('lists what it has revoked, as OpenSSL reads it', async () => {
    const ca = await authority(type);
    const end = { subject: name('CN=hq'), names: NAMES, publicKeyInfo: publicKeyInfo(makeKey('ecdsa-p256')) };
    const certificate = parseCertificate(await issueCertificate(ca, end, VALIDITY));
    const times = { thisUpdate: NOW - 60_000, nextUpdate: NOW + DAY };
    const revoked = { serialNumber: certificate.serialNumber, at: NOW - 120_000, code: 1 };
    const der = await createRevocationList(ca, [revoked], times);
    const list = parseRevocationList(der);
    expect([...list.revoked]).toEqual([
      [
        certificate.serialNumber,
        { at: Math.floor(revoked.at / 1000) * 1000, code: 1, reason: 'its key is in the wrong hands' },
      ],
    ]);
    write('ca.pem', 'CERTIFICATE', ca.certificate.der);
    write('hq.pem', 'CERTIFICATE', certificate.der);
    write('ca.crl', 'X509 CRL', der);
    expect(() => workshop.openssl('verify', '-crl_check', '-CAfile', 'ca.pem', '-CRLfile', 'ca.crl', 'hq.pem')).toThrow(
      /certificate revoked/,
    );
    write('ca.crl', 'X509 CRL', await createRevocationList(ca, [], times));
    expect(workshop.openssl('verify', '-crl_check', '-CAfile', 'ca.pem', '-CRLfile', 'ca.crl', 'hq.pem')).toBe(
      'hq.pem: OK\n',
    );
  });

  it('is asked by requests that OpenSSL verifies', async () => {
    const key = makeKey(type);
    const der = await createRequest({ subject: name('O=Acme, CN=branch'), names: NAMES }, key);
    write('a.csr', 'CERTIFICATE REQUEST', der);
    expect(workshop.openssl('req', '-verify', '-noout', '-text', '-in', 'a.csr')).toMatch(
      /DNS:hq\.example, IP Address:192/,
    );
    const { names, publicKeyInfo: asked } = parseRequest(der);
    expect(plain(names)).toEqual(plain(NAMES));
    expect(hex(asked)).toBe(hex(publicKeyInfo(key)));
  });
});

describe('a request', () => {
  it('of OpenSSL is read, with and without names, and one that was changed is not', () => {
    const issued = workshop.authority('/CN=any').own;
    const request = (...more: string[]) => {
      workshop.openssl(
        'req',
        '-new',
        '-key',
        `${issued.name}.key`,
        '-subj',
        '/O=X/CN=branch',
        ...more,
        '-out',
        'b.csr',
      );
      return pemBlocks(workshop.read('b.csr'))[0]?.der ?? new Uint8Array(0);
    };
    const named = request('-addext', 'subjectAltName=DNS:branch.example');
    const { subject, names } = parseRequest(named);
    expect(distinguishedNameText(subject)).toBe('O=X, CN=branch');
    expect(names).toEqual([{ kind: 'dns', value: 'branch.example' }]);
    expect(parseRequest(request()).names).toEqual([]);
    const changed = Buffer.from(
      Buffer.from(named).toString('latin1').replace('branch.example', 'brunch.example'),
      'latin1',
    );
    expect(() => parseRequest(changed)).toThrow(/not signed by the key in it/);
  });
});

describe('PKCS #12 for the other end', () => {
  it.each(KEY_TYPES)('is read by OpenSSL and here, with %s', async (type) => {
    const ca = await authority('ecdsa-p256');
    const key = makeKey(type);
    const end = { subject: name('CN=branch'), names: NAMES, publicKeyInfo: publicKeyInfo(key) };
    const certificate = parseCertificate(await issueCertificate(ca, end, VALIDITY));
    const file = writePkcs12(certificate, key, [ca.certificate], 'two words ü', 'branch');
    workshop.write('b.p12', file);
    const shown = workshop.openssl('pkcs12', '-in', 'b.p12', '-nodes', '-passin', 'pass:two words ü');
    expect(shown).toMatch(/friendlyName: branch/);
    const opened = pemBlocks(shown).find(({ label }) => label === 'PRIVATE KEY');
    expect(keyPem(createPrivateKey(opened?.text ?? ''))).toBe(keyPem(key));
    const read = readCertificateFile(file, 'b.p12', 'two words ü');
    expect(read.certificates.map(({ der }) => Buffer.from(der))).toEqual(
      [certificate, ca.certificate].map(({ der }) => Buffer.from(der)),
    );
    expect(() => workshop.openssl('pkcs12', '-in', 'b.p12', '-nodes', '-passin', 'pass:x')).toThrow(
      /invalid password/i,
    );
  });
});
