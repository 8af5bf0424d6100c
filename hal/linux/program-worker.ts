/**
 * The thread that starts programs. Starting one holds a thread up until the program has begun, which a busy machine lets
 * it wait for: the control loop must not wait with it.
 */
import { execFile } from 'node:child_process';
import { parentPort } from 'node:worker_threads';
import type { ProgramAnswer, ProgramQuestion } from './run-program.ts';

/** Most octets of output: a table of a hundred thousand routes. */
const OUTPUT_LIMIT = 32 * 1024 * 1024;

const port = parentPort;
if (port === null) throw new Error('Programs are started by a worker thread, which is not started by itself.');

port.on('message', ({ id, program, args, input, timeLimit }: ProgramQuestion) => {
  const answer = (rest: Omit<ProgramAnswer, 'id'>): void => port.postMessage({ id, ...rest });
  const options = { env: environment(), timeout: timeLimit, maxBuffer: OUTPUT_LIMIT, killSignal: 'SIGKILL' as const };
  const child = execFile(program, [...args], options, (error, stdout, stderr) => {
    if (!error) answer({ status: 0, stdout, stderr });
    else if (typeof error.code === 'number') answer({ status: error.code, stdout, stderr });
    else answer({ notRun: { killed: error.killed === true, code: error.code ?? undefined } });
  });
  // A program that ends without reading its input closes the pipe: its exit status says more than EPIPE.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
});

/** What the caller has, and the folders of system programs, which a service's PATH may lack. */
function environment(): NodeJS.ProcessEnv {
  const path = [process.env['PATH'], '/usr/sbin', '/sbin', '/usr/bin', '/bin'].filter(Boolean).join(':');
  return { PATH: path, LC_ALL: 'C' };
}
