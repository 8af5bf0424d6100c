/** IKE_AUTH as responder: what becomes of a caller that is who it says, and of one that is not (RFC 7296 sections 2.4, 2.21.2). */
import type { Failure, Instant } from '../../machine.ts';
import { sameEndpoint } from '../../udp-path.ts';
import { identityKey } from '../identity.ts';
import type { IkeConnection } from '../ike-types.ts';
import { assign } from './assignment.ts';
import { noCommonSignature } from './auth-failures.ts';
import { tokenPayloads } from './auth-outcome.ts';
import type { Child } from './child.ts';
import {
  type AgreedChild,
  answerPayloads,
  type ChildRefusal,
  judgeChildRequest,
  makeChild,
} from './child-negotiation.ts';
import { configurationReply } from './configuration-payload.ts';
import { supersededByPeer } from './failures.ts';
import type { IkeSa } from './ike-sa.ts';
import { answerMobike } from './mobike.ts';
import { findNotify, notify } from './notify.ts';
import type { Payload } from './payload.ts';
import { receivedToken } from './qcd.ts';
import { authLifetime, expectReauthentication, replacedChild } from './reauthentication.ts';
import { refusalPayloads } from './refusal.ts';

/** How long a child that replaces another one is not sent on while the peer does not use it, ms: our answer may be lost. */
const UNUSED_MS = 2000;

/** One answer, whatever the reason (section 2.21.2); another Culvert learns what is wrong with its certificate. */
export function refuse(
  now: Instant,
  sa: IkeSa,
  failure: Failure,
  answer: 'AUTHENTICATION_FAILED' | 'INVALID_SYNTAX' = 'AUTHENTICATION_FAILED',
): readonly Payload[] {
  sa.host.counters.authenticationFailed += 1;
  sa.host.refused(now, sa.connection, failure, sa.id);
  sa.end(now, failure);
  return answer === 'INVALID_SYNTAX' ? [notify(answer)] : refusalPayloads(sa, failure);
}

/**
 * The caller is who it says.
 * @param proved whose callers it may be.
 * @param payloads of the request that names the child.
 * @param proof makes this side's, once the connection is chosen.
 */
export function accept(
  now: Instant,
  sa: IkeSa,
  proved: readonly IkeConnection[],
  payloads: readonly Payload[],
  proof: () => readonly Payload[] | undefined,
): readonly Payload[] {
  const { connection, child } = chooseChild(sa, proved, payloads);
  sa.connection = connection;
  const head = proof();
  if (head === undefined) return refuse(now, sa, noCommonSignature());
  sa.peerToken = receivedToken(payloads);
  if (findNotify(payloads, 'INITIAL_CONTACT') !== undefined) supersede(now, sa);
  sa.establish(now);
  expectReauthentication(now, sa);
  const said = [...head, ...tokenPayloads(sa), ...answerMobike(sa, payloads), ...authLifetime(sa)];
  if ('answer' in child) {
    sa.childlessSince = now;
    sa.childFailure = child.failure;
    return [...said, child.answer];
  }
  const { nonces } = sa;
  if (nonces === undefined) return said;
  const inboundSpi = sa.host.newEspSpi();
  const installed: Child = makeChild(now, sa, child, inboundSpi, { ...nonces, asked: false });
  // An initiator takes no request before it has got this answer.
  installed.confirmed = true;
  const old = replacedChild(sa, installed);
  if (old !== undefined) {
    installed.receiveOnly = true;
    installed.sendAt = now + UNUSED_MS;
  }
  sa.install(installed, old);
  const configuration = sa.assigned === undefined ? [] : [configurationReply(sa.assigned)];
  return [...said, ...configuration, ...answerPayloads(child, inboundSpi)];
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
    const child = assign(sa, payloads) ?? judgeChildRequest(sa, payloads, false);
    if (!('answer' in child)) return { connection, child };
    sa.releaseAddress();
    refused ??= { connection, child };
  }
  return refused ?? { connection: sa.connection, child: judgeChildRequest(sa, payloads, false) };
}

/**
 * INITIAL_CONTACT: the SAs that the same peer had when it began this one are dead. The same peer is the same identity at
 * the same outer address and port: several may share an identity, and two networks an address range. Where both call at
 * once, the peer says that it knows of no SA and has this side's a moment later.
 */
function supersede(now: Instant, sa: IkeSa): void {
  if (sa.peerId === undefined) return;
  const key = identityKey(sa.peerId);
  for (const other of sa.host.ikeSas()) {
    const { announced, established, establishedAt = Number.POSITIVE_INFINITY } = other;
    const had = announced && established && establishedAt <= sa.since;
    if (!had || other.peerId === undefined || identityKey(other.peerId) !== key) continue;
    // Two connections that lead here from one place are two peers, whatever they call themselves.
    if (other.connection.name !== sa.connection.name) continue;
    if (sameEndpoint(other.path.remote, sa.path.remote)) other.fail(now, supersededByPeer());
  }
}
