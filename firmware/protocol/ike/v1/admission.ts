/** Which message 1 becomes a Main Mode: connections by address, proposals, and limits on strangers. */
import type { Failure } from '../../machine.ts';
import type { UdpEndpoint } from '../../udp-path.ts';
import { sameIdentity } from '../identity.ts';
import type { IkeConnection, IkeIdentity } from '../ike-types.ts';
import { noIkeProposal } from '../no-proposal.ts';
import { withSuggestedProfile } from '../profiles/suggestion.ts';
import { chooseIkeProposal, type IkeProposal } from '../proposals.ts';
import { methodOf } from './authentication-method.ts';
import type { IkeV1Limits } from './endpoint-types.ts';
import { noConnection, otherMethod } from './failures.ts';
import { firstFlightOf } from './first-flight.ts';
import type { Payload } from './payload.ts';
import type { Phase1Exchange } from './phase1.ts';
import type { Phase1Offer } from './phase1-transforms.ts';

/**
 * Connections that are tried on message 5: the responder must decrypt it before it learns who the peer is
 * (RFC 2409 section 5.4), and each pre-shared key costs a derivation.
 */
export const MAX_CANDIDATES = 8;

export interface Admitted {
  readonly candidates: readonly [IkeConnection, ...IkeConnection[]];
  readonly proposal: IkeProposal;
  readonly offer: Phase1Offer;
}

export type Verdict1 = Admitted | { readonly failure: Failure; readonly connection?: IkeConnection };

/** Connections of whoever may be at this address, those that name it first. */
export function knownAt(connections: readonly IkeConnection[], remote: UdpEndpoint): readonly IkeConnection[] {
  // Whoever logs in calls: it is not for us to ask a peer for its password.
  const answering = connections.filter(({ xauth }) => xauth === undefined);
  const byAddress = answering.filter((connection) => connection.remote === remote.address);
  return [...byAddress, ...answering.filter((connection) => connection.remote === 'any')];
}

/** Of these, those that may be meant by whoever says this of himself: those that name him first. */
export function meantBy(known: readonly IkeConnection[], identity: IkeIdentity): readonly IkeConnection[] {
  const named = known.filter(({ remoteId }) => remoteId !== undefined && sameIdentity(remoteId, identity));
  return [...named, ...known.filter(({ remoteId }) => remoteId === undefined)];
}

/**
 * A proposal and everybody who may be meant, or why not; `connection` is for whom the failure is.
 * @param offers of its SA payload.
 * @param step `Main Mode 1` or `Aggressive Mode 1`.
 */
export function judgeMessage1(
  known: readonly IkeConnection[],
  remote: UdpEndpoint,
  payloads: readonly Payload[],
  offers: readonly Phase1Offer[],
  step: string,
): Verdict1 {
  const [first] = known;
  if (first === undefined) return { failure: noConnection(remote) };
  for (const connection of known) {
    const choice = chooseOffer(connection, offers);
    if (choice === undefined) continue;
    const others = known.filter((other) => other !== connection && chooseOffer(other, [choice.offer]) !== undefined);
    return { candidates: [connection, ...others.slice(0, MAX_CANDIDATES - 1)], ...choice };
  }
  const methods = new Set(known.map(methodOf));
  const offered = offers.filter(({ method }) => methods.has(method)).map(({ offer }) => offer);
  const acceptable = known.flatMap(({ ikeProposals }) => ikeProposals);
  const failure =
    offered.length > 0 || offers.length === 0
      ? withSuggestedProfile(noIkeProposal(step, offered, acceptable), firstFlightOf(payloads, 'caller'))
      : otherMethod(step, [...new Set(offers.map(({ method }) => method))], [...methods]);
  return { failure, connection: first };
}

/** What a connection takes of the offers: with the method by which it authenticates. */
function chooseOffer(
  connection: IkeConnection,
  offers: readonly Phase1Offer[],
): { readonly proposal: IkeProposal; readonly offer: Phase1Offer } | undefined {
  const method = methodOf(connection);
  const fitting = offers.filter((offer) => offer.method === method);
  const offered = fitting.map(({ offer }) => offer);
  const choice = chooseIkeProposal(offered, connection.ikeProposals, { version: 1 });
  const offer = choice === undefined ? undefined : fitting[choice.index];
  return choice === undefined || offer === undefined ? undefined : { proposal: choice.proposal, offer };
}

/** Whether one more stranger may be half-way through phase 1. */
export function hasRoomFor(phase1s: Iterable<Phase1Exchange>, remote: UdpEndpoint, limits: IkeV1Limits): boolean {
  let total = 0;
  let ofAddress = 0;
  for (const { initiator, path } of phase1s) {
    if (initiator) continue;
    total += 1;
    if (path.remote.address === remote.address) ofAddress += 1;
  }
  return total < limits.halfOpenTotal && ofAddress < limits.halfOpenPerAddress;
}
