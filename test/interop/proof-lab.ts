/**
 * A branch that is Culvert and an office that is strongSwan, in a namespace or in a guest, for tests of how the two prove
 * who they are. Each has two networks, of which the second is used where a test names it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  addresses,
  type BranchNetwork,
  branchConfiguration,
  createBranchNetwork,
  officeTaps,
} from '../../scripts/lab/branch-network.ts';
import { LabAuthority, type LabCertificate, type LabKeyKind } from '../../scripts/lab/certificates.ts';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { type Guest, startGuest } from '../../scripts/lab/guest.ts';
import { startStrongswan } from '../../scripts/lab/strongswan.ts';
import { startStrongswanInGuest } from '../../scripts/lab/strongswan-guest.ts';
import type { SwanConnection, SwanControl } from '../../scripts/lab/swanctl.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { expectNoneLost, ipsecStatus, type Overlay, pingSteadily, waitForIpsec, withLogOf } from './ipsec-support.ts';
import { type MatrixRow, matrixIt } from './matrix.ts';
import { ping } from './site-pair.ts';

export const BRANCH_ID = 'branch.example';
export const OFFICE_ID = 'office.example';

export const FIRST = { branch: addresses.branchNetwork, office: addresses.officeNetwork };
export const SECOND = { branch: '192.168.13.0/24', office: '10.98.0.0/24' };
/** In each of {@link SECOND}. */
export const SECOND_HOSTS = { branch: '192.168.13.10', office: '10.98.0.10' };
const SECOND_OFFICE_ROUTER = '10.98.0.1';

/** Of the branch: its own certificate, and whom it believes. */
export const BY_CERTIFICATE = { certificate: 'own', authorities: ['lab'] };

/** Either kind of strongSwan. */
export interface Peer {
  readonly control: SwanControl;
  stop(): Promise<void>;
}

export interface ProofLabOptions {
  /** Where strongSwan runs. */
  readonly office: 'namespace' | 'guest';
  /** Of the authority's key. Default: ECDSA. */
  readonly authority?: LabKeyKind;
  /** What both ends are told in each test. */
  readonly common: Pick<SwanConnection, 'version' | 'ike' | 'esp'>;
}

export class ProofLab {
  readonly network: BranchNetwork;
  readonly authority: LabAuthority;
  readonly #options: ProofLabOptions;
  readonly #guest: Guest | undefined;
  readonly #issued = new Map<string, LabCertificate>();
  branch: LabCulvert | undefined;
  peer: Peer | undefined;

  private constructor(
    options: ProofLabOptions,
    authority: LabAuthority,
    network: BranchNetwork,
    guest: Guest | undefined,
  ) {
    this.#options = options;
    this.authority = authority;
    this.network = network;
    this.#guest = guest;
  }

  static async create(options: ProofLabOptions): Promise<ProofLab> {
    const authority = await LabAuthority.create('Lab authority', options.authority);
    const network = await createBranchNetwork(options.office);
    const { officeHost, branchHost } = network;
    await officeHost.ip('address', 'add', `${SECOND_HOSTS.office}/24`, 'dev', 'eth0');
    await branchHost.ip('address', 'add', `${SECOND_HOSTS.branch}/32`, 'dev', 'lo');
    const guest = options.office === 'guest' ? await startOffice(network) : await prepareOffice(network);
    return new ProofLab(options, authority, network, guest);
  }

  /** Ends what a test has started. */
  async endTest(): Promise<void> {
    await this.branch?.remove();
    this.branch = undefined;
    await this.peer?.stop();
    this.peer = undefined;
  }

  async remove(): Promise<void> {
    this.authority.remove();
    await this.#guest?.stop();
    this.network.delete();
  }

  /** One of a kind and a name is enough for all cases. */
  async certificate(kind: LabKeyKind, name: string): Promise<LabCertificate> {
    const key = `${kind} ${name}`;
    const known = this.#issued.get(key) ?? (await this.authority.issue({ kind, name }));
    this.#issued.set(key, known);
    return known;
  }

