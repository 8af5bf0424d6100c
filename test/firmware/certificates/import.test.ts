import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { DerReader } from '../../../firmware/certificates/der-reader.ts';
import { assemble, type Imported, readCertificateFile } from '../../../firmware/certificates/import.ts';
import { ImportError, PassphraseNeededError } from '../../../firmware/certificates/import-error.ts';
import { readCertificate, readChain, readKey } from '../../../firmware/certificates/material.ts';
import { concatBytes, hex } from '../../../firmware/protocol/bytes.ts';
import { derValue } from '../../../firmware/protocol/ike/crypto/der.ts';
import { type Issued, Workshop } from './test-authority.ts';

const workshop = new Workshop();
afterAll(() => workshop.remove());

const PASSPHRASE = 'gehäim 1';
const acme = workshop.authority('/CN=Acme CA');
const middle = workshop.intermediate(acme, '/CN=Middle');
const branch = middle.issue({ subject: '/CN=branch', extensions: ['subjectAltName=DNS:branch.example'] });
const rsa = acme.issue({ subject: '/CN=rsa', key: 'rsa:2048' });
const edwards = acme.issue({ subject: '/CN=ed', key: 'ed25519' });
const crl = acme.revocationList([]);

/** Makes a file by `openssl ...words -out`. */
function made(...words: readonly string[]): Buffer {
  workshop.openssl(...words, '-out', 'made');
  return readFileSync(workshop.path('made'));
}

function pkcs12(issued: Issued, ...more: readonly string[]): Buffer {
  const chain = ['-certfile', workshop.write('more.pem', middle.own.pem + acme.own.pem)];
  const words = [
    '-inkey',
    `${issued.name}.key`,
    '-in',
    `${issued.name}.pem`,
    ...chain,
    '-passout',
    `pass:${PASSPHRASE}`,
  ];
  return made('pkcs12', '-export', ...words, ...more);
}

function read(content: Uint8Array | string, passphrase: string | undefined = PASSPHRASE): Imported {
  return readCertificateFile(Buffer.from(content), 'x.p12', passphrase);
}

/** The same in the widest BER that there is: no length is said, and the outermost string is in two pieces. */
function indefinite(der: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  const reader = new DerReader(der);
  while (!reader.done) {
    const { tag, contents, whole } = reader.any('value');
    const end = Uint8Array.of(0, 0);
    if ((tag & 0x20) !== 0) parts.push(Uint8Array.of(tag, 0x80), indefinite(contents), end);
    else if (tag === 4 && contents.length > 500) {
      const pieces = [contents.subarray(0, 100), contents.subarray(100)].map((piece) => derValue(4, piece));
      parts.push(Uint8Array.of(0x24, 0x80), ...pieces, end);
    } else parts.push(whole);
  }
  return concatBytes(...parts);
}

/** The words of the refusal. */
function refused(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(ImportError);
    return error instanceof Error ? error.message : '';
  }
  throw new Error('it was taken');
}

