import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import {
  addresses,
  type BranchNetwork,
  branchConfiguration,
  createBranchNetwork,
  officeTaps,
} from '../../scripts/lab/branch-network.ts';
import { LabAuthority } from '../../scripts/lab/certificates.ts';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { type Guest, startGuest } from '../../scripts/lab/guest.ts';
import { type Libreswan, type LibreswanOptions, startLibreswan } from '../../scripts/lab/libreswan.ts';
import { lastLines } from '../../scripts/lab/shell.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { describeWithGuests } from '../lab/needs.ts';
import {
  awaitRenewal,
  expectNoneLost,
  type Overlay,
  PSK,
  pingSteadily,
  waitForIpsec,
  withLogOf,
} from './ipsec-support.ts';
import { type MatrixRow, matrixIt } from './matrix.ts';
import { ping } from './site-pair.ts';

const BRANCH_ID = 'branch.example';
const OFFICE_ID = 'office.example';
/** Behind the branch's host, and on a device of the office's own. */
const BRANCH_SECOND = { network: '192.168.13.0/24', host: '192.168.13.10' };
const OFFICE_SECOND = { network: '10.98.0.0/24', host: '10.98.0.10' };

const PEER = { peer: 'Libreswan 4.10', mode: 'tunnel', encapsulation: 'native', algorithms: 'default offers' } as const;

const CASES = [
  { version: 2, proof: 'PSK' },
  { version: 2, proof: 'RSA' },
  { version: 2, proof: 'ECDSA' },
  { version: 1, proof: 'PSK' },
  { version: 1, proof: 'RSA' },
] as const;

