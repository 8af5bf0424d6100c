/** Writes PKCS #12 (RFC 7292) for the other end: its certificate, its key, and the authority. */
import { createHmac, type KeyObject, randomBytes } from 'node:crypto';
import { utf8Bytes } from '../protocol/bytes.ts';
import { DER, derInteger, derValue } from '../protocol/ike/crypto/der.ts';
import type { Certificate } from './certificate.ts';
import { context, TAG } from './der-reader.ts';
import { objectIdentifier } from './object-identifier.ts';
import { pkcs12Key } from './passphrase-encryption.ts';

const DATA = '1.2.840.113549.1.7.1';
const BAG = '1.2.840.113549.1.12.10.1';
const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1';
const FRIENDLY_NAME = '1.2.840.113549.1.9.20';
const LOCAL_KEY_ID = '1.2.840.113549.1.9.21';
const SHA256 = '2.16.840.1.101.3.4.2.1';

const MAC_ITERATIONS = 100_000;

/**
 * The key under AES-256 (PBES2), the certificates readable, all of it under a MAC with SHA-256: what OpenSSL 3, Windows 10 and
 * later, macOS 15 and Android read.
 * @param name as devices show it.
 */
export function writePkcs12(
  certificate: Certificate,
  privateKey: KeyObject,
  others: readonly Certificate[],
  passphrase: string,
  name: string,
): Uint8Array {
  const attributes = derValue(TAG.set, ...[friendlyName(name), localKeyId()].sort(Buffer.compare));
  const shrouded = privateKey.export({ format: 'der', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase });
  const bags = [
    bag(`${BAG}.2`, shrouded, attributes),
    bag(`${BAG}.3`, certificateBag(certificate), attributes),
    ...others.map((other) => bag(`${BAG}.3`, certificateBag(other))),
  ];
  const safe = derValue(TAG.sequence, data(derValue(TAG.sequence, ...bags)));
  return derValue(TAG.sequence, derInteger(Uint8Array.of(3)), data(safe), macData(safe, passphrase));
}

function oid(text: string): Uint8Array {
  return derValue(DER.objectIdentifier, objectIdentifier(text));
}

function explicit(value: Uint8Array): Uint8Array {
  return derValue(context(0, 'constructed'), value);
}

/** ContentInfo of octets. */
function data(octets: Uint8Array): Uint8Array {
  return derValue(TAG.sequence, oid(DATA), explicit(derValue(DER.octetString, octets)));
}

function bag(kind: string, value: Uint8Array, attributes?: Uint8Array): Uint8Array {
  return derValue(TAG.sequence, oid(kind), explicit(value), attributes ?? new Uint8Array(0));
}

function certificateBag({ der }: Certificate): Uint8Array {
  return derValue(TAG.sequence, oid(X509_CERTIFICATE), explicit(derValue(DER.octetString, der)));
}

function friendlyName(name: string): Uint8Array {
  const text = derValue(30, Buffer.from(name, 'utf16le').swap16());
  return derValue(TAG.sequence, oid(FRIENDLY_NAME), derValue(TAG.set, text));
}

/** Tells readers which certificate the key belongs to. */
function localKeyId(): Uint8Array {
  return derValue(TAG.sequence, oid(LOCAL_KEY_ID), derValue(TAG.set, derValue(DER.octetString, utf8Bytes('1'))));
}

function macData(safe: Uint8Array, passphrase: string): Uint8Array {
  const salt = randomBytes(16);
  const key = pkcs12Key('sha256', passphrase, salt, 3, MAC_ITERATIONS, 32);
  const digest = createHmac('sha256', key).update(safe).digest();
  const algorithm = derValue(TAG.sequence, oid(SHA256), Uint8Array.of(5, 0));
  const info = derValue(TAG.sequence, algorithm, derValue(DER.octetString, digest));
  const iterations = Buffer.alloc(4);
  iterations.writeUInt32BE(MAC_ITERATIONS);
  return derValue(TAG.sequence, info, derValue(DER.octetString, salt), derInteger(iterations));
}
