import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  addresses,
  type BranchNetwork,
  branchConfiguration,
  createBranchNetwork,
} from '../../scripts/lab/branch-network.ts';
import { LabAuthority, type LabCertificate } from '../../scripts/lab/certificates.ts';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { type Strongswan, startStrongswan } from '../../scripts/lab/strongswan.ts';
import type { SwanConnection } from '../../scripts/lab/swanctl.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { IkeWitness } from './ike-witness.ts';
import { expectNoneLost, ipsecStatus, type Overlay, PSK, pingSteadily, waitForIpsec } from './ipsec-support.ts';
import { type MatrixRow, matrixIt } from './matrix.ts';
import { ping } from './site-pair.ts';

const BRANCH_ID = 'branch.example';
const OFFICE_ID = 'office.example';
const SECOND_BRANCH = { network: '192.168.13.0/24', host: '192.168.13.10' };
const SECOND_OFFICE = { network: '10.98.0.0/24', host: '10.98.0.10', router: '10.98.0.1' };

const PEER = { peer: 'strongSwan 5.9 (libipsec)', version: 1, mode: 'tunnel', encapsulation: 'udp' } as const;
const ALGORITHMS = { ike: ['aes128-sha256-ecp256'], esp: ['aes128gcm16'] };
const COMMON = { ...PEER, algorithms: `${ALGORITHMS.ike} / ${ALGORITHMS.esp}` } satisfies Partial<MatrixRow>;

