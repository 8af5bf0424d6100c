/**
 * strongSwan in a guest, with the ESP and AH of the guest's kernel, native or in UDP; with xl2tpd beside it, a server or a
 * client of L2TP over IPsec (RFC 3193). L2TP in clear is refused by the guest's kernel from the first moment on, in
 * either direction, as a sensible administrator has it.
 */
import type { Guest } from './guest.ts';
import { describeFailure, LabError, lastLines } from './shell.ts';
import { charonConfiguration, SWANCTL_FOLDERS, type SwanConnection, SwanControl, swanctlFiles } from './swanctl.ts';

const FOLDER = '/etc/culvert-lab';
const CONFIGURATION = `${FOLDER}/swanctl.conf`;
const SETTINGS = '/etc/culvert-lab/strongswan.conf';
const VICI_SOCKET = '/run/charon.vici';
/** Compiled into charon. */
const PID_FILE = '/run/charon.pid';
const LOG = 'charon';

/** XFRM and the ciphers of the guest's kernel. A kernel with all of it built in has no modules. */
const MODULES =
  'xfrm_user esp4 ah4 authenc echainiv seqiv cbc gcm ccm hmac sha256_generic sha1_generic des_generic chacha20poly1305';

/** Behind every policy of strongSwan, whose priorities are numbers below 400 000. */
const BLOCK_PRIORITY = 4_000_000;

/**
 * An XFRM policy and no rule of nftables, because Debian's guest kernel has none. It matches what no policy of
 * strongSwan matches, and outlives it.
 */
const REFUSE_CLEAR_L2TP = ['out sport', 'out dport', 'in sport', 'in dport']
  .map((selector) => {
    const [direction, port] = selector.split(' ');
    return `xfrm policy update dir ${direction} proto udp ${port} 1701 action block priority ${BLOCK_PRIORITY}`;
  })
  .join('\n');

/** What a killed strongSwan leaves in the kernel, but not the policies that refuse. */
const FORGET = 'xfrm state flush\nxfrm policy deleteall action allow';

/** The connection of an L2TP server or client over IPsec: transport mode, UDP port 1701 of its own side. */
export function l2tpConnection(
  role: 'server' | 'client',
  connection: Omit<SwanConnection, 'mode' | 'localTraffic' | 'remoteTraffic'>,
): SwanConnection {
  // A client's port may be any, and is changed by a NAT on the way; a server's is 1701.
  const remoteTraffic = role === 'server' ? 'dynamic[udp]' : 'dynamic[udp/1701]';
  return { ...connection, mode: 'transport', localTraffic: 'dynamic[udp/1701]', remoteTraffic };
}

/** A strongSwan that may be killed and started again. */
export class StrongswanGuest {
  readonly guest: Guest;
  readonly control: SwanControl;
  #connections: readonly SwanConnection[];

  /** Use {@link startStrongswanInGuest}. */
  constructor(guest: Guest, connections: readonly SwanConnection[]) {
    this.guest = guest;
    this.#connections = connections;
    // Without settings of its own swanctl loads af-alg, and waits for sixty modules.
    this.control = new SwanControl(`in guest ${guest.name}`, (...args) =>
      guest.tryExec(
        `STRONGSWAN_CONF=${SETTINGS} SWANCTL_DIR=${FOLDER} swanctl ${args.map((word) => `'${word}'`).join(' ')}`,
      ),
    );
  }

  /**
   * Starts it, with other connections where they are given. What an earlier one left in the kernel is gone then, as
   * after a reboot.
   * @throws LabError with its last words
   */
  async start(connections = this.#connections): Promise<void> {
    this.#connections = connections;
    const kernelPlugins = ['kernel-netlink'];
    // Certificates of connections that are no more would be loaded, too.
    await this.guest.exec(`rm -rf ${FOLDER}`);
    const settings = { viciSocket: VICI_SOCKET, logFile: `/lab/${LOG}.log`, kernelPlugins };
    await this.guest.install([
      { path: SETTINGS, content: charonConfiguration(settings) },
      ...swanctlFiles(connections).map(({ path, content }) => ({ path: `${FOLDER}/${path}`, content })),
    ]);
    const result = await this.guest.tryExec(`
      mkdir -p ${SWANCTL_FOLDERS.map((folder) => `${FOLDER}/${folder}`).join(' ')}
      modprobe -qa ${MODULES}
      ip -batch - <<<'${REFUSE_CLEAR_L2TP}' || exit
      ip -batch - <<<'${FORGET}' 2>/dev/null # there may be nothing
      rm -f ${VICI_SOCKET} ${PID_FILE}
      STRONGSWAN_CONF=${SETTINGS} setsid /usr/lib/ipsec/charon >/lab/charon-output.log 2>&1 </dev/null &
      charon=$!
      until [[ -S ${VICI_SOCKET} ]]; do
        kill -0 $charon || exit 1
        sleep 0.05
      done
      STRONGSWAN_CONF=${SETTINGS} SWANCTL_DIR=${FOLDER} swanctl --load-all --file ${CONFIGURATION}`);
    if (result.code !== 0) {
      const why = describeFailure('charon', result);
      throw new LabError(`in guest ${this.guest.name}: ${why}; its log ends with: ${lastLines(this.log(), 8)}`);
    }
  }

  /** What it has logged since its first start. */
  log(): string {
    return this.guest.log(LOG);
  }

  /** Ends it without a word to any peer (SIGKILL). Its SAs stay in the kernel until it is started again. */
  async kill(): Promise<void> {
    await this.#end('KILL');
  }

  /** Ends it in good order: peers are told. Harmless when it has ended. */
  async stop(): Promise<void> {
    await this.#end('TERM');
  }

  async #end(signal: 'KILL' | 'TERM'): Promise<void> {
    await this.guest.exec(`
      [[ -e ${PID_FILE} ]] || exit 0
      charon=$(<${PID_FILE})
      kill -${signal} "$charon" || exit 0
      while [[ -e /proc/$charon ]]; do sleep 0.05; done
      rm -f ${PID_FILE}`);
  }
}

/** Starts it, and returns when its connections are loaded. @throws LabError with its last words */
export async function startStrongswanInGuest(
  guest: Guest,
  connections: readonly SwanConnection[],
): Promise<StrongswanGuest> {
  const strongswan = new StrongswanGuest(guest, connections);
  await strongswan.start();
  return strongswan;
}
