/** What every profile promises: proposals that can be negotiated, and a peer that comes up with itself and with `auto`. */
import { describe, expect, it } from 'vitest';
import {
  type DefaultProposals,
  IKEV1_DEFAULTS,
  IKEV2_DEFAULTS,
  type Proposals,
} from '../../../../../firmware/protocol/ike/default-offers.ts';
import { PROFILE_NAMES, type ProfileName } from '../../../../../firmware/protocol/ike/profiles/peer-profile.ts';
import {
  findProfile,
  PEER_PROFILES,
  profileOf,
  profileProposals,
} from '../../../../../firmware/protocol/ike/profiles/profiles.ts';
import { formatEspProposal, formatIkeProposal } from '../../../../../firmware/protocol/ike/proposal-text.ts';
import { espProposalFits, ikeProposalFits } from '../../../../../firmware/protocol/ike/proposals.ts';
import { GOOD_WEATHER, IkePair } from '../../../../simulation/ike-pair.ts';

const SPOKEN = PEER_PROFILES.flatMap((profile) =>
  ([1, 2] as const).flatMap((version) => {
    const spoken = profile.versions[version];
    return spoken === undefined ? [] : [{ profile, name: profile.name, version, spoken }];
  }),
);

function defaults(version: 1 | 2): DefaultProposals {
  return version === 1 ? IKEV1_DEFAULTS : IKEV2_DEFAULTS;
}

/** Whether a caller that offers one list comes up with a peer that accepts another. */
function connects(version: 1 | 2, offered: Proposals, accepted: Proposals): boolean {
  const pair = new IkePair({
    version,
    seed: 1,
    weather: GOOD_WEATHER,
    nat: false,
    ikeLifetime: 3600,
    childLifetime: 3600,
    dpdSeconds: 30,
    encapsulateAmongOurselves: false,
    proposals: { ikeProposals: offered.ike, espProposals: offered.esp },
    calledProposals: { ikeProposals: accepted.ike, espProposals: accepted.esp },
  });
  return pair.connect(20_000);
}

describe('peer profiles', () => {
  it('are one for each name, with a title and whole sentences of where they are known from', () => {
    expect(PEER_PROFILES.map(({ name }) => name)).toEqual(PROFILE_NAMES);
    expect(new Set(PEER_PROFILES.map(({ title }) => title)).size).toBe(PROFILE_NAMES.length);
    for (const { name, provenance, versions } of PEER_PROFILES) {
      expect(findProfile(name)).toBe(profileOf(name));
      expect(provenance).toMatch(/^[A-Z].*\.$/);
      expect(Object.keys(versions).length).toBeGreaterThan(0);
    }
    expect(findProfile('auto')).toBeUndefined();
  });

  it('leave out what a peer does not speak', () => {
    const only1 = PEER_PROFILES.filter(({ versions }) => versions[2] === undefined).map(({ name }) => name);
    expect(only1).toEqual(['android-legacy', 'cisco-asa']);
    expect(PEER_PROFILES.every(({ versions }) => versions[1] !== undefined)).toBe(true);
  });

  it('ask RouterOS for perfect forward secrecy, and Android for SHA-1 in ESP', () => {
    const esp = (name: ProfileName) => {
      const spoken = profileOf(name).versions[1];
      return spoken === undefined ? [] : profileProposals(spoken).esp;
    };
    expect(new Set(esp('routeros').map(({ group }) => group))).toEqual(new Set(['modp1024']));
    expect(new Set(esp('android-legacy').map(({ integrity }) => integrity))).toEqual(new Set(['sha1']));
  });

  it.each(SPOKEN)('$name with IKEv$version: every text fits the version, and nothing is named twice', (entry) => {
    const { version, spoken } = entry;
    const { ike, esp } = profileProposals(spoken);
    expect(ike.filter((proposal) => !ikeProposalFits(version, proposal))).toEqual([]);
    expect(esp.filter((proposal) => !espProposalFits(version, proposal))).toEqual([]);
    for (const texts of [ike.map(formatIkeProposal), esp.map(formatEspProposal)]) {
      expect(texts.length).toBeGreaterThan(0);
      expect(new Set(texts).size).toBe(texts.length);
    }
    // One transform payload is some 36 octets, and message 1 should not need fragments.
    if (version === 1) expect(ike.length).toBeLessThanOrEqual(24);
    expect(spoken.ikeLifetime).toBeGreaterThanOrEqual(spoken.childLifetime);
  });

  it.each(SPOKEN)('$name with IKEv$version comes up with itself, and with "auto" on either side', (entry) => {
    const { version, spoken } = entry;
    const own = profileProposals(spoken);
    const { modern, legacy, acceptable } = defaults(version);
    expect(connects(version, own, own)).toBe(true);
    expect(connects(version, own, acceptable)).toBe(true);
    // RouterOS insists on perfect forward secrecy, which "auto" does not offer: that is what its profile is for.
    const insists = entry.name === 'routeros' && version === 1;
    expect([modern, legacy].some((offer) => connects(version, offer, own))).toBe(!insists);
  });
});
