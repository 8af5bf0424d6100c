/** Programs of the system that change the network: started directly, never through a shell. */
import { execFile } from 'node:child_process';
import { HalError } from '../hal-error.ts';

/** Milliseconds after which a program that should take some ten is given up. */
const TIME_LIMIT = 15_000;

/** Most octets of output: a table of a hundred thousand routes. */
const OUTPUT_LIMIT = 32 * 1024 * 1024;

export interface ProgramResult {
  /** Exit status. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `program` with `input` on its standard input, in the C locale.
 * @param packageName what to install when it is missing.
 * @throws HalError when it cannot be started or does not end. A failing exit status is a result.
 */
export function runProgram(
  program: string,
  args: readonly string[],
  packageName: string,
  input = '',
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const options = {
      env: environment(),
      timeout: TIME_LIMIT,
      maxBuffer: OUTPUT_LIMIT,
      killSignal: 'SIGKILL' as const,
    };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (!error) resolve({ status: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ status: error.code, stdout, stderr });
      else reject(notRun(program, packageName, error.killed === true, error.code));
    });
    // A program that ends without reading its input closes the pipe: its exit status says more than EPIPE.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** What the caller has, and the folders of system programs, which a service's PATH may lack. */
function environment(): NodeJS.ProcessEnv {
  const path = [process.env['PATH'], '/usr/sbin', '/sbin', '/usr/bin', '/bin'].filter(Boolean).join(':');
  return { PATH: path, LC_ALL: 'C' };
}

function notRun(program: string, packageName: string, killed: boolean, code: string | null | undefined): HalError {
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
