/** Certificate and Certificate Request payloads (RFC 2408 sections 3.9 and 3.10): an octet of encoding, and what it says. */
import { ByteReader, concatBytes, DecodeError } from '../../bytes.ts';
import { CERTIFICATE_X509_SIGNATURE, PayloadType } from './numbers.ts';
import { bodiesOf, type Payload } from './payload.ts';

/** Certificates of one peer: real chains have up to four. */
const MAX_CERTIFICATES = 8;

/** Authorities that are asked for in one message. */
export const MAX_REQUESTS = 16;

/** X.509 certificates, DER, in the order in which they are to be read. */
export function certificatePayloads(chain: readonly Uint8Array[]): readonly Payload[] {
  return chain.map((certificate) => encoded(PayloadType.certificate, certificate));
}

/** Asks for a certificate of one of these authorities, DER Names; of any where there are none. */
export function certificateRequests(authorityNames: readonly Uint8Array[]): readonly Payload[] {
  const names = authorityNames.length === 0 ? [new Uint8Array(0)] : authorityNames.slice(0, MAX_REQUESTS);
  return names.map((name) => encoded(PayloadType.certificateRequest, name));
}

/**
 * The X.509 certificates among the payloads; those of another encoding are left out.
 * @throws DecodeError when there are more than 8, or one is empty.
 */
export function certificatesOf(payloads: readonly Payload[]): readonly Uint8Array[] {
  const bodies = bodiesOf(payloads, PayloadType.certificate);
  if (bodies.length > MAX_CERTIFICATES) throw new DecodeError(`${bodies.length} certificates`);
  return bodies.flatMap((body) => {
    const reader = new ByteReader(body);
    return reader.u8('Cert Encoding') === CERTIFICATE_X509_SIGNATURE ? [reader.rest().slice()] : [];
  });
}

function encoded(type: number, data: Uint8Array): Payload {
  return { type, body: concatBytes(Uint8Array.of(CERTIFICATE_X509_SIGNATURE), data) };
}
