/** EAP within IKE_AUTH as initiator (RFC 7296 section 2.16). The peer has proved itself by signature before this begins. */
import { DecodeError } from '../../bytes.ts';
import { decodeEap, type EapPacket, encodeEap } from '../../eap/packet.ts';
import { EapPeer, type EapPeerStep } from '../../eap/peer.ts';
import type { Instant } from '../../machine.ts';
import { wipe } from '../crypto/secrets.ts';
import { eapBroken, wrongEapKey } from './auth-failures.ts';
import { refusal, rejected, takeChild } from './auth-outcome.ts';
import type { ChildAsk } from './child-negotiation.ts';
import { DONE, type Exchange, type Finished, type ReceivedResponse } from './exchange.ts';
import { malformed, peerRefused } from './failures.ts';
import { encodeIdentity, type IdBody } from './identity.ts';
import type { IkeSa } from './ike-sa.ts';
import type { InitResult } from './init-exchange.ts';
import { findError } from './notify.ts';
import { NOTIFY } from './numbers.ts';
import { find, type Payload } from './payload.ts';
import { covered, provesSharedKey, sharedKeyProof } from './proof.ts';

/** Rounds of EAP: MSCHAPv2 takes four, with a Nak and a Notification some more. */
const MAX_ROUNDS = 12;

/** What the conversation needs of the request that began it. */
export interface EapLogin {
  readonly init: InitResult;
  readonly ask: ChildAsk;
  /** The peer's ID payload, which the last AUTH covers again. */
  readonly idr: IdBody;
  readonly user: string;
  readonly password: string;
}

/** @param payloads of the answer that has the peer's proof and its first Request. */
export function beginEap(now: Instant, sa: IkeSa, login: EapLogin, payloads: readonly Payload[]): Finished {
  const { user, password } = login;
  const peer = new EapPeer({ user, password, methods: ['mschapv2'], isReflected: () => false }, sa.host.random);
  return follow(now, sa, { ...login, peer }, payloads, 1);
}

type Conversation = EapLogin & { readonly peer: EapPeer };

/** One Response of ours, and the Request or the verdict that follows. */
class EapRound implements Exchange {
  readonly name = 'IKE_AUTH';
  readonly duty = 'auth';
  readonly #conversation: Conversation;
  readonly #response: EapPacket;
  readonly #round: number;

  constructor(conversation: Conversation, response: EapPacket, round: number) {
    this.#conversation = conversation;
    this.#response = response;
    this.#round = round;
  }

  begin(): readonly Payload[] {
    return [{ kind: 'EAP', data: encodeEap(this.#response) }];
  }

  finish(now: Instant, sa: IkeSa, { payloads }: ReceivedResponse): Finished {
    return follow(now, sa, this.#conversation, payloads, this.#round + 1);
  }
}

function follow(
  now: Instant,
  sa: IkeSa,
  conversation: Conversation,
  payloads: readonly Payload[],
  round: number,
): Finished {
  const { peer } = conversation;
  const eap = find(payloads, 'EAP');
  const step = eap === undefined ? undefined : received(peer, eap.data);
  if (step === undefined || round > MAX_ROUNDS) {
    const error = findError(payloads);
    const refused = error === undefined || error.type === NOTIFY.AUTHENTICATION_FAILED;
    sa.fail(now, refused ? eapBroken() : peerRefused('IKE_AUTH', error.type));
    return DONE;
  }
  switch (step.kind) {
    case 'send':
    case 'notification':
      if (step.kind === 'notification') sa.note('IKE_AUTH', `the peer says: ${step.text}`);
      sa.window.add(new EapRound(conversation, step.packet, round));
      return DONE;
    case 'success': {
      const key = peer.masterSessionKey;
      if (key === undefined) sa.fail(now, eapBroken());
      else sa.window.add(new EapProof(conversation, key));
      return DONE;
    }
    case 'failure':
      sa.host.counters.authenticationFailed += 1;
      sa.fail(now, { ...step.failure, cause: 'refused' });
      return DONE;
    case 'none':
      sa.fail(now, malformed('IKE_AUTH', 'a message of EAP that is out of place'));
      return DONE;
  }
}

function received(peer: EapPeer, data: Uint8Array): EapPeerStep | undefined {
  try {
    return peer.receive(decodeEap(data));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return undefined;
  }
}

/** AUTH of both sides by the key that EAP made, and the child SA. */
class EapProof implements Exchange {
  readonly name = 'IKE_AUTH';
  readonly duty = 'auth';
  readonly #login: EapLogin;
  readonly #key: Uint8Array;

  constructor(login: EapLogin, key: Uint8Array) {
    this.#login = login;
    this.#key = key;
  }

  begin(_now: Instant, sa: IkeSa): readonly Payload[] {
    return [sharedKeyProof(this.#key, covered(sa, this.#login.init, true, encodeIdentity(sa.localId)))];
  }

  finish(now: Instant, sa: IkeSa, { payloads }: ReceivedResponse): Finished {
    const { init, ask, idr } = this.#login;
    const auth = find(payloads, 'AUTH');
    if (auth === undefined) {
      sa.fail(now, refusal(sa, payloads));
      return DONE;
    }
    const proved = provesSharedKey(this.#key, covered(sa, init, false, idr), auth);
    wipe(this.#key);
    return proved ? takeChild(now, sa, ask, payloads) : rejected(now, sa, wrongEapKey());
  }
}
