/** AH in tunnel mode: with the kernel of a guest, whose keys strongSwan negotiates, and between two Culverts. */
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import {
  addresses,
  type BranchNetwork,
  branchConfiguration,
  createBranchNetwork,
  officeTaps,
} from '../../scripts/lab/branch-network.ts';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { startGuest } from '../../scripts/lab/guest.ts';
import { type StrongswanGuest, startStrongswanInGuest } from '../../scripts/lab/strongswan-guest.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { networksOf, Sites, siteConnection, wanOf } from './ipsec-sites.ts';
import { expectNoneLost, type Overlay, PSK, pingSteadily, waitForIpsec, withLogOf } from './ipsec-support.ts';
import { matrixIt } from './matrix.ts';
import { ping } from './site-pair.ts';

const IKE = 'aes128-sha256-ecp256';

/** With IKEv2 the longest ICV and 64-bit numbers; with IKEv1 the one that fills no multiple of 64 bits. */
const CASES = {
  1: { ah: 'sha256-ecp256', theirs: 'HMAC_SHA2_256_128' },
  2: { ah: 'sha512-esn', theirs: 'HMAC_SHA2_512_256' },
} as const;

describe('AH with the kernel of a guest', { timeout: 60_000 }, () => {
  let network: BranchNetwork;
  let strongswan: StrongswanGuest;
  let branch: LabCulvert | undefined;

  beforeAll(async () => {
    network = await createBranchNetwork('guest');
    const guest = await startGuest({
      name: 'office',
      namespace: network.internet,
      gateway: addresses.internet,
      cards: [
        { tap: officeTaps.wan, addresses: [`${addresses.officeWan}/24`] },
        { tap: officeTaps.lan, addresses: [`${addresses.officeLan}/24`] },
      ],
    });
    await guest.exec('sysctl -qw net.ipv4.ip_forward=1');
    strongswan = await startStrongswanInGuest(guest, []);
    await strongswan.stop();
  }, 60_000);

  afterEach(async () => {
    await branch?.remove();
    branch = undefined;
    await strongswan.stop();
  });

  afterAll(async () => {
    await strongswan?.guest.stop();
    network?.delete();
  });

  async function startPeer(version: 1 | 2): Promise<void> {
    await strongswan.start([
      {
        version,
        localAddress: addresses.officeWan,
        remoteAddress: addresses.branchWan,
        psk: PSK,
        mode: 'tunnel',
        localTraffic: addresses.officeNetwork,
        remoteTraffic: addresses.branchNetwork,
        ike: [IKE],
        ah: [CASES[version].ah],
      },
    ]);
  }

  async function startBranch(version: 1 | 2, overlay: Overlay = {}): Promise<LabCulvert> {
    const plant = {
      version,
      remote: addresses.officeWan,
      psk: PSK,
      protocol: 'ah',
      ike: [IKE],
      ...(version === 2 ? { ah: [CASES[2].ah] } : {}),
      localSubnets: [addresses.branchNetwork],
      remoteSubnets: [addresses.officeNetwork],
      ...overlay,
    };
    branch = new LabCulvert({
      name: 'branch',
      namespace: network.branch,
      configuration: { ...branchConfiguration({}, { ipsec: { plant } }), l2tp: {} },
    });
    await branch.start();
    return branch;
  }

  const pingThrough = () =>
    withLogOf(
      branch,
      waitFor('an answer through AH', () => ping(network.branchHost, addresses.officeHost), { timeoutMs: 20_000 }),
    );

  async function expectAh(version: 1 | 2, router: LabCulvert, role: 'initiator' | 'responder'): Promise<void> {
    const installed = await strongswan.control.installed();
    expect(installed).toMatchObject([{ mode: 'tunnel', encapsulated: false }]);
    expect(installed[0]?.algorithms).toContain(CASES[version].theirs);
    const status = await waitForIpsec(router, 'plant', 'up');
    expect(status).toMatchObject({ role, encapsulation: 'none', children: [{ protocol: 'ah', drops: {} }] });
    // The largest packet that fits, which is never fragmented, and one that has to be.
    expect(await ping(network.branchHost, addresses.officeHost, '-M', 'do', '-s', `${1500 - 64 - 28}`)).toBe(true);
    expect(await ping(network.officeHost, addresses.branchHost, '-s', '3000')).toBe(true);
  }

  for (const version of [2, 1] as const) {
    const algorithms = `${IKE} / AH ${CASES[version].ah}`;
    const row = {
      peer: 'strongSwan 5.9 (kernel)',
      version,
      mode: 'tunnel',
      encapsulation: 'native',
      algorithms,
    } as const;

    matrixIt({ ...row, role: 'initiator' }, async (measure) => {
      await startPeer(version);
      const router = await measure(async () => {
        const started = await startBranch(version, version === 1 ? { ah: [CASES[1].ah] } : {});
        await pingThrough();
        return started;
      });
      await expectAh(version, router, 'initiator');
      const pings = pingSteadily(network.branchHost, addresses.officeHost);
      await pings.more(3);
      const [before] = await strongswan.control.installed();
      await strongswan.control.rekey('child');
      await waitFor('new keys', async () =>
        (await strongswan.control.installed()).every(({ id }) => id !== before?.id),
      );
      await pings.more(5);
      await expectNoneLost(pings);
    });

    matrixIt({ ...row, role: 'responder' }, async (measure) => {
      await startPeer(version);
      const router = await startBranch(version, { remote: 'any' });
      await measure(async () => {
        await withLogOf(router, strongswan.control.initiate());
        await pingThrough();
      });
      await expectAh(version, router, 'responder');
    });
  }
});

describe('AH between two Culverts', { timeout: 90_000 }, () => {
  let sites: Sites | undefined;
  afterEach(async () => {
    await sites?.remove();
    sites = undefined;
  });

  for (const version of [2, 1] as const) {
    const row = { peer: 'Culvert', version, mode: 'tunnel', encapsulation: 'native' } as const;
    matrixIt({ ...row, role: 'initiator', algorithms: 'default offers of AH' }, async (measure) => {
      sites = await Sites.create();
      const overlay = { version, protocol: 'ah', lifetimeSeconds: 20 };
      const local = [networksOf(1)[0]];
      const remote = [networksOf(2)[0]];
      const one = await sites.add(1, { two: siteConnection(local, remote, { remote: wanOf(2), ...overlay }) });
      const two = await sites.add(2, { one: siteConnection(remote, local, { remote: wanOf(1), ...overlay }) });
      const reaches = () => ping(one.host, two.hosts[0]);
      await measure(async () => {
        await Promise.all([one.router.start(), two.router.start()]);
        await withLogOf(one.router, waitFor('an answer through AH', reaches, { timeoutMs: 20_000 }));
      });
      expect(await ping(two.host, one.hosts[0])).toBe(true);
      // Both call: there is an entry for each of their IKE SAs.
      const children = (await one.router.status()).ipsec.flatMap((entry) => entry.children);
      expect(children).not.toEqual([]);
      for (const { protocol, encapsulation } of children)
        expect({ protocol, encapsulation }).toEqual({ protocol: 'ah', encapsulation: 'none' });
      expect((await one.router.culvert('show', 'ipsec')).stdout).toMatch(/AH +HMAC-SHA2-256-128.*not encrypted/);
    });
  }
});
