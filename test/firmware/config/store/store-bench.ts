/** A store and a desk on a folder of their own, with a simulated clock and nothing behind them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommitDesk } from '../../../../firmware/config/commit/commit-desk.ts';
import type { CommitOptions, CommitOutcome, EnforceReport } from '../../../../firmware/config/commit/commit-types.ts';
import { EMPTY_CONFIGURATION } from '../../../../firmware/config/empty.ts';
import type { Configuration } from '../../../../firmware/config/schema.ts';
import { ConfigurationStore } from '../../../../firmware/config/store/configuration-store.ts';
import type { Recovery } from '../../../../firmware/config/store/store-types.ts';
import { SimulatedClock } from '../../../../hal/simulated/clock.ts';

import { localStore } from './local-store.ts';

export const ALICE = { who: 'alice', via: 'cli' } as const;
export const BOB = { who: 'bob', via: 'web' } as const;

/** The text of a configuration that can be told by its host name, with a secret. */
export function named(hostname: string, password = `password of ${hostname}`): string {
  const hq = { server: '10.20.0.2', user: 'alice', password };
  return JSON.stringify({ system: { hostname }, l2tp: { clients: { hq } } });
}

export class StoreBench {
  readonly directory: string;
  readonly clock = new SimulatedClock();
  readonly log: string[] = [];
  /** Host names of what was enforced, in order. */
  readonly enforced: string[] = [];
  up: string[] = [];
  onEnforce: (configuration: Configuration) => Promise<EnforceReport> = async () => ({ changes: [], failures: [] });
  store: ConfigurationStore;
  desk: CommitDesk;

  constructor(directory = mkdtempSync(join(tmpdir(), 'culvert-store-'))) {
    this.directory = directory;
    [this.store, this.desk] = this.#make();
  }

  /** Starts the desk. */
  async start(given?: string, failsafe?: Recovery): Promise<void> {
    const source = given === undefined ? undefined : ({ kind: 'text', text: given, fileName: 'given.json' } as const);
    await this.desk.start(source, failsafe);
  }

  /** A new desk on the same folder, as after the end of the program. */
  async restart(given?: string, failsafe?: Recovery): Promise<void> {
    await this.desk.close();
    [this.store, this.desk] = this.#make();
    this.log.length = 0;
    await this.start(given, failsafe);
  }

  commit(text: string, options: Partial<CommitOptions> = {}): Promise<CommitOutcome> {
    return this.desk.commit({ kind: 'text', text, fileName: 'bench.json' }, { ...ALICE, comment: '', ...options });
  }

  /** Host name of what is in force. */
  get inForce(): string | undefined {
    return this.enforced.at(-1);
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  async end(): Promise<void> {
    await this.desk.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #make(): [ConfigurationStore, CommitDesk] {
    const store = new ConfigurationStore(
      {
        stateDirectory: this.directory,
        keyDirectory: join(this.directory, 'key'),
        factory: EMPTY_CONFIGURATION,
        at: this.clock.wall(),
      },
      localStore,
    );
    const desk = new CommitDesk({
      store,
      clock: this.clock,
      factory: EMPTY_CONFIGURATION,
      enforce: async (configuration) => {
        this.enforced.push(configuration.system.hostname);
        return await this.onEnforce(configuration);
      },
      up: (since) => (since === undefined || this.clock.now() > since ? this.up : []),
      log: (line) => this.log.push(line),
    });
    return [store, desk];
  }
}
