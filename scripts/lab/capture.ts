/** Packet capture in a namespace, to a pcap file, by tcpdump. */
import { type ChildProcess, spawn } from 'node:child_process';
import { endingWithUs } from './daemon.ts';
import type { Namespace } from './namespaces.ts';
import { LabError } from './shell.ts';
import { onTeardown } from './teardown.ts';

export interface CaptureOptions {
  readonly namespace: Namespace;
  /** Device to listen on; `any` for all of them. */
  readonly device: string;
  /** The pcap file to write. */
  readonly file: string;
  /** A filter in tcpdump's language, such as `udp port 1701`. Default: everything. */
  readonly filter?: string;
}

export interface Capture {
  readonly file: string;
  /** Ends the capture; the file is complete when it returns. Harmless when it has ended. */
  stop(): Promise<void>;
}

/** What tcpdump may take to open the device on a busy machine, in milliseconds. */
const START_TIMEOUT_MS = 10_000;

/**
 * Starts a capture, and returns when no packet is missed any more.
 * @throws LabError when tcpdump does not start, with what it said
 */
export async function startCapture(options: CaptureOptions): Promise<Capture> {
  const { namespace, device, file, filter } = options;
  const capture = ['-i', device, '-w', file, '-U', '--immediate-mode', '-Z', 'root', '-n'];
  const inside = namespace.command('tcpdump', ...capture, ...(filter === undefined ? [] : [filter]));
  const [program, ...args] = endingWithUs(...inside);
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true, // a Ctrl-C at the terminal is for this process, which then ends the capture in good order
  });
  const undo = onTeardown(() => child.kill('SIGTERM'));
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  void ended.then(() => undo.forget());
  try {
    await untilListening(child, device);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    file,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function untilListening(child: ChildProcess, device: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string) => reject(new LabError(`tcpdump on ${device} ${why}: ${said.trim()}`));
    const timer = setTimeout(() => fail('did not start in time'), START_TIMEOUT_MS);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (!said.includes('listening on')) return;
      clearTimeout(timer);
      resolve();
    });
    child.once('error', (error) => fail(`cannot be started (${error.message}); run scripts/setup demo`));
    child.once('close', () => {
      clearTimeout(timer);
      fail('ended');
    });
  });
}
