/** `culvert run` as a process in a namespace of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Namespace } from '../../../scripts/lab/namespaces.ts';

const MAIN = fileURLToPath(new URL('../../../firmware/cli/main.ts', import.meta.url));

export class RunProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  stderr = '';

  constructor(namespace: Namespace, stateDir: string, ...options: string[]) {
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', MAIN, 'run', '--state-dir', stateDir];
    const [program, ...args] = namespace.command('setpriv', '--pdeathsig=KILL', ...node, ...options);
    this.#child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#exit = once(this.#child, 'exit');
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async exitCode(): Promise<number | null> {
    await this.#exit;
    return this.#child.exitCode;
  }
}
