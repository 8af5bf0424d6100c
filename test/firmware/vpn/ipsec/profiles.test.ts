/** What the profile of a peer does for a connection, as caller and as the one that is called. */
import { describe, expect, it } from 'vitest';
import { IKEV1_DEFAULTS, IKEV2_DEFAULTS } from '../../../../firmware/protocol/ike/default-offers.ts';
import { PEER_PROFILES, profileOf, profileProposals } from '../../../../firmware/protocol/ike/profiles/profiles.ts';
import { answererConnection, callerConnection } from '../../../../firmware/vpn/ipsec/ike-connections.ts';
import type { IpsecConnectionSettings, WorkingOffer } from '../../../../firmware/vpn/ipsec/ipsec-types.ts';
import { BRANCH, dial, OFFICE, servedSettings, settings, TestNetwork, TestSite } from './two-sites.ts';

const PROOFS = { authentication: { kind: 'psk', key: new Uint8Array(20) } } as const;
const FIRST: WorkingOffer = { offer: 'modern', port: 500, udpEncapsulation: false };

/** Without lists and lifetimes of its own. */
function plain(version: 1 | 2, more: Partial<IpsecConnectionSettings>): IpsecConnectionSettings {
  const { ikeProposals: _, espProposals: __, ikeLifetime: ___, childLifetime: ____, ...rest } = settings(version);
  return { ...rest, ...more };
}

describe('a connection with the profile of a peer', () => {
  it.each([1, 2] as const)('offers and accepts its lists with IKEv%i, and has its lifetimes', (version) => {
    for (const { name, versions } of PEER_PROFILES) {
      const spoken = versions[version];
      if (spoken === undefined) continue;
      const { ike, esp } = profileProposals(spoken);
      const expected = {
        ikeProposals: ike,
        espProposals: esp,
        ikeLifetime: spoken.ikeLifetime,
        childLifetime: spoken.childLifetime,
      };
      const own = plain(version, { profile: name });
      expect(callerConnection(own, PROOFS, FIRST, OFFICE, undefined)).toMatchObject(expected);
      expect(answererConnection(own, PROOFS, OFFICE)).toMatchObject(expected);
    }
  });

  it('takes lists and lifetimes of the connection before those of the profile', () => {
    const esp = [{ encryption: 'aes256gcm16', esn: false }];
    const own = plain(2, { profile: 'routeros', espProposals: esp, childLifetime: 600 });
    const { ikeProposals, espProposals, ikeLifetime, childLifetime } = callerConnection(
      own,
      PROOFS,
      FIRST,
      OFFICE,
      undefined,
    );
    const spoken = profileOf('routeros').versions[2];
    expect(ikeProposals).toEqual(spoken && profileProposals(spoken).ike);
    expect([espProposals, ikeLifetime, childLifetime]).toEqual([esp, spoken?.ikeLifetime, 600]);
  });

  it.each([
    [1, IKEV1_DEFAULTS],
    [2, IKEV2_DEFAULTS],
  ] as const)('leaves IKEv%i as it was when it is "auto", "modern" or "legacy"', (version, defaults) => {
    for (const profile of ['auto', 'modern', 'legacy'] as const) {
      const own = plain(version, { profile });
      const caller = callerConnection(own, PROOFS, { ...FIRST, offer: 'legacy' }, OFFICE, undefined);
      expect(caller.ikeProposals).toEqual(defaults.legacy.ike);
      expect(answererConnection(own, PROOFS, OFFICE)?.espProposals).toEqual(defaults.acceptable.esp);
      expect([caller.ikeLifetime, caller.childLifetime]).toEqual([undefined, undefined]);
    }
  });

  it.each([1, 2] as const)('tells a refused caller of IKEv%i apart, with the profile that would take it', (version) => {
    const branch = new TestSite(BRANCH, 1);
    const office = new TestSite(OFFICE, 2);
    const network = new TestNetwork(branch, office);
    branch.machine.setConnections(network.now, [plain(version, { profile: 'culvert' })]);
    const { ikeProposals: _, espProposals: __, ...served } = servedSettings(version);
    office.machine.setConnections(network.now, [{ ...served, profile: 'edgeos' }]);
    office.machine.serve(network.now, 'callers');
    dial(network, branch);
    network.run(40);
    const info = office.machine.views(network.now, 0).find(({ name }) => name === 'callers');
    expect(info?.failure?.remedy).toMatch(/^this looks like Culvert \(its vendor id\): set the profile "culvert" here/);
  });
});
