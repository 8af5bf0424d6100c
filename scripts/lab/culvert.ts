/** Culvert itself as a part of the lab: the router in a namespace, as an ordinary user with three capabilities. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BoardDescription } from '../../board/board.ts';
import { simulated } from '../../board/simulated.ts';
import { ControlClient } from '../../firmware/api/client.ts';
import { ConfigurationClient } from '../../firmware/api/configuration-client.ts';
import type { CommitRequest, CommitResult } from '../../firmware/api/configuration-control.ts';
import type { L2tpStatus, PppStatus, RouterStatus } from '../../firmware/api/router-control.ts';
import type { Namespace } from './namespaces.ts';
import { LabError, lastLines, type RunResult, tryRun } from './shell.ts';
import { createStateFolder, type StateFolder } from './state-folder.ts';
import { onTeardown, type Undo } from './teardown.ts';
import { waitFor } from './wait.ts';

/** `nobody`: owns nothing else on the machine. */
export const UNPRIVILEGED = 65_534;
const CAPABILITIES = ['net_admin', 'net_raw', 'net_bind_service'];

export const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

export interface CulvertOptions {
  /** For messages and folder names. */
  readonly name: string;
  readonly namespace: Namespace;
  /** As in the configuration file. */
  readonly configuration: unknown;
  /** The board that it is, when it is no simulated one. */
  readonly board?: BoardDescription;
}

/** A router of this checkout, in a namespace. It may be killed and started again over the same state directory. */
export class LabCulvert {
  readonly name: string;
  readonly namespace: Namespace;
  readonly stateDir: string;
  readonly logFile: string;
  readonly client: ControlClient;
  readonly configurations: ConfigurationClient;
  readonly #folder: StateFolder;
  readonly #configurationFile: string;
  /** As `--board` takes it. */
  readonly #board: string;
  #child: ChildProcess | undefined;
  #undo: Undo | undefined;

  constructor(options: CulvertOptions) {
    this.name = options.name;
    this.namespace = options.namespace;
    this.#folder = createStateFolder(options.name);
    this.stateDir = join(this.#folder.path, 'state');
    this.logFile = join(this.#folder.path, 'log');
    this.#configurationFile = join(this.#folder.path, 'configuration.json');
    this.client = new ControlClient(this.stateDir);
    this.configurations = new ConfigurationClient(this.stateDir);
    mkdirSync(this.stateDir, { mode: 0o700 });
    this.writeConfiguration(options.configuration);
    this.#board = options.board === undefined ? simulated.name : join(this.#folder.path, 'board.json');
    if (options.board !== undefined) writeFileSync(this.#board, JSON.stringify(options.board), { mode: 0o644 });
    for (const path of [this.#folder.path, this.stateDir]) chownSync(path, UNPRIVILEGED, UNPRIVILEGED);
  }

  /** What the next start is given. */
  writeConfiguration(configuration: unknown): void {
    writeFileSync(this.#configurationFile, JSON.stringify(configuration, undefined, 2), { mode: 0o600 });
    chownSync(this.#configurationFile, UNPRIVILEGED, UNPRIVILEGED);
  }

  /**
   * Starts it and waits until its control API answers.
   * @param given whether it is given its configuration file; otherwise it knows what it has stored.
   * @throws LabError with its last words.
   */
  async start({ given = true } = {}): Promise<void> {
    const privileges = [
      `--reuid=${UNPRIVILEGED}`,
      `--regid=${UNPRIVILEGED}`,
      '--clear-groups',
      `--inh-caps=-all,${CAPABILITIES.map((name) => `+${name}`).join(',')}`,
      `--ambient-caps=-all,${CAPABILITIES.map((name) => `+${name}`).join(',')}`,
      `--bounding-set=-all,${CAPABILITIES.map((name) => `+${name}`).join(',')}`,
      '--no-new-privs',
      '--pdeathsig=KILL',
    ];
    const [program, ...args] = this.namespace.command(
      'setpriv',
      ...privileges,
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      join(CHECKOUT, 'firmware/cli/main.ts'),
      'run',
      ...['--state-dir', this.stateDir, '--board', this.#board],
      ...(given ? ['--config', this.#configurationFile] : []),
    );
    const log = openSync(this.logFile, 'a');
    const child = spawn(program, args, { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    this.#child = child;
    this.#undo = onTeardown(() => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    });
    await waitFor(`the start of ${this.name}`, async () => {
      if (child.exitCode !== null) {
        throw new LabError(`${this.name} ended with exit code ${child.exitCode}: ${lastLines(this.log(), 5)}`);
      }
      return await this.status().catch(() => undefined);
    });
  }

  /** Puts a configuration in force. */
  commit(text: string, fileName: string, request: Partial<CommitRequest> = {}): Promise<CommitResult> {
    return this.configurations.commit(text, fileName, { who: 'lab', via: 'cli', comment: '', ...request });
  }

  /** What it has logged so far, JSON lines. */
  log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  status(): Promise<RouterStatus> {
    return this.client.status();
  }

  /** The tunnel of the connection or server `name`, as `show status` has it. */
  async l2tp(name: string): Promise<L2tpStatus | undefined> {
    return (await this.status()).l2tp.find((entry) => entry.name === name);
  }

  async ppp(name: string): Promise<PppStatus | undefined> {
    return (await this.status()).ppp.find((entry) => entry.name === name);
  }

  /** Runs `./scripts/culvert` with these arguments against this router. */
  culvert(...args: string[]): Promise<RunResult> {
    return tryRun([join(CHECKOUT, 'scripts/culvert'), ...args, '--state-dir', this.stateDir], { timeoutMs: 120_000 });
  }

  /** Process id of the router while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Sends a signal and waits for the end. @returns the exit code, or the name of the signal that ended it. */
  async end(signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT' = 'SIGTERM'): Promise<number | string> {
    const child = this.#child;
    if (!child) return 0;
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    child.kill(signal);
    await ended;
    this.#child = undefined;
    this.#undo?.forget();
    return child.exitCode ?? child.signalCode ?? 0;
  }

  /** SIGTERM, and the state directory goes too. */
  async remove(): Promise<void> {
    await this.end();
    this.#folder.remove();
  }
}
