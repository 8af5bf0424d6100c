/** RSA keys, and a trust that takes `DER` of one octet for a certificate: what certificates are is tested elsewhere. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { CertificateRefusal } from '../../../../../firmware/protocol/ike/certificate-refusal.ts';
import type { IkeConnection } from '../../../../../firmware/protocol/ike/ike-types.ts';
import { explain, refusal } from '../fake-certificates.ts';

export const keyPair = (modulusLength = 2048) => generateKeyPairSync('rsa', { modulusLength });

export const KEYS = { client: keyPair(), server: keyPair(), stranger: keyPair() } as const;

type Name = keyof typeof KEYS;

/** So long that messages with it go in fragments. */
const certificateOf = (name: Name): Uint8Array => new TextEncoder().encode(`certificate of ${name} `.repeat(60));

export const AUTHORITY = Uint8Array.of(0x30, 0);

export const EXPIRED = refusal('expired', 'the certificate expired yesterday');

function judge(
  chain: readonly Uint8Array[],
  believed: readonly Name[],
  refuse: CertificateRefusal | undefined,
): KeyObject | CertificateRefusal {
  const [first = new Uint8Array()] = chain;
  const name = believed.find((one) => Buffer.from(certificateOf(one)).equals(first));
  if (name === undefined) return refusal('authority', 'nobody knows the authority');
  return refuse ?? KEYS[name].publicKey;
}

/** @param believed whose certificates are believed. @param refuse why they are not, all the same. */
export function byCertificate(
  own: Name,
  believed: readonly Name[] = ['client', 'server'],
  refuse?: CertificateRefusal,
  privateKey: KeyObject = KEYS[own].privateKey,
): Pick<IkeConnection, 'authentication'> {
  return {
    authentication: {
      kind: 'certificate',
      credential: { chain: [certificateOf(own), Uint8Array.of(1)], privateKey, explain },
      trust: {
        authorityKeyHashes: [],
        authorityNames: [AUTHORITY],
        judge: (chain) => judge(chain, believed, refuse),
      },
    },
  };
}