  async startPeer(overlay: Partial<SwanConnection>): Promise<Peer> {
    const connection: SwanConnection = {
      ...this.#options.common,
      localAddress: addresses.officeWan,
      remoteAddress: addresses.branchWan,
      localId: OFFICE_ID,
      remoteId: BRANCH_ID,
      mode: 'tunnel',
      localTraffic: FIRST.office,
      remoteTraffic: FIRST.branch,
      ...overlay,
    };
    this.peer =
      this.#guest === undefined
        ? await startStrongswan({ namespace: this.network.office, connections: [connection] })
        : await startStrongswanInGuest(this.#guest, [connection]);
    return this.peer;
  }

  /**
   * @param plant laid over the branch's connection of that name.
   * @param certificates beside `lab`, the authority.
   */
  async startBranch(plant: Overlay, certificates: Overlay = {}): Promise<LabCulvert> {
    const connection = {
      ...this.#options.common,
      remote: addresses.officeWan,
      localId: BRANCH_ID,
      remoteId: OFFICE_ID,
      localSubnets: [FIRST.branch],
      remoteSubnets: [FIRST.office],
      ...plant,
    };
    const routes = [{ prefix: SECOND.branch, gateway: addresses.branchHost }];
    this.branch = new LabCulvert({
      name: 'branch',
      namespace: this.network.branch,
      configuration: {
        ...branchConfiguration({}, { ipsec: {} }),
        l2tp: {},
        ...('localSubnets' in plant ? { routes } : {}),
        ipsec: {
          certificates: { lab: { certificate: this.authority.pem }, ...certificates },
          connections: { plant: connection },
        },
      },
    });
    await this.branch.start();
    return this.branch;
  }

  /** Waits until the office's host answers the branch's. */
  async pingThrough(): Promise<void> {
    const answered = () => ping(this.network.branchHost, addresses.officeHost);
    await withLogOf(this.branch, waitFor('an answer through strongSwan', answered, { timeoutMs: 60_000 }));
  }

  /** Waits for words like these in the branch's status; nothing goes through. */
  async expectReason(router: LabCulvert, wanted: RegExp): Promise<void> {
    let last = '';
    const probe = async () => {
      const { reason = '', remedy = '' } = (await ipsecStatus(router, 'plant')) ?? {};
      last = `${reason}; ${remedy}`;
      return wanted.test(last);
    };
    await waitFor(`words like ${wanted}`, probe, { timeoutMs: 60_000 }).catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : error}; said was: ${last}\n${router.log()}`);
    });
    expect(await ping(this.network.branchHost, addresses.officeHost)).toBe(false);
  }
}

/** How a row's two ends prove who they are. */
export interface ProofEnds {
  /** Laid over strongSwan's connection. */
  readonly there: Partial<SwanConnection>;
  /** Laid over the branch's connection. */
  readonly here: Overlay;
  /** Of the branch, beside the authority. */
  readonly certificates?: Overlay;
}

/** A case of the matrix in which the branch dials. New keys of either kind, by the peer's wish, lose no ping. */
export function dialsAs(
  row: Omit<MatrixRow, 'role'>,
  lab: () => ProofLab,
  ends: (lab: ProofLab) => Promise<ProofEnds>,
): void {
  matrixIt({ ...row, role: 'initiator' }, async (measure) => {
    const { there, here, certificates } = await ends(lab());
    const { control } = await lab().startPeer(there);
    const router = await measure(async () => {
      const started = await lab().startBranch(here, certificates);
      await lab().pingThrough();
      return started;
    });
    expect(await waitForIpsec(router, 'plant', 'up')).toMatchObject({ role: 'initiator' });
    const { branchHost, officeHost } = lab().network;
    expect(await ping(officeHost, addresses.branchHost)).toBe(true);
    const pings = pingSteadily(branchHost, addresses.officeHost);
    await pings.more(5);
    // IKEv1 knows no rekeying of the ISAKMP SA, only another one.
    if (row.version === 2) await control.rekey('ike');
    await pings.more(10);
    await control.rekey('child');
    await pings.more(10);
    await expectNoneLost(pings);
    expect((await ipsecStatus(router, 'plant'))?.state).toBe('up');
  });
}

/** A case of the matrix in which the peer gives the branch an inner address and a name server. */
export function getsAddressAs(
  row: Omit<MatrixRow, 'role'>,
  lab: () => ProofLab,
  ends: (lab: ProofLab) => Promise<ProofEnds>,
): void {
  matrixIt({ ...row, role: 'initiator' }, async (measure) => {
    const { there, here, certificates } = await ends(lab());
    const dns = addresses.officeHost;
    await lab().startPeer({ ...there, pool: { addresses: '10.77.0.0/24', dns: [dns] }, remoteTraffic: 'dynamic' });
    const router = await measure(async () => {
      const started = await lab().startBranch({ ...here, virtualAddress: true }, certificates);
      await lab().pingThrough();
      return started;
    });
    const { children } = await waitForIpsec(router, 'plant', 'up');
    const local = children.map(({ localSelectors }) => localSelectors.join());
    expect(local).toEqual([expect.stringMatching(/^10\.77\.0\.\d+/)]);
    expect(readFileSync(join(router.stateDir, 'dns', 'plant.conf'), 'utf8')).toContain(`nameserver ${dns}`);
  });
}

/** A case of the matrix in which the peer dials. */
export function isDialledAs(
  row: Omit<MatrixRow, 'role'>,
  lab: () => ProofLab,
  ends: (lab: ProofLab) => Promise<ProofEnds>,
): void {
  matrixIt({ ...row, role: 'responder' }, async (measure) => {
    const { there, here, certificates } = await ends(lab());
    const { control } = await lab().startPeer(there);
    const router = await lab().startBranch({ remote: 'any', ...here }, certificates);
    await measure(async () => {
      await control.initiate();
      await lab().pingThrough();
    });
    expect(await waitForIpsec(router, 'plant', 'up')).toMatchObject({ role: 'responder' });
  });
}

/** IKEv2 with a certificate at each end. */
export const byCertificates =
  (ours: LabKeyKind, theirs: LabKeyKind) =>
  async (lab: ProofLab): Promise<ProofEnds> => ({
    there: { certificates: { own: await lab.certificate(theirs, OFFICE_ID), authority: lab.authority.pem } },
    here: BY_CERTIFICATE,
    certificates: { own: await lab.certificate(ours, BRANCH_ID) },
  });

export const SIGNATURE_CASES = [
  { proof: 'RSA', ends: byCertificates('rsa', 'rsa') },
  { proof: 'ECDSA', ends: byCertificates('ecdsa', 'ecdsa384') },
  { proof: 'EdDSA', ends: byCertificates('ed25519', 'ed25519') },
];

/** IKEv2 with a certificate at one end and a password at the other. */
export const EAP_CASES = {
  proof: 'EAP-MSCHAPv2',
  asClient: async (lab: ProofLab): Promise<ProofEnds> => ({
    there: {
      localAuth: 'pubkey',
      remoteAuth: 'eap-mschapv2',
      users: { alice: "alice 'pw' 1" },
      certificates: { own: await lab.certificate('ecdsa', OFFICE_ID), authority: lab.authority.pem },
    },
    here: { user: 'alice', password: "alice 'pw' 1", authorities: ['lab'] },
  }),
  asServer: async (lab: ProofLab): Promise<ProofEnds> => ({
    there: {
      localAuth: 'eap-mschapv2',
      remoteAuth: 'pubkey',
      localId: 'bob',
      user: 'bob',
      users: { bob: 'bob-pw' },
      certificates: { authority: lab.authority.pem },
    },
    here: { remoteId: 'bob', certificate: 'own', users: { bob: { password: 'bob-pw' } } },
    certificates: { own: await lab.certificate('rsa', BRANCH_ID) },
  }),
};

async function startOffice({ internet }: BranchNetwork): Promise<Guest> {
  const guest = await startGuest({
    name: 'office',
    namespace: internet,
    gateway: addresses.internet,
    cards: [
      { tap: officeTaps.wan, addresses: [`${addresses.officeWan}/24`] },
      { tap: officeTaps.lan, addresses: [`${addresses.officeLan}/24`, `${SECOND_OFFICE_ROUTER}/24`] },
    ],
  });
  await guest.exec('sysctl -qw net.ipv4.ip_forward=1');
  return guest;
}

/** strongSwan routes a network only where it has an address in it. */
async function prepareOffice({ office }: BranchNetwork): Promise<undefined> {
  await office.ip('address', 'add', `${addresses.officeWan}/24`, 'dev', 'eth0');
  for (const address of [addresses.officeLan, SECOND_OFFICE_ROUTER]) {
    await office.ip('address', 'add', `${address}/24`, 'dev', 'lan0');
  }
  await office.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
}
