/** Programs of the system that change the network: started directly, never through a shell. */
import { Worker } from 'node:worker_threads';
import { HalError } from '../hal-error.ts';

/** Milliseconds after which a program that should take some ten is given up. */
const TIME_LIMIT = 15_000;

export interface ProgramResult {
  /** Exit status. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** To the thread that starts programs. */
export interface ProgramQuestion {
  readonly id: number;
  readonly program: string;
  readonly args: readonly string[];
  readonly input: string;
  /** Milliseconds. */
  readonly timeLimit: number;
}

export interface ProgramAnswer {
  readonly id: number;
  readonly status?: number;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly notRun?: { readonly killed: boolean; readonly code: string | undefined };
}

const waiting = new Map<number, (answer: ProgramAnswer) => void>();
let worker: Worker | undefined;
let lastId = 0;

/**
 * Runs `program` with `input` on its standard input, in the C locale.
 * @param packageName what to install when it is missing.
 * @throws HalError when it cannot be started or does not end. A failing exit status is a result.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  packageName: string,
  input = '',
): Promise<ProgramResult> {
  const { status, stdout = '', stderr = '', notRun } = await ask({ program, args, input, timeLimit: TIME_LIMIT });
  if (status === undefined) throw failure(program, packageName, notRun?.killed === true, notRun?.code);
  return { status, stdout, stderr };
}

function ask(question: Omit<ProgramQuestion, 'id'>): Promise<ProgramAnswer> {
  const { promise, resolve } = Promise.withResolvers<ProgramAnswer>();
  worker ??= start();
  // Only what is under way keeps the process alive.
  if (waiting.size === 0) worker.ref();
  lastId += 1;
  waiting.set(lastId, resolve);
  worker.postMessage({ id: lastId, ...question });
  return promise;
}

function start(): Worker {
  const thread = new Worker(new URL('./program-worker.ts', import.meta.url), { name: 'programs', execArgv: [] });
  thread.on('message', (answer: ProgramAnswer) => {
    const resolve = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (waiting.size === 0) thread.unref();
    resolve?.(answer);
  });
  thread.on('error', (error) => gone(thread, error.message));
  thread.on('exit', () => gone(thread, 'its thread ended'));
  return thread;
}

/** The next program is started by another thread. */
function gone(thread: Worker, code: string): void {
  if (worker !== thread) return;
  worker = undefined;
  for (const [id, resolve] of waiting) resolve({ id, notRun: { killed: false, code } });
  waiting.clear();
}

function failure(program: string, packageName: string, killed: boolean, code: string | undefined): HalError {
  if (killed) {
    return new HalError(
      `The program ${program} did not end within ${TIME_LIMIT / 1000} s and was stopped: see whether the machine hangs.`,
      'ETIMEDOUT',
    );
  }
  if (code === 'ENOENT') {
    return new HalError(`The program ${program} is missing: install the package ${packageName}.`, 'ENOENT');
  }
  return new HalError(`The program ${program} could not be run (${code ?? 'ended by a signal'}).`, code ?? '');
}
