/** IKE_AUTH as responder: whether the caller is who it says (RFC 7296 sections 1.2, 2.15, 2.16). */
import type { Failure, Instant } from '../../machine.ts';
import { AUTH_METHOD, isSignature } from '../crypto/signature.ts';
import { sameIdentity } from '../identity.ts';
import type { IkeConnection, IkeIdentity } from '../ike-types.ts';
import { accept, refuse } from './auth-acceptance.ts';
import { answerEap, startEap } from './auth-eap-responder.ts';
import { noCommonPpk, noConnection, wrongAuthMethod, wrongIdentity, wrongPsk } from './auth-failures.ts';
import { certificatePayloads } from './certificate-payload.ts';
import { malformed } from './failures.ts';
import { decodeIdentity, encodeIdentity, type IdBody } from './identity.ts';
import type { IkeSa } from './ike-sa.ts';
import type { HalfOpen } from './init-responder.ts';
import { findNotify, notify } from './notify.ts';
import { find, type Payload, type PayloadOf } from './payload.ts';
import { keysWithPpk, ppkHolders } from './ppk.ts';
import {
  certificateProblem,
  covered,
  provedStranger,
  provesSharedKey,
  sharedKeyProof,
  signatureProof,
} from './proof.ts';

/** Connections whose keys are tried for one caller. */
const MAX_CANDIDATES = 8;

/** Answers a request; when this returns, the SA is established, or ended, or EAP goes on. @returns payloads of the response. */
export function answerAuth(now: Instant, sa: IkeSa, init: HalfOpen, payloads: readonly Payload[]): readonly Payload[] {
  if (sa.eap !== undefined) return answerEap(now, sa, init, sa.eap, payloads);
  const id = find(payloads, 'IDi');
  if (id === undefined) return refuse(now, sa, malformed('IKE_AUTH', 'an IKE_AUTH without IDi'), 'INVALID_SYNTAX');
  sa.peerId = decodeIdentity(id);
  const auth = find(payloads, 'AUTH');
  const means = meansOf(auth);
  const [first] = init.candidates;
  if (first === undefined) return refuse(now, sa, noConnection(sa.connection));
  const able = init.candidates.filter(({ authentication }) => authentication.kind === means.kind);
  if (able.length === 0) return refuse(now, sa, wrongAuthMethod(means.words, first.authentication.kind));
  const wanted = find(payloads, 'IDr');
  const named = byIdentity(able, sa.peerId, wanted === undefined ? undefined : decodeIdentity(wanted));
  if ('reason' in named) return refuse(now, sa, unwanted(sa, init, able, id, auth, payloads, named));
  if (auth === undefined && sa.usesPpk) return refuse(now, sa, noCommonPpk());
  if (auth === undefined) return startEap(now, sa, init, named, payloads);
  const [holder, ...others] = sa.usesPpk ? ppkHolders(named, payloads) : [];
  if (holder?.ppk !== undefined) {
    sa.keys = keysWithPpk(sa, holder.ppk);
    return conclude(now, sa, init, [holder, ...others], id, auth, payloads, [notify('PPK_IDENTITY')]);
  }
  // Without one, by the proof that the caller made for this case (RFC 8784 section 3).
  const free = named.filter(({ ppk }) => ppk?.mandatory !== true);
  const proofWithout = sa.usesPpk ? findNotify(payloads, 'NO_PPK_AUTH')?.data : auth.data;
  if (free.length === 0 || proofWithout === undefined) return refuse(now, sa, noCommonPpk());
  return conclude(now, sa, init, free, id, { ...auth, data: proofWithout }, payloads, []);
}

/** @param more for the answer, behind this side's proof. */
function conclude(
  now: Instant,
  sa: IkeSa,
  init: HalfOpen,
  candidates: readonly IkeConnection[],
  id: IdBody,
  auth: PayloadOf<'AUTH'>,
  payloads: readonly Payload[],
  more: readonly Payload[],
): readonly Payload[] {
  const proved = prove(sa, init, candidates, id, auth, payloads);
  if ('reason' in proved) return refuse(now, sa, proved);
  return accept(now, sa, proved, payloads, () => {
    const own = ownProof(sa, init);
    return own === undefined ? undefined : [...own, ...more];
  });
}

