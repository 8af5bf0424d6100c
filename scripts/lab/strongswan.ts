/**
 * strongSwan in a network namespace of the host, with ESP in user space (kernel-libipsec): no guest is needed, but it
 * knows tunnel mode only, always in UDP, and routes packets through a device `ipsec0`.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import type { Namespace } from './namespaces.ts';
import { LabError, lastLines, tryRun } from './shell.ts';
import { createStateFolder, type StateFolder } from './state-folder.ts';
import { charonConfiguration, SWANCTL_FOLDERS, type SwanConnection, SwanControl, swanctlFiles } from './swanctl.ts';
import { waitFor } from './wait.ts';

const PROGRAMS = { charon: '/usr/lib/ipsec/charon', swanctl: '/usr/sbin/swanctl' } as const;

export interface StrongswanOptions {
  readonly namespace: Namespace;
  /** In tunnel mode. */
  readonly connections: readonly SwanConnection[];
}

/** A strongSwan that may be killed and started again. */
export class Strongswan {
  readonly #options: StrongswanOptions;
  readonly #folder: StateFolder;
  readonly #control: SwanControl;
  #daemon: Daemon | undefined;
  #earlierLogs = '';

  /** Use {@link startStrongswan}. */
  constructor(options: StrongswanOptions, folder: StateFolder) {
    this.#options = options;
    this.#folder = folder;
    const uri = `unix://${this.#path('vici')}`;
    const env = { STRONGSWAN_CONF: this.#path('strongswan.conf'), SWANCTL_DIR: folder.path };
    this.#control = new SwanControl(`in ${options.namespace.name}`, (verb = '', ...args) =>
      tryRun([this.#path('swanctl'), verb, '--uri', uri, ...args], { env }),
    );
    // Debian's AppArmor lets the installed programs read and write in their usual places only; a copy is not watched.
    for (const [name, installed] of Object.entries(PROGRAMS)) {
      if (!existsSync(installed)) throw new LabError(`there is no ${installed}; install it with scripts/setup test`);
      copyFileSync(installed, this.#path(name));
    }
    const settings = { viciSocket: this.#path('vici'), logFile: this.#path('charon.log') };
    writeFileSync(
      this.#path('strongswan.conf'),
      // libipsec must come first: the first plugin that offers to move packets does it.
      charonConfiguration({ ...settings, kernelPlugins: ['kernel-libipsec', 'kernel-netlink'] }),
    );
  }

  #path(name: string): string {
    return join(this.#folder.path, name);
  }

  /** Starts it, with other connections where they are given. @throws LabError with its last words */
  async start(connections = this.#options.connections): Promise<void> {
    this.#earlierLogs = this.log();
    for (const left of ['vici', 'charon.log']) rmSync(this.#path(left), { force: true });
    for (const folder of SWANCTL_FOLDERS) {
      rmSync(this.#path(folder), { recursive: true, force: true });
      mkdirSync(this.#path(folder));
    }
    for (const { path, content } of swanctlFiles(connections))
      writeFileSync(this.#path(path), content, { mode: 0o600 });
    const daemon = await startDaemon({
      name: 'charon',
      // The path of its process-id file is compiled in: a /run of its own lets several run on one machine.
      command: ['bash', '-c', 'mount -t tmpfs tmpfs /run && exec "$0"', this.#path('charon')],
      namespace: this.#options.namespace.name,
      logFile: this.#path('output'),
      ownMounts: true,
      env: { STRONGSWAN_CONF: this.#path('strongswan.conf') },
    });
    this.#daemon = daemon;
    try {
      await this.#ready(daemon);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  async #ready(daemon: Daemon): Promise<void> {
    await waitFor('the start of charon', () => {
      if (daemon.endedWith !== undefined) {
        throw new LabError(`charon ended with ${daemon.endedWith}: ${lastLines(daemon.log() + this.log(), 8)}`);
      }
      return existsSync(this.#path('vici'));
    });
    await this.#control.load(this.#path('swanctl.conf'));
  }

  get control(): SwanControl {
    return this.#control;
  }

  /** What it has logged since its first start. */
  log(): string {
    const file = this.#path('charon.log');
    return this.#earlierLogs + (existsSync(file) ? readFileSync(file, 'utf8') : '');
  }

  /** Ends it without a word to any peer (SIGKILL), with its device and its routes. Harmless when it has ended. */
  async kill(): Promise<void> {
    await this.#daemon?.stop();
    this.#daemon = undefined;
  }

  /** Ends its connections in good order, then the program; its files go too. Harmless when it has ended. */
  async stop(): Promise<void> {
    if (this.#daemon !== undefined && this.#daemon.endedWith === undefined) {
      for (const { name } of await this.#control.listSas().catch(() => [])) {
        await this.#control.terminate(name).catch(() => undefined); // the peer may be gone
      }
    }
    await this.kill();
    this.#folder.remove();
  }
}

/** Starts it, and returns when its connections are loaded. @throws LabError with its last words */
export async function startStrongswan(options: StrongswanOptions): Promise<Strongswan> {
  const folder = createStateFolder('charon');
  try {
    const strongswan = new Strongswan(options, folder);
    await strongswan.start();
    return strongswan;
  } catch (error) {
    folder.remove();
    throw error;
  }
}
