/** The DSL lines of the configuration in force, by interface. */
import { isDeepStrictEqual } from 'node:util';
import type { DslConfiguration } from '../../config/dsl-schema.ts';
import type { Configuration } from '../../config/schema.ts';
import type { AccessLine } from '../../protocol/l2tp/endpoint-types.ts';
import { accessLineOf } from './access-line.ts';
import { type DslInfo, DslLine, type DslLineParts } from './dsl-line.ts';

export interface DslLinesParts extends Pick<DslLineParts, 'serialPorts' | 'clock' | 'onChange'> {
  readonly log: (line: string) => void;
}

export class DslLines {
  readonly #parts: DslLinesParts;
  readonly #lines = new Map<string, { readonly settings: DslConfiguration; readonly line: DslLine }>();

  constructor(parts: DslLinesParts) {
    this.#parts = parts;
  }

  /** What is unchanged keeps its history. One at a time. */
  async follow({ interfaces }: Pick<Configuration, 'interfaces'>): Promise<void> {
    for (const [name, { settings, line }] of [...this.#lines]) {
      if (isDeepStrictEqual(interfaces[name]?.dsl, settings)) continue;
      this.#lines.delete(name);
      await line.stop();
    }
    const { log, ...rest } = this.#parts;
    for (const [name, { dsl: settings }] of Object.entries(interfaces)) {
      if (settings === undefined || this.#lines.has(name)) continue;
      const line = new DslLine({ ...rest, name, settings, log: (text) => log(`interface ${name}: ${text}`) });
      this.#lines.set(name, { settings, line });
      line.start();
    }
  }

  /** Nothing is open any more when it resolves. */
  async stop(): Promise<void> {
    await this.follow({ interfaces: {} });
  }

  /** By interface. */
  infos(): ReadonlyMap<string, DslInfo> {
    return new Map([...this.#lines].map(([name, { line }]) => [name, line.info()]));
  }

  /** Of the line in front of an interface; `undefined` while it is not up, and where there is none. */
  accessLine(name: string | undefined): AccessLine | undefined {
    return name === undefined ? undefined : accessLineOf(this.#lines.get(name)?.line.info().status);
  }
}