describe('PKCS #12', () => {
  it.each([
    ['as OpenSSL 3 writes it', []],
    ['as everybody wrote it before: RC2 with 40 bits, 3DES, SHA-1', ['-legacy']],
    ['with 3DES for all of it', ['-descert', '-legacy']],
    ['with RC2 of 128 bits', ['-legacy', '-certpbe', 'PBE-SHA1-RC2-128']],
    ['with certificates in clear', ['-certpbe', 'NONE']],
    ['with AES-128 and SHA-512', ['-certpbe', 'AES-128-CBC', '-keypbe', 'AES-192-CBC', '-macalg', 'sha512']],
    ['without authentication', ['-nomac']],
  ])('is read %s', (_, more) => {
    for (const issued of [branch, rsa, edwards]) {
      const { certificate, material, authorities } = assemble(read(pkcs12(issued, ...more)), false);
      expect(hex(certificate.der)).toBe(hex(issued.certificate.der));
      expect(readKey(material, readCertificate(material))?.type).toBe('private');
      expect(readChain(material).map(({ der }) => hex(der))).toEqual(
        issued === branch ? [hex(middle.own.certificate.der)] : [],
      );
      expect(authorities.map(({ der }) => hex(der))).toEqual([hex(acme.own.certificate.der)]);
    }
  });

  it.each(['', '-legacy', '-nomac'])('tells another passphrase, with %j', (more) => {
    const file = pkcs12(branch, ...(more === '' ? [] : [more]));
    expect(refused(() => read(file, 'other'))).toMatch(/^the passphrase of x\.p12 is another one/);
    expect(() => readCertificateFile(file, 'x.p12', undefined)).toThrow(PassphraseNeededError);
  });

  it('with an empty passphrase is read without one', () => {
    const words = ['-inkey', `${branch.name}.key`, '-in', `${branch.name}.pem`, '-passout', 'pass:'];
    expect(readCertificateFile(made('pkcs12', '-export', ...words), 'x', undefined).keys).toHaveLength(1);
  });

  it('in BER, with lengths that are not said and strings in pieces, is read as well', () => {
    for (const more of [[], ['-legacy']]) {
      const { certificates, keys } = read(indefinite(pkcs12(branch, ...more)));
      expect(certificates.map(({ der }) => hex(der)).sort()).toEqual(
        [branch, middle.own, acme.own].map(({ certificate }) => hex(certificate.der)).sort(),
      );
      expect(keys).toHaveLength(1);
    }
  });

  it('that is encrypted with what is not here names it, and how to convert', () => {
    const file = pkcs12(branch, '-legacy', '-certpbe', 'PBE-SHA1-RC4-128');
    expect(refused(() => read(file))).toMatch(
      /^x\.p12 is encrypted with RC4 with 128 bits, .*"openssl pkcs12 -legacy /,
    );
  });

  it('in pieces or damaged is refused in words', () => {
    const file = pkcs12(branch);
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, bits, cut) => {
        const octets = Buffer.from(file);
        octets[at] = (octets[at] ?? 0) ^ bits;
        try {
          read(cut ? octets.subarray(0, at) : octets);
        } catch (error) {
          expect(error).toBeInstanceOf(ImportError);
        }
      }),
      // Each derives keys.
      { numRuns: 60 },
    );
  });
});

describe('a private key', () => {
  it.each([
    ['PKCS #8', 'pkcs8', ['-topk8', '-nocrypt']],
    ['PKCS #8 under a passphrase', 'pkcs8', ['-topk8', '-passout', `pass:${PASSPHRASE}`]],
    [
      'PKCS #8 under a passphrase, in the old way',
      'pkcs8',
      ['-topk8', '-v1', 'PBE-SHA1-3DES', '-passout', `pass:${PASSPHRASE}`],
    ],
    ['PKCS #8 in DER', 'pkcs8', ['-topk8', '-nocrypt', '-outform', 'DER']],
    ['PKCS #8 in DER under a passphrase', 'pkcs8', ['-topk8', '-outform', 'DER', '-passout', `pass:${PASSPHRASE}`]],
    ['PKCS #1', 'rsa', ['-traditional']],
    ['PKCS #1 under a passphrase', 'rsa', ['-traditional', '-aes128', '-passout', `pass:${PASSPHRASE}`]],
    ['PKCS #1 in DER', 'rsa', ['-traditional', '-outform', 'DER']],
    ['SEC 1', 'ec', []],
    ['SEC 1 under a passphrase', 'ec', ['-aes256', '-passout', `pass:${PASSPHRASE}`]],
    ['SEC 1 in DER', 'ec', ['-outform', 'DER']],
  ])('is read as %s', (_, command, more) => {
    const issued = command === 'ec' ? branch : rsa;
    const { keys } = read(made(command, '-in', `${issued.name}.key`, ...more));
    const { certificates } = read(issued.pem);
    expect(hex(assemble({ keys, certificates, revocationLists: [] }, false).certificate.der)).toBe(
      hex(issued.certificate.der),
    );
  });

  it('tells another passphrase, and that there has to be one', () => {
    for (const form of ['PEM', 'DER']) {
      const sealed = made('pkcs8', '-topk8', '-in', `${rsa.name}.key`, '-passout', 'pass:x', '-outform', form);
      expect(refused(() => read(sealed, 'y'))).toMatch(/the passphrase of .* is another one/);
      expect(() => readCertificateFile(sealed, 'x', undefined)).toThrow(PassphraseNeededError);
    }
  });

  it('tells another passphrase also where what comes out looks like something', () => {
    const words = ['-passout', 'pass:x', '-iter', '1'];
    const sealed = made('pkcs8', '-topk8', '-in', `${rsa.name}.key`, ...words);
    for (let count = 0; count < 1500; count += 1) {
      expect(refused(() => read(sealed, `y${count}`))).toMatch(/the passphrase of .* is another one/);
    }
  });
});