/** How the caller proves itself, and that in words. */
function meansOf(auth: PayloadOf<'AUTH'> | undefined) {
  if (auth === undefined) return { kind: 'eap-server', words: 'EAP' } as const;
  if (auth.method === AUTH_METHOD.sharedKey) return { kind: 'psk', words: 'a pre-shared key' } as const;
  if (isSignature(auth.method)) return { kind: 'certificate', words: 'a certificate' } as const;
  return { kind: undefined, words: `Auth Method ${auth.method}` } as const;
}

/** Those who know this identity; the ones that name it come first. */
function byIdentity(
  candidates: readonly IkeConnection[],
  peerId: IkeIdentity | undefined,
  wanted: IkeIdentity | undefined,
): readonly IkeConnection[] | Failure {
  const naming = candidates.filter(
    ({ remoteId }) => remoteId !== undefined && peerId !== undefined && sameIdentity(remoteId, peerId),
  );
  const open = candidates.filter(({ remoteId }) => remoteId === undefined);
  const matching = [...naming, ...open];
  if (matching.length === 0) {
    return wrongIdentity(
      peerId,
      candidates.flatMap(({ remoteId }) => remoteId ?? []),
    );
  }
  // Whom the caller asks for decides between several; it is a wish, not a condition (section 1.2).
  const asked = matching.filter(({ localId }) => {
    return wanted !== undefined && localId !== undefined && sameIdentity(localId, wanted);
  });
  const rest = matching.filter((connection) => !asked.includes(connection));
  return [...asked, ...rest].slice(0, MAX_CANDIDATES);
}

/** @param failure the caller is none of those who are expected. */
function unwanted(
  sa: IkeSa,
  init: HalfOpen,
  candidates: readonly IkeConnection[],
  id: IdBody,
  auth: PayloadOf<'AUTH'> | undefined,
  payloads: readonly Payload[],
  failure: Failure,
): Failure {
  if (auth === undefined) return failure;
  const trusts = candidates.flatMap(({ authentication }) => ('trust' in authentication ? [authentication.trust] : []));
  return provedStranger(sa, trusts.slice(0, MAX_CANDIDATES), payloads, covered(sa, init, true, id), auth, failure);
}

/** Those whose key, or whose authorities, the caller's proof is good for; else why it is not. */
function prove(
  sa: IkeSa,
  init: HalfOpen,
  candidates: readonly IkeConnection[],
  id: IdBody,
  auth: PayloadOf<'AUTH'>,
  payloads: readonly Payload[],
): readonly IkeConnection[] | Failure {
  const covers = covered(sa, init, true, id);
  let failure: Failure | undefined;
  const proved = candidates.filter(({ authentication }) => {
    if (authentication.kind === 'psk') return provesSharedKey(authentication.key, covers, auth);
    if (authentication.kind !== 'certificate') return false;
    const problem = certificateProblem(sa, authentication.trust, payloads, covers, auth);
    failure ??= problem;
    return problem === undefined;
  });
  return proved.length > 0 ? proved : (failure ?? wrongPsk(sa.peerId));
}

/** IDr, and this side's proof; `undefined` when the caller could verify none that this side can make. */
function ownProof(sa: IkeSa, init: HalfOpen): readonly Payload[] | undefined {
  const { authentication } = sa.connection;
  const id = encodeIdentity(sa.localId);
  const idr: PayloadOf<'IDr'> = { kind: 'IDr', ...id };
  const covers = covered(sa, init, false, id);
  if (authentication.kind === 'psk') return [idr, sharedKeyProof(authentication.key, covers)];
  if (authentication.kind === 'eap-client') return undefined;
  const auth = signatureProof(authentication.credential, covers, sa.peerHashes);
  if (auth === undefined) return undefined;
  return [idr, ...certificatePayloads(authentication.credential.chain), auth];
}
