/** A hub and a branch for each proof that two Culverts can give each other, all at once, while every key is renewed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LabAuthority, type LabCertificate, type LabKeyKind } from '../../scripts/lab/certificates.ts';
import type { LabCulvert } from '../../scripts/lab/culvert.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { allUp, eachReachesEach, networksOf, type Site, Sites, wanOf } from './ipsec-sites.ts';
import {
  awaitRenewal,
  expectNoneLost,
  ipsecStatus,
  type Overlay,
  PSK,
  pingSteadily,
  withLogOf,
} from './ipsec-support.ts';
import { matrixIt } from './matrix.ts';
import { ping } from './site-pair.ts';

const HUB = 9;
const HUB_ID = 'hub.example';
/** Who has no business here. */
const STRANGER = 10;

type Kind = Exclude<LabKeyKind, 'ecdsa384'>;

interface Case {
  readonly proof: string;
  readonly version: 1 | 2;
  /** What its renewals are, for the row. */
  readonly renewal: string;
  readonly hub: (branch: number) => Overlay;
  readonly branch: (branch: number) => Overlay;
  /** Who logs in, again with each renewal of the IKE SA. */
  readonly user?: string;
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

const BOB = { user: 'bob', password: "bob 'pw' 1" };
const USERS = { alice: { password: 'alice-pw' }, bob: { password: BOB.password } };

/** The hub asks who the user is, once both ends have proved themselves. */
function byLogin(proof: string, both: Overlay): Case {
  return {
    proof,
    version: 1,
    renewal: 'rekeyed, logged in again',
    hub: () => ({ ...SHORT, version: 1, ...both, remote: 'any', users: USERS }),
    branch: () => ({ ...SHORT, version: 1, ...both, remote: wanOf(HUB), ...BOB }),
    user: BOB.user,
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
    user: 'alice',
  },
  byLogin('PSK and XAUTH, Aggressive Mode', { psk: PSK, aggressive: true }),
  byLogin('RSA and XAUTH, Main Mode', { certificate: 'rsa', authorities: ['lab'] }),
];

/** Of the one who logs in beside a key. */
const LOGIN_BRANCH = CASES.findIndex(({ proof }) => proof === 'PSK and XAUTH, Aggressive Mode') + 1;

const idOf = (number: number): string => `branch${number}.example`;

/** Logins by XAUTH that were good. */
function loginsOn({ router }: Site, connection: string): number {
  const lines = router
    .log()
    .split('\n')
    .filter((line) => line.includes('XAUTH ACK'));
  return lines.filter((line) => line.includes(connection)).length;
}

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

  it('turns a user with a wrong password away, and both ends say so', async () => {
    const [id, local, remote] = [idOf(LOGIN_BRANCH), networksOf(STRANGER), networksOf(HUB)];
    const ends = { localSubnets: local, remoteSubnets: remote, localId: id, remoteId: HUB_ID };
    const wrong = { ...AGGRESSIVE, remote: wanOf(HUB), ...BOB, password: 'guess' };
    const stranger = await sites.add(STRANGER, { hub: { ...ends, ...wrong } });
    await stranger.router.start();
    const told = async (router: LabCulvert, name: string, words: RegExp) => {
      const said = async () =>
        (await router.status()).ipsec.some((one) => one.name === name && words.test(one.reason ?? ''));
      await withLogOf(router, waitFor(`words like ${words}`, said, { timeoutMs: 30_000 }));
    };
    await told(stranger.router, 'hub', /XAUTH: the peer refused the login of user bob/);
    await waitFor('words in the log of the hub', () => /gave no good password for user bob/.test(hub.router.log()));
    expect(await ping(stranger.host, hub.hosts[0])).toBe(false);
    expect(hub.router.log()).not.toContain('guess');
  });

  for (const [index, { proof, version, renewal, user }] of CASES.entries()) {
    const algorithms = `default offers, 2 x 2 networks, ${renewal}`;
    const row = { peer: 'Culvert', role: 'initiator', version, mode: 'tunnel', encapsulation: 'udp' } as const;
    matrixIt({ ...row, algorithms, proof }, async (measure) => {
      const branch = branches[index];
      if (branch === undefined) throw new Error(`there is no branch ${index + 1}`);
      await measure(() => eachReachesEach(branch, hub));
      await eachReachesEach(hub, branch);
      const name = `branch${index + 1}`;
      await allUp([branch, 'hub'], [hub, name]);
      expect((await ipsecStatus(hub.router, name))?.peerUser).toBe(user);
      const before = loginsOn(hub, name);
      const renewed = await awaitRenewal(branch.router, 'hub');
      const pings = pingSteadily(branch.host, hub.hosts[1], '-I', branch.hosts[1]);
      await renewed();
      if (version === 1 && user !== undefined) {
        await waitFor('another login', () => loginsOn(hub, name) > before, { timeoutMs: 40_000 });
        await pings.more(20);
      }
      await expectNoneLost(pings);
      await allUp([branch, 'hub'], [hub, name]);
    });
  }
});
