/** Certificates that are no certificates: the core hands octets on, and whoever judges them is handed in. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type {
  CertificateTrust,
  RefusalWords,
  SigningCredential,
} from '../../../../firmware/protocol/ike/authentication.ts';
import type { CertificateFlaw, CertificateRefusal } from '../../../../firmware/protocol/ike/certificate-refusal.ts';
import { identityKey } from '../../../../firmware/protocol/ike/identity.ts';
import type { IkeIdentity } from '../../../../firmware/protocol/ike/ike-types.ts';

const KEY_KINDS = ['rsa', 'p256', 'p384', 'p521', 'ed25519', 'ed448', 'rsa-pss'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

const pairs = new Map<KeyKind, { readonly privateKey: KeyObject; readonly publicKey: KeyObject }>();

function pairOf(kind: KeyKind) {
  const pair = pairs.get(kind) ?? made(kind);
  pairs.set(kind, pair);
  return pair;
}

function made(kind: KeyKind) {
  switch (kind) {
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: 2048 });
    case 'rsa-pss':
      return generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
    case 'p256':
    case 'p384':
    case 'p521':
      return generateKeyPairSync('ec', { namedCurve: kind.replace('p', 'P-') });
    case 'ed25519':
      return generateKeyPairSync('ed25519');
    case 'ed448':
      return generateKeyPairSync('ed448');
  }
}

/** "Certificate" of an identity: its text and kind of key, in octets. */
function certificateOf(identity: IkeIdentity, kind: KeyKind): Uint8Array {
  return Buffer.from(`${kind} ${identityKey(identity)}`);
}

export function credentialOf(identity: IkeIdentity, kind: KeyKind): SigningCredential {
  const chain = [certificateOf(identity, kind), Buffer.from('intermediate')];
  return { chain, privateKey: pairOf(kind).privateKey, explain };
}

/** Words for what a peer says is wrong with a certificate of ours. */
export function explain(flaw: CertificateFlaw): RefusalWords {
  return { clause: `it is wrong by its ${flaw}`, remedy: `mend its ${flaw}` };
}

/** A refusal for such a reason. */
export function refusal(flaw: CertificateFlaw, reason = `there is something wrong: ${flaw}`): CertificateRefusal {
  return { step: 'certificate', reason, remedy: 'take another one', cause: 'refused', flaw };
}

/** Believes every certificate of the right form that names the identity. */
export class FakeTrust implements CertificateTrust {
  readonly authorityKeyHashes = [new Uint8Array(20).fill(0xca)];
  readonly authorityNames = [Buffer.from('3000', 'hex')];
  /** What it was asked about. */
  readonly seen: string[] = [];
  failure: CertificateRefusal | undefined;

  judge(chain: readonly Uint8Array[], identity: IkeIdentity): KeyObject | CertificateRefusal {
    const text = Buffer.from(chain[0] ?? []).toString();
    this.seen.push(`${text} + ${chain.length - 1}`);
    if (this.failure !== undefined) return this.failure;
    const kind = KEY_KINDS.find((known) => text.startsWith(`${known} `));
    if (kind === undefined || !text.endsWith(identityKey(identity))) {
      return refusal('identity', 'it names somebody else');
    }
    return pairOf(kind).publicKey;
  }
}
