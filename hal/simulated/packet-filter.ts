import { HalError } from '../hal-error.ts';
import { assertTableName } from '../names.ts';
import type { PacketFilter } from '../packet-filter.ts';

/** A packet filter that keeps the tables' text and lets every packet through. */
export class SimulatedPacketFilter implements PacketFilter {
  readonly #tables = new Map<string, string>();
  /** Grows with every change. */
  version = 0;

  async replaceTable(name: string, body: string): Promise<void> {
    assertTableName(name);
    if (!isBalanced(body)) {
      throw new HalError(`The packet filter table ${name} cannot be set: its braces are not balanced.`, 'EINVAL');
    }
    this.#tables.set(name, body);
    this.version += 1;
  }

  async removeTable(name: string): Promise<void> {
    assertTableName(name);
    if (this.#tables.delete(name)) this.version += 1;
  }

  async show(name: string): Promise<string | undefined> {
    assertTableName(name);
    return this.#tables.get(name);
  }

  /** The body of a table, as it was given. */
  table(name: string): string | undefined {
    return this.#tables.get(name);
  }
}

/** The one mistake of syntax that can be seen without knowing the language. */
function isBalanced(body: string): boolean {
  let depth = 0;
  for (const char of body.replace(/"[^"\n]*"|#.*$/gm, '')) {
    if (char === '{') depth++;
    else if (char === '}' && --depth < 0) return false;
  }
  return depth === 0;
}
