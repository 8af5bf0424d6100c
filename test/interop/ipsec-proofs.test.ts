import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  addresses,
  type BranchNetwork,
  branchConfiguration,
  createBranchNetwork,
} from '../../scripts/lab/branch-network.ts';
import { LabAuthority, type LabCertificate, type LabKeyKind } from '../../scripts/lab/certificates.ts';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { type Strongswan, startStrongswan } from '../../scripts/lab/strongswan.ts';
import type { SwanConnection } from '../../scripts/lab/swanctl.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { IkeWitness } from './ike-witness.ts';
import { expectNoneLost, ipsecStatus, type Overlay, pingSteadily, waitForIpsec } from './ipsec-support.ts';
import { type MatrixRow, matrixIt } from './matrix.ts';
import { ping } from './site-pair.ts';

const BRANCH_ID = 'branch.example';
const OFFICE_ID = 'office.example';

const PEER = { peer: 'strongSwan 5.9 (libipsec)', version: 2, mode: 'tunnel', encapsulation: 'udp' } as const;
const ALGORITHMS = { ike: ['aes128gcm16-prfsha256-x25519'], esp: ['aes128gcm16'] };
const COMMON = { ...PEER, algorithms: `${ALGORITHMS.ike} / ${ALGORITHMS.esp}` } satisfies Partial<MatrixRow>;

/** Kind of our key, of theirs, and how that is called. */
const SIGNATURES = [
  ['rsa', 'rsa', 'RSA'],
  ['ecdsa', 'ecdsa384', 'ECDSA'],
  ['ed25519', 'ed25519', 'EdDSA'],
] as const;

