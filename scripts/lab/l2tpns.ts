/**
 * l2tpns, an L2TP network server in user space with a TUN device, as used by Internet providers; with a RADIUS server
 * beside it that knows the users. Both run in a namespace of the host: no guest is needed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import type { Namespace } from './namespaces.ts';
import type { PppUser } from './ppp-users.ts';
import type { RadiusSettings } from './radius-server.ts';
import { describeFailure, LabError, tryRun } from './shell.ts';
import { createStateFolder, type StateFolder } from './state-folder.ts';
import { waitFor } from './wait.ts';

export interface L2tpnsOptions {
  /** Where it runs; one l2tpns in each namespace. */
  readonly namespace: Namespace;
  /** The IPv4 address of the namespace that it listens on, port 1701. */
  readonly address: string;
  readonly users: readonly PppUser[];
  /** Methods that it asks for, the preferred one first. Default: `chap`, then `pap`. */
  readonly authentication?: readonly ('pap' | 'chap')[];
  /** Tunnel secret. Default: none, tunnels are not authenticated. */
  readonly secret?: string;
  /** Network of the addresses given to clients. Default: `10.97.0.64/26`. */
  readonly pool?: string;
  /** Its own address inside the tunnels, on its device `tun0`. Default: `10.97.0.1`. */
  readonly insideAddress?: string;
  /** Largest packet inside the tunnel, in octets. Default: 1400. */
  readonly mtu?: number;
  /** Host Name that it tells its peers. Default: `l2tpns`. */
  readonly hostName?: string;
}

const RADIUS_ADDRESS = '127.0.0.1';
/** Known to nobody but the two programs on the loopback. */
const RADIUS_SECRET = 'radius';
/** The heartbeats to other l2tpns go nowhere: they would only disturb a capture. */
const CLUSTER_DEVICE = 'cluster0';
/** It decides to be the master when it has heard no other for this long, in tenths of a second. */
const MASTER_AFTER = 6;
/** What l2tpns may take to start on a busy machine, in seconds. Alone it takes one or two. */
const START_TIMEOUT_S = 20;

export class L2tpns {
  /** The server's address. */
  readonly address: string;
  /** Its address inside the tunnels. */
  readonly insideAddress: string;
  readonly #namespace: Namespace;
  readonly #folder: StateFolder;
  readonly #server: Daemon;
  readonly #radius: Daemon;

  /** Use {@link startL2tpns}. */
  constructor(options: L2tpnsOptions, insideAddress: string, folder: StateFolder, server: Daemon, radius: Daemon) {
    this.address = options.address;
    this.insideAddress = insideAddress;
    this.#namespace = options.namespace;
    this.#folder = folder;
    this.#server = server;
    this.#radius = radius;
  }

  /** What l2tpns has logged. */
  log(): string {
    return this.#server.log();
  }

  /** The answers of its RADIUS server, one a line, such as `CHAP "alice" accepted`. */
  radiusLog(): string {
    return this.#radius.log();
  }

