/**
 * Long-running programs of the lab: started in a network namespace, and in a process-id namespace of their own, so that
 * the program and everything that it ever starts can be ended together; and bound to the life of this process by the
 * kernel.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { type Command, inNamespace, LabError, lastLines } from './shell.ts';
import { onTeardown, type Undo } from './teardown.ts';
import { waitFor } from './wait.ts';

export interface DaemonOptions {
  /** What it is called in error messages, such as `l2tpns`. */
  readonly name: string;
  readonly command: Command;
  /** Network namespace to run in. Default: this process's. */
  readonly namespace?: string;
  /** Receives standard output and standard error; emptied first. */
  readonly logFile: string;
  /** A mount namespace of its own: what it mounts is seen by nobody else. Default: false. */
  readonly ownMounts?: boolean;
  /** Keep a pipe to its standard input ({@link Daemon.write}). Default: false. */
  readonly pipeInput?: boolean;
  /** Environment variables beside the ones of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How long a program may take to vanish after SIGKILL, in milliseconds. It is immediate, save on a busy machine. */
const KILL_TIMEOUT_MS = 10_000;

export class Daemon {
  readonly name: string;
  readonly logFile: string;
  readonly #child: ChildProcess;
  readonly #undo: Undo;
  #ended: string | undefined;
  /** Fulfilled, with words, when the program has ended for whatever reason. */
  readonly ended: Promise<string>;

  /** Use {@link startDaemon}. */
  constructor(options: DaemonOptions, child: ChildProcess) {
    this.name = options.name;
    this.logFile = options.logFile;
    this.#child = child;
    child.stdin?.on('error', () => {}); // it ended; `ended` tells
    this.ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.#ended = how;
        this.#undo.forget();
        resolve(how);
      };
      child.once('exit', (code, signal) => end(signal === null ? `exit code ${code}` : `signal ${signal}`));
      child.once('error', (error) => end(error.message));
    });
    this.#undo = onTeardown(() => killGroup(child));
  }

  /** How it ended, or `undefined` while it runs. */
  get endedWith(): string | undefined {
    return this.#ended;
  }

  /** What it has written so far. */
  log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** @throws LabError with its last words when it has ended. */
  checkAlive(): void {
    if (this.#ended !== undefined) {
      throw new LabError(`${this.name} ended with ${this.#ended}; its last words: ${lastLines(this.log(), 8)}`);
    }
  }

  /** Writes to its standard input; only with `pipeInput`. */
  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Ends the program and all its descendants, and waits until they are gone. Harmless when it has ended. */
  async stop(): Promise<void> {
    if (this.#ended !== undefined) return;
    // Killing the first process of the id namespace makes the kernel kill the rest, and only then does its parent,
    // which is our child, see it end.
    const first = firstChild(this.#child);
    if (first === undefined) killGroup(this.#child);
    else kill(first);
    const timer = setTimeout(() => killGroup(this.#child), KILL_TIMEOUT_MS);
    await this.ended;
    clearTimeout(timer);
  }
}

/**
 * Starts a program and returns when the process exists and is bound to this one; whether the program is ready is for the
 * caller to find out.
 * @throws LabError when it cannot be started
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const inside = options.namespace === undefined ? options.command : inNamespace(options.namespace, ...options.command);
  const mounts = options.ownMounts === true ? ['--mount', '--propagation', 'private'] : [];
  const log = openSync(options.logFile, 'w');
  const [program, ...args] = endingWithUs('unshare', '--fork', '--pid', '--kill-child=KILL', ...mounts, ...inside);
  const child = spawn(program, args, {
    stdio: [options.pipeInput === true ? 'pipe' : 'ignore', log, log],
    detached: true, // a Ctrl-C at the terminal is for this process, which then ends the daemon in good order
    env: { ...process.env, ...options.env },
  });
  closeSync(log);
  const daemon = new Daemon(options, child);
  if (child.pid === undefined) {
    const [error] = await once(child, 'error');
    throw new LabError(`${options.name} cannot be started: ${error.message}. Run scripts/setup demo.`);
  }
  await waitFor(`the start of ${options.name}`, () => daemon.endedWith !== undefined || isBound(child), {
    intervalMs: 2,
  });
  return daemon;
}

/**
 * A command that runs `command`, and that the kernel kills when this process ends, however it ends. The shell between
 * sees to it that this holds when this process has ended before the kernel was asked.
 */
export function endingWithUs(...command: Command): Command {
  const check = '[[ $PPID == "$0" ]] && exec "$@"';
  return ['setpriv', '--pdeathsig', 'KILL', 'bash', '-c', check, String(process.pid), ...command];
}

/** Whether the first process of the new namespace is bound to `unshare`, which it is before it runs another program. */
function isBound(child: ChildProcess): boolean {
  const first = firstChild(child);
  if (first === undefined) return false;
  try {
    const commandLine = readFileSync(`/proc/${first}/cmdline`, 'utf8');
    return commandLine !== '' && !commandLine.startsWith('unshare\0');
  } catch {
    return false; // it has just ended
  }
}

/** The child of the `unshare` process, which is process 1 of the new namespace. */
function firstChild(child: ChildProcess): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8'), 10);
    return Number.isNaN(pid) ? undefined : pid;
  } catch {
    return undefined;
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const first = firstChild(child);
    if (first !== undefined) kill(first);
    kill(-child.pid);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was faster.
  }
}