describe('other files', () => {
  it('are certificates and revocation lists, PEM or DER', () => {
    const certificate = made('x509', '-in', `${branch.name}.pem`, '-outform', 'DER');
    expect(read(certificate).certificates.map(({ der }) => hex(der))).toEqual([hex(branch.certificate.der)]);
    workshop.write('a.crl', crl);
    const listed = (content: Uint8Array | string) => read(content).revocationLists.map(hex);
    expect(listed(crl)).toEqual(listed(made('crl', '-in', 'a.crl', '-outform', 'DER')));
    const text = `Bag Attributes\n${branch.pem}\r\n and ${acme.own.pem.replaceAll('\n', '\r\n')}${crl}`;
    expect(read(text)).toMatchObject({ certificates: [{}, {}], keys: [], revocationLists: [expect.anything()] });
  });

  it.each([
    ['PKCS #7', 'pkcs7', ['-nocrl', '-certfile', 'more.pem'], /is a PKCS #7 file: convert it with "openssl pkcs7/],
    ['PKCS #7 in DER', 'pkcs7', ['-nocrl', '-certfile', 'more.pem', '-outform', 'DER'], /is a PKCS #7 file/],
  ])('as %s are refused with what to do', (_, __, more, words) => {
    workshop.write('more.pem', acme.own.pem);
    const file = made('crl2pkcs7', ...more);
    expect(refused(() => read(file))).toMatch(words);
  });

  it.each([
    '',
    'hello',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    '-----BEGIN PUBLIC KEY-----\nAA==\n',
  ])('as %j are refused', (text) => expect(refused(() => read(text))).toMatch(/no certificate|damaged/));

  it('of any octets are refused in words', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        expect(refused(() => read(octets))).toMatch(/x\.p12/);
      }),
    );
  });
});

describe('what belongs together', () => {
  const all = read(branch.pem + branch.keyPem + middle.own.pem + acme.own.pem + crl);

  it('is the certificate of the key, or the authority', () => {
    expect(hex(assemble(all, false).certificate.der)).toBe(hex(branch.certificate.der));
    const authority = assemble(all, true);
    expect(hex(authority.certificate.der)).toBe(hex(acme.own.certificate.der));
    expect(authority.material).toEqual({ certificate: acme.own.pem, crl: expect.stringContaining('X509 CRL') });
  });

  it('is told when something is missing', () => {
    const only = (more: Partial<Imported>) =>
      refused(() => assemble({ certificates: [], keys: [], revocationLists: [], ...more }, false));
    expect(only({ keys: all.keys })).toMatch(/a private key and no certificate/);
    expect(only({ keys: all.keys, certificates: [rsa.certificate] })).toMatch(
      /belongs to none of the certificates \("CN=rsa"\)/,
    );
    expect(only({ certificates: [branch.certificate] })).toMatch(/no private key for the certificate "CN=branch"/);
    expect(only({ revocationLists: all.revocationLists })).toMatch(/there is no certificate/);
    expect(only({ ...all, keys: [...all.keys, ...all.keys] })).toMatch(/several private keys/);
  });
});
