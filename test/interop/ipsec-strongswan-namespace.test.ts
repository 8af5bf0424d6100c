import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  addresses,
  type BranchNetwork,
  branchConfiguration,
  createBranchNetwork,
} from '../../scripts/lab/branch-network.ts';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { type Strongswan, startStrongswan } from '../../scripts/lab/strongswan.ts';
import type { SwanConnection } from '../../scripts/lab/swanctl.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { IkeWitness } from './ike-witness.ts';
import { expectNoneLost, ipsecStatus, type Overlay, PSK, pingSteadily, waitForIpsec } from './ipsec-support.ts';
import { type MatrixRow, matrixIt } from './matrix.ts';
import { ping } from './site-pair.ts';

/** Its ESP in user space knows tunnel mode only, and always goes in UDP. */
const PEER = { peer: 'strongSwan 5.9 (libipsec)', mode: 'tunnel', encapsulation: 'udp' } as const;

const CASES = [
  [2, 'aes256gcm16-prfsha256-ecp256', 'aes128gcm16'],
  [2, 'aes128-sha256-x25519', 'aes256-sha256'],
  [2, 'aes256-sha256-modp2048', 'chacha20poly1305'],
  [1, 'aes256-sha256-modp2048', 'aes256-sha256'],
  [1, 'aes128-sha1-ecp256', 'aes128gcm16'],
] as const;

/** Their algorithms for both kinds of SA, as strongSwan lists the one of ESP. */
const ESP_NAMES: Readonly<Record<string, string>> = {
  aes128gcm16: 'AES_GCM_16-128',
  'aes256-sha256': 'AES_CBC-256/HMAC_SHA2_256_128',
  chacha20poly1305: 'CHACHA20_POLY1305',
};

