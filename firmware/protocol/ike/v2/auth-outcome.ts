/** What an initiator's IKE_AUTH comes to, and what both roles say in it. */
import type { Failure, Instant } from '../../machine.ts';
import { noAddressAssigned } from './auth-failures.ts';
import { type ChildAsk, makeChild, readChildAnswer } from './child-negotiation.ts';
import { assignedConfiguration } from './configuration-payload.ts';
import { DONE, type Finished } from './exchange.ts';
import { malformed, peerRefused } from './failures.ts';
import { askForRest } from './further-child.ts';
import type { IkeSa } from './ike-sa.ts';
import { ikeDelete, tellRefused } from './informational.ts';
import { readMobikeAnswer } from './mobike.ts';
import { findError, notify } from './notify.ts';
import { NOTIFY } from './numbers.ts';
import type { Payload } from './payload.ts';
import { qcdToken } from './qcd.ts';
import { planReauthentication, predecessor, retire } from './reauthentication.ts';
import { refusalPayloads, refusedByPeer } from './refusal.ts';

/** The peer's answer has no proof in it. */
export function refusal(sa: IkeSa, payloads: readonly Payload[]): Failure {
  const error = findError(payloads);
  if (error?.type === NOTIFY.AUTHENTICATION_FAILED) return refusedByPeer(sa, payloads, false);
  if (error !== undefined) return peerRefused('IKE_AUTH', error.type);
  return malformed('IKE_AUTH', 'an answer to IKE_AUTH without IDr or AUTH');
}

/** The peer is not believed: it is told so, for it believes that the SA stands. */
export function rejected(now: Instant, sa: IkeSa, failure: Failure): Finished {
  sa.host.counters.authenticationFailed += 1;
  sa.end(now, failure);
  sa.window.add(tellRefused(refusalPayloads(sa, failure)));
  return DONE;
}

/** Both sides are proved. Without its child the IKE SA is of no use here: the failure ends both. */
export function takeChild(now: Instant, sa: IkeSa, ask: ChildAsk, payloads: readonly Payload[]): Finished {
  const { nonces, connection } = sa;
  if (nonces === undefined) return DONE;
  const agreed = readChildAnswer(sa, 'IKE_AUTH', ask, payloads);
  const configuration = connection.requestAddress === true ? assignedConfiguration(payloads) : undefined;
  const unassigned = connection.requestAddress === true && configuration === undefined;
  const failure = 'failure' in agreed ? agreed.failure : unassigned ? noAddressAssigned() : undefined;
  if ('failure' in agreed || failure !== undefined) {
    sa.end(now, failure ?? noAddressAssigned());
    sa.window.add(ikeDelete());
    return DONE;
  }
  sa.configuration = configuration;
  readMobikeAnswer(sa, payloads);
  planReauthentication(now, sa, payloads);
  const old = predecessor(sa);
  sa.establish(now, old);
  sa.install(makeChild(now, sa, agreed, ask.spi, { ...nonces, asked: true }), old?.children.values().next().value);
  if (old !== undefined) retire(now, old, sa);
  askForRest(sa, ask, agreed);
  return DONE;
}

/** The proof that we could give after a reboot (RFC 6290 section 4.2); none without a secret that outlives one. */
export function tokenPayloads(sa: IkeSa): readonly Payload[] {
  const { qcdSecret } = sa.host;
  if (qcdSecret === undefined) return [];
  return [{ ...notify('QCD_TOKEN', qcdToken(qcdSecret, sa.spiI, sa.spiR)), protocol: 1 }];
}
