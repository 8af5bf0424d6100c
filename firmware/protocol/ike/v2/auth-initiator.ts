/** IKE_AUTH as initiator, with a pre-shared key (RFC 7296 sections 1.2 and 2.15). */
import type { Failure, Instant } from '../../machine.ts';
import { preSharedKeyOf } from '../authentication.ts';
import { pskAuth } from '../crypto/keys-v2.ts';
import { equalSecrets } from '../crypto/secrets.ts';
import { sameIdentity } from '../identity.ts';
import { askForChild, askPayloads, type ChildAsk, makeChild, readChildAnswer } from './child-negotiation.ts';
import { DONE, type Exchange, type Finished, type ReceivedResponse } from './exchange.ts';
import { malformed, peerRefused, refusedByPeer, wrongAuthMethod, wrongIdentity, wrongPsk } from './failures.ts';
import { decodeIdentity, encodeIdentity, type IdBody, idOctets } from './identity.ts';
import type { IkeSa } from './ike-sa.ts';
import { ikeDelete, tellAuthenticationFailed } from './informational.ts';
import type { InitResult } from './init-exchange.ts';
import { findError, notify } from './notify.ts';
import { AUTH_METHOD_SHARED_KEY, NOTIFY } from './numbers.ts';
import { find, type Payload } from './payload.ts';
import { qcdToken, receivedToken } from './qcd.ts';

export class AuthInitiator implements Exchange {
  readonly name = 'IKE_AUTH';
  readonly duty = 'auth';
  readonly #init: InitResult;
  #ask: ChildAsk | undefined;

  constructor(init: InitResult) {
    this.#init = init;
  }

  begin(_now: Instant, sa: IkeSa): readonly Payload[] | undefined {
    const { keys, nonces, proposal, connection } = sa;
    if (keys === undefined || nonces === undefined || proposal === undefined) return undefined;
    const id = encodeIdentity(sa.localId);
    const auth = pskAuth(proposal.prf, preSharedKeyOf(connection.authentication), {
      message: this.#init.requestOctets,
      peerNonce: nonces.nonceR,
      skP: keys.skPi,
      idBody: idOctets(id),
    });
    this.#ask = askForChild(sa, false);
    return [
      { kind: 'IDi', ...id },
      ...(this.#isFirst(sa) ? [notify('INITIAL_CONTACT')] : []),
      ...(connection.remoteId === undefined ? [] : [{ kind: 'IDr' as const, ...encodeIdentity(connection.remoteId) }]),
      { kind: 'AUTH', method: AUTH_METHOD_SHARED_KEY, data: auth },
      ...tokenPayloads(sa),
      ...askPayloads(this.#ask),
    ];
  }

  /**
   * No other IKE SA with this peer stands or is about to (section 2.4): several connections may lead to one peer, for which
   * this side is one and the same. Of those that are made at once, the one that was begun first says so.
   */
  #isFirst(sa: IkeSa): boolean {
    for (const other of sa.host.ikeSas()) {
      const same = other !== sa && other.announced && other.path.remote.address === sa.path.remote.address;
      if (same && (other.protection !== undefined || other.id < sa.id)) return false;
    }
    return true;
  }

  finish(now: Instant, sa: IkeSa, { payloads }: ReceivedResponse): Finished {
    const id = find(payloads, 'IDr');
    const auth = find(payloads, 'AUTH');
    if (id === undefined || auth === undefined) {
      sa.fail(now, this.#refusal(sa, payloads));
      return DONE;
    }
    sa.peerId = decodeIdentity(id);
    const failure = this.#judge(sa, id, auth.method, auth.data);
    if (failure !== undefined) {
      sa.host.counters.authenticationFailed += 1;
      sa.end(now, failure);
      sa.window.add(tellAuthenticationFailed());
      return DONE;
    }
    sa.peerToken = receivedToken(payloads);
    this.#child(now, sa, payloads);
    return DONE;
  }

  #refusal(sa: IkeSa, payloads: readonly Payload[]): Failure {
    const error = findError(payloads);
    if (error?.type === NOTIFY.AUTHENTICATION_FAILED) return refusedByPeer(sa.localId);
    if (error !== undefined) return peerRefused('IKE_AUTH', error.type);
    return malformed('IKE_AUTH', 'an answer to IKE_AUTH without IDr or AUTH');
  }

  #judge(sa: IkeSa, id: IdBody, method: number, data: Uint8Array): Failure | undefined {
    const { connection, keys, nonces, proposal, peerId } = sa;
    if (keys === undefined || nonces === undefined || proposal === undefined) return wrongPsk(peerId);
    const { remoteId } = connection;
    if (remoteId !== undefined && (peerId === undefined || !sameIdentity(remoteId, peerId))) {
      return wrongIdentity(peerId, [remoteId]);
    }
    if (method !== AUTH_METHOD_SHARED_KEY) return wrongAuthMethod('a certificate');
    const expected = pskAuth(proposal.prf, preSharedKeyOf(connection.authentication), {
      message: this.#init.responseOctets,
      peerNonce: nonces.nonceI,
      skP: keys.skPr,
      idBody: idOctets(id),
    });
    return equalSecrets(expected, data) ? undefined : wrongPsk(peerId);
  }

  /** Without its child the IKE SA is of no use here: the failure ends both. */
  #child(now: Instant, sa: IkeSa, payloads: readonly Payload[]): void {
    const ask = this.#ask;
    const { nonces } = sa;
    if (ask === undefined || nonces === undefined) return;
    const agreed = readChildAnswer(sa, 'IKE_AUTH', ask, payloads);
    if ('failure' in agreed) {
      sa.end(now, agreed.failure);
      sa.window.add(ikeDelete());
      return;
    }
    sa.establish(now);
    sa.install(makeChild(now, sa, agreed, ask.spi, { ...nonces, asked: true }));
  }
}

/** The proof that we could give after a reboot (RFC 6290 section 4.2); none without a secret that outlives one. */
export function tokenPayloads(sa: IkeSa): readonly Payload[] {
  const { qcdSecret } = sa.host;
  if (qcdSecret === undefined) return [];
  return [{ ...notify('QCD_TOKEN', qcdToken(qcdSecret, sa.spiI, sa.spiR)), protocol: 1 }];
}
