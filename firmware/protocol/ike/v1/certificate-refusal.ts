/** AUTHENTICATION-FAILED in an encrypted Informational, and what Culvert says to another Culvert behind it. */
import type { Failure } from '../../machine.ts';
import { type CertificateFlaw, decodeFlaw, encodeFlaw, flawOf } from '../certificate-refusal.ts';
import { decodeNotification, isakmpNotification } from './notification.ts';
import { NotifyType, PayloadType } from './numbers.ts';
import { bodiesOf, type Payload } from './payload.ts';
import type { PeerVendor } from './vendor-ids.ts';

/** What is wrong with the peer's certificate; nothing where that is no matter of a certificate, or the peer is another's. */
export function reasonPayloads({ amongOurselves }: PeerVendor, failure: Failure | undefined): readonly Payload[] {
  const flaw = !amongOurselves || failure === undefined ? undefined : flawOf(failure);
  if (flaw === undefined) return [];
  const body = isakmpNotification(NotifyType.culvertCertificateRefused, undefined, encodeFlaw(flaw));
  return [{ type: PayloadType.notification, body }];
}

/** What the peer says is wrong with this side's. @throws DecodeError when a notification is malformed. */
export function refusedFor({ amongOurselves }: PeerVendor, payloads: readonly Payload[]): CertificateFlaw | undefined {
  if (!amongOurselves) return undefined;
  const said = bodiesOf(payloads, PayloadType.notification)
    .map(decodeNotification)
    .find(({ type }) => type === NotifyType.culvertCertificateRefused);
  return said === undefined ? undefined : decodeFlaw(said.data);
}