describe('IKEv1 beyond Main Mode with a key, against strongSwan in a namespace', { timeout: 90_000 }, () => {
  let network: BranchNetwork;
  let authority: LabAuthority;
  let own: LabCertificate;
  let theirs: LabCertificate;
  let branch: LabCulvert | undefined;
  let peer: Strongswan | undefined;
  const witness = new IkeWitness();

  beforeAll(async () => {
    authority = await LabAuthority.create('Lab authority', 'rsa');
    own = await authority.issue({ kind: 'rsa', name: BRANCH_ID });
    theirs = await authority.issue({ kind: 'rsa', name: OFFICE_ID });
    network = await createBranchNetwork('namespace');
    const { office, officeHost, branchHost } = network;
    await office.ip('address', 'add', `${addresses.officeWan}/24`, 'dev', 'eth0');
    await office.ip('address', 'add', `${addresses.officeLan}/24`, 'dev', 'lan0');
    // strongSwan routes a network only where it has an address in it.
    await office.ip('address', 'add', `${SECOND_OFFICE.router}/24`, 'dev', 'lan0');
    await office.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    await officeHost.ip('address', 'add', `${SECOND_OFFICE.host}/24`, 'dev', 'eth0');
    await branchHost.ip('address', 'add', `${SECOND_BRANCH.host}/32`, 'dev', 'lo');
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
    authority?.remove();
    await witness.remove();
    network?.delete();
  });

  async function startPeer(overlay: Partial<SwanConnection>): Promise<Strongswan> {
    peer = await startStrongswan({
      namespace: network.office,
      connections: [
        {
          version: 1,
          localAddress: addresses.officeWan,
          remoteAddress: addresses.branchWan,
          localId: OFFICE_ID,
          remoteId: BRANCH_ID,
          mode: 'tunnel',
          localTraffic: addresses.officeNetwork,
          remoteTraffic: addresses.branchNetwork,
          ...ALGORITHMS,
          ...overlay,
        },
      ],
    });
    return peer;
  }

  async function startBranch(plant: Overlay): Promise<LabCulvert> {
    const base = branchConfiguration({}, { ipsec: {} });
    const connection = {
      version: 1,
      remote: addresses.officeWan,
      localId: BRANCH_ID,
      remoteId: OFFICE_ID,
      localSubnets: [addresses.branchNetwork],
      remoteSubnets: [addresses.officeNetwork],
      ...ALGORITHMS,
      ...plant,
    };
    const routes = [{ prefix: SECOND_BRANCH.network, gateway: addresses.branchHost }];
    branch = new LabCulvert({
      name: 'branch',
      namespace: network.branch,
      configuration: {
        ...base,
        l2tp: {},
        ...('localSubnets' in plant ? { routes } : {}),
        ipsec: {
          certificates: { lab: { certificate: authority.pem }, own },
          connections: { plant: connection },
        },
      },
    });
    await branch.start();
    return branch;
  }

  const pingThrough = () =>
    waitFor('an answer through strongSwan', () => ping(network.branchHost, addresses.officeHost), {
      timeoutMs: 60_000,
    });

  const certificates = () => ({ own: theirs, authority: authority.pem });
  const BY_CERTIFICATE = { certificate: 'own', authorities: ['lab'] };

  /** What strongSwan is told, what the branch is, and how that is called. */
  const PROOFS: readonly (readonly [string, () => Partial<SwanConnection>, Overlay])[] = [
    ['RSA, Main Mode', () => ({ certificates: certificates() }), BY_CERTIFICATE],
    ['PSK, Aggressive Mode', () => ({ psk: PSK, aggressive: true }), { psk: PSK, aggressive: true }],
    [
      'RSA, Aggressive Mode',
      () => ({ certificates: certificates(), aggressive: true }),
      { ...BY_CERTIFICATE, aggressive: true },
    ],
  ];

  for (const [proof, there, here] of PROOFS) {
    matrixIt({ ...COMMON, proof, role: 'initiator' }, async (measure) => {
      await startPeer(there());
      const router = await measure(async () => {
        const started = await startBranch(here);
        await pingThrough();
        return started;
      });
      expect(await waitForIpsec(router, 'plant', 'up')).toMatchObject({ role: 'initiator' });
      expect(await ping(network.officeHost, addresses.branchHost)).toBe(true);
    });

    matrixIt({ ...COMMON, proof, role: 'responder' }, async (measure) => {
      const strongswan = await startPeer(there());
      const router = await startBranch({ ...here, remote: 'any' });
      await measure(async () => {
        await strongswan.control.initiate();
        await pingThrough();
      });
      expect(await waitForIpsec(router, 'plant', 'up')).toMatchObject({ role: 'responder' });
    });
  }

  const LOGIN = { psk: PSK, aggressive: true, user: 'bob', password: "bob 'pw' 1" };
  const SERVER = { psk: PSK, aggressive: true, xauth: true, users: { bob: "bob 'pw' 1" } };

  for (const [proof, there, here] of [
    ['PSK and XAUTH, Aggressive Mode', () => SERVER, LOGIN],
    [
      'RSA and XAUTH, Main Mode',
      () => ({ ...SERVER, psk: undefined, aggressive: false, certificates: certificates() }),
      { ...LOGIN, psk: undefined, aggressive: false, ...BY_CERTIFICATE },
    ],
  ] as const) {
    matrixIt({ ...COMMON, proof, role: 'initiator' }, async (measure) => {
      const { psk, ...options } = there();
      await startPeer(psk === undefined ? options : { ...options, psk });
      const router = await measure(async () => {
        const started = await startBranch({ ...here, ikeLifetimeSeconds: 20 });
        await pingThrough();
        return started;
      });
      const [ike] = (await peer?.control.listSas()) ?? [];
      const pings = pingSteadily(network.branchHost, addresses.officeHost);
      const loggedInAgain = async () => {
        const sas = (await peer?.control.listSas()) ?? [];
        return sas.some(({ id, state }) => state === 'ESTABLISHED' && id !== ike?.id);
      };
      await waitFor('another ISAKMP SA', loggedInAgain, { timeoutMs: 40_000 });
      await pings.more(10);
      await peer?.control.rekey('child');
      await pings.more(10);
      await expectNoneLost(pings);
      expect(await ipsecStatus(router, 'plant')).toMatchObject({ state: 'up', role: 'initiator' });
    });
  }

  matrixIt({ ...COMMON, proof: 'PSK, two networks each side', role: 'initiator' }, async (measure) => {
    const [localTraffic, remoteTraffic] = [addresses.officeNetwork, addresses.branchNetwork];
    const moreTraffic = [
      { local: localTraffic, remote: SECOND_BRANCH.network },
      { local: SECOND_OFFICE.network, remote: remoteTraffic },
      { local: SECOND_OFFICE.network, remote: SECOND_BRANCH.network },
    ];
    await startPeer({ psk: PSK, localId: addresses.officeWan, remoteId: addresses.branchWan, moreTraffic });
    const hosts = [
      [addresses.branchHost, addresses.officeHost],
      [addresses.branchHost, SECOND_OFFICE.host],
      [SECOND_BRANCH.host, addresses.officeHost],
      [SECOND_BRANCH.host, SECOND_OFFICE.host],
    ] as const;
    await measure(async () => {
      await startBranch({
        psk: PSK,
        localId: undefined,
        remoteId: undefined,
        localSubnets: [addresses.branchNetwork, SECOND_BRANCH.network],
        remoteSubnets: [addresses.officeNetwork, SECOND_OFFICE.network],
      });
    });
    for (const [from, to] of hosts) {
      await waitFor(`${from} to ${to}`, () => ping(network.branchHost, to, '-I', from), { timeoutMs: 60_000 });
    }
    const before = (await peer?.control.installed()) ?? [];
    expect(before).toHaveLength(4);
    const rows = hosts.map(([from, to]) => pingSteadily(network.branchHost, to, '-I', from));
    for (const { name } of before) await peer?.control.rekey('child', name);
    const renewed = async () => {
      const installed = (await peer?.control.installed()) ?? [];
      return installed.length >= 4 && installed.every(({ id }) => before.every((old) => old.id < id));
    };
    await waitFor('new keys for all four', renewed, { timeoutMs: 40_000, intervalMs: 200 });
    for (const pings of rows) await expectNoneLost(pings);
  });

  describe('that cannot come up', () => {
    const reasonHere = async (router: LabCulvert, wanted: RegExp) => {
      let last = '';
      const probe = async () => {
        const { reason = '', remedy = '' } = (await ipsecStatus(router, 'plant')) ?? {};
        last = `${reason}; ${remedy}`;
        return wanted.test(last);
      };
      await waitFor(`words like ${wanted}`, probe, { timeoutMs: 60_000 }).catch((error: unknown) => {
        throw new Error(`${error instanceof Error ? error.message : error}; said was: ${last}\n${router.log()}`);
      });
      expect(await ping(network.branchHost, addresses.officeHost)).toBe(false);
    };

    it('because the password of XAUTH is wrong, says so', async () => {
      await startPeer(SERVER);
      await reasonHere(await startBranch({ ...LOGIN, password: 'wrong' }), /refused the login of user bob/);
    });

    it('because no user is configured, says so', async () => {
      await startPeer({ ...SERVER, aggressive: false });
      const { user: _, password: __, ...plant } = LOGIN;
      await reasonHere(await startBranch({ ...plant, aggressive: false, localId: undefined }), /\w+ \w+/);
    });

    it('because the key of Aggressive Mode is another one, says so', async () => {
      await startPeer({ psk: PSK, aggressive: true });
      const router = await startBranch({ psk: 'the key of another lab', aggressive: true });
      await reasonHere(router, /pre-shared key is another one/);
    });

    it('because the certificate of the peer names somebody else, says so', async () => {
      const other = await authority.issue({ kind: 'rsa', name: 'elsewhere.example' });
      await startPeer({ localId: 'elsewhere.example', certificates: { own: other, authority: authority.pem } });
      await reasonHere(await startBranch(BY_CERTIFICATE), /calls itself elsewhere\.example/);
    });
  });

  it('is read by our decoder as by tshark', async () => {
    const { ike, decrypted } = await witness.agree();
    expect(ike).toBeGreaterThan(40);
    expect(decrypted).toBeGreaterThan(20);
  });
});
