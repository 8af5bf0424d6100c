/**
 * User Mode Linux guests: whole Linux machines, each a program of the host, up in a second or two. A guest sees the
 * host's file system (its own changes stay in memory), has TAP devices of a host's namespace as network cards, and
 * runs commands that are handed to it through a shared folder.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import { findGuestKernel, type GuestKernel } from './kernel.ts';
import type { Namespace } from './namespaces.ts';
import { describeFailure, LabError, type RunResult } from './shell.ts';
import { createStateFolder, type StateFolder } from './state-folder.ts';
import { waitFor } from './wait.ts';

/** A network card of a guest; the first is `vec0` inside, the second `vec1`, and so on. */
export interface GuestCard {
  /** The TAP device in the guest's namespace that it is. */
  readonly tap: string;
  /** Addresses with prefix length, given to the card at the start. The card is brought up in any case. */
  readonly addresses?: readonly string[];
}

export interface GuestOptions {
  /** Host name of the guest: letters, digits and `-`. */
  readonly name: string;
  /** The host's network namespace with the TAP devices. */
  readonly namespace: Namespace;
  readonly cards?: readonly GuestCard[];
  /** Default route. */
  readonly gateway?: string;
  /**
   * Files of the host that are its disks, `/dev/ubda`, `/dev/ubdb` ... What a guest has not synced is lost when it is
   * stopped: it was in its memory.
   */
  readonly disks?: readonly string[];
  /** Memory in MiB; only what is used is taken from the host. Default: 256. */
  readonly memoryMiB?: number;
  /** Default: {@link findGuestKernel}. */
  readonly kernel?: GuestKernel;
  /** Parameters for the kernel besides: `softdog.soft_noboot=1`. */
  readonly parameters?: readonly string[];
  /** How long the start may take, in milliseconds. Default: 60 000. */
  readonly timeoutMs?: number;
}

export interface GuestFile {
  /** Absolute path in the guest. */
  readonly path: string;
  readonly content: string;
  /** Default: 0o600. */
  readonly mode?: number;
}

export interface ExecOptions {
  /** The command is killed after this many milliseconds. Default: 30 000. */
  readonly timeoutMs?: number;
}

/** Octets of a MAC address: locally administered, then from the names, so that a guest keeps its address. */
function macAddress(guest: string, tap: string): string {
  const digest = createHash('sha256').update(`${guest} ${tap}`).digest();
  return ['52', '54', '00', ...[0, 1, 2].map((i) => digest.subarray(i, i + 1).toString('hex'))].join(':');
}

/** The host waits this much longer than the guest's own time-out for a command's end, in milliseconds. */
const ANSWER_MARGIN_MS = 5_000;

export class Guest {
  readonly name: string;
  readonly kernel: GuestKernel;
  readonly #folder: StateFolder;
  readonly #daemon: Daemon;
  #count = 0;

  /** Use {@link startGuest}. */
  constructor(name: string, kernel: GuestKernel, folder: StateFolder, daemon: Daemon) {
    this.name = name;
    this.kernel = kernel;
    this.#folder = folder;
    this.#daemon = daemon;
  }

  /** The host's path of the folder that the guest sees as `/lab`. */
  get share(): string {
    return this.#folder.path;
  }

  /** What the guest's kernel has said. */
  console(): string {
    return this.#daemon.log();
  }

  /**
   * Runs a bash script in the guest and gives its exit code and output, whatever they are. Several may run at once.
   * @throws LabError when the guest has died
   */
  async tryExec(script: string, options: ExecOptions = {}): Promise<RunResult> {
    const timeoutMs = options.timeoutMs ?? 30_000;
    this.#count += 1;
    const job = join(this.share, 'queue', `${this.#count}`);
    writeFileSync(`${job}.new`, `# ${timeoutMs / 1000}\n${script}\n`);
    renameSync(`${job}.new`, `${job}.sh`);
    this.#daemon.write('\n');
    const exitCode = () => {
      this.#daemon.checkAlive();
      const line = existsSync(`${job}.rc`) ? readFileSync(`${job}.rc`, 'utf8') : '';
      return line.endsWith('\n') && line;
    };
    const code = await waitFor(`the end of a command in guest ${this.name}`, exitCode, {
      timeoutMs: timeoutMs + ANSWER_MARGIN_MS,
      intervalMs: 10,
    });
    const read = (suffix: string) => readFileSync(`${job}.${suffix}`, 'utf8');
    const result = { code: Number(code), stdout: read('out'), stderr: read('err') };
    for (const suffix of ['sh', 'out', 'err', 'rc']) rmSync(`${job}.${suffix}`, { force: true });
    return result;
  }

  /**
   * Runs a bash script in the guest and gives its standard output.
   * @throws LabError when it fails or the guest has died
   */
  async exec(script: string, options: ExecOptions = {}): Promise<string> {
    const result = await this.tryExec(script, options);
    if (result.code !== 0) {
      throw new LabError(`in guest ${this.name}: ${describeFailure(script.trim().split('\n')[0] ?? '', result)}`);
    }
    return result.stdout;
  }