describeWithGuests('Libreswan in a guest, two networks at each end', () => {
  let network: BranchNetwork;
  let guest: Guest;
  let authority: LabAuthority;
  let branch: LabCulvert | undefined;
  let peer: Libreswan | undefined;

  beforeAll(async () => {
    authority = await LabAuthority.create();
    network = await createBranchNetwork('guest');
    await network.branchHost.ip('address', 'add', `${BRANCH_SECOND.host}/32`, 'dev', 'lo');
    await network.officeHost.ip('address', 'add', `${OFFICE_SECOND.host}/32`, 'dev', 'lo');
    guest = await startGuest({
      name: 'office',
      namespace: network.internet,
      gateway: addresses.internet,
      cards: [
        { tap: officeTaps.wan, addresses: [`${addresses.officeWan}/24`] },
        { tap: officeTaps.lan, addresses: [`${addresses.officeLan}/24`] },
      ],
    });
    await guest.exec(
      `sysctl -qw net.ipv4.ip_forward=1; ip route add ${OFFICE_SECOND.network} via ${addresses.officeHost}`,
    );
  });

  afterEach(async () => {
    await branch?.remove();
    branch = undefined;
    await peer?.stop();
    peer = undefined;
  });

  afterAll(async () => {
    authority?.remove();
    await guest?.stop();
    network?.delete();
  });

  async function startPeer(version: 1 | 2, proof: string): Promise<Libreswan> {
    const kind = proof === 'ECDSA' ? 'ecdsa' : version === 1 ? 'rsasig' : 'rsa-sha2';
    const own = { localName: OFFICE_ID, remoteName: BRANCH_ID, authority: authority.pem, kind } as const;
    const key = proof === 'ECDSA' ? 'ecdsa' : 'rsa';
    const options: LibreswanOptions = {
      version,
      localAddress: addresses.officeWan,
      remoteAddress: addresses.branchWan,
      localSubnets: [addresses.officeNetwork, OFFICE_SECOND.network],
      remoteSubnets: [addresses.branchNetwork, BRANCH_SECOND.network],
      ...(proof === 'PSK'
        ? { psk: PSK }
        : { certificates: { ...own, own: await authority.issue({ kind: key, name: OFFICE_ID }) } }),
    };
    peer = await startLibreswan(guest, options);
    return peer;
  }

  async function startBranch(version: 1 | 2, proof: string, overlay: Overlay): Promise<LabCulvert> {
    const key = proof === 'ECDSA' ? 'ecdsa' : 'rsa';
    const proved =
      proof === 'PSK'
        ? { psk: PSK }
        : { certificate: 'own', authorities: ['lab'], localId: BRANCH_ID, remoteId: OFFICE_ID };
    const certificates =
      proof === 'PSK'
        ? {}
        : { own: await authority.issue({ kind: key, name: BRANCH_ID }), lab: { certificate: authority.pem } };
    const plant = {
      version,
      remote: addresses.officeWan,
      localSubnets: [addresses.branchNetwork, BRANCH_SECOND.network],
      remoteSubnets: [addresses.officeNetwork, OFFICE_SECOND.network],
      ...proved,
      ...overlay,
    };
    branch = new LabCulvert({
      name: 'branch',
      namespace: network.branch,
      configuration: {
        ...branchConfiguration({}, { ipsec: {} }),
        l2tp: {},
        routes: [{ prefix: BRANCH_SECOND.network, gateway: addresses.branchHost }],
        ipsec: { certificates, connections: { plant } },
      },
    });
    await branch.start();
    return branch;
  }

  async function eachReachesEach(): Promise<void> {
    for (const source of [addresses.branchHost, BRANCH_SECOND.host]) {
      for (const target of [addresses.officeHost, OFFICE_SECOND.host]) {
        await waitFor(`an answer from ${target} to ${source}`, () => ping(network.branchHost, target, '-I', source), {
          timeoutMs: 60_000,
        }).catch((error: unknown) => {
          const why = error instanceof Error ? error.message : error;
          throw new Error(
            `${why}\nwe: ${lastLines(branch?.log() ?? '', 20)}\nlibreswan: ${lastLines(peer?.log() ?? '', 20)}`,
          );
        });
      }
    }
  }

  for (const { version, proof } of CASES) {
    const row = { ...PEER, version, proof } satisfies Partial<MatrixRow>;

    matrixIt({ ...row, role: 'initiator' }, async (measure) => {
      await startPeer(version, proof);
      const router = await measure(async () => {
        const started = await startBranch(version, proof, {});
        await eachReachesEach();
        return started;
      });
      expect(await waitForIpsec(router, 'plant', 'up')).toMatchObject({ role: 'initiator' });
    });

    matrixIt({ ...row, role: 'responder' }, async (measure) => {
      const libreswan = await startPeer(version, proof);
      const router = await startBranch(version, proof, { remote: 'any' });
      await measure(async () => {
        await libreswan.initiate();
        await eachReachesEach();
      });
      expect(await waitForIpsec(router, 'plant', 'up')).toMatchObject({ role: 'responder' });
    });
  }

  /** Keys of both kinds, or another proof of who we are, by our wish. */
  const RENEWALS = [
    { version: 2, renewal: 'rekeyed', lives: { lifetimeSeconds: 20, ikeLifetimeSeconds: 20 } },
    { version: 2, renewal: 'reauthenticated', lives: { reauthSeconds: 20 } },
    { version: 1, renewal: 'rekeyed', lives: { lifetimeSeconds: 20, ikeLifetimeSeconds: 20 } },
  ] as const;

  for (const { version, renewal, lives } of RENEWALS) {
    const row = {
      ...PEER,
      version,
      proof: 'PSK',
      algorithms: `default offers, ${renewal}`,
    } satisfies Partial<MatrixRow>;
    matrixIt({ ...row, role: 'initiator' }, async (measure) => {
      await startPeer(version, 'PSK');
      const router = await measure(async () => {
        const started = await startBranch(version, 'PSK', lives);
        await eachReachesEach();
        return started;
      });
      const renewed = await awaitRenewal(router, 'plant');
      const pings = pingSteadily(network.branchHost, OFFICE_SECOND.host, '-I', BRANCH_SECOND.host);
      await renewed();
      await withLogOf(router, expectNoneLost(pings));
    });
  }
});
