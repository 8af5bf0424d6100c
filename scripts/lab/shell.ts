/** Runs other programs without a shell, and says in words what went wrong. */
import { execFile } from 'node:child_process';

/** Something of the lab did not work. The message is for a person: what, why, and what to do where that is known. */
export class LabError extends Error {
  override readonly name = 'LabError';
}

/** A program and its arguments, passed on as they are: nothing is expanded or split. */
export type Command = readonly [program: string, ...args: string[]];

export interface RunOptions {
  /** Written to the program's standard input, which is then closed. Default: nothing. */
  readonly input?: string;
  /** The program is killed after this many milliseconds. Default: 30 000. */
  readonly timeoutMs?: number;
  /** Environment variables beside the ones of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunResult {
  /** 0 for success; 124: the time was up; 127: the program does not exist; 128: a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** More output than this ends the program: no command of the lab says so much. */
const MAX_OUTPUT_OCTETS = 16 * 1024 * 1024;
/** Exit code that timeout(1) uses for "the time was up". */
export const TIMED_OUT = 124;
const NOT_FOUND = 127;

/** Runs `command` to its end and gives its exit code and output, whatever they are. Never throws for a failed program. */
export function tryRun(command: Command, options: RunOptions = {}): Promise<RunResult> {
  const [program, ...args] = command;
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      {
        encoding: 'utf8',
        timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
        killSignal: 'SIGKILL',
        maxBuffer: MAX_OUTPUT_OCTETS,
        env: { ...process.env, ...options.env },
      },
      (error, stdout, stderr) => {
        if (error === null) resolve({ code: 0, stdout, stderr });
        else if (error.code === 'ENOENT') resolve({ code: NOT_FOUND, stdout, stderr: `${program} is not installed` });
        else resolve({ code: exitCodeOf(error), stdout, stderr });
      },
    );
    child.stdin?.on('error', () => {}); // the program may end before it has read its input
    child.stdin?.end(options.input ?? '');
  });
}

function exitCodeOf(error: { code?: unknown; killed?: boolean; signal?: string | null | undefined }): number {
  if (typeof error.code === 'number') return error.code;
  return error.killed === true ? TIMED_OUT : 128;
}

/**
 * Runs `command` to its end and gives its standard output.
 * @throws LabError with the command, its exit code and what it wrote to standard error.
 */
export async function run(command: Command, options: RunOptions = {}): Promise<string> {
  const result = await tryRun(command, options);
  if (result.code !== 0) throw new LabError(describeFailure(command.join(' '), result));
  return result.stdout;
}

/** One sentence about a command that failed, with the end of what it said. */
export function describeFailure(what: string, result: RunResult): string {
  const said = lastLines(result.stderr.trim() || result.stdout.trim(), 8);
  const why = result.code === TIMED_OUT ? 'did not finish in time' : `failed with exit code ${result.code}`;
  return `\`${what}\` ${why}${said === '' ? '' : `: ${said}`}`;
}

/** The last `count` lines of a text. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** The command that runs `command` inside the network namespace `namespace`. */
export function inNamespace(namespace: string, ...command: Command): Command {
  return ['ip', 'netns', 'exec', namespace, ...command];
}