  /** Ends both programs without a word to any peer, as a power cut does. Harmless when they have ended. */
  async stop(): Promise<void> {
    await Promise.all([this.#server.stop(), this.#radius.stop()]);
    this.#folder.remove();
    await tryRun(['ip', '-n', this.#namespace.name, 'link', 'delete', CLUSTER_DEVICE]);
  }
}

/**
 * Starts l2tpns, and returns when it answers an SCCRQ.
 * @throws LabError with the end of its log when it does not
 */
export async function startL2tpns(options: L2tpnsOptions): Promise<L2tpns> {
  const { namespace, insideAddress = '10.97.0.1' } = options;
  const folder = createStateFolder('l2tpns');
  const daemons: Daemon[] = [];
  try {
    const settings = join(folder.path, 'etc');
    writeSettings(settings, options, insideAddress);
    await namespace.ip('link', 'add', CLUSTER_DEVICE, 'type', 'veth', 'peer', 'name', `${CLUSTER_DEVICE}-end`);
    await namespace.ip('address', 'add', '169.254.97.1/32', 'dev', CLUSTER_DEVICE);
    await namespace.ip('link', 'set', CLUSTER_DEVICE, 'up');
    const radius = await startRadius(options, folder);
    daemons.push(radius);
    const server = await startDaemon({
      name: 'l2tpns',
      // It has its files at fixed places, so it gets /etc/l2tpns and /run of its own.
      command: [
        'bash',
        '-c',
        'mount --bind "$1" /etc/l2tpns && mount -t tmpfs tmpfs /run && exec l2tpns -c /etc/l2tpns/startup-config',
        'bash',
        settings,
      ],
      namespace: namespace.name,
      ownMounts: true,
      logFile: join(folder.path, 'l2tpns.log'),
    });
    daemons.push(server);
    await Promise.all([waitUntilItAnswers(namespace, options.address, server), waitForRadius(radius)]);
    return new L2tpns(options, insideAddress, folder, server, radius);
  } catch (error) {
    for (const daemon of daemons) await daemon.stop();
    await tryRun(['ip', '-n', namespace.name, 'link', 'delete', CLUSTER_DEVICE]);
    folder.remove();
    throw error;
  }
}

function startRadius(options: L2tpnsOptions, folder: StateFolder): Promise<Daemon> {
  const settings: RadiusSettings = { address: RADIUS_ADDRESS, secret: RADIUS_SECRET, users: options.users };
  const file = join(folder.path, 'radius.json');
  writeFileSync(file, JSON.stringify(settings));
  return startDaemon({
    name: 'the RADIUS server',
    command: [process.execPath, join(import.meta.dirname, 'radius-server.ts'), file],
    namespace: options.namespace.name,
    logFile: join(folder.path, 'radius.log'),
  });
}

function waitForRadius(radius: Daemon): Promise<true> {
  return waitFor('the start of the RADIUS server', () => {
    radius.checkAlive();
    return radius.log().startsWith('ready\n');
  });
}

async function waitUntilItAnswers(namespace: Namespace, address: string, server: Daemon): Promise<void> {
  const probe = join(import.meta.dirname, 'l2tp-probe.ts');
  const asked = tryRun(namespace.command(process.execPath, probe, address, String(START_TIMEOUT_S)), {
    timeoutMs: (START_TIMEOUT_S + 5) * 1000,
  });
  const first = await Promise.race([asked, server.ended]);
  if (typeof first === 'string') server.checkAlive();
  else if (first.code !== 0) {
    throw new LabError(
      `${describeFailure('l2tpns, asked for a tunnel,', first)}; its log ends with: ${server.log().slice(-800)}`,
    );
  }
}

/** Its set-up commands (startup-config), pool and command-line users. */
function writeSettings(folder: string, options: L2tpnsOptions, insideAddress: string): void {
  const { secret, authentication = ['chap', 'pap'], mtu = 1400, hostName = 'l2tpns', pool = '10.97.0.64/26' } = options;
  const settings: Record<string, string | number> = {
    debug: 3,
    pid_file: quote('/run/l2tpns.pid'),
    hostname: quote(hostName),
    ...(secret === undefined ? {} : { l2tp_secret: quote(secret) }),
    l2tp_mtu: mtu,
    primary_dns: insideAddress,
    primary_radius: RADIUS_ADDRESS,
    radius_secret: quote(RADIUS_SECRET),
    radius_authtypes: quote(authentication.join(',')),
    allow_duplicate_users: 'yes',
    bind_address: options.address,
    iftun_address: insideAddress,
    peer_address: insideAddress,
    cli_bind_address: '127.0.0.1',
    cluster_interface: CLUSTER_DEVICE,
    cluster_hb_interval: 2,
    cluster_hb_timeout: MASTER_AFTER,
    send_garp: 'no',
    ipv6_prefix: '::',
  };
  mkdirSync(folder);
  const lines = Object.entries(settings).map(([name, value]) => `set ${name} ${value}\n`);
  writeFileSync(join(folder, 'startup-config'), lines.join(''));
  writeFileSync(join(folder, 'ip_pool'), `${pool}\n`);
  writeFileSync(join(folder, 'users'), '');
}

function quote(value: string): string {
  if (/["\r\n]/.test(value))
    throw new LabError('l2tpns takes no quotation mark and no line break in a setting; choose another');
  return `"${value}"`;
}
