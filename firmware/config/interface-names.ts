/** Names of the kernel's devices for tunnels and PPP uplinks: `l2tp-NAME`, `ppp-NAME`, cut to what the kernel takes, and unique. */
import type { Configuration } from './schema.ts';

/** IFNAMSIZ without its final NUL. */
const MAX_DEVICE_OCTETS = 15;

export type TunnelKind = 'l2tp' | 'ipsec' | 'ppp';

/**
 * `KIND-NAME`, cut to 15 characters. Where that is taken, a number from 2 up stands at the end instead of the last
 * letters.
 * @param name as in the configuration: one octet per character.
 */
export function interfaceName(kind: TunnelKind, name: string, taken: ReadonlySet<string>): string {
  const whole = `${kind}-${name}`;
  let candidate = whole.slice(0, MAX_DEVICE_OCTETS);
  for (let number = 2; taken.has(candidate); number += 1) {
    const ending = `-${number}`;
    candidate = `${whole.slice(0, MAX_DEVICE_OCTETS - ending.length)}${ending}`;
  }
  return candidate;
}

/** The device of every client, server, IPsec connection in tunnel mode, and uplink with PPP, by its name in the configuration. */
export interface TunnelInterfaceNames {
  readonly clients: ReadonlyMap<string, string>;
  readonly servers: ReadonlyMap<string, string>;
  readonly connections: ReadonlyMap<string, string>;
  /** Of PPPoE, and of modems, which may have no use for it. */
  readonly uplinks: ReadonlyMap<string, string>;
}

/** The same configuration always gives the same names, in whatever order it is written. */
export function tunnelInterfaceNames(configuration: Configuration): TunnelInterfaceNames {
  const taken = new Set(Object.values(configuration.interfaces).map((entry) => entry.device));
  const assign = (kind: TunnelKind, names: readonly string[]): ReadonlyMap<string, string> => {
    const assigned = new Map<string, string>();
    for (const name of [...names].sort()) {
      const device = interfaceName(kind, name, taken);
      taken.add(device);
      assigned.set(name, device);
    }
    return assigned;
  };
  return {
    clients: assign('l2tp', Object.keys(configuration.l2tp.clients)),
    servers: assign('l2tp', Object.keys(configuration.l2tp.servers)),
    connections: assign(
      'ipsec',
      Object.entries(configuration.ipsec.connections).flatMap(([name, { mode }]) => (mode === 'tunnel' ? [name] : [])),
    ),
    uplinks: assign(
      'ppp',
      Object.entries(configuration.uplinks).flatMap(([name, { type }]) => (type === 'ethernet' ? [] : [name])),
    ),
  };
}
