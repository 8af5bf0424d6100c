/**
 * The last addresses that each name had, kept over restarts: for the day on which DNS does not answer but the server
 * does.
 */
import { join } from 'node:path';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { readStateFile, writeStateFile } from '../config/state-file.ts';
import { canonicalIp } from '../protocol/ip-address.ts';

const FILE_NAME = 'resolved-names.json';

/** More names than a configuration has clients. */
const MAX_NAMES = 512;

/** Addresses kept of one name. */
const MAX_ADDRESSES = 16;

const MAX_OCTETS = 1024 * 1024;

const FILE_SCHEMA = Type.Record(Type.String(), Type.Array(Type.String()));

export class ResolvedNames {
  readonly #path: string;
  /** The name used last stands last. */
  #names = new Map<string, readonly string[]>();

  constructor(stateDirectory: string) {
    this.#path = join(stateDirectory, FILE_NAME);
  }

  /** Reads what an earlier run kept. A damaged file counts as none: it is only a memory. */
  async load(): Promise<void> {
    this.#names.clear();
    try {
      const value: unknown = JSON.parse((await readStateFile(this.#path, MAX_OCTETS)) ?? '{}');
      if (!Value.Check(FILE_SCHEMA, value)) return;
      for (const [name, addresses] of Object.entries(value)) this.#set(name, addresses);
    } catch {
      this.#names.clear();
    }
  }

  /** The last good addresses of `name`; empty when there never were any. */
  get(name: string): readonly string[] {
    return this.#names.get(key(name)) ?? [];
  }

  /** Keeps `addresses`, durably when they are new. An empty list changes nothing. @throws Error in words. */
  async remember(name: string, addresses: readonly string[]): Promise<void> {
    if (addresses.length === 0 || sameAddresses(this.get(name), addresses)) return;
    this.#set(name, addresses);
    await writeStateFile(this.#path, `${JSON.stringify(Object.fromEntries(this.#names), undefined, 1)}\n`);
  }

  #set(name: string, addresses: readonly string[]): void {
    const good = addresses.flatMap((text) => canonicalIp(text) ?? []).slice(0, MAX_ADDRESSES);
    if (good.length === 0) return;
    this.#names.delete(key(name));
    this.#names.set(key(name), good);
    for (const oldest of this.#names.keys()) {
      if (this.#names.size <= MAX_NAMES) break;
      this.#names.delete(oldest);
    }
  }
}

/** The order in which a server lists its addresses changes with every answer: that is nothing new. */
function sameAddresses(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((address) => b.includes(address));
}

function key(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
