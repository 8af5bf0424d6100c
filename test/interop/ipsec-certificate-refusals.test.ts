/** A judge and a Culvert for each way in which a certificate may be bad: what both of them say of it. */
import { afterEach, describe, expect, it } from 'vitest';
import { LabAuthority, type LabCertificate } from '../../scripts/lab/certificates.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { networksOf, type Site, Sites, wanOf } from './ipsec-sites.ts';
import { ipsecStatus, type Overlay } from './ipsec-support.ts';

const JUDGE = 9;
const JUDGE_ID = 'judge.example';

interface Flaw {
  readonly name: string;
  readonly issue: (authority: LabAuthority, stranger: LabAuthority, host: string) => Promise<LabCertificate>;
  /** What the judge says of it. */
  readonly judged: RegExp;
  /** What its owner says, behind that the peer does not accept it. */
  readonly owner: RegExp;
}

/** By number of the site, from 1. */
const FLAWS: readonly Flaw[] = [
  {
    name: 'expired',
    issue: (authority, _, name) => authority.issue({ kind: 'ecdsa', name, fromDay: -20, toDay: -2 }),
    judged: /has expired: it was valid until .*renewed/,
    owner: /it has expired, .* is valid until .*; have .* renewed/,
  },
  {
    name: 'not yet valid',
    issue: (authority, _, name) => authority.issue({ kind: 'ecdsa', name, fromDay: 2, toDay: 20 }),
    judged: /is not valid yet: it will be from .* clock/,
    owner: /it is not valid yet, .* is from .* on, and by the clock here .*; check the clock/,
  },
  {
    name: 'of an authority that is not believed',
    issue: (_, stranger, name) => stranger.issue({ kind: 'ecdsa', name }),
    judged: /issued by "CN=Another authority", and that is not one of/,
    owner: /it is of no authority that is believed there; .*CN=Another authority"; add that authority/,
  },
  {
    name: 'for another name',
    issue: (authority) => authority.issue({ kind: 'ecdsa', name: 'somebody.example' }),
    judged: /calls itself somebody\.example, .* is expected/,
    owner: /it is not for the identity that is expected there; .* is for somebody\.example; compare/,
  },
  {
    name: 'revoked',
    issue: (authority, _, name) => authority.issue({ kind: 'ecdsa', name }),
    judged: /was revoked by "CN=Lab authority" on /,
    owner: /it was revoked, .* serial number [0-9a-f]+; have a new/,
  },
];

const hostOf = (number: number): string => `site${number}.example`;

/** Waits for words like these in the status of the connection. */
async function said({ router }: Site, name: string, words: RegExp): Promise<void> {
  let last = '';
  const probe = async () => {
    const { reason = '', remedy = '' } = (await ipsecStatus(router, name)) ?? {};
    last = `${reason}; ${remedy}`;
    return words.test(last);
  };
  await waitFor(`words like ${words}`, probe, { timeoutMs: 30_000 }).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : error}; said was: ${last}\n${router.log()}`);
  });
}

describe('a certificate that is not believed', () => {
  let sites: Sites | undefined;
  let authorities: readonly LabAuthority[] = [];

  afterEach(async () => {
    await sites?.remove();
    for (const authority of authorities) authority.remove();
    sites = undefined;
    authorities = [];
  });

  /** Both call, so that either end may be the one that is called. */
  it('is told by both sides, by each in its own words', async () => {
    const authority = await LabAuthority.create();
    const stranger = await LabAuthority.create('Another authority');
    authorities = [authority, stranger];
    sites = await Sites.create();
    const judging: Record<string, Overlay> = {};
    const owners: Site[] = [];
    let crl = '';
    for (const [index, { name, issue }] of FLAWS.entries()) {
      const number = index + 1;
      const own = await issue(authority, stranger, hostOf(number));
      if (name === 'revoked') crl = await authority.revoke(own);
      const ends = { certificate: 'own', authorities: ['lab'] };
      const connection = { ...ends, remote: wanOf(JUDGE), remoteId: JUDGE_ID };
      const subnets = { localSubnets: networksOf(number), remoteSubnets: networksOf(JUDGE) };
      const certificates = { lab: { certificate: authority.pem }, own };
      owners.push(await sites.add(number, { judge: { ...connection, ...subnets } }, certificates));
      judging[`site${number}`] = {
        ...{ ...ends, remote: wanOf(number), remoteId: hostOf(number) },
        ...{ localSubnets: networksOf(JUDGE), remoteSubnets: networksOf(number) },
      };
    }
    const judge = await sites.add(JUDGE, judging, {
      lab: { certificate: authority.pem, crl },
      own: await authority.issue({ kind: 'ecdsa', name: JUDGE_ID }),
    });
    await Promise.all([judge, ...owners].map(({ router }) => router.start()));
    for (const [index, { judged, owner }] of FLAWS.entries()) {
      const site = owners[index];
      if (site === undefined) throw new Error(`there is no site ${index + 1}`);
      await said(judge, `site${index + 1}`, judged);
      await said(
        site,
        'judge',
        new RegExp(
          `does not accept our identity .* with our certificate: it says(, before it has proved who it is,)? that ${owner.source}`,
        ),
      );
      expect(await ipsecStatus(site.router, 'judge')).not.toMatchObject({ state: 'up' });
    }
  });
});
