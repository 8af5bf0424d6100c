/** A branch that is Culvert and an office that is Libreswan in a guest, with one network each. */
import {
  addresses,
  type BranchNetwork,
  branchConfiguration,
  createBranchNetwork,
  officeTaps,
} from '../../scripts/lab/branch-network.ts';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { type Guest, startGuest } from '../../scripts/lab/guest.ts';
import { type Libreswan, type LibreswanOptions, startLibreswan } from '../../scripts/lab/libreswan.ts';
import { lastLines } from '../../scripts/lab/shell.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { type Overlay, PSK, withLogOf } from './ipsec-support.ts';
import { ping } from './site-pair.ts';

export class LibreswanLab {
  readonly network: BranchNetwork;
  readonly #guest: Guest;
  branch: LabCulvert | undefined;
  peer: Libreswan | undefined;

  private constructor(network: BranchNetwork, guest: Guest) {
    this.network = network;
    this.#guest = guest;
  }

  static async create(): Promise<LibreswanLab> {
    const network = await createBranchNetwork('guest');
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
    return new LibreswanLab(network, guest);
  }

  /** Ends what a test has started. */
  async endTest(): Promise<void> {
    await this.branch?.remove();
    this.branch = undefined;
    await this.peer?.stop();
    this.peer = undefined;
  }

  async remove(): Promise<void> {
    await this.#guest.stop();
    this.network.delete();
  }

  async startPeer(options: Pick<LibreswanOptions, 'version'> & Partial<LibreswanOptions>): Promise<Libreswan> {
    this.peer = await startLibreswan(this.#guest, {
      localAddress: addresses.officeWan,
      remoteAddress: addresses.branchWan,
      localSubnets: [addresses.officeNetwork],
      remoteSubnets: [addresses.branchNetwork],
      psk: PSK,
      ...options,
    });
    return this.peer;
  }

  /** @param overlay laid over the branch's connection `plant`. */
  async startBranch(overlay: Overlay): Promise<LabCulvert> {
    const plant = {
      remote: addresses.officeWan,
      localSubnets: [addresses.branchNetwork],
      remoteSubnets: [addresses.officeNetwork],
      psk: PSK,
      ...overlay,
    };
    this.branch = new LabCulvert({
      name: 'branch',
      namespace: this.network.branch,
      configuration: { ...branchConfiguration({}, { ipsec: {} }), l2tp: {}, ipsec: { connections: { plant } } },
    });
    await this.branch.start();
    return this.branch;
  }

  /** Waits until the office's host answers the branch's. */
  async pingThrough(): Promise<void> {
    const answered = () => ping(this.network.branchHost, addresses.officeHost);
    await this.telling(waitFor('an answer through libreswan', answered, { timeoutMs: 60_000 }));
  }

  /** Adds what both ends have said to an error. */
  async telling<T>(of: Promise<T>): Promise<T> {
    return await withLogOf(this.branch, of).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : error;
      throw new Error(`${why}\nlibreswan says: ${lastLines(this.peer?.log() ?? '', 25)}`);
    });
  }
}
