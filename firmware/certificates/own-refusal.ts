/** What it means that a peer refuses the own certificate, by what the peer says of it and by what is known here. */
import type { RefusalWords } from '../protocol/ike/authentication.ts';
import type { CertificateFlaw } from '../protocol/ike/certificate-refusal.ts';
import { distinguishedNameText } from '../protocol/ike/distinguished-name.ts';
import { type Certificate, certificateText } from './certificate.ts';
import { dateText, namesText, nowText, type WallTime } from './certificate-failures.ts';

const NEW_KEY = 'RSA 3072, ECDSA P-256 or Ed25519, and SHA-256';

/** @param chain the own certificate first, then those that are sent with it; at least one. */
export function explainRefusal(
  chain: readonly [Certificate, ...Certificate[]],
  flaw: CertificateFlaw,
  now: WallTime,
): RefusalWords {
  const [own] = chain;
  const text = `ours, ${certificateText(own)},`;
  switch (flaw) {
    case 'expired':
      return {
        clause:
          `it has expired, or one above it has; ${text} is valid until ${dateText(own.notAfter)}, and by the clock here it ` +
          `is ${nowText(now)}`,
        remedy: expiredRemedy(chain, now),
      };
    case 'not-yet-valid':
      return {
        clause:
          `it is not valid yet, or one above it is not; ${text} is from ${dateText(own.notBefore)} on, and by the clock ` +
          `here it is ${nowText(now)}`,
        remedy: earlyRemedy(chain, now),
      };
    case 'identity':
      return {
        clause: `it is not for the identity that is expected there; ${text} ${namesText(own)}`,
        remedy:
          'compare "remoteId" of the peer with "localId" here, or get a certificate with the expected name in its ' +
          'subjectAltName',
      };
    case 'authority':
      return {
        clause: `it is of no authority that is believed there; ${text} was issued by "${distinguishedNameText(own.issuer)}"`,
        remedy:
          'add that authority to "authorities" of the connection at the peer, or get a certificate of one that it believes; ' +
          'what lies between has to be imported here with the certificate',
      };
    case 'revoked':
      return {
        clause: `it was revoked, or one above it was; ${text} has the serial number ${own.serialNumber}`,
        remedy: 'have a new certificate issued for a new key, and find out why the old one was revoked',
      };
    case 'unfit':
      return {
        clause: `it does not serve there: it is for another purpose, too weak, or not to be read; ours is ${certificateText(own)}`,
        remedy: `have it issued again for IKE (keyUsage digitalSignature) with a key of ${NEW_KEY}; the log of the peer says more`,
      };
    case 'signature':
      return {
        clause: `our signature is not by the key of it; ours is ${certificateText(own)}`,
        remedy:
          'import the certificate again, with its own private key; if that is right, somebody stands between the two ends',
      };
  }
}

function expiredRemedy(chain: readonly Certificate[], now: WallTime): string {
  const late = chain.find(({ notAfter }) => now.at > notAfter + 999);
  if (late !== undefined) return `have the certificate of "${distinguishedNameText(late.subject)}" renewed`;
  return now.trusted
    ? 'check the clock of the peer, which may be ahead, and whether the certificate of an authority has expired there'
    : 'set the clock of this router to see whether the certificate has expired; if not, the clock of the peer may be ahead';
}

function earlyRemedy(chain: readonly Certificate[], now: WallTime): string {
  if (!now.trusted) return 'set the clock of this router, and check the clock of the peer, which may be behind';
  return chain.some(({ notBefore }) => now.at < notBefore)
    ? 'check the clocks of this router and of whoever issued the certificate, or wait until then'
    : 'check the clock of the peer, which may be behind';
}
