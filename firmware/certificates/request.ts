/** Requests for certificates (PKCS #10, RFC 2986), read from DER. */
import { createPublicKey } from 'node:crypto';
import { DecodeError, hex } from '../protocol/bytes.ts';
import type { EndEntity } from './authority.ts';
import { context, DerReader, onlyDer, TAG } from './der-reader.ts';
import { readExtensions } from './extensions.ts';
import { readSigned, verifySigned } from './signed.ts';

/** 1.2.840.113549.1.9.14: extensions that are asked for (RFC 2985 section 5.4.2). */
const EXTENSION_REQUEST = '2a864886f70d01090e';

/**
 * Who asks, for which names, and with which key.
 * @throws DecodeError when it cannot be read, or is not signed by the key in it.
 */
export function parseRequest(der: Uint8Array): EndEntity {
  const signed = readSigned(der, 'CertificationRequest');
  const fields = onlyDer(signed.content, TAG.sequence, 'CertificationRequestInfo');
  fields.next(TAG.integer, 'version');
  const subject = fields.next(TAG.sequence, 'subject').whole;
  const publicKeyInfo = fields.next(TAG.sequence, 'subjectPKInfo').whole;
  const attributes = fields.optional(context(0, 'constructed'), 'attributes');
  const names = attributes === undefined ? [] : namesIn(new DerReader(attributes.contents));
  if (!isSignedByOwnKey(signed, publicKeyInfo)) throw new DecodeError('it is not signed by the key in it');
  return { subject, names, publicKeyInfo };
}

function namesIn(attributes: DerReader): EndEntity['names'] {
  while (!attributes.done) {
    const attribute = attributes.inside(TAG.sequence, 'Attribute');
    if (hex(attribute.next(TAG.objectIdentifier, 'type').contents) !== EXTENSION_REQUEST) continue;
    const extensions = attribute.inside(TAG.set, 'values').inside(TAG.sequence, 'Extensions');
    return readExtensions(extensions).names ?? [];
  }
  return [];
}

function isSignedByOwnKey(signed: ReturnType<typeof readSigned>, publicKeyInfo: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKeyInfo), format: 'der', type: 'spki' });
    return verifySigned(signed, key) === 'good';
  } catch {
    return false;
  }
}
