/**
 * The DNS servers that each standing session was told, as `dns/NAME.conf` in the state directory, in the format of
 * resolv.conf(5): for a forwarder to read, and for people. The system's own resolv.conf is never touched.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeStateFile, writeStateFile } from '../config/state-file.ts';
import { canonicalIp } from '../protocol/ip-address.ts';

const DIRECTORY = 'dns';
const ENDING = '.conf';

export class SessionDns {
  readonly #directory: string;

  constructor(stateDirectory: string) {
    this.#directory = join(stateDirectory, DIRECTORY);
  }

  /** Removes what an earlier run left: no session stands at the start. */
  async clear(): Promise<void> {
    const names = await readdir(this.#directory).catch((): string[] => []);
    for (const name of names) if (name.endsWith(ENDING)) await removeStateFile(join(this.#directory, name));
  }

  /**
   * The session of `name` stands. Without servers the file is removed.
   * @param name as in the configuration. @param servers addresses; anything else is left out.
   */
  async write(name: string, servers: readonly string[]): Promise<void> {
    const addresses = [...new Set(servers.flatMap((text) => canonicalIp(text) ?? []))];
    if (addresses.length === 0) return await this.remove(name);
    const lines = addresses.map((address) => `nameserver ${address}\n`);
    await writeStateFile(this.#path(name), `# DNS servers told by the peer of ${name}\n${lines.join('')}`);
  }

  /** The session of `name` is gone. Harmless when it never stood. */
  async remove(name: string): Promise<void> {
    await removeStateFile(this.#path(name));
  }

  #path(name: string): string {
    if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name)) throw new Error(`${JSON.stringify(name)} cannot name a file.`);
    return join(this.#directory, `${name}${ENDING}`);
  }
}
