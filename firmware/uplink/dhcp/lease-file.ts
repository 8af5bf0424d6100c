/** The last address of one interface, in the state directory: after a restart it is asked for again (INIT-REBOOT). */
import { join } from 'node:path';
import { readStateFile, writeStateFile } from '../../config/state-file.ts';
import type { RememberedAddress } from '../../protocol/dhcp/client-types.ts';
import { parseIpv4 } from '../../protocol/ip-address.ts';

const FOLDER = 'dhcp';
const ENDING = '.json';
const MOST_OCTETS = 1024;

export class LeaseFile {
  readonly #path: string;

  /** @param name of the interface in the configuration. */
  constructor(stateDirectory: string, name: string) {
    this.#path = join(stateDirectory, FOLDER, `${name}${ENDING}`);
  }

  /** @param mac the address was another device's, if this is not its. @returns `undefined` also when the file is damaged. */
  async read(mac: string): Promise<RememberedAddress | undefined> {
    try {
      const text = await readStateFile(this.#path, MOST_OCTETS);
      const value: unknown = JSON.parse(text ?? 'null');
      if (typeof value !== 'object' || value === null || !('address' in value)) return undefined;
      const { address } = value;
      if (typeof address !== 'string' || parseIpv4(address) === undefined) return undefined;
      if (!('mac' in value) || value.mac !== mac) return undefined;
      return { address, released: 'released' in value && value.released === true };
    } catch {
      // It saves a second, no more: who has lost it asks as one that never had an address.
      return undefined;
    }
  }

  /** @param remembered `undefined`: there is none any more. @throws Error in words. */
  async write(mac: string, remembered: RememberedAddress | undefined): Promise<void> {
    const value = remembered === undefined ? null : { mac, ...remembered };
    await writeStateFile(this.#path, `${JSON.stringify(value)}\n`);
  }
}
