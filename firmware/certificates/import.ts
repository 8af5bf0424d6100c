/** Files in which people get certificates: PEM, DER, PKCS #12. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { DecodeError } from '../protocol/bytes.ts';
import { type Certificate, certificateText, isSelfIssued, parseCertificate, sameName } from './certificate.ts';
import { ImportError, PassphraseNeededError } from './import-error.ts';
import { belongs, type CertificateMaterial } from './material.ts';
import { AlgorithmError } from './passphrase-encryption.ts';
import { pemBlocks, pemText } from './pem.ts';
import { looksLikePkcs12, readPkcs12 } from './pkcs12.ts';
import { parseRevocationList } from './revocation-list.ts';
import { keyPem } from './signing-keys.ts';

/** Octets of a file that is read. */
export const MAX_FILE_OCTETS = 1024 * 1024;

export interface Imported {
  readonly certificates: readonly Certificate[];
  readonly keys: readonly KeyObject[];
  /** DER. */
  readonly revocationLists: readonly Uint8Array[];
}

/**
 * @param name of the file, for the words.
 * @throws ImportError
 */
export function readCertificateFile(octets: Uint8Array, name: string, passphrase: string | undefined): Imported {
  try {
    const text = Buffer.from(octets).toString('latin1');
    const found = text.includes('-----BEGIN ') ? fromPem(text, name, passphrase) : fromDer(octets, name, passphrase);
    if (found.certificates.length + found.keys.length + found.revocationLists.length > 0) return found;
  } catch (error) {
    if (error instanceof AlgorithmError) throw unreadableAlgorithm(name, error.message);
    if (!(error instanceof DecodeError)) throw error;
    throw new ImportError(
      `${name} is damaged, or none of the files that hold certificates (${error.message}): get it anew`,
    );
  }
  throw new ImportError(`there is no certificate, key or revocation list in ${name}: give PEM, DER or PKCS #12`);
}

function fromPem(text: string, name: string, passphrase: string | undefined): Imported {
  const blocks = pemBlocks(text);
  if (blocks.some(({ label }) => label === 'PKCS7')) throw pkcs7(name);
  return {
    certificates: blocks
      .filter(({ label }) => label === 'CERTIFICATE' || label === 'X509 CERTIFICATE' || label === 'TRUSTED CERTIFICATE')
      .map(({ der }) => parseCertificate(der)),
    keys: blocks
      .filter(({ label }) => label.endsWith('PRIVATE KEY'))
      .map((block) =>
        openKey(name, passphrase, block.encrypted || block.label === 'ENCRYPTED PRIVATE KEY', (given) =>
          createPrivateKey({ key: block.text, ...given }),
        ),
      ),
    revocationLists: blocks.filter(({ label }) => label === 'X509 CRL').map(({ der }) => checkedList(der)),
  };
}

function fromDer(octets: Uint8Array, name: string, passphrase: string | undefined): Imported {
  const certificate = attempt(() => parseCertificate(octets));
  if (certificate !== undefined) return { certificates: [certificate], keys: [], revocationLists: [] };
  if (attempt(() => parseRevocationList(octets)) !== undefined)
    return { certificates: [], keys: [], revocationLists: [octets] };
  if (looksLikePkcs12(octets)) return fromPkcs12(octets, name, passphrase);
  const der = Buffer.from(octets);
  for (const type of ['pkcs8', 'pkcs1', 'sec1'] as const) {
    try {
      return { certificates: [], keys: [createPrivateKey({ key: der, format: 'der', type })], revocationLists: [] };
    } catch (error) {
      if (!isMissingPassphrase(error)) continue;
      const key = openKey(name, passphrase, true, (given) =>
        createPrivateKey({ key: der, format: 'der', type, ...given }),
      );
      return { certificates: [], keys: [key], revocationLists: [] };
    }
  }
  // SEQUENCE, and in it the OBJECT IDENTIFIER of signedData.
  if (der.subarray(0, 24).includes(Buffer.from('06092a864886f70d010702', 'hex'))) throw pkcs7(name);
  return { certificates: [], keys: [], revocationLists: [] };
}

function fromPkcs12(octets: Uint8Array, name: string, passphrase: string | undefined): Imported {
  // Some have an empty one, and nobody likes to be asked for that.
  const content = opened(octets, passphrase ?? '');
  if (content === undefined) throw passphrase === undefined ? passphraseNeeded(name) : wrongPassphrase(name);
  return {
    certificates: content.certificates.map(parseCertificate),
    keys: content.keys.map((key) => createPrivateKey({ key: Buffer.from(key), format: 'der', type: 'pkcs8' })),
    revocationLists: content.revocationLists.map(checkedList),
  };
}

/** One without a MAC tells a wrong passphrase by what comes out. */
function opened(octets: Uint8Array, passphrase: string) {
  return attempt(() => readPkcs12(octets, passphrase));
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return undefined;
  }
}

function checkedList(der: Uint8Array): Uint8Array {
  parseRevocationList(der);
  return der;
}

