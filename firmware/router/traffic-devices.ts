import { tunnelInterfaceNames } from '../config/interface-names.ts';
import type { Configuration } from '../config/schema.ts';

/** Whose traffic is recorded: the device of each interface and tunnel, by `interface.wan`, `l2tp.hq`, `ipsec.plant`. */
export function trafficDevices(configuration: Configuration): ReadonlyMap<string, string> {
  const { clients, servers, connections } = tunnelInterfaceNames(configuration);
  return new Map([
    ...Object.entries(configuration.interfaces).map(([name, { device }]) => [`interface.${name}`, device] as const),
    ...[...clients, ...servers].map(([name, device]) => [`l2tp.${name}`, device] as const),
    ...[...connections].map(([name, device]) => [`ipsec.${name}`, device] as const),
  ]);
}
