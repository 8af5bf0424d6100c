/** IKE_AUTH as initiator (RFC 7296 sections 1.2, 2.15, 2.16). */
import type { Failure, Instant } from '../../machine.ts';
import type { IkeSaKeys } from '../crypto/keys-v2.ts';
import { isSignature } from '../crypto/signature.ts';
import { sameIdentity } from '../identity.ts';
import { beginEap, type EapLogin } from './auth-eap-initiator.ts';
import {
  eapBroken,
  noCommonSignature,
  peerHasNoPpk,
  wrongAuthMethod,
  wrongIdentity,
  wrongPsk,
} from './auth-failures.ts';
import { refusal, rejected, takeChild, tokenPayloads } from './auth-outcome.ts';
import { certificatePayloads, certificateRequest } from './certificate-payload.ts';
import { askForChild, askPayloads, type ChildAsk } from './child-negotiation.ts';
import { configurationRequest } from './configuration-payload.ts';
import { DONE, type Exchange, type Finished, type ReceivedResponse } from './exchange.ts';
import { decodeIdentity, encodeIdentity, type IdBody } from './identity.ts';
import type { IkeSa } from './ike-sa.ts';
import type { InitResult } from './init-exchange.ts';
import { mobikeSupported } from './mobike.ts';
import { findNotify, notify } from './notify.ts';
import { find, type Payload, type PayloadOf } from './payload.ts';
import { keysWithPpk, ppkPayloads } from './ppk.ts';
import {
  certificateProblem,
  covered,
  provedStranger,
  provesSharedKey,
  sharedKeyProof,
  signatureProof,
} from './proof.ts';
import { receivedToken } from './qcd.ts';

export class AuthInitiator implements Exchange {
  readonly name = 'IKE_AUTH';
  readonly duty = 'auth';
  readonly #init: InitResult;
  #ask: ChildAsk | undefined;
  #keysWithout: IkeSaKeys | undefined;

  constructor(init: InitResult) {
    this.#init = init;
  }

  begin(now: Instant, sa: IkeSa): readonly Payload[] | undefined {
    const { connection } = sa;
    const id = encodeIdentity(sa.localId);
    const without = this.#proof(sa, id);
    const ppk = sa.usesPpk ? connection.ppk : undefined;
    this.#keysWithout = sa.keys;
    if (ppk !== undefined) sa.keys = keysWithPpk(sa, ppk);
    const proof = ppk === undefined ? without : this.#proof(sa, id);
    if (proof === undefined || without === undefined) {
      sa.fail(now, noCommonSignature());
      return undefined;
    }
    this.#ask = askForChild(sa, false);
    return [
      { kind: 'IDi', ...id },
      ...proof.certificates,
      ...(this.#isFirst(sa) ? [notify('INITIAL_CONTACT')] : []),
      ...proof.requests,
      ...(connection.remoteId === undefined ? [] : [{ kind: 'IDr' as const, ...encodeIdentity(connection.remoteId) }]),
      ...proof.auth,
      ...(ppk === undefined ? [] : ppkPayloads(ppk, without.auth[0]?.data ?? new Uint8Array(0))),
      ...tokenPayloads(sa),
      ...mobikeSupported(sa),
      ...(connection.requestAddress === true ? [configurationRequest()] : []),
      ...askPayloads(this.#ask),
    ];
  }

  /** Without AUTH the peer is asked for EAP (section 2.16). */
  #proof(sa: IkeSa, id: IdBody) {
    const { authentication } = sa.connection;
    const covers = covered(sa, this.#init, true, id);
    switch (authentication.kind) {
      case 'psk':
        return { certificates: [], requests: [], auth: [sharedKeyProof(authentication.key, covers)] };
      case 'certificate': {
        const auth = signatureProof(authentication.credential, covers, sa.peerHashes);
        if (auth === undefined) return undefined;
        const certificates = certificatePayloads(authentication.credential.chain);
        return { certificates, requests: certificateRequest([authentication.trust]), auth: [auth] };
      }
      case 'eap-client':
        return { certificates: [], requests: certificateRequest([authentication.trust]), auth: [] };
      case 'eap-server':
        throw new Error('a connection that lets others in by EAP calls nobody');
    }
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
      sa.fail(now, refusal(sa, payloads));
      return DONE;
    }
    sa.peerId = decodeIdentity(id);
    if (sa.usesPpk && findNotify(payloads, 'PPK_IDENTITY') === undefined) {
      if (sa.connection.ppk?.mandatory) return rejected(now, sa, peerHasNoPpk());
      sa.keys = this.#keysWithout;
    }
    const failure = this.#judge(sa, id, auth, payloads);
    if (failure !== undefined) return rejected(now, sa, failure);
    sa.peerToken = receivedToken(payloads);
    const ask = this.#ask;
    if (ask === undefined) return DONE;
    const { authentication } = sa.connection;
    if (authentication.kind !== 'eap-client') return takeChild(now, sa, ask, payloads);
    // Only now that the peer is known is anything said that depends on the password.
    const login: EapLogin = {
      init: this.#init,
      ask,
      idr: { idType: id.idType, data: id.data.slice() },
      ...authentication,
    };
    return beginEap(now, sa, login, payloads);
  }

  #judge(sa: IkeSa, id: IdBody, auth: PayloadOf<'AUTH'>, payloads: readonly Payload[]): Failure | undefined {
    const { connection, peerId } = sa;
    const { remoteId, authentication } = connection;
    const covers = covered(sa, this.#init, false, id);
    if (remoteId !== undefined && (peerId === undefined || !sameIdentity(remoteId, peerId))) {
      const trusts = 'trust' in authentication ? [authentication.trust] : [];
      return provedStranger(sa, trusts, payloads, covers, auth, wrongIdentity(peerId, [remoteId]));
    }
    if (authentication.kind === 'psk') {
      if (isSignature(auth.method)) return wrongAuthMethod('a certificate', 'psk');
      return provesSharedKey(authentication.key, covers, auth) ? undefined : wrongPsk(peerId);
    }
    if (authentication.kind === 'eap-server') return eapBroken();
    if (!isSignature(auth.method)) return wrongAuthMethod('a pre-shared key', authentication.kind);
    return certificateProblem(sa, authentication.trust, payloads, covers, auth);
  }
}
