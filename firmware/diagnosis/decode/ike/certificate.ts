/** Certificate payload, the same in both versions (RFC 2408 section 3.9, RFC 7296 section 3.6). */
import { X509Certificate } from 'node:crypto';
import { hex } from '../../../protocol/bytes.ts';
import { decodeFlaw } from '../../../protocol/ike/certificate-refusal.ts';
import { printable } from '../../../protocol/printable.ts';
import type { FieldReader } from '../field-reader.ts';
import type { Out } from './chain.ts';
import { nameOf } from './names.ts';
import { CERTIFICATE_NAMES } from './registry-v2.ts';

/** Encodings that are an X.509 certificate as such: for signatures and for key exchange. */
const X509: readonly number[] = [4, 5];

export function describeCertificate(reader: FieldReader, out: Out): void {
  const encoding = reader.u8('Cert Encoding');
  out['certificateEncoding'] = encoding;
  out['certificateKind'] = nameOf(CERTIFICATE_NAMES, encoding, 'encoding');
  const at = reader.offset;
  const data = reader.rest();
  out['certificateData'] = hex(data);
  if (!X509.includes(encoding)) return;
  const certificate = parsed(data);
  if (certificate === undefined) reader.fail('Certificate Data', 'it is no X.509 certificate', at);
  out['subject'] = named(certificate.subject);
  out['issuer'] = named(certificate.issuer);
  out['validFrom'] = printable(certificate.validFrom);
  out['validTo'] = printable(certificate.validTo);
}

function parsed(data: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(data);
  } catch {
    return undefined;
  }
}

/** A distinguished name in one line; node has one part in each. */
function named(lines: string | undefined): string {
  return printable((lines ?? '').split('\n').join(', '));
}

/** What one Culvert finds wrong with the certificate of another one. */
export function describeFlaw(data: Uint8Array, out: Out): void {
  const flaw = decodeFlaw(data);
  if (flaw === undefined) out['data'] = hex(data);
  else out['flaw'] = flaw;
}
