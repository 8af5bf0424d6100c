/** Somebody at the console of a router that has a real store and no network. */

import { type ControlApi, startControlApi } from '../../../../firmware/api/server.ts';
import { controlSocketPath } from '../../../../firmware/api/socket-path.ts';
import { Keyboard } from '../../../../firmware/cli/shell/keyboard.ts';
import { Screen } from '../../../../firmware/cli/shell/screen.ts';
import { Shell } from '../../../../firmware/cli/shell/shell.ts';
import { createLogger } from '../../../../firmware/log/logger.ts';
import { RouterConfiguration } from '../../../../firmware/router/router-configuration.ts';
import { DumbTerminal } from '../../../support/dumb-terminal.ts';
import { FakeAccounts } from '../../api/fake-accounts.ts';
import { FakeRouter } from '../../api/fake-router.ts';
import { StoreBench } from '../../config/store/store-bench.ts';

/** The router behind it. */
export class ConsoleBench {
  readonly store = new StoreBench();
  readonly router = new FakeRouter();
  readonly config: RouterConfiguration;
  #api: ControlApi | undefined;

  constructor() {
    this.config = new RouterConfiguration({
      desk: this.store.desk,
      store: this.store.store,
      clock: this.store.clock,
      version: '0.1.0',
      preview: async () => [],
      ready: Promise.resolve(),
      reset: async () => ({ ok: true }),
    });
  }

  async start(given?: string): Promise<this> {
    const { config } = this;
    const logger = createLogger({ level: 'silent', secrets: () => [] });
    const socketPath = controlSocketPath(this.store.directory);
    this.#api = await startControlApi({
      socketPath,
      control: this.router,
      config,
      accounts: new FakeAccounts(),
      logger,
    });
    await this.store.start(given);
    return this;
  }

  async end(): Promise<void> {
    await this.#api?.close();
    await this.store.end();
  }
}

/** End a line that is being typed. */
const ENDS = ['\r', '\u0003', '\u0004'];

export interface Sitting {
  /** Host name in the prompt. */
  readonly host?: string;
  readonly who?: string;
  readonly rows?: number;
  readonly idleMs?: number;
  readonly files?: boolean;
}

export class Console {
  readonly terminal = new DumbTerminal(80);
  readonly keyboard = new Keyboard();
  readonly ended: Promise<string>;
  #wake: () => void = () => undefined;

  constructor(bench: ConsoleBench, { who = 'alice', rows = 0, idleMs, files = true }: Sitting = {}) {
    const line = {
      columns: 80,
      rows,
      lineEnd: '\r\n' as const,
      write: (text: string) => {
        this.terminal.write(text);
        this.#wake();
      },
      drained: async () => undefined,
    };
    const shell = new Shell({
      stateDir: bench.store.directory,
      author: { who, via: 'console' },
      screen: new Screen(line, this.keyboard),
      files,
      ...(idleMs === undefined ? {} : { idleMs }),
    });
    this.ended = shell.run();
  }

  /** Types, once something waits for it: a prompt, a question, or the end of a page. @returns what came of it, up to the next. */
  async type(text: string): Promise<string> {
    await this.ready();
    const { rows } = this.terminal;
    const from = rows.length - 1;
    this.keyboard.feed(Buffer.from(text));
    // A line that only hints does not end the row.
    if (ENDS.some((end) => text.includes(end))) await this.#until(() => rows.length > from + 1);
    await this.ready();
    return rows
      .slice(from)
      .map((row) => row.join('').trimEnd())
      .join('\n');
  }

  /** The same with what was broken between words whole again. */
  async said(text: string): Promise<string> {
    return (await this.type(text)).replaceAll('\n', ' ');
  }

  /** Something waits for a key. */
  async ready(): Promise<void> {
    await this.#until(() => this.keyboard.wanted);
  }

  async #until(condition: () => boolean): Promise<void> {
    let over = false;
    void this.ended.then(() => {
      over = true;
      this.#wake();
    });
    while (!condition() && !over) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      // A key may be wanted without anything being written.
      const turn = setImmediate(resolve);
      await promise;
      clearImmediate(turn);
    }
  }
}
