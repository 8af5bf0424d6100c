/** What to do about a caller whose proposals fit nothing, when it is known whose they probably are. */
import type { Failure } from '../../machine.ts';
import type { Proposals } from '../default-offers.ts';
import { type ChoiceOptions, chooseEspProposal, chooseIkeProposal, type EspOffer } from '../proposals.ts';
import { profileOf, profileProposals } from './profiles.ts';
import { type FirstFlight, likenessText, type Recognition, recognisePeer } from './recognition.ts';

/**
 * The failure, with the peer recognised in its remedy.
 * @param failure that there is no common IKE proposal.
 */
export function withSuggestedProfile(failure: Failure, flight: FirstFlight): Failure {
  const recognition = recognisePeer(flight);
  const { version, offers } = flight;
  const takes = ({ ike }: Proposals): boolean => chooseIkeProposal(offers, ike, { version }) !== undefined;
  return withPeer(failure, version, recognition, 'ike', takes);
}

/**
 * The same for child SAs.
 * @param failure that there is no common ESP proposal.
 * @param recognition of the peer, by its first message.
 */
export function withSuggestedEspProfile(
  failure: Failure,
  version: 1 | 2,
  recognition: Recognition | undefined,
  offers: readonly EspOffer[],
  options: ChoiceOptions = {},
): Failure {
  const takes = ({ esp }: Proposals): boolean => chooseEspProposal(offers, esp, { ...options, version }) !== undefined;
  return withPeer(failure, version, recognition, 'esp', takes);
}

/** @param takes whether these lists would take what was offered: else they are no remedy. */
function withPeer(
  failure: Failure,
  version: 1 | 2,
  recognition: Recognition | undefined,
  list: 'ike' | 'esp',
  takes: (proposals: Proposals) => boolean,
): Failure {
  if (recognition === undefined) return failure;
  const { profile } = recognition;
  const spoken = profileOf(profile).versions[version];
  const looks = `this looks like ${likenessText(recognition)}`;
  const remedy =
    spoken !== undefined && takes(profileProposals(spoken))
      ? `${looks}: set the profile "${profile}" here, with no list "${list}" of its own; or ${failure.remedy}`
      : `${looks}: ${failure.remedy}`;
  return { ...failure, remedy };
}
