import { describe, expect, it, type TestContext } from 'vitest';
import { officeConfiguration } from '../../scripts/lab/branch-network.ts';
import { blockEsp, blockUdp500, blockUdp4500, impair } from '../../scripts/lab/impairments.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import {
  answering,
  dialling,
  expectNoneLost,
  ipsecStatus,
  type Overlay,
  pingSteadily,
  waitForIpsec,
} from './ipsec-support.ts';
import { expectDiagnosis, expectFailure, type PairOptions, SitePair } from './site-pair.ts';

/** Most of the time is waiting for a peer: several at the same time, each with sites of its own. */
const CONCURRENT = { concurrent: true, timeout: 600_000 };

type OnTestFinished = TestContext['onTestFinished'];

/** The sites stand, no router runs yet. They go with the test. */
async function build(onTestFinished: OnTestFinished, options: PairOptions): Promise<SitePair> {
  const pair = await SitePair.buildWith(options);
  onTestFinished(() => pair.remove());
  return pair;
}

async function start(onTestFinished: OnTestFinished, options: PairOptions): Promise<SitePair> {
  const pair = await build(onTestFinished, options);
  await pair.office.start();
  await pair.branch.start();
  return pair;
}

/** The client and the server of the pair, by IPsec. */
function protectedBy(
  version: 1 | 2,
  branch: Overlay = {},
  office: Overlay = {},
  others: PairOptions = {},
): PairOptions {
  return {
    client: { ipsec: 'hq' },
    server: { ipsec: 'branches' },
    branchIpsec: dialling(version, branch),
    officeIpsec: answering(version, office),
    ...others,
  };
}

/** Head office is set up as it should have been; the branch is not touched, and comes up. */
async function repairOffice(pair: SitePair, version: 1 | 2, overlay: Overlay = {}): Promise<void> {
  const { office, branch } = pair;
  await office.end('SIGKILL');
  office.writeConfiguration(officeConfiguration({ ipsec: 'branches' }, { ipsec: answering(version, overlay) }));
  await office.start();
  await waitForIpsec(branch, 'hq', 'up', 90_000);
  await pair.up(90_000);
}

/** What either side says about its IPsec connection at the moment. */
async function words({ office, branch }: SitePair): Promise<Readonly<Record<'office' | 'branch', string>>> {
  const text = async (status: ReturnType<typeof ipsecStatus>) => {
    const entry = await status;
    return `${entry?.reason ?? ''}; ${entry?.remedy ?? ''}`;
  };
  return { office: await text(ipsecStatus(office, 'branches')), branch: await text(ipsecStatus(branch, 'hq')) };
}

/** Waits until head office says why it turned the branch away. */
async function expectOfficeWords(site: SitePair, pattern: RegExp): Promise<void> {
  await waitFor(`words like ${pattern} at head office`, async () => pattern.test((await words(site)).office));
}

describe.each([1, 2] as const)('what show status says when IPsec by IKEv%i does not come up', CONCURRENT, (version) => {
  it('a wrong pre-shared key', async ({ onTestFinished }) => {
    const pair = await start(onTestFinished, protectedBy(version, {}, { psk: 'another pre-shared key, of nobody' }));
    await expectFailure(pair.branch, 'hq', /pre-shared key/, /pre-shared key/);
    await expectDiagnosis(pair.branch, 'hq', `psk-wrong-v${version}`);
    await expectOfficeWords(pair, /pre-shared key/);
    for (const router of [pair.branch, pair.office]) {
      expect(router.log()).not.toMatch(/of the lab|of nobody/);
    }
    await repairOffice(pair, version);
  });

  it('a wrong identity', async ({ onTestFinished }) => {
    const own = version === 1 ? '10.20.0.77' : 'other.example';
    const wanted = version === 1 ? '10.20.0.2' : 'office.example';
    const pair = await start(onTestFinished, protectedBy(version, { remoteId: wanted }, { localId: own }));
    await expectFailure(pair.branch, 'hq', new RegExp(`calls itself ${own.replaceAll('.', '\\.')}`), /identity/);
    await repairOffice(pair, version, { localId: wanted });
  });

  it('no IKE proposal in common', async ({ onTestFinished }) => {
    const ours = 'aes128-sha256-ecp256';
    const theirs = 'aes256-sha512-modp4096';
    const pair = await start(onTestFinished, protectedBy(version, { ike: [ours] }, { ike: [theirs] }));
    await expectFailure(pair.branch, 'hq', /NO.PROPOSAL.CHOSEN/, /IKE|algorithms/);
    expect((await pair.branch.l2tp('hq'))?.reason).toContain('ecp256');
    await expectOfficeWords(pair, /no common IKE proposal.*ecp256.*modp4096/);
    await repairOffice(pair, version, { ike: [theirs, ours] });
  });

  it('no ESP proposal in common', async ({ onTestFinished }) => {
    const pair = await start(
      onTestFinished,
      protectedBy(version, { esp: ['aes128gcm16'] }, { esp: ['aes256-sha256'] }),
    );
    await expectFailure(pair.branch, 'hq', /NO.PROPOSAL.CHOSEN/, /ESP|algorithms/);
    await expectOfficeWords(pair, /no common ESP proposal.*aes128gcm16.*aes256/);
    await repairOffice(pair, version, { esp: ['aes128gcm16'] });
  });

  it('a peer that is not there', async ({ onTestFinished }) => {
    const pair = await build(onTestFinished, protectedBy(version));
    await pair.branch.start();
    await expectFailure(pair.branch, 'hq', /10\.20\.0\.2/, /UDP port|address|route|IKE/);
    await pair.office.start();
    await pair.up(120_000);
  });
});

