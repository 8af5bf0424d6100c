/** Schema of `ipsec.certificates`: the own ones with their keys, and those of authorities. */
import Type, { type Static } from 'typebox';
import { NAME, NAME_ALLOWED } from './schema-parts.ts';

function pem(format: string, words: { readonly title: string; readonly description: string }) {
  return Type.String({ ...words, format });
}

const CERTIFICATE_SCHEMA = Type.Object(
  {
    certificate: pem('pem-certificate', {
      title: 'Certificate',
      description: 'The certificate itself, PEM.',
    }),
    chain: Type.Optional(
      pem('pem-certificates', {
        title: 'Chain',
        description: 'Certificates between it and an authority that the peer knows, PEM; the nearest first.',
      }),
    ),
    key: Type.Optional(
      Type.String({
        title: 'Private key',
        description: 'The key of the certificate, PEM, without a passphrase; of an authority it is not needed.',
        format: 'pem-private-key',
        'x-secret': true,
      }),
    ),
    crl: Type.Optional(
      pem('pem-crl', {
        title: 'Revocation list',
        description: 'Of an authority: the certificates that it has revoked (CRL), PEM.',
      }),
    ),
  },
  {
    title: 'Certificate',
    description: 'A certificate of this router, with its key, or one of an authority.',
    additionalProperties: false,
  },
);

export const CERTIFICATES_SCHEMA = Type.Record(NAME, CERTIFICATE_SCHEMA, {
  title: 'Certificates',
  description: 'Certificates by name; "culvert certificate" makes them, and imports those of others.',
  'x-restarts': 'Connections that use this certificate end and are set up anew; others stay up.',
  default: {},
  maxProperties: 64,
  additionalProperties: false,
  'x-allowed': NAME_ALLOWED,
});

export type CertificateConfiguration = Static<typeof CERTIFICATE_SCHEMA>;
