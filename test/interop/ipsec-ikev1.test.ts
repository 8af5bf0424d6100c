import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { addresses } from '../../scripts/lab/branch-network.ts';
import type { LabCertificate } from '../../scripts/lab/certificates.ts';
import type { SwanConnection } from '../../scripts/lab/swanctl.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { IkeWitness } from './ike-witness.ts';
import {
  expectNoneLost,
  ipsecStatus,
  type Overlay,
  PSK,
  pingSteadily,
  waitForIpsec,
  withLogOf,
} from './ipsec-support.ts';
import { type MatrixRow, matrixIt } from './matrix.ts';
import {
  BRANCH_ID,
  BY_CERTIFICATE,
  dialsAs,
  FIRST,
  getsAddressAs,
  isDialledAs,
  OFFICE_ID,
  ProofLab,
  SECOND,
  SECOND_HOSTS,
} from './proof-lab.ts';
import { ping } from './site-pair.ts';

const ALGORITHMS = { ike: ['aes128-sha256-ecp256'], esp: ['aes128gcm16'] };
const COMMON = {
  peer: 'strongSwan 5.9 (libipsec)',
  version: 1,
  mode: 'tunnel',
  encapsulation: 'udp',
  algorithms: `${ALGORITHMS.ike} / ${ALGORITHMS.esp}`,
} satisfies Partial<MatrixRow>;

