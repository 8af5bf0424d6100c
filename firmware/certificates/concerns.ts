/** What a person should know of certificates before a connection fails over it. */
import { type Certificate, certificateText } from './certificate.ts';
import { dateText, type WallTime } from './certificate-failures.ts';
import {
  type CertificateMaterial,
  MaterialError,
  readCertificate,
  readChain,
  readRevocationLists,
} from './material.ts';

const DAY_MS = 86_400_000;
/** Days before the end at which it is said. */
const SOON = 30;
const VERY_SOON = 7;

export interface Concern {
  /** Changes when there is something new to say: once 30 days before the end, once 7 days before, once after. */
  readonly key: string;
  /** One sentence without a full stop. */
  readonly text: string;
}

/**
 * Of one entry of `ipsec.certificates`: what has expired or soon will, and lists that are out of date.
 * @param name of the entry.
 */
export function concernsOf(name: string, material: CertificateMaterial, now: WallTime): readonly Concern[] {
  try {
    const certificates = [readCertificate(material), ...readChain(material)];
    const lists = readRevocationLists(material);
    const late = lists.filter(({ nextUpdate }) => nextUpdate !== undefined && nextUpdate < now.at);
    return [
      ...certificates.flatMap((certificate) => expiryOf(name, certificate, now)),
      ...late.map(({ nextUpdate = 0 }) => ({
        key: `${name} list ${nextUpdate}`,
        text:
          `the revocation list of ${JSON.stringify(name)} is out of date since ${dateText(nextUpdate)}: what was revoked ` +
          'later is believed, import a new one',
      })),
    ];
  } catch (error) {
    // What has been in force stays in force, whatever rules say today.
    if (!(error instanceof MaterialError)) throw error;
    return [
      { key: `${name} unreadable`, text: `the certificate ${JSON.stringify(name)} cannot be read: ${error.message}` },
    ];
  }
}

function expiryOf(name: string, certificate: Certificate, now: WallTime): readonly Concern[] {
  const words = expiryWords(certificate, now);
  if (words === undefined) return [];
  const clock = now.trusted ? '' : ' (by a clock that has not been set since the start)';
  const what = `the certificate ${certificateText(certificate)} (${JSON.stringify(name)})`;
  return [{ key: `${name} ${certificate.serialNumber} ${words.stage}`, text: `${what} ${words.text}${clock}` }];
}

/** `undefined` while there is time. */
export function expiryWords(
  { notBefore, notAfter }: Pick<Certificate, 'notBefore' | 'notAfter'>,
  { at }: WallTime,
): { readonly stage: 'early' | 'soon' | 'very-soon' | 'expired'; readonly text: string } | undefined {
  if (at < notBefore) return { stage: 'early', text: `is not valid before ${dateText(notBefore)}` };
  if (at > notAfter + 999)
    return {
      stage: 'expired',
      text: `has expired on ${dateText(notAfter)}: connections with it fail, have it renewed`,
    };
  const left = Math.floor((notAfter - at) / DAY_MS);
  if (left >= SOON) return undefined;
  const when = left === 0 ? 'expires within a day' : `expires in ${left} ${left === 1 ? 'day' : 'days'}`;
  return { stage: left < VERY_SOON ? 'very-soon' : 'soon', text: `${when}, on ${dateText(notAfter)}: have it renewed` };
}
