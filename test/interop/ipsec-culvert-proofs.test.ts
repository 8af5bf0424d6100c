/** A hub and a branch for each proof that two Culverts can give each other, all at once, while every key is renewed. */
import { afterAll, beforeAll, describe } from 'vitest';
import { LabAuthority, type LabCertificate, type LabKeyKind } from '../../scripts/lab/certificates.ts';
import { allUp, eachReachesEach, networksOf, type Site, Sites, wanOf } from './ipsec-sites.ts';
import { awaitRenewal, expectNoneLost, type Overlay, PSK, pingSteadily } from './ipsec-support.ts';
import { matrixIt } from './matrix.ts';

const HUB = 9;
const HUB_ID = 'hub.example';

type Kind = Exclude<LabKeyKind, 'ecdsa384'>;

interface Case {
  readonly proof: string;
  readonly version: 1 | 2;
  /** What its renewals are, for the row. */
  readonly renewal: string;
  readonly hub: (branch: number) => Overlay;
  readonly branch: (branch: number) => Overlay;
}

const SHORT = { lifetimeSeconds: 20, ikeLifetimeSeconds: 20 };
const AGGRESSIVE = { ...SHORT, version: 1, psk: PSK, aggressive: true };

/** Both ends have a certificate of the kind, and both call. */
function byCertificate(proof: string, kind: Kind, version: 1 | 2, renewal: Overlay, called: string): Case {
  const common = { version, certificate: kind, authorities: ['lab'], ...renewal };
  return {
    proof,
    version,
    renewal: `${called}, both calling`,
    hub: (number) => ({ ...common, remote: wanOf(number) }),
    branch: () => ({ ...common, remote: wanOf(HUB) }),
  };
}

/** By number of the branch, from 1. */
const CASES: readonly Case[] = [
  byCertificate('RSA', 'rsa', 2, SHORT, 'rekeyed'),
  byCertificate('ECDSA', 'ecdsa', 2, { lifetimeSeconds: 20, reauthSeconds: 20 }, 'reauthenticated'),
  byCertificate('EdDSA', 'ed25519', 2, SHORT, 'rekeyed'),
  byCertificate('RSA, Main Mode', 'rsa', 1, SHORT, 'rekeyed'),
  {
    proof: 'PSK, Aggressive Mode',
    version: 1,
    renewal: 'rekeyed, both calling',
    hub: (number) => ({ ...AGGRESSIVE, remote: wanOf(number) }),
    branch: () => ({ ...AGGRESSIVE, remote: wanOf(HUB) }),
  },
  {
    proof: 'EAP-MSCHAPv2',
    version: 2,
    renewal: 'rekeyed',
    hub: () => ({ ...SHORT, remote: 'any', certificate: 'ecdsa', users: { alice: { password: 'alice-pw' } } }),
    branch: () => ({ ...SHORT, remote: wanOf(HUB), authorities: ['lab'], user: 'alice', password: 'alice-pw' }),
  },
];

const idOf = (number: number): string => `branch${number}.example`;

describe('a hub whose branches each prove themselves in another way', { concurrent: true }, () => {
  let authority: LabAuthority;
  let sites: Sites;
  let hub: Site;
  const branches: Site[] = [];

  beforeAll(async () => {
    authority = await LabAuthority.create();
    sites = await Sites.create();
    const lab = { certificate: authority.pem };
    // One after the other: an authority writes down in one file what it has issued.
    const own = async (name: string): Promise<Record<Kind, LabCertificate>> => ({
      rsa: await authority.issue({ kind: 'rsa', name }),
      ecdsa: await authority.issue({ kind: 'ecdsa', name }),
      ed25519: await authority.issue({ kind: 'ed25519', name }),
    });
    const hubConnections: Record<string, Overlay> = {};
    for (const [index, one] of CASES.entries()) {
      const number = index + 1;
      const [id, local, remote] = [idOf(number), networksOf(number), networksOf(HUB)];
      const ends = { localSubnets: local, remoteSubnets: remote, localId: id, remoteId: HUB_ID };
      const certificates = { lab, ...(await own(id)) };
      branches.push(await sites.add(number, { hub: { ...ends, ...one.branch(number) } }, certificates));
      const mirrored = { localSubnets: remote, remoteSubnets: local, localId: HUB_ID, remoteId: id };
      hubConnections[`branch${number}`] = { ...mirrored, ...one.hub(number) };
    }
    hub = await sites.add(HUB, hubConnections, { lab, ...(await own(HUB_ID)) });
    await Promise.all([hub, ...branches].map(({ router }) => router.start()));
  });

  afterAll(async () => {
    await sites?.remove();
    authority?.remove();
  });

  for (const [index, { proof, version, renewal }] of CASES.entries()) {
    const algorithms = `default offers, 2 x 2 networks, ${renewal}`;
    const row = { peer: 'Culvert', role: 'initiator', version, mode: 'tunnel', encapsulation: 'udp' } as const;
    matrixIt({ ...row, algorithms, proof }, async (measure) => {
      const branch = branches[index];
      if (branch === undefined) throw new Error(`there is no branch ${index + 1}`);
      await measure(() => eachReachesEach(branch, hub));
      await eachReachesEach(hub, branch);
      await allUp([branch, 'hub'], [hub, `branch${index + 1}`]);
      const renewed = await awaitRenewal(branch.router, 'hub');
      const pings = pingSteadily(branch.host, hub.hosts[1], '-I', branch.hosts[1]);
      await renewed();
      await expectNoneLost(pings);
      await allUp([branch, 'hub'], [hub, `branch${index + 1}`]);
    });
  }
});
