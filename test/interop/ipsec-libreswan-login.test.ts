import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { addresses } from '../../scripts/lab/branch-network.ts';
import type { LabCulvert } from '../../scripts/lab/culvert.ts';
import type { Libreswan } from '../../scripts/lab/libreswan.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { describeWithGuests } from '../lab/needs.ts';
import { awaitRenewal, expectNoneLost, ipsecStatus, pingSteadily, waitForIpsec } from './ipsec-support.ts';
import { LibreswanLab } from './libreswan-lab.ts';
import { type MatrixRow, matrixIt } from './matrix.ts';
import { ping } from './site-pair.ts';

const ROW = {
  peer: 'Libreswan 4.10',
  version: 1,
  mode: 'tunnel',
  encapsulation: 'native',
  algorithms: 'aes256-sha256-modp2048 / aes256-sha256',
} satisfies Partial<MatrixRow>;

const [BRANCH_ID, OFFICE_ID] = ['branch.example', 'office.example'];
const SERVER = {
  version: 1,
  aggressive: true,
  identities: { local: OFFICE_ID, remote: BRANCH_ID },
  algorithms: { ike: 'aes256-sha2_256;modp2048', esp: 'aes256-sha2_256' },
  users: { bob: "bob 'pw' 1" },
} as const;
const LOGIN = {
  version: 1,
  aggressive: true,
  localId: BRANCH_ID,
  remoteId: OFFICE_ID,
  ike: ['aes256-sha256-modp2048'],
  esp: ['aes256-sha256'],
  user: 'bob',
  password: "bob 'pw' 1",
};

const POOL = { addresses: '10.77.0.10-10.77.0.20', dns: addresses.officeHost };
const SHORT = { lifetimeSeconds: 20, ikeLifetimeSeconds: 20 };

describeWithGuests('Libreswan in a guest, as a gateway for those on the road, and as one of them', () => {
  let lab: LibreswanLab;

  beforeAll(async () => {
    lab = await LibreswanLab.create();
  });

  afterEach(async () => {
    await lab.endTest();
  });

  afterAll(async () => {
    await lab?.remove();
  });

  matrixIt({ ...ROW, proof: 'PSK and XAUTH, Aggressive Mode', role: 'initiator' }, async (measure) => {
    const libreswan = await lab.startPeer(SERVER);
    const router = await measure(async () => {
      const started = await lab.startBranch({ ...LOGIN, ...SHORT });
      await lab.pingThrough();
      return started;
    });
    expect(await waitForIpsec(router, 'plant', 'up')).toMatchObject({ role: 'initiator' });
    expect(libreswan.log()).toContain('User bob: Authentication Successful');
    await renewsUnderPings(router, libreswan);
  });

  /** Of both phases, with another login; our lives are short. */
  async function renewsUnderPings(router: LabCulvert, libreswan: Libreswan): Promise<void> {
    const logins = () => libreswan.log().split('Authentication Successful').length;
    const before = logins();
    const renewed = await awaitRenewal(router, 'plant');
    const pings = pingSteadily(lab.network.branchHost, addresses.officeHost);
    await lab.telling(renewed());
    await lab.telling(waitFor('another login', () => logins() > before, { timeoutMs: 40_000 }));
    await expectNoneLost(pings);
    expect(await ipsecStatus(router, 'plant')).toMatchObject({ state: 'up', role: 'initiator' });
  }

  async function expectAssigned(router: LabCulvert): Promise<void> {
    const { children } = await waitForIpsec(router, 'plant', 'up');
    const local = children.map(({ localSelectors }) => localSelectors.join());
    expect(local).toEqual([expect.stringMatching(/^10\.77\.0\.1\d/)]);
    expect(readFileSync(join(router.stateDir, 'dns', 'plant.conf'), 'utf8')).toContain(`nameserver ${POOL.dns}`);
  }

  it('refuses a wrong password, and we say so', async () => {
    const libreswan = await lab.startPeer(SERVER);
    const router = await lab.startBranch({ ...LOGIN, password: 'wrong' });
    const refused = async () =>
      /refused the login of user bob/.test((await ipsecStatus(router, 'plant'))?.reason ?? '');
    await lab.telling(waitFor('words on the refusal', refused));
    expect(await ipsecStatus(router, 'plant')).toMatchObject({ remedy: expect.stringContaining('password') });
    expect(libreswan.log()).toContain('User bob: Authentication Failed: Incorrect Username or Password');
    expect(await ping(lab.network.branchHost, addresses.officeHost)).toBe(false);
  });

  const { user, password, ...ends } = LOGIN;
  const { users: _, ...caller } = SERVER;
  const CALLER = { ...caller, login: { user, password } };
  const ASKS = { ...ends, remote: 'any', users: { [user]: { password } } };

  matrixIt({ ...ROW, proof: 'PSK and XAUTH, Aggressive Mode', role: 'responder' }, async (measure) => {
    // Both at once it cannot: a Quick Mode that it begins before its login is deaf to the answer.
    const libreswan = await lab.startPeer({ ...CALLER, ikeSeconds: 30, rekeySeconds: 45 });
    const router = await lab.startBranch(ASKS);
    await measure(async () => {
      await lab.telling(libreswan.initiate());
      await lab.pingThrough();
    });
    expect(await waitForIpsec(router, 'plant', 'up')).toMatchObject({ role: 'responder', peerUser: 'bob' });
    const logins = () => router.log().split('OK, user bob').length;
    const before = logins();
    const renewed = await awaitRenewal(router, 'plant');
    const pings = pingSteadily(lab.network.branchHost, addresses.officeHost);
    await lab.telling(renewed());
    await lab.telling(waitFor('another login', () => logins() > before, { timeoutMs: 60_000 }));
    await expectNoneLost(pings);
  });

  it('is turned away with a wrong password, and we say so', async () => {
    const libreswan = await lab.startPeer({ ...CALLER, login: { ...CALLER.login, password: 'guess' } });
    const router = await lab.startBranch(ASKS);
    await libreswan.initiate().catch(() => undefined);
    const refused = async () =>
      /gave no good password for user bob/.test((await ipsecStatus(router, 'plant'))?.reason ?? '');
    await lab.telling(waitFor('words on the refusal', refused));
    expect(await ping(lab.network.branchHost, addresses.officeHost)).toBe(false);
  });

  matrixIt({ ...ROW, proof: 'PSK and XAUTH, address by Mode-Config', role: 'initiator' }, async (measure) => {
    const libreswan = await lab.startPeer({ ...SERVER, pool: POOL });
    const router = await measure(async () => {
      const started = await lab.startBranch({ ...LOGIN, ...SHORT, virtualAddress: true });
      await lab.pingThrough();
      return started;
    });
    await expectAssigned(router);
    await renewsUnderPings(router, libreswan);
  });

  const v2 = { ...ROW, version: 2, proof: 'PSK, address by CP', algorithms: 'default offers' } as const;
  matrixIt({ ...v2, role: 'initiator' }, async (measure) => {
    await lab.startPeer({ version: 2, identities: SERVER.identities, pool: POOL });
    const router = await measure(async () => {
      const { localId, remoteId } = LOGIN;
      const started = await lab.startBranch({ version: 2, localId, remoteId, ...SHORT, virtualAddress: true });
      await lab.pingThrough();
      return started;
    });
    await expectAssigned(router);
    const renewed = await awaitRenewal(router, 'plant');
    const pings = pingSteadily(lab.network.branchHost, addresses.officeHost);
    await lab.telling(renewed());
    await expectNoneLost(pings);
  });
});
