/** The profiles of peers, by name, and what they say in the terms of the machines. */
import type { Proposals } from '../default-offers.ts';
import { type ParsedProposals, parseEspProposal, parseIkeProposal } from '../proposal-text.ts';
import { CLIENT_PROFILES } from './clients.ts';
import type { PeerProfile, ProfileName, ProfileVersion } from './peer-profile.ts';
import { ROUTER_PROFILES } from './routers.ts';
import { SOFTWARE_PROFILES } from './software.ts';

export const PEER_PROFILES: readonly PeerProfile[] = [...CLIENT_PROFILES, ...ROUTER_PROFILES, ...SOFTWARE_PROFILES];

const byName: ReadonlyMap<string, PeerProfile> = new Map(PEER_PROFILES.map((profile) => [profile.name, profile]));

/** `undefined` when the name is that of no peer, as `auto` is. */
export function findProfile(name: string): PeerProfile | undefined {
  return byName.get(name);
}

/** @throws RangeError when there is none. */
export function profileOf(name: ProfileName): PeerProfile {
  const profile = byName.get(name);
  if (profile === undefined) throw new RangeError(`no profile is called ${name}`);
  return profile;
}

/** By their lists: a hundred connections share what is parsed once. */
const parsed = new WeakMap<ProfileVersion, Proposals>();

/** What the texts of a profile stand for. */
export function profileProposals(version: ProfileVersion): Proposals {
  const known = parsed.get(version);
  if (known !== undefined) return known;
  const proposals = {
    ike: version.ike.flatMap((text) => parsedOrThrow(parseIkeProposal(text))),
    esp: version.esp.flatMap((text) => parsedOrThrow(parseEspProposal(text))),
  };
  parsed.set(version, proposals);
  return proposals;
}

/** @throws RangeError: a mistake in the table. */
function parsedOrThrow<Proposal>(result: ParsedProposals<Proposal>): readonly Proposal[] {
  if (!result.ok) throw new RangeError(result.reason);
  return result.proposals;
}
