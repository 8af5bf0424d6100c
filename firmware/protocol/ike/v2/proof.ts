/** AUTH payloads: what they cover, made and judged (RFC 7296 section 2.15, RFC 7427). */
import type { Failure } from '../../machine.ts';
import type { CertificateTrust, SigningCredential } from '../authentication.ts';
import type { CertificateRefusal } from '../certificate-refusal.ts';
import { authOctets, pskAuth, type SignedOctets } from '../crypto/keys-v2.ts';
import { equalSecrets } from '../crypto/secrets.ts';
import { AUTH_METHOD, signAuth, signatureProblem } from '../crypto/signature.ts';
import { unreadableIdentity, wrongSignature } from './auth-failures.ts';
import { certificatesOf } from './certificate-payload.ts';
import { type IdBody, idOctets } from './identity.ts';
import type { IkeSa } from './ike-sa.ts';
import type { InitResult } from './init-exchange.ts';
import type { Payload, PayloadOf } from './payload.ts';

/** What one side's AUTH covers, and the prf that goes with it. */
export interface Covered extends SignedOctets {
  readonly prf: string;
}

/** @param byInitiator whose AUTH it is. @throws Error before the IKE SA has keys. */
export function covered(sa: IkeSa, init: InitResult, byInitiator: boolean, id: IdBody): Covered {
  const { keys, nonces, proposal } = sa;
  if (keys === undefined || nonces === undefined || proposal === undefined)
    throw new Error('AUTH before there are keys');
  return {
    prf: proposal.prf,
    message: byInitiator ? init.requestOctets : init.responseOctets,
    peerNonce: byInitiator ? nonces.nonceR : nonces.nonceI,
    skP: byInitiator ? keys.skPi : keys.skPr,
    idBody: idOctets(id),
    ...(sa.intAuth === undefined ? {} : { intAuth: sa.intAuth }),
  };
}

/** AUTH by a key that both sides have: pre-shared, or made by EAP. */
export function sharedKeyProof(key: Uint8Array, covers: Covered): PayloadOf<'AUTH'> {
  return { kind: 'AUTH', method: AUTH_METHOD.sharedKey, data: pskAuth(covers.prf, key, covers) };
}

export function provesSharedKey(key: Uint8Array, covers: Covered, auth: PayloadOf<'AUTH'>): boolean {
  return auth.method === AUTH_METHOD.sharedKey && equalSecrets(pskAuth(covers.prf, key, covers), auth.data);
}

/** AUTH by signature; `undefined` when the peer could not verify any that this key makes. */
export function signatureProof(
  { privateKey }: SigningCredential,
  covers: Covered,
  peerHashes: readonly number[],
): PayloadOf<'AUTH'> | undefined {
  const signature = signAuth(privateKey, authOctets(covers.prf, covers), peerHashes);
  return signature === undefined ? undefined : { kind: 'AUTH', ...signature };
}

/**
 * Judges a peer's certificates first, and then what it signed.
 * @param payloads of the message with its AUTH.
 * @returns why it is not believed; `undefined`: it is who it says.
 */
export function certificateProblem(
  sa: IkeSa,
  trust: CertificateTrust,
  payloads: readonly Payload[],
  covers: Covered,
  auth: PayloadOf<'AUTH'>,
): Failure | undefined {
  const { peerId } = sa;
  if (peerId === undefined) return unreadableIdentity();
  const key = trust.judge(certificatesOf(payloads), peerId);
  if ('reason' in key) return key;
  const problem = signatureProblem(key, authOctets(covers.prf, covers), auth);
  return problem === undefined ? undefined : wrongSignature(peerId, problem);
}

/**
 * Somebody is not who is expected. One who has proved who it is may learn that; whoever has not could go on to try names.
 * @param trusts by which it may prove itself.
 * @param failure with which it is refused. @returns that, with or without what the peer may be told.
 */
export function provedStranger(
  sa: IkeSa,
  trusts: readonly CertificateTrust[],
  payloads: readonly Payload[],
  covers: Covered,
  auth: PayloadOf<'AUTH'>,
  failure: Failure,
): Failure | CertificateRefusal {
  const proved = trusts.some((trust) => certificateProblem(sa, trust, payloads, covers, auth) === undefined);
  return proved ? { ...failure, flaw: 'identity' } : failure;
}