describe('strongSwan in a namespace, in tunnel mode', () => {
  let network: BranchNetwork;
  let branch: LabCulvert | undefined;
  let peer: Strongswan | undefined;
  const witness = new IkeWitness();

  beforeAll(async () => {
    network = await createBranchNetwork('namespace');
    const { office } = network;
    await office.ip('address', 'add', `${addresses.officeWan}/24`, 'dev', 'eth0');
    await office.ip('address', 'add', `${addresses.officeLan}/24`, 'dev', 'lan0');
    await office.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    await witness.start(network.internet);
  });

  afterEach(async () => {
    await witness.keep(branch);
    await branch?.remove();
    branch = undefined;
    await peer?.stop();
    peer = undefined;
  });

  afterAll(async () => {
    await witness.remove();
    network?.delete();
  });

  async function startPeer(version: 1 | 2, overlay: Partial<SwanConnection> = {}): Promise<Strongswan> {
    peer = await startStrongswan({
      namespace: network.office,
      connections: [
        {
          version,
          localAddress: addresses.officeWan,
          remoteAddress: addresses.branchWan,
          psk: PSK,
          mode: 'tunnel',
          localTraffic: addresses.officeNetwork,
          remoteTraffic: addresses.branchNetwork,
          ...overlay,
        },
      ],
    });
    return peer;
  }

  async function startBranch(version: 1 | 2, overlay: Overlay): Promise<LabCulvert> {
    const plant = {
      version,
      remote: addresses.officeWan,
      psk: PSK,
      mode: 'tunnel',
      localSubnets: [addresses.branchNetwork],
      remoteSubnets: [addresses.officeNetwork],
      start: 'boot',
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
    waitFor('an answer through strongSwan', () => ping(network.branchHost, addresses.officeHost), {
      timeoutMs: 20_000,
    });

  for (const [version, ike, esp] of CASES) {
    const row = { ...PEER, version, algorithms: `${ike} / ${esp}` } satisfies Partial<MatrixRow>;

    matrixIt({ ...row, role: 'initiator' }, async (measure) => {
      const strongswan = await startPeer(version, { ike: [ike], esp: [esp] });
      const router = await measure(async () => {
        const started = await startBranch(version, { ike: [ike], esp: [esp] });
        await pingThrough();
        return started;
      });
      expect(await strongswan.control.installed()).toMatchObject([{ algorithms: ESP_NAMES[esp], encapsulated: true }]);
      expect(await waitForIpsec(router, 'plant', 'up')).toMatchObject({ role: 'initiator', encapsulation: 'udp' });
      expect(await ping(network.officeHost, addresses.branchHost)).toBe(true);
    });

    matrixIt({ ...row, role: 'responder' }, async (measure) => {
      const strongswan = await startPeer(version, { ike: [ike], esp: [esp] });
      const router = await startBranch(version, { remote: 'any', ike: [ike], esp: [esp] });
      await measure(async () => {
        await strongswan.control.initiate();
        await pingThrough();
      });
      expect(await strongswan.control.installed()).toMatchObject([{ algorithms: ESP_NAMES[esp], encapsulated: true }]);
      expect(await waitForIpsec(router, 'plant', 'up')).toMatchObject({ role: 'responder', encapsulation: 'udp' });
    });
  }

  for (const version of [1, 2] as const) {
    for (const role of ['initiator', 'responder'] as const) {
      it(`is met with its profile by IKEv${version} as ${role}, and recognised where it gives itself away`, async () => {
        const strongswan = await startPeer(version, { ike: ['default'], esp: ['default'] });
        const remote = role === 'initiator' ? addresses.officeWan : 'any';
        const router = await startBranch(version, { profile: 'strongswan', remote });
        if (role === 'responder') await strongswan.control.initiate();
        await pingThrough();
        const { peerLooksLike } = await waitForIpsec(router, 'plant', 'up');
        // With IKEv2 it has no vendor id, unless it is told to.
        const looks = version === 1 ? 'strongSwan (which vendor ids come in which order)' : undefined;
        expect(peerLooksLike).toBe(looks);
      });
    }

    it(`gets new keys of both kinds by IKEv${version} when it wants them, and no packet is lost`, async () => {
      const strongswan = await startPeer(version);
      await startBranch(version, {});
      await pingThrough();
      const [ike] = await strongswan.control.listSas();
      const [child] = await strongswan.control.installed();
      const pings = pingSteadily(network.branchHost, addresses.officeHost);
      await pings.more(5);
      await strongswan.control.rekey('child');
      const newChild = async () => (await strongswan.control.installed()).every(({ id }) => id !== child?.id);
      await waitFor('a new child SA', newChild);
      await pings.more(10);
      await strongswan.control.rekey('ike');
      const newIke = async () =>
        (await strongswan.control.listSas()).some(({ id, state }) => state === 'ESTABLISHED' && id !== ike?.id);
      await waitFor('a new IKE SA', newIke);
      await pings.more(10);
      await strongswan.control.rekey('child');
      await waitFor('another child SA', async () =>
        (await strongswan.control.installed()).some(({ id }) => id > (child?.id ?? 0) + 1),
      );
      await expectNoneLost(pings);
    });

    it(`gives new keys of both kinds by IKEv${version} in time, and no packet is lost`, async () => {
      const strongswan = await startPeer(version);
      const router = await startBranch(version, { lifetimeSeconds: 20, ikeLifetimeSeconds: 20 });
      await pingThrough();
      const [ike] = await strongswan.control.listSas();
      const [child] = await strongswan.control.installed();
      const pings = pingSteadily(network.branchHost, addresses.officeHost);
      const renewed = async () => {
        await witness.keep(router);
        const sas = await strongswan.control.listSas();
        const installed = await strongswan.control.installed();
        const newIke = sas.some(({ id, state }) => state === 'ESTABLISHED' && id !== ike?.id);
        return newIke && installed.length > 0 && installed.every(({ id }) => id !== child?.id);
      };
      await waitFor('new keys', renewed, { timeoutMs: 30_000, intervalMs: 200 });
      await expectNoneLost(pings);
      expect((await ipsecStatus(router, 'plant'))?.state).toBe('up');
    });
  }

  it('is read by our decoder as by tshark: what both said, and with our keys what was encrypted', async () => {
    const { ike, decrypted, esp, icvGood } = await witness.agree();
    expect(ike).toBeGreaterThanOrEqual(CASES.length * 2 * 4);
    expect(decrypted).toBeGreaterThanOrEqual(CASES.length * 2 * 2);
    expect(esp).toBeGreaterThanOrEqual(CASES.length * 2 * 2);
    expect(icvGood).toBeGreaterThanOrEqual((CASES.length - 1) * 2 * 2);
  });
});