  /** Writes files in the guest, with their folders. The host's own files are not touched. */
  async install(files: readonly GuestFile[]): Promise<void> {
    const commands = files.map(({ path, content, mode = 0o600 }, index) => {
      writeFileSync(join(this.share, `file-${index}`), content);
      return `install -D -m ${mode.toString(8)} /lab/file-${index} '${path}'`;
    });
    await this.exec(commands.join(' && '));
    for (const index of files.keys()) rmSync(join(this.share, `file-${index}`), { force: true });
  }

  /**
   * Starts a program in the guest that goes on after the call. Its output is in {@link log}.
   * @param name - a word for the log file
   * @param command - a bash command line
   */
  async spawn(name: string, command: string): Promise<void> {
    await this.exec(`: >/lab/${name}.log; setsid ${command} >>/lab/${name}.log 2>&1 </dev/null &`);
  }

  /** What a program started with {@link spawn} has written so far; any `/lab/NAME.log`. */
  log(name: string): string {
    const file = join(this.share, `${name}.log`);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /**
   * Switches the guest off at once, as by pulling the plug. Harmless when it is off.
   * @param name of a program whose {@link log} is wanted, up to the last moment.
   */
  async stop(name?: string): Promise<string> {
    await this.#daemon.stop();
    const log = name === undefined ? '' : this.log(name);
    this.#folder.remove();
    return log;
  }
}

/**
 * Starts a guest, and returns when it runs commands and its network cards are up.
 * @throws LabError with the end of its console when it does not start
 */
export async function startGuest(options: GuestOptions): Promise<Guest> {
  const kernel = options.kernel ?? (await findGuestKernel());
  const folder = createStateFolder(`guest-${options.name}`);
  try {
    return await bootGuest(options, kernel, folder);
  } catch (error) {
    folder.remove();
    throw error;
  }
}

async function bootGuest(options: GuestOptions, kernel: GuestKernel, folder: StateFolder): Promise<Guest> {
  const { name, namespace, cards = [], memoryMiB = 256, timeoutMs = 60_000 } = options;
  if (/\s/.test(folder.path)) {
    throw new LabError(
      `the temporary folder ${folder.path} has a space in its name, which a kernel's arguments cannot hold`,
    );
  }
  mkdirSync(join(folder.path, 'queue'));
  for (const script of ['guest-init', 'guest-agent']) {
    copyFileSync(join(import.meta.dirname, script), join(folder.path, script));
  }
  // The kernel would make a TAP device that is not there, and the guest would sit on a cable to nowhere.
  for (const { tap } of cards) await namespace.ip('link', 'show', 'dev', tap);
  const daemon = await startDaemon({
    name: `guest ${name}`,
    command: [kernel.path, ...kernelArguments(options, folder, kernel, memoryMiB)],
    namespace: namespace.name,
    logFile: join(folder.path, 'console.log'),
    pipeInput: true,
    env: { TMPDIR: '/dev/shm' }, // the guest's memory is a deleted file there
  });
  try {
    const ready = () => {
      daemon.checkAlive();
      return existsSync(join(folder.path, 'ready'));
    };
    await waitFor(`the start of guest ${name} (${kernel.description})`, ready, { timeoutMs });
    const guest = new Guest(name, kernel, folder, daemon);
    await guest.exec(networkScript(cards, options.gateway));
    return guest;
  } catch (error) {
    await daemon.stop();
    throw error;
  }
}

function kernelArguments(
  { name, cards = [], disks = [], parameters = [] }: GuestOptions,
  folder: StateFolder,
  kernel: GuestKernel,
  memoryMiB: number,
): string[] {
  return [
    `mem=${memoryMiB}M`,
    `uml_dir=${folder.path}`,
    `umid=guest`,
    'root=/dev/root',
    'rootfstype=hostfs',
    'rootflags=/',
    'ro',
    `init=${folder.path}/guest-init`,
    `lab.name=${name}`,
    `lab.share=${folder.path}`,
    ...(kernel.modules === undefined ? [] : [`lab.modules=${kernel.modules}`]),
    'con=null',
    'con0=fd:0,fd:1',
    ...disks.map((path, i) => `ubd${i}=${path}`),
    ...cards.map(({ tap }, i) => `vec${i}:transport=tap,ifname=${tap},depth=128,gro=1,mac=${macAddress(name, tap)}`),
    ...parameters,
  ];
}

function networkScript(cards: readonly GuestCard[], gateway: string | undefined): string {
  const lines = cards.flatMap(({ addresses = [] }, i) => [
    ...addresses.map((address) => `ip address add ${address} dev vec${i}${address.includes(':') ? ' nodad' : ''}`),
    `ip link set vec${i} up`,
  ]);
  if (gateway !== undefined) lines.push(`ip route replace default via ${gateway}`);
  return ['true', ...lines].join(' && ');
}
