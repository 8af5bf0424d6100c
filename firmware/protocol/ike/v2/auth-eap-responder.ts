/** EAP within IKE_AUTH as responder (RFC 7296 section 2.16): MSCHAPv2 with the names and passwords that are known here. */
import { DecodeError } from '../../bytes.ts';
import { EapAuthenticator } from '../../eap/authenticator.ts';
import { decodeEap, type EapPacket, encodeEap } from '../../eap/packet.ts';
import type { Failure, Instant } from '../../machine.ts';
import { findUser } from '../../ppp/authentication.ts';
import { wipe } from '../crypto/secrets.ts';
import { identityText } from '../identity.ts';
import type { IkeConnection } from '../ike-types.ts';
import { accept, refuse } from './auth-acceptance.ts';
import { noCommonSignature, noEapMethod, unprovedUser, wrongEapKey } from './auth-failures.ts';
import { certificatePayloads } from './certificate-payload.ts';
import { malformed } from './failures.ts';
import { encodeIdentity, type IdBody } from './identity.ts';
import type { IkeSa } from './ike-sa.ts';
import type { HalfOpen } from './init-responder.ts';
import { findNotify } from './notify.ts';
import { find, type Payload } from './payload.ts';
import { covered, provesSharedKey, sharedKeyProof, signatureProof } from './proof.ts';
import { refusedByPeer } from './refusal.ts';

/** Messages of one conversation: MSCHAPv2 takes four, with a Nak some more. */
const MAX_ROUNDS = 12;

/** Between IDi and the AUTH that the key of EAP makes. */
export interface EapConversation {
  readonly connection: IkeConnection;
  /** Those of the first request: they name the child. */
  readonly payloads: readonly Payload[];
  readonly idi: IdBody;
  readonly authenticator: EapAuthenticator;
  /** What the authenticator said last. */
  said: EapPacket | undefined;
  verdict: { readonly user: string } | { readonly failure: Failure } | undefined;
  rounds: number;
}

/** The first answer: this side's proof, and who the caller is is asked. @param candidates never empty. */
export function startEap(
  now: Instant,
  sa: IkeSa,
  init: HalfOpen,
  candidates: readonly IkeConnection[],
  payloads: readonly Payload[],
): readonly Payload[] {
  const connection = candidates.find(({ authentication }) => authentication.kind === 'eap-server');
  const idi = find(payloads, 'IDi');
  if (connection?.authentication.kind !== 'eap-server' || idi === undefined) throw new Error('EAP for nobody');
  sa.connection = connection;
  const { credential, passwordOf } = connection.authentication;
  const idr = encodeIdentity(sa.localId);
  const auth = signatureProof(credential, covered(sa, init, false, idr), sa.peerHashes);
  if (auth === undefined) return refuse(now, sa, noCommonSignature());
  const { random } = sa.host;
  const conversation: EapConversation = {
    connection,
    payloads,
    idi: { idType: idi.idType, data: idi.data },
    authenticator: new EapAuthenticator(
      {
        name: identityText(sa.localId),
        methods: ['mschapv2'],
        find: (name) => findUser({ password: passwordOf }, name, random),
        random,
        // The initiator repeats its request instead.
        retryMs: Number.POSITIVE_INFINITY,
        identifier: random.bytes(1)[0] ?? 0,
      },
      {
        send: (packet) => {
          conversation.said = packet;
        },
        succeeded: (_now, user) => {
          conversation.verdict = { user };
        },
        failed: (_now, name, why) => {
          conversation.verdict = { failure: why === 'no-method' ? noEapMethod(name) : unprovedUser(name) };
        },
      },
    ),
    said: undefined,
    verdict: undefined,
    rounds: 0,
  };
  sa.eap = conversation;
  conversation.authenticator.start(now);
  return [{ kind: 'IDr', ...idr }, ...certificatePayloads(credential.chain), auth, ...spoken(conversation)];
}

/** Each answer after that. */
export function answerEap(
  now: Instant,
  sa: IkeSa,
  init: HalfOpen,
  conversation: EapConversation,
  payloads: readonly Payload[],
): readonly Payload[] {
  const { verdict } = conversation;
  if (verdict !== undefined && 'user' in verdict) return conclude(now, sa, init, conversation, payloads, verdict.user);
  conversation.rounds += 1;
  const eap = find(payloads, 'EAP');
  if (eap === undefined || conversation.rounds > MAX_ROUNDS || !heard(now, conversation, eap.data)) {
    return refuse(now, sa, malformed('IKE_AUTH', 'something else than the answer of EAP that was due'));
  }
  const answer = spoken(conversation);
  const judged = conversation.verdict;
  if (judged !== undefined && 'failure' in judged) refuse(now, sa, judged.failure);
  return answer;
}

/**
 * An INFORMATIONAL before the SA stands can say but one thing: that the caller does not believe this side's certificate
 * (section 2.21.2). It has not proved itself. @returns payloads of the response.
 */
export function brokenOff(now: Instant, sa: IkeSa, payloads: readonly Payload[]): readonly Payload[] {
  if (findNotify(payloads, 'AUTHENTICATION_FAILED') === undefined) return [];
  const failure = refusedByPeer(sa, payloads, false);
  sa.host.refused(now, sa.connection, failure, sa.id);
  sa.end(now, failure);
  return [];
}

/** @returns whether it was an answer. */
function heard(now: Instant, conversation: EapConversation, data: Uint8Array): boolean {
  conversation.said = undefined;
  try {
    conversation.authenticator.receive(now, decodeEap(data));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
  }
  return conversation.said !== undefined;
}

function spoken({ said }: EapConversation): readonly Payload[] {
  return said === undefined ? [] : [{ kind: 'EAP', data: encodeEap(said) }];
}

/** AUTH of both sides by the key that EAP made. */
function conclude(
  now: Instant,
  sa: IkeSa,
  init: HalfOpen,
  { connection, authenticator, idi, payloads: first }: EapConversation,
  payloads: readonly Payload[],
  user: string,
): readonly Payload[] {
  const auth = find(payloads, 'AUTH');
  const key = authenticator.masterSessionKey;
  const proved = auth !== undefined && key !== undefined && provesSharedKey(key, covered(sa, init, true, idi), auth);
  if (!proved) return refuse(now, sa, wrongEapKey());
  sa.user = user;
  const own = sharedKeyProof(key, covered(sa, init, false, encodeIdentity(sa.localId)));
  wipe(key);
  sa.eap = undefined;
  return accept(now, sa, [connection], first, () => [own]);
}
