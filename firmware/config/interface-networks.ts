/** The networks that the configuration's interfaces are in. */
import { type Ipv4Prefix, parseCidr } from '../protocol/ip-address.ts';
import { memberPath } from './json-path.ts';
import type { Configuration } from './schema.ts';

export interface InterfaceNetwork {
  /** Name in the configuration. */
  readonly name: string;
  readonly device: string;
  readonly zone: 'wan' | 'lan' | 'management';
  /** The interface's own address with the network's length. */
  readonly prefix: Ipv4Prefix;
  /** JSON path of the address. */
  readonly path: string;
}

/** One entry per interface with a static address. */
export function interfaceNetworks(configuration: Configuration): InterfaceNetwork[] {
  return Object.entries(configuration.interfaces).flatMap(([name, entry]) => {
    const prefix = entry.ipv4?.method === 'static' ? parseCidr(entry.ipv4.address ?? '') : undefined;
    if (prefix === undefined) return [];
    const path = `${memberPath('interfaces', name)}.ipv4.address`;
    return [{ name, device: entry.device, zone: entry.zone, prefix, path }];
  });
}
