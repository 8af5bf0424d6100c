/** The IPsec connections of a configuration, each with where it stands: what most rules go through. */
import type { IpsecConnectionConfiguration } from './ipsec-schema.ts';
import { memberPath } from './json-path.ts';
import type { Configuration } from './schema.ts';

export interface IpsecEntry extends IpsecConnectionConfiguration {
  readonly name: string;
  /** As problems name it: `ipsec.connections.NAME`. */
  readonly path: string;
}

export function ipsecEntries({ ipsec }: Pick<Configuration, 'ipsec'>): IpsecEntry[] {
  return Object.entries(ipsec.connections).map(([name, entry]) => ({
    ...entry,
    name,
    path: memberPath('ipsec.connections', name),
  }));
}
