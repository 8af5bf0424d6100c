/** AUTHENTICATION_FAILED (RFC 7296 section 2.21.2), and what Culvert says to another Culvert behind it. */
import type { Failure } from '../../machine.ts';
import { decodeFlaw, encodeFlaw, flawOf, ownCertificateRefused } from '../certificate-refusal.ts';
import { refusedUnexplained } from './auth-failures.ts';
import type { IkeSa } from './ike-sa.ts';
import { findNotify, notify } from './notify.ts';
import type { Payload } from './payload.ts';

/** Says that the peer is not believed. For encrypted messages only. */
export function refusalPayloads({ amongOurselves }: IkeSa, failure: Failure): readonly Payload[] {
  const flaw = amongOurselves ? flawOf(failure) : undefined;
  const reason = flaw === undefined ? [] : [notify('CULVERT_CERTIFICATE_REFUSED', encodeFlaw(flaw))];
  return [notify('AUTHENTICATION_FAILED'), ...reason];
}

/**
 * The peer said AUTHENTICATION_FAILED.
 * @param payloads of the message, which was encrypted.
 * @param proved whether the peer had shown before who it is.
 */
export function refusedByPeer(sa: IkeSa, payloads: readonly Payload[], proved: boolean): Failure {
  const { authentication } = sa.connection;
  const said = sa.amongOurselves ? findNotify(payloads, 'CULVERT_CERTIFICATE_REFUSED') : undefined;
  const flaw = said === undefined ? undefined : decodeFlaw(said.data);
  if (flaw === undefined || !('credential' in authentication)) {
    return refusedUnexplained(sa.localId, authentication.kind);
  }
  return ownCertificateRefused('authentication', sa.localId, authentication.credential, flaw, proved);
}