describe.each([1, 2] as const)('what is on the way, by IKEv%i', CONCURRENT, (version) => {
  it('is gone around where UDP port 500 is blocked', async ({ onTestFinished }) => {
    const pair = await build(onTestFinished, protectedBy(version));
    await impair(pair.network.internet, blockUdp500);
    await pair.office.start();
    await pair.branch.start();
    await pair.up(120_000);
    await pair.pingThrough();
    expect(await ipsecStatus(pair.branch, 'hq')).toMatchObject({ state: 'up', encapsulation: 'udp' });
  });

  it('is gone around where ESP is blocked', async ({ onTestFinished }) => {
    const pair = await build(onTestFinished, protectedBy(version));
    await impair(pair.network.internet, blockEsp);
    await pair.office.start();
    await pair.branch.start();
    await pair.up(120_000);
    await pair.pingThrough();
    expect(await ipsecStatus(pair.branch, 'hq')).toMatchObject({ state: 'up', encapsulation: 'udp' });
  });

  it('is said where UDP port 4500 is blocked behind a NAT, and the tunnel is up when it is open again', async ({
    onTestFinished,
  }) => {
    const pair = await build(onTestFinished, { ...protectedBy(version), behindNat: true });
    const open = await impair(pair.network.internet, blockUdp4500);
    await pair.office.start();
    await pair.branch.start();
    await expectFailure(pair.branch, 'hq', /./, /4500/);
    await open();
    await pair.up(120_000);
    await pair.pingThrough();
  });

  it('may be a NAT that forgets its mappings', async ({ onTestFinished }) => {
    const pair = await start(onTestFinished, { ...protectedBy(version, { dpdSeconds: 2 }), behindNat: true });
    await pair.up();
    await pair.pingThrough();
    expect(await ipsecStatus(pair.branch, 'hq')).toMatchObject({ nat: 'here', encapsulation: 'udp' });
    const before = (await ipsecStatus(pair.office, 'branches'))?.peer;
    await pair.network.nat?.remap();
    await pair.pingThrough(30_000);
    const moved = async () => (await ipsecStatus(pair.office, 'branches'))?.peer !== before;
    await waitFor('the new port of the branch being known', moved);
    expect((await ipsecStatus(pair.office, 'branches'))?.note).toContain(`was at ${before} before`);
  });
});

describe.each([1, 2] as const)('a peer that is killed and started again, by IKEv%i', CONCURRENT, (version) => {
  const quick = { dpdSeconds: 5 };

  it('head office: the branch is back within half a minute', async ({ onTestFinished }) => {
    const pair = await start(onTestFinished, protectedBy(version, quick, quick));
    await pair.up();
    await pair.pingThrough();
    await pair.office.end('SIGKILL');
    await pair.office.start();
    await pair.pingThrough(30_000);
  });

  it('the branch: it takes the place of its former self', async ({ onTestFinished }) => {
    const pair = await start(onTestFinished, protectedBy(version, quick, quick));
    await pair.up();
    await pair.branch.end('SIGKILL');
    await pair.branch.start();
    await pair.up();
    await pair.pingThrough();
    const { office } = pair;
    const sessions = async () => (await office.status()).l2tp.flatMap((entry) => entry.sessions);
    await waitFor('one session being left', async () => (await sessions()).length === 1);
    const ikeSas = async () => (await office.status()).ipsec.filter(({ state }) => state === 'up');
    await waitFor('one IKE SA being left', async () => (await ikeSas()).length === 1, { timeoutMs: 60_000 });
  });
});

describe.each([1, 2] as const)('two Culverts with short lifetimes, by IKEv%i', CONCURRENT, (version) => {
  it('renew their keys without losing a packet', async ({ onTestFinished }) => {
    const short = { lifetimeSeconds: 20, ikeLifetimeSeconds: 20 };
    const pair = await start(onTestFinished, protectedBy(version, short, short));
    await pair.up();
    await pair.pingThrough();
    const { branch, network } = pair;
    const spis = async () =>
      (await branch.status()).ipsec.flatMap(({ children }) => children.map((it) => it.inboundSpi));
    const first = await spis();
    const pings = pingSteadily(network.branchHost, '10.99.0.10');
    const renewed = async () => {
      const now = await spis();
      return now.length > 0 && now.every((spi) => !first.includes(spi));
    };
    await waitFor('new keys', renewed, { timeoutMs: 40_000, intervalMs: 200 });
    await expectNoneLost(pings);
  });
});
