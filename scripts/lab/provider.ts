/**
 * An internet provider of a branch, in a guest: an access concentrator for its DSL line, and a cellular network behind a simulated
 * modem, each with a real pppd.
 *
 *   branch router ==eth0== DSL line ======== PPPoE, pppd ---+
 *                 ==serial== modem == TCP == pppd ----------+-- provider --- internet
 */
import { chownSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { DSL_LOGIN } from '../../firmware/config/reference/examples.ts';
import { addresses, type BranchNetwork } from './branch-network.ts';
import { UNPRIVILEGED } from './culvert.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import { type Guest, startGuest } from './guest.ts';
import { addBridge, addTap } from './namespaces.ts';
import { startPppdListener } from './pppd-line.ts';
import { startPppoeServer } from './pppoe-server.ts';
import { createStateFolder, type StateFolder } from './state-folder.ts';
import { waitFor } from './wait.ts';

/** TAP device of the internet's namespace by which all that the branch sends and gets passes once. */
export const PROVIDER_TAP = 'isp';

const CHECKOUT = join(import.meta.dirname, '../..');
const DSL_BRIDGE = 'brdsl';
const DSL_TAP = 'dslam';
/** The branch's end of the DSL line, at the provider. */
const BRANCH_PORT = 'vbranch';
const MODEM_PORT = 9100;

export const provider = {
  address: '10.20.0.5',
  dsl: { inside: '10.21.0.1', first: '10.21.0.10', network: '10.21.0.0/24' },
  lte: { inside: '10.22.0.1', first: '10.22.0.10', network: '10.22.0.0/24' },
} as const;

/** How a DSL line dies: its cable is pulled, or nothing comes through it any more while the modem's Ethernet stays up. */
export type LineCut = 'cable' | 'silence';

export class Provider {
  readonly #network: BranchNetwork;
  readonly #guest: Guest;
  readonly #modem: Daemon;
  readonly #folder: StateFolder;
  /** Serial device of the branch's modem. */
  readonly modemDevice: string;

  /** Use {@link startProvider}. */
  constructor(network: BranchNetwork, guest: Guest, modem: Daemon, folder: StateFolder) {
    this.#network = network;
    this.#guest = guest;
    this.#modem = modem;
    this.#folder = folder;
    this.modemDevice = realpathSync(join(folder.path, 'at'));
  }

  async cut(how: LineCut): Promise<void> {
    const { internet } = this.#network;
    if (how === 'cable') await internet.ip('link', 'set', BRANCH_PORT, 'down');
    else await internet.ip('link', 'set', DSL_TAP, 'nomaster');
  }

  async mend(): Promise<void> {
    const { internet } = this.#network;
    await internet.ip('link', 'set', BRANCH_PORT, 'up');
    await internet.ip('link', 'set', DSL_TAP, 'master', DSL_BRIDGE);
  }

  async stop(): Promise<void> {
    await this.#modem.stop();
    await this.#guest.stop();
    this.#folder.remove();
  }
}

/** Lays the branch's `eth0` to the provider and starts it. Head office must route by {@link addresses.internet}. */
export async function startProvider(network: BranchNetwork): Promise<Provider> {
  const { internet } = network;
  await addBridge(internet, DSL_BRIDGE);
  await internet.ip('link', 'set', BRANCH_PORT, 'master', DSL_BRIDGE);
  await addTap({ namespace: internet, device: DSL_TAP, bridge: DSL_BRIDGE });
  await addTap({ namespace: internet, device: PROVIDER_TAP, bridge: 'br0' });
  const cards = [{ tap: DSL_TAP }, { tap: PROVIDER_TAP, addresses: [`${provider.address}/24`] }];
  const guest = await startGuest({ name: 'provider', namespace: internet, gateway: addresses.internet, cards });
  await internet.run('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.send_redirects=0');
  for (const { network: customers } of [provider.dsl, provider.lte]) {
    await internet.ip('route', 'add', customers, 'via', provider.address);
  }
  await guest.exec('sysctl -qw net.ipv4.ip_forward=1');
  // It asks for nothing, and knows no users; the other one's come after it, into the same files.
  await startPppdListener(guest, MODEM_PORT, {
    users: [],
    insideAddress: provider.lte.inside,
    peerAddress: provider.lte.first,
  });
  await startPppoeServer(guest, {
    users: [{ name: DSL_LOGIN.user, password: DSL_LOGIN.password }],
    card: 'vec0',
    insideAddress: provider.dsl.inside,
    firstAddress: provider.dsl.first,
  });
  const folder = createStateFolder('modem');
  const modem = await startDaemon({
    name: 'the simulated modem',
    command: [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      join(CHECKOUT, 'scripts/lab/modem/main.ts'),
      folder.path,
      ...['--ppp', `tcp:${provider.address}:${MODEM_PORT}`, '--one-port'],
    ],
    namespace: internet.name,
    logFile: join(folder.path, 'log'),
  });
  await waitFor('the simulated modem', () => {
    modem.checkAlive();
    return modem.log().includes('the modem is at');
  });
  const started = new Provider(network, guest, modem, folder);
  chownSync(started.modemDevice, UNPRIVILEGED, UNPRIVILEGED);
  return started;
}
