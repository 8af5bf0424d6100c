/** Certificate and Certificate Request payloads (RFC 7296 sections 3.6 and 3.7). */
import { concatBytes } from '../../bytes.ts';
import type { CertificateTrust } from '../authentication.ts';
import { findAll, type Payload } from './payload.ts';

/** Cert Encoding: X.509 Certificate - Signature. */
const X509_SIGNATURE = 4;

/** Certificates of one message that are looked at: an own one, and those up to an authority. */
const MAX_CERTIFICATES = 8;

/** Octets of a certificate that are looked at: far above any that is in use. */
const MAX_CERTIFICATE_OCTETS = 16_384;

/** Authorities in one request: with 20 octets each they are to fit a message without fragments. */
const MAX_AUTHORITIES = 16;

/** @param chain DER, the own certificate first. */
export function certificatePayloads(chain: readonly Uint8Array[]): readonly Payload[] {
  return chain.map((data) => ({ kind: 'CERT', encoding: X509_SIGNATURE, data }));
}

/** DER of what the peer sent, its own certificate first. */
export function certificatesOf(payloads: readonly Payload[]): readonly Uint8Array[] {
  return findAll(payloads, 'CERT')
    .filter(({ encoding, data }) => encoding === X509_SIGNATURE && data.length <= MAX_CERTIFICATE_OCTETS)
    .slice(0, MAX_CERTIFICATES)
    .map(({ data }) => data.slice());
}

/** Asks for certificates of these authorities; nothing when there are none. */
export function certificateRequest(trusts: readonly CertificateTrust[]): readonly Payload[] {
  const hashes = trusts.flatMap(({ authorityKeyHashes }) => authorityKeyHashes).slice(0, MAX_AUTHORITIES);
  if (hashes.length === 0) return [];
  return [{ kind: 'CERTREQ', encoding: X509_SIGNATURE, data: concatBytes(...hashes) }];
}
