/**
 * Why a side's certificate was refused, as the two ends tell each other. All refusals have one answer in the protocol
 * (RFC 7296 section 2.21.2); behind it, in a notification of private use and only encrypted, Culvert says to another
 * Culvert what is wrong with the certificate. Keys and passwords have no place in it: of those a stranger is told nothing.
 */
import type { Failure } from '../machine.ts';
import type { SigningCredential } from './authentication.ts';
import { identityText } from './identity.ts';
import type { IkeIdentity } from './ike-types.ts';

/** What may be wrong with a certificate, by the octet that says so. A number that is given away is never given again. */
const FLAWS = {
  1: 'expired',
  2: 'not-yet-valid',
  /** It does not speak for the identity, or the identity is not the one that is expected. */
  3: 'identity',
  /** No way leads from it to an authority that is believed. */
  4: 'authority',
  5: 'revoked',
  /** For another purpose, too weak, or not to be read. */
  6: 'unfit',
  /** The signature is not by its key. */
  7: 'signature',
} as const;

export type CertificateFlaw = (typeof FLAWS)[keyof typeof FLAWS];

/** Why a peer's certificate is not believed; what is wrong with it may be told to the peer. */
export interface CertificateRefusal extends Failure {
  readonly flaw: CertificateFlaw;
}

/** Of the data of the notification: the first octet. */
const VERSION = 1;

/** @returns `undefined` for what is nobody's business but this side's. */
export function flawOf(failure: Failure): CertificateFlaw | undefined {
  return 'flaw' in failure ? (failure as CertificateRefusal).flaw : undefined;
}

/** Data of the notification, 2 octets: version, and what is wrong. */
export function encodeFlaw(flaw: CertificateFlaw): Uint8Array {
  const code = Object.entries(FLAWS).find(([, name]) => name === flaw)?.[0];
  return Uint8Array.of(VERSION, Number(code));
}

/** @param data as it came. @returns `undefined` for another version, another length, or a code that is not known here. */
export function decodeFlaw(data: Uint8Array): CertificateFlaw | undefined {
  const [version, code] = data;
  if (data.length !== 2 || version !== VERSION) return undefined;
  return (FLAWS as Readonly<Record<number, CertificateFlaw>>)[code ?? 0];
}

/**
 * The peer said why it refuses the certificate of this side.
 * @param proved whether the peer had shown before who it is; else the word may be anybody's.
 */
export function ownCertificateRefused(
  step: string,
  localId: IkeIdentity,
  credential: SigningCredential,
  flaw: CertificateFlaw,
  proved: boolean,
): Failure {
  const { clause, remedy } = credential.explain(flaw);
  const word = proved ? 'it says' : 'it says, before it has proved who it is,';
  return {
    step,
    reason: `the peer does not accept our identity ${identityText(localId)} with our certificate: ${word} that ${clause}`,
    remedy,
    cause: 'refused',
  };
}
