/** Why a certificate of the peer is not believed here. */
import type { KnownFailure } from './known-failure.ts';

const step = 'ike-authentication';

export const CERTIFICATE_FAILURES: readonly KnownFailure[] = [
  {
    id: 'certificate-expired',
    step,
    title: 'a certificate of the peer has expired',
    cause: 'nobody has renewed it in time, or the clock of this router is ahead',
    words: /^authentication: the certificate .* has expired: it was valid until/,
  },
  {
    id: 'certificate-early',
    step,
    title: 'a certificate of the peer is not valid yet',
    cause: 'the clock of this router is behind, or that of whoever issued it was ahead',
    words: /^authentication: the certificate .* is not valid yet/,
  },
  {
    id: 'certificate-name',
    step,
    title: 'the certificate of the peer is for another name',
    cause:
      'the identity that the peer sends is not in the subjectAltName of its certificate, where alone it is looked for',
    words: /^authentication: the certificate .* is of somebody else/,
  },
  {
    id: 'certificate-authority',
    step,
    title: 'the certificate of the peer is of another authority',
    cause:
      'the authority is not among those of the connection, it has a new key, or the peer leaves out what lies between',
    words:
      /^authentication: the certificate .* (was issued by .*not one of the authorities|was not signed by the authority)/,
  },
  {
    id: 'certificate-revoked',
    step,
    title: 'the certificate of the peer was revoked',
    cause: 'its authority has taken it back: the key was lost or stolen, or the certificate was replaced',
    words: /^authentication: the certificate .* was revoked by/,
  },
  {
    id: 'certificate-unfit',
    step,
    title: 'the certificate of the peer does not serve',
    cause: 'it was issued for another purpose, with an old algorithm or a short key, or it was not sent at all',
    words:
      /^authentication: (the certificate .* (does not serve here|can be forged)|the peer .* sent no certificate|what the peer .* sent as its certificate)/,
  },
];
