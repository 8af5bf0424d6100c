/** What to do about a caller whose proposals fit nothing, when it is known whose they probably are. */
import type { Failure } from '../../machine.ts';
import { chooseIkeProposal } from '../proposals.ts';
import { profileOf, profileProposals } from './profiles.ts';
import { type FirstFlight, likenessText, recognisePeer } from './recognition.ts';

/**
 * The failure, with the peer recognised in its remedy.
 * @param failure that there is no common IKE proposal.
 */
export function withSuggestedProfile(failure: Failure, flight: FirstFlight): Failure {
  const recognition = recognisePeer(flight);
  if (recognition === undefined) return failure;
  const { profile } = recognition;
  // Suggested only if it would take what was offered.
  const version = profileOf(profile).versions[flight.version];
  const acceptable = version === undefined ? [] : profileProposals(version).ike;
  const helps = chooseIkeProposal(flight.offers, acceptable, { version: flight.version }) !== undefined;
  const looks = `this looks like ${likenessText(recognition)}`;
  const remedy = helps
    ? `${looks}: set the profile "${profile}" here, with no list "ike" of its own; or ${failure.remedy}`
    : `${looks}: ${failure.remedy}`;
  return { ...failure, remedy };
}
