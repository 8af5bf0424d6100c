/** An entry of `ipsec.certificates` as it is configured, PEM, and read. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { DecodeError } from '../protocol/bytes.ts';
import { type Certificate, parseCertificate, publicKeyOf } from './certificate.ts';
import { type PemBlock, pemBlocks } from './pem.ts';
import { parseRevocationList, type RevocationList } from './revocation-list.ts';

/** PEM texts. */
export interface CertificateMaterial {
  readonly certificate: string;
  /** Between it and an authority that the peer knows. */
  readonly chain?: string;
  /** Its private key, not encrypted. */
  readonly key?: string;
  /** Of an authority: what it has revoked. */
  readonly crl?: string;
}

export type MaterialPart = keyof CertificateMaterial;

/** What is wrong with a part of the material. The message says what was found: `no certificate`. */
export class MaterialError extends Error {
  override readonly name = 'MaterialError';
  readonly part: MaterialPart;
  /** What to do. */
  readonly remedy: string;

  constructor(part: MaterialPart, found: string, remedy: string) {
    super(found);
    this.part = part;
    this.remedy = remedy;
  }
}

/**
 * What was read already, by the entry: a hundred connections believe the same authority, with a list of ten thousand
 * certificates.
 */
const known = {
  certificate: new WeakMap<CertificateMaterial, Certificate>(),
  chain: new WeakMap<CertificateMaterial, readonly Certificate[]>(),
  lists: new WeakMap<CertificateMaterial, readonly RevocationList[]>(),
};

function once<T>(
  memory: WeakMap<CertificateMaterial, T>,
  material: CertificateMaterial,
  make: (material: CertificateMaterial) => T,
): T {
  const found = memory.get(material) ?? make(material);
  memory.set(material, found);
  return found;
}

/** @throws MaterialError unless it is one certificate. */
export function readCertificate(material: CertificateMaterial): Certificate {
  return once(known.certificate, material, makeCertificate);
}

/** None when there is no chain. @throws MaterialError */
export function readChain(material: CertificateMaterial): readonly Certificate[] {
  return once(known.chain, material, makeChain);
}

/** @throws MaterialError */
export function readRevocationLists(material: CertificateMaterial): readonly RevocationList[] {
  return once(known.lists, material, makeLists);
}

function makeCertificate({ certificate }: CertificateMaterial): Certificate {
  const [first, ...more] = certificatesIn(certificate, 'certificate');
  if (first === undefined)
    throw new MaterialError('certificate', 'no certificate in it', 'one PEM block BEGIN CERTIFICATE');
  if (more.length > 0)
    throw new MaterialError(
      'certificate',
      `${more.length + 1} certificates`,
      'one certificate here, the others in "chain"',
    );
  return first;
}

function makeChain({ chain }: CertificateMaterial): readonly Certificate[] {
  if (chain === undefined) return [];
  const found = certificatesIn(chain, 'chain');
  if (found.length === 0) throw new MaterialError('chain', 'no certificate in it', 'PEM blocks BEGIN CERTIFICATE');
  return found;
}

/** @throws MaterialError also when it belongs to another certificate. */
export function readKey({ key }: CertificateMaterial, certificate: Certificate): KeyObject | undefined {
  if (key === undefined) return undefined;
  const block = pemBlocks(key).find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (block === undefined) throw new MaterialError('key', 'no private key in it', 'one PEM block BEGIN PRIVATE KEY');
  if (block.encrypted || block.label === 'ENCRYPTED PRIVATE KEY')
    throw new MaterialError(
      'key',
      'a private key under a passphrase',
      'the key without it (the router encrypts all secrets itself): "culvert certificate import" makes it so',
    );
  const privateKey = privateKeyOf(block);
  if (!belongs(privateKey, certificate))
    throw new MaterialError('key', 'the key of another certificate', 'the private key of the certificate beside it');
  return privateKey;
}

function makeLists({ crl }: CertificateMaterial): readonly RevocationList[] {
  if (crl === undefined) return [];
  const lists = read(pemBlocks(crl), 'X509 CRL', 'crl', parseRevocationList);
  if (lists.length === 0) throw new MaterialError('crl', 'no revocation list in it', 'PEM blocks BEGIN X509 CRL');
  return lists;
}

/** @throws MaterialError when one of them cannot be read. */
export function certificatesIn(text: string, part: 'certificate' | 'chain'): readonly Certificate[] {
  return read(pemBlocks(text), 'CERTIFICATE', part, parseCertificate);
}

export function belongs(privateKey: KeyObject, certificate: Certificate): boolean {
  const publicKey = publicKeyOf(certificate);
  return publicKey !== undefined && createPublicKey(privateKey).equals(publicKey);
}

function privateKeyOf({ text }: PemBlock): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    throw new MaterialError('key', 'a private key that cannot be read', 'a key of RSA, ECDSA or Ed25519, as PEM');
  }
}

function read<T>(
  blocks: readonly PemBlock[],
  label: string,
  part: MaterialPart,
  parse: (der: Uint8Array) => T,
): readonly T[] {
  try {
    return blocks.filter((block) => block.label === label).map(({ der }) => parse(der));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new MaterialError(part, `what cannot be read (${error.message})`, 'X.509 as RFC 5280 has it, in PEM');
  }
}