describe('IKEv2 with certificates and EAP, against strongSwan in a namespace', { timeout: 90_000 }, () => {
  let network: BranchNetwork;
  let authority: LabAuthority;
  let stranger: LabAuthority;
  let branch: LabCulvert | undefined;
  let peer: Strongswan | undefined;
  const witness = new IkeWitness();
  const issued = new Map<string, LabCertificate>();

  beforeAll(async () => {
    [authority, stranger] = await Promise.all([LabAuthority.create(), LabAuthority.create('Another authority')]);
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
    authority?.remove();
    stranger?.remove();
    await witness.remove();
    network?.delete();
  });

  /** One of a kind and a name is enough for all cases. */
  async function certificate(kind: LabKeyKind, name: string): Promise<LabCertificate> {
    const key = `${kind} ${name}`;
    const known = issued.get(key) ?? (await authority.issue({ kind, name }));
    issued.set(key, known);
    return known;
  }

  async function startPeer(overlay: Partial<SwanConnection>): Promise<Strongswan> {
    peer = await startStrongswan({
      namespace: network.office,
      connections: [
        {
          version: 2,
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

  async function startBranch(plant: Overlay, certificates: Overlay): Promise<LabCulvert> {
    const base = branchConfiguration({}, { ipsec: {} });
    const connection = {
      version: 2,
      remote: addresses.officeWan,
      localId: BRANCH_ID,
      remoteId: OFFICE_ID,
      authorities: ['lab'],
      localSubnets: [addresses.branchNetwork],
      remoteSubnets: [addresses.officeNetwork],
      ...ALGORITHMS,
      ...plant,
    };
    branch = new LabCulvert({
      name: 'branch',
      namespace: network.branch,
      configuration: {
        ...base,
        l2tp: {},
        ipsec: {
          certificates: { lab: { certificate: authority.pem }, ...certificates },
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

  for (const [ours, theirs, proof] of SIGNATURES) {
    const row = { ...COMMON, proof };

    matrixIt({ ...row, role: 'initiator' }, async (measure) => {
      const own = await certificate(ours, BRANCH_ID);
      await startPeer({ certificates: { own: await certificate(theirs, OFFICE_ID), authority: authority.pem } });
      const router = await measure(async () => {
        const started = await startBranch({ certificate: 'own' }, { own });
        await pingThrough();
        return started;
      });
      expect(await waitForIpsec(router, 'plant', 'up')).toMatchObject({ role: 'initiator' });
      expect(await ping(network.officeHost, addresses.branchHost)).toBe(true);
    });

    matrixIt({ ...row, role: 'responder' }, async (measure) => {
      const own = await certificate(ours, BRANCH_ID);
      const strongswan = await startPeer({
        certificates: { own: await certificate(theirs, OFFICE_ID), authority: authority.pem },
      });
      const router = await startBranch({ remote: 'any', certificate: 'own' }, { own });
      await measure(async () => {
        await strongswan.control.initiate();
        await pingThrough();
      });
      expect(await waitForIpsec(router, 'plant', 'up')).toMatchObject({ role: 'responder' });
    });
  }

  matrixIt({ ...COMMON, proof: 'EAP-MSCHAPv2', role: 'initiator' }, async (measure) => {
    await startPeer({
      localAuth: 'pubkey',
      remoteAuth: 'eap-mschapv2',
      users: { alice: "alice 'pw' 1" },
      certificates: { own: await certificate('ecdsa', OFFICE_ID), authority: authority.pem },
    });
    const router = await measure(async () => {
      const started = await startBranch({ user: 'alice', password: "alice 'pw' 1" }, {});
      await pingThrough();
      return started;
    });
    const pings = pingSteadily(network.branchHost, addresses.officeHost);
    await pings.more(5);
    await peer?.control.rekey('ike');
    await pings.more(10);
    await peer?.control.rekey('child');
    await pings.more(10);
    await expectNoneLost(pings);
    expect((await ipsecStatus(router, 'plant'))?.state).toBe('up');
  });

  matrixIt({ ...COMMON, proof: 'EAP-MSCHAPv2', role: 'responder' }, async (measure) => {
    const strongswan = await startPeer({
      localAuth: 'eap-mschapv2',
      remoteAuth: 'pubkey',
      localId: 'bob',
      user: 'bob',
      users: { bob: 'bob-pw' },
      certificates: { authority: authority.pem },
    });
    const own = await certificate('rsa', BRANCH_ID);
    const router = await startBranch(
      {
        remote: 'any',
        remoteId: 'bob',
        certificate: 'own',
        authorities: undefined,
        users: { bob: { password: 'bob-pw' } },
      },
      { own },
    );
    await measure(async () => {
      await strongswan.control.initiate();
      await pingThrough();
    });
    expect(await waitForIpsec(router, 'plant', 'up')).toMatchObject({ role: 'responder' });
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
    };

    it.each([
      ['expired', { fromDay: -20, toDay: -2 }, OFFICE_ID, /expired/],
      ['is not valid yet', { fromDay: 2, toDay: 20 }, OFFICE_ID, /not (yet )?valid|valid only from|not before/],
      ['names somebody else', {}, 'elsewhere.example', /elsewhere\.example/],
    ] as const)('because the certificate of the peer %s, says so', async (_, days, name, words) => {
      const theirs = await authority.issue({ kind: 'ecdsa', name, ...days });
      await startPeer({ certificates: { own: theirs, authority: authority.pem } });
      const own = await certificate('ecdsa', BRANCH_ID);
      await reasonHere(await startBranch({ certificate: 'own' }, { own }), words);
      expect(await ping(network.branchHost, addresses.officeHost)).toBe(false);
    });

    it('because another authority issued the certificate of the peer, says so', async () => {
      const theirs = await stranger.issue({ kind: 'ecdsa', name: OFFICE_ID });
      await startPeer({ certificates: { own: theirs, authority: authority.pem } });
      const own = await certificate('ecdsa', BRANCH_ID);
      await reasonHere(await startBranch({ certificate: 'own' }, { own }), /Another authority|authorit/);
    });

    it('because the certificate of the peer was revoked, says so', async () => {
      const theirs = await authority.issue({ kind: 'ecdsa', name: OFFICE_ID });
      const crl = await authority.revoke(theirs);
      await startPeer({ certificates: { own: theirs, authority: authority.pem } });
      const own = await certificate('ecdsa', BRANCH_ID);
      const router = await startBranch({ certificate: 'own' }, { own, lab: { certificate: authority.pem, crl } });
      await reasonHere(router, /revoked/);
    });

    it('because the peer does not believe our certificate, says that', async () => {
      await startPeer({ certificates: { own: await certificate('ecdsa', OFFICE_ID), authority: authority.pem } });
      const own = await stranger.issue({ kind: 'ecdsa', name: BRANCH_ID });
      await reasonHere(await startBranch({ certificate: 'own' }, { own }), /does not accept our identity.*certificate/);
    });

    it('because the password is wrong, says so', async () => {
      await startPeer({
        localAuth: 'pubkey',
        remoteAuth: 'eap-mschapv2',
        users: { alice: 'alice-pw' },
        certificates: { own: await certificate('ecdsa', OFFICE_ID), authority: authority.pem },
      });
      await reasonHere(await startBranch({ user: 'alice', password: 'wrong' }, {}), /user alice.*password|user name/);
    });
  });

  it('is read by our decoder as by tshark', async () => {
    const { ike, decrypted } = await witness.agree();
    expect(ike).toBeGreaterThan(20);
    expect(decrypted).toBeGreaterThan(10);
  });
});
