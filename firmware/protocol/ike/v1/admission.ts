/** Which message 1 becomes a Main Mode: connections by address, proposals, and limits on strangers. */
import type { Failure } from '../../machine.ts';
import type { UdpEndpoint } from '../../udp-path.ts';
import type { IkeConnection } from '../ike-types.ts';
import { noIkeProposal } from '../no-proposal.ts';
import { chooseIkeProposal, type IkeProposal } from '../proposals.ts';
import type { IkeV1Limits } from './endpoint-types.ts';
import { noConnection } from './failures.ts';
import type { Phase1Offer } from './phase1-transforms.ts';
import type { AnyMainMode } from './sa-table.ts';

/**
 * Pre-shared keys that are tried on message 5: the responder must decrypt it before it learns who the peer is
 * (RFC 2409 section 5.4), and each key costs a derivation.
 */
export const MAX_CANDIDATES = 8;

export interface Admitted {
  readonly candidates: readonly [IkeConnection, ...IkeConnection[]];
  readonly proposal: IkeProposal;
  readonly offer: Phase1Offer;
}

/** A proposal and everybody who may be meant, or why not; `connection` is for whom the failure is. */
export function judgeMessage1(
  connections: readonly IkeConnection[],
  remote: UdpEndpoint,
  offers: readonly Phase1Offer[],
): Admitted | { readonly failure: Failure; readonly connection?: IkeConnection } {
  const byAddress = connections.filter((connection) => connection.remote === remote.address);
  const known = [...byAddress, ...connections.filter((connection) => connection.remote === 'any')];
  const [first] = known;
  if (first === undefined) return { failure: noConnection(remote) };
  const offered = offers.map(({ offer }) => offer);
  for (const connection of known) {
    const choice = chooseIkeProposal(offered, connection.ikeProposals, { version: 1 });
    const offer = choice === undefined ? undefined : offers[choice.index];
    if (choice === undefined || offer === undefined) continue;
    const { proposal } = choice;
    const others = known.filter(
      (other) => other !== connection && chooseIkeProposal([offer.offer], other.ikeProposals, { version: 1 }),
    );
    return { candidates: [connection, ...others.slice(0, MAX_CANDIDATES - 1)], proposal, offer };
  }
  const acceptable = known.flatMap(({ ikeProposals }) => ikeProposals);
  return { failure: noIkeProposal('Main Mode 1', offered, acceptable), connection: first };
}

/** Whether one more stranger may be half-way through Main Mode. */
export function hasRoomFor(mainModes: Iterable<AnyMainMode>, remote: UdpEndpoint, limits: IkeV1Limits): boolean {
  let total = 0;
  let ofAddress = 0;
  for (const { initiator, path } of mainModes) {
    if (initiator) continue;
    total += 1;
    if (path.remote.address === remote.address) ofAddress += 1;
  }
  return total < limits.halfOpenTotal && ofAddress < limits.halfOpenPerAddress;
}