describe('IKEv1 beyond Main Mode with a key, against strongSwan in a namespace', () => {
  let lab: ProofLab;
  let own: LabCertificate;
  let theirs: LabCertificate;
  const witness = new IkeWitness();

  beforeAll(async () => {
    lab = await ProofLab.create({ office: 'namespace', authority: 'rsa', common: { version: 1, ...ALGORITHMS } });
    own = await lab.certificate('rsa', BRANCH_ID);
    theirs = await lab.certificate('rsa', OFFICE_ID);
    await witness.start(lab.network.internet);
  });

  afterEach(async () => {
    await witness.keep(lab.branch);
    await lab.endTest();
  });

  afterAll(async () => {
    await witness.remove();
    await lab?.remove();
  });

  const certificates = () => ({ own: theirs, authority: lab.authority.pem });

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
    const ends = async () => ({ there: there(), here, certificates: { own } });
    dialsAs({ ...COMMON, proof }, () => lab, ends);
    isDialledAs({ ...COMMON, proof }, () => lab, ends);
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
      await lab.startPeer(psk === undefined ? options : { ...options, psk });
      const router = await measure(async () => {
        const started = await lab.startBranch({ ...here, ikeLifetimeSeconds: 20 }, { own });
        await lab.pingThrough();
        return started;
      });
      const [ike] = (await lab.peer?.control.listSas()) ?? [];
      const pings = pingSteadily(lab.network.branchHost, addresses.officeHost);
      const loggedInAgain = async () => {
        const sas = (await lab.peer?.control.listSas()) ?? [];
        return sas.some(({ id, state }) => state === 'ESTABLISHED' && id !== ike?.id);
      };
      await waitFor('another ISAKMP SA', loggedInAgain, { timeoutMs: 40_000 });
      await pings.more(10);
      await lab.peer?.control.rekey('child');
      await pings.more(10);
      await expectNoneLost(pings);
      expect(await ipsecStatus(router, 'plant')).toMatchObject({ state: 'up', role: 'initiator' });
    });
  }

  const CALLER = { psk: PSK, aggressive: true, user: 'bob', users: SERVER.users };
  const ASKS = { psk: PSK, aggressive: true, remote: 'any', users: { bob: { password: LOGIN.password } } };

  for (const [proof, there, here] of [
    ['PSK and XAUTH, Aggressive Mode', () => CALLER, ASKS],
    [
      'RSA and XAUTH, Main Mode',
      () => ({ ...CALLER, psk: undefined, aggressive: false, certificates: certificates() }),
      { ...ASKS, psk: undefined, aggressive: false, ...BY_CERTIFICATE },
    ],
  ] as const) {
    matrixIt({ ...COMMON, proof, role: 'responder' }, async (measure) => {
      const { psk, ...options } = there();
      const caller = { ...options, ikeRekeySeconds: 15 };
      const { control } = await lab.startPeer(psk === undefined ? caller : { ...caller, psk });
      const router = await lab.startBranch(here, { own });
      await measure(async () => {
        await control.initiate();
        await lab.pingThrough();
      });
      expect(await waitForIpsec(router, 'plant', 'up')).toMatchObject({ role: 'responder', peerUser: 'bob' });
      const pings = pingSteadily(lab.network.branchHost, addresses.officeHost);
      const logins = () => router.log().split('OK, user bob').length;
      const before = logins();
      await withLogOf(
        router,
        waitFor('another login', () => logins() > before, { timeoutMs: 40_000 }),
      );
      await pings.more(20);
      await control.rekey('child');
      await pings.more(10);
      await expectNoneLost(pings);
    });
  }

  it('a caller whose password is wrong is turned away, and we say so', async () => {
    const { control } = await lab.startPeer({ ...CALLER, users: { bob: 'guess' } });
    const router = await lab.startBranch(ASKS);
    await expect(control.initiate()).rejects.toThrow();
    await lab.expectReason(router, /gave no good password for user bob/);
  });

  getsAddressAs(
    { ...COMMON, proof: 'PSK and XAUTH, address by Mode-Config' },
    () => lab,
    async () => ({ there: SERVER, here: LOGIN }),
  );

  matrixIt({ ...COMMON, proof: 'PSK, two networks each side', role: 'initiator' }, async (measure) => {
    const [localTraffic, remoteTraffic] = [FIRST.office, FIRST.branch];
    const moreTraffic = [
      { local: localTraffic, remote: SECOND.branch },
      { local: SECOND.office, remote: remoteTraffic },
      { local: SECOND.office, remote: SECOND.branch },
    ];
    await lab.startPeer({ psk: PSK, localId: addresses.officeWan, remoteId: addresses.branchWan, moreTraffic });
    const hosts = [
      [addresses.branchHost, addresses.officeHost],
      [addresses.branchHost, SECOND_HOSTS.office],
      [SECOND_HOSTS.branch, addresses.officeHost],
      [SECOND_HOSTS.branch, SECOND_HOSTS.office],
    ] as const;
    await measure(async () => {
      await lab.startBranch({
        psk: PSK,
        localId: undefined,
        remoteId: undefined,
        localSubnets: [FIRST.branch, SECOND.branch],
        remoteSubnets: [FIRST.office, SECOND.office],
      });
    });
    for (const [from, to] of hosts) {
      await waitFor(`${from} to ${to}`, () => ping(lab.network.branchHost, to, '-I', from), { timeoutMs: 60_000 });
    }
    const before = (await lab.peer?.control.installed()) ?? [];
    expect(before).toHaveLength(4);
    const rows = hosts.map(([from, to]) => pingSteadily(lab.network.branchHost, to, '-I', from));
    for (const { name } of before) await lab.peer?.control.rekey('child', name);
    const renewed = async () => {
      const installed = (await lab.peer?.control.installed()) ?? [];
      return installed.length >= 4 && installed.every(({ id }) => before.every((old) => old.id < id));
    };
    await waitFor('new keys for all four', renewed, { timeoutMs: 40_000, intervalMs: 200 });
    for (const pings of rows) await expectNoneLost(pings);
  });

  describe('that cannot come up', () => {
    it('because the password of XAUTH is wrong, says so', async () => {
      await lab.startPeer(SERVER);
      await lab.expectReason(await lab.startBranch({ ...LOGIN, password: 'wrong' }), /refused the login of user bob/);
    });

    it('because no user is configured, says so', async () => {
      await lab.startPeer({ ...SERVER, aggressive: false });
      const { user: _, password: __, ...plant } = LOGIN;
      await lab.expectReason(await lab.startBranch({ ...plant, aggressive: false, localId: undefined }), /\w+ \w+/);
    });

    it('because the key of Aggressive Mode is another one, says so', async () => {
      await lab.startPeer({ psk: PSK, aggressive: true });
      const router = await lab.startBranch({ psk: 'the key of another lab', aggressive: true });
      await lab.expectReason(router, /pre-shared key is another one/);
    });

    it('because the certificate of the peer names somebody else, says so', async () => {
      const other = await lab.authority.issue({ kind: 'rsa', name: 'elsewhere.example' });
      await lab.startPeer({ localId: 'elsewhere.example', certificates: { own: other, authority: lab.authority.pem } });
      await lab.expectReason(await lab.startBranch(BY_CERTIFICATE, { own }), /calls itself elsewhere\.example/);
    });
  });

  it('is read by our decoder as by tshark', async () => {
    const { ike, decrypted } = await witness.agree();
    expect(ike).toBeGreaterThan(40);
    expect(decrypted).toBeGreaterThan(20);
  });
});
