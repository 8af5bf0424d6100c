/** IKE_AUTH as responder, with pre-shared keys (RFC 7296 sections 1.2, 2.4, 2.15, 2.21.2). */
import type { Failure, Instant } from '../../machine.ts';
import { sameEndpoint } from '../../udp-path.ts';
import { preSharedKeyOf } from '../authentication.ts';
import { pskAuth } from '../crypto/keys-v2.ts';
import { equalSecrets } from '../crypto/secrets.ts';
import { identityKey, sameIdentity } from '../identity.ts';
import type { IkeConnection, IkeIdentity } from '../ike-types.ts';
import { tokenPayloads } from './auth-initiator.ts';
import type { Child } from './child.ts';
import {
  type AgreedChild,
  answerPayloads,
  type ChildRefusal,
  judgeChildRequest,
  makeChild,
} from './child-negotiation.ts';
import { malformed, noConnection, supersededByPeer, wrongAuthMethod, wrongIdentity, wrongPsk } from './failures.ts';
import { decodeIdentity, encodeIdentity, type IdBody, idOctets } from './identity.ts';
import type { IkeSa } from './ike-sa.ts';
import type { HalfOpen } from './init-responder.ts';
import { findNotify, notify } from './notify.ts';
import { AUTH_METHOD_SHARED_KEY } from './numbers.ts';
import { find, type Payload, type PayloadOf } from './payload.ts';
import { receivedToken } from './qcd.ts';

/** Connections whose keys are tried for one caller. */
const MAX_CANDIDATES = 8;

/** Answers the request; the SA is established, or ended, when this returns. @returns payloads of the response. */
export function answerAuth(now: Instant, sa: IkeSa, init: HalfOpen, payloads: readonly Payload[]): readonly Payload[] {
  const id = find(payloads, 'IDi');
  if (id === undefined) return refuse(now, sa, malformed('IKE_AUTH', 'an IKE_AUTH without IDi'), 'INVALID_SYNTAX');
  sa.peerId = decodeIdentity(id);
  const auth = find(payloads, 'AUTH');
  if (auth === undefined) return refuse(now, sa, wrongAuthMethod('EAP'));
  if (auth.method !== AUTH_METHOD_SHARED_KEY) return refuse(now, sa, wrongAuthMethod('a certificate'));
  const wanted = find(payloads, 'IDr');
  const named = byIdentity(sa, init.candidates, sa.peerId, wanted === undefined ? undefined : decodeIdentity(wanted));
  if ('reason' in named) return refuse(now, sa, named);
  const proved = named.filter((connection) => proves(sa, init, connection, id, auth.data));
  const [first] = proved;
  if (first === undefined) return refuse(now, sa, wrongPsk(sa.peerId));
  sa.peerToken = receivedToken(payloads);
  return accept(now, sa, init, proved, payloads);
}

/** Those who know this identity; the ones that name it come first. */
function byIdentity(
  sa: IkeSa,
  candidates: readonly IkeConnection[],
  peerId: IkeIdentity | undefined,
  wanted: IkeIdentity | undefined,
): readonly IkeConnection[] | Failure {
  if (candidates.length === 0) return noConnection(sa.connection);
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

function proves(sa: IkeSa, init: HalfOpen, { authentication }: IkeConnection, id: IdBody, data: Uint8Array): boolean {
  const { keys, nonces, proposal } = sa;
  if (keys === undefined || nonces === undefined || proposal === undefined) return false;
  const signed = { message: init.requestOctets, peerNonce: nonces.nonceR, skP: keys.skPi, idBody: idOctets(id) };
  return equalSecrets(pskAuth(proposal.prf, preSharedKeyOf(authentication), signed), data);
}

/** One uniform answer, whatever the reason (section 2.21.2). */
function refuse(
  now: Instant,
  sa: IkeSa,
  failure: Failure,
  answer: 'AUTHENTICATION_FAILED' | 'INVALID_SYNTAX' = 'AUTHENTICATION_FAILED',
): readonly Payload[] {
  sa.host.counters.authenticationFailed += 1;
  sa.host.refused(now, sa.connection, failure, sa.id);
  sa.end(now, failure);
  return [notify(answer)];
}

function accept(
  now: Instant,
  sa: IkeSa,
  init: HalfOpen,
  proved: readonly IkeConnection[],
  payloads: readonly Payload[],
): readonly Payload[] {
  const { keys, nonces, proposal } = sa;
  const { connection, child } = chooseChild(sa, proved, payloads);
  sa.connection = connection;
  if (keys === undefined || nonces === undefined || proposal === undefined) return [];
  if (findNotify(payloads, 'INITIAL_CONTACT') !== undefined) supersede(now, sa);
  sa.establish(now);
  const id = encodeIdentity(sa.localId);
  const data = pskAuth(proposal.prf, preSharedKeyOf(connection.authentication), {
    message: init.responseOctets,
    peerNonce: nonces.nonceI,
    skP: keys.skPr,
    idBody: idOctets(id),
  });
  const idr: PayloadOf<'IDr'> = { kind: 'IDr', ...id };
  const auth: PayloadOf<'AUTH'> = { kind: 'AUTH', method: AUTH_METHOD_SHARED_KEY, data };
  const head = [idr, auth, ...tokenPayloads(sa)];
  if ('answer' in child) {
    sa.childlessSince = now;
    sa.childFailure = child.failure;
    return [...head, child.answer];
  }
  const inboundSpi = sa.host.newEspSpi();
  const installed: Child = makeChild(now, sa, child, inboundSpi, { ...nonces, asked: false });
  // An initiator takes no request before it has got this answer.
  installed.confirmed = true;
  sa.install(installed);
  return [...head, ...answerPayloads(child, inboundSpi)];
}

/** Of several connections with one key and identity, the one that the caller's child fits. */
function chooseChild(
  sa: IkeSa,
  proved: readonly IkeConnection[],
  payloads: readonly Payload[],
): { connection: IkeConnection; child: (AgreedChild & { readonly number: number }) | ChildRefusal } {
  let refused: { connection: IkeConnection; child: ChildRefusal } | undefined;
  for (const connection of proved) {
    sa.connection = connection;
    const child = judgeChildRequest(sa, payloads, false);
    if (!('answer' in child)) return { connection, child };
    refused ??= { connection, child };
  }
  return refused ?? { connection: sa.connection, child: judgeChildRequest(sa, payloads, false) };
}

/**
 * INITIAL_CONTACT: the older SAs of the same peer are dead. The same peer is the same identity at the same outer
 * address
 * and port: several may share an identity, and two networks an address range.
 */
function supersede(now: Instant, sa: IkeSa): void {
  if (sa.peerId === undefined) return;
  const key = identityKey(sa.peerId);
  for (const other of sa.host.ikeSas()) {
    const older = other.id < sa.id && other.announced && other.established;
    if (!older || other.peerId === undefined || identityKey(other.peerId) !== key) continue;
    // Two connections that lead here from one place are two peers, whatever they call themselves.
    if (other.connection.name !== sa.connection.name) continue;
    if (sameEndpoint(other.path.remote, sa.path.remote)) other.fail(now, supersededByPeer());
  }
}