function openKey(
  name: string,
  passphrase: string | undefined,
  encrypted: boolean,
  open: (given: { readonly passphrase?: string }) => KeyObject,
): KeyObject {
  if (encrypted && passphrase === undefined) throw passphraseNeeded(name);
  try {
    return open(encrypted && passphrase !== undefined ? { passphrase } : {});
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    // Of another passphrase OpenSSL says the same once in 256 times, when what comes out seems to be padded.
    if (encrypted && /UNSUPPORTED/.test(code)) throw unreadableKey(name);
    if (encrypted) throw wrongPassphrase(name);
    throw new ImportError(
      `the private key in ${name} cannot be read: give RSA, ECDSA or Ed25519 in PKCS #8, PKCS #1 or SEC 1`,
    );
  }
}

function isMissingPassphrase(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MISSING_PASSPHRASE';
}

function passphraseNeeded(name: string): PassphraseNeededError {
  return new PassphraseNeededError(
    `${name} is under a passphrase: name the file that holds it with --passphrase-file FILE`,
  );
}

function wrongPassphrase(name: string): ImportError {
  return new ImportError(
    `the passphrase of ${name} is another one, or the file is damaged: try again with the right one`,
  );
}

function unreadableKey(name: string): ImportError {
  return new ImportError(
    `the passphrase of ${name} is another one, or the key is encrypted with an old algorithm, which cannot be read here: try ` +
      'again with the right one, or convert it where it can be read, by "openssl pkcs8 -topk8 -provider legacy -provider default"',
  );
}

function unreadableAlgorithm(name: string, algorithm: string): ImportError {
  return new ImportError(
    `${name} is encrypted with ${algorithm}, which cannot be read here: convert it where it can, by ` +
      '"openssl pkcs12 -legacy -in FILE -nodes -out FILE.pem"',
  );
}

function pkcs7(name: string): ImportError {
  return new ImportError(
    `${name} is a PKCS #7 file: convert it with "openssl pkcs7 -print_certs -in FILE -out FILE.pem" (-inform DER if it is no text)`,
  );
}

/** What becomes an entry of `ipsec.certificates`, and what is left over. */
export interface Assembled {
  readonly material: CertificateMaterial;
  readonly certificate: Certificate;
  /** Self-signed ones that stood beside it: an authority is an entry of its own. */
  readonly authorities: readonly Certificate[];
}

/**
 * With a key: its certificate, and those between it and its authority. Without: the certificate of the authority.
 * @throws ImportError when they do not fit together.
 */
export function assemble({ certificates, keys, revocationLists }: Imported, authorityWanted: boolean): Assembled {
  const [key, ...otherKeys] = authorityWanted ? [] : keys;
  if (otherKeys.length > 0)
    throw new ImportError('there are several private keys: give the files of one certificate at a time');
  const certificate = key === undefined ? authorityAmong(certificates) : ownerAmong(certificates, key);
  const chain = key === undefined ? [] : between(certificate, certificates);
  return {
    certificate,
    material: {
      certificate: pemText('CERTIFICATE', certificate.der),
      ...(chain.length === 0 ? {} : { chain: chain.map(({ der }) => pemText('CERTIFICATE', der)).join('') }),
      ...(key === undefined ? {} : { key: keyPem(key) }),
      ...(revocationLists.length === 0 ? {} : { crl: revocationLists.map((der) => pemText('X509 CRL', der)).join('') }),
    },
    authorities: certificates.filter((other) => other !== certificate && isSelfIssued(other)),
  };
}

function ownerAmong(certificates: readonly Certificate[], key: KeyObject): Certificate {
  const owner = certificates.find((certificate) => belongs(key, certificate));
  if (owner !== undefined) return owner;
  const told = certificates.slice(0, 4).map(certificateText).join(', ');
  throw new ImportError(
    certificates.length === 0
      ? 'there is a private key and no certificate: give the file with its certificate, too'
      : `the private key belongs to none of the certificates (${told}): give the key that was made for the certificate`,
  );
}

function authorityAmong(certificates: readonly Certificate[]): Certificate {
  const authorities = certificates.filter(({ extensions }) => extensions.isAuthority);
  const chosen = authorities.find(isSelfIssued) ?? authorities[0];
  if (chosen !== undefined) return chosen;
  const [first] = certificates;
  throw new ImportError(
    first === undefined
      ? 'there is no certificate: give the file of one'
      : `there is no private key for the certificate ${certificateText(first)}, and it is none of an authority: give the file with the key, too`,
  );
}

/** From the nearest on, without the authority at the end. */
function between(certificate: Certificate, others: readonly Certificate[]): readonly Certificate[] {
  const chain: Certificate[] = [];
  for (let at: Certificate | undefined = certificate; at !== undefined; ) {
    const { issuer }: Certificate = at;
    at = others.find(
      (other) =>
        sameName(other.subject, issuer) && !isSelfIssued(other) && !chain.includes(other) && other !== certificate,
    );
    if (at !== undefined) chain.push(at);
  }
  return chain;
}
