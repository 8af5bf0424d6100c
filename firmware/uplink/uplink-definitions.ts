/** Which uplinks a configuration has, whether it says so itself or by an interface with a way out. */
import { tunnelInterfaceNames } from '../config/interface-names.ts';
import type { InterfaceConfiguration } from '../config/interfaces-schema.ts';
import type { ModemConfiguration } from '../config/modems-schema.ts';
import { type Configuration, ownEntry } from '../config/schema.ts';
import type { UplinkConfiguration } from '../config/uplinks-schema.ts';
import { hasUplinks } from '../network/uplink-routing.ts';

/** All that an uplink is made of: two that are equal are the same. */
export interface UplinkDefinition {
  /** Of an implicit one that of its interface. */
  readonly name: string;
  /** There is no entry in `uplinks`: it is judged by its link alone. */
  readonly implicit: boolean;
  readonly configuration: UplinkConfiguration;
  /** With the types `ethernet` and `pppoe`. */
  readonly interface?: InterfaceConfiguration;
  /** Of a TUN, with the types `pppoe` and `modem`. */
  readonly pppDevice?: string;
  /** With the type `modem`. */
  readonly modem?: ModemConfiguration;
}

/** In the order of the configuration. */
export function uplinkDefinitions(configuration: Configuration): UplinkDefinition[] {
  if (!hasUplinks(configuration)) return implicitUplinks(configuration);
  const { interfaces, modems, uplinks } = configuration;
  const devices = tunnelInterfaceNames(configuration).uplinks;
  return Object.entries(uplinks).map(([name, uplink]) => {
    const parent = uplink.interface === undefined ? undefined : ownEntry(interfaces, uplink.interface);
    const pppDevice = devices.get(name);
    const modem = uplink.modem === undefined ? undefined : ownEntry(modems, uplink.modem);
    return {
      name,
      implicit: false,
      configuration: uplink,
      ...(parent === undefined ? {} : { interface: parent }),
      ...(modem === undefined ? {} : { modem }),
      ...(pppDevice === undefined ? {} : { pppDevice }),
    };
  });
}

function implicitUplinks({ interfaces }: Configuration): UplinkDefinition[] {
  return Object.entries(interfaces).flatMap(([name, entry]) => {
    const leadsOut = entry.zone === 'wan' && (entry.ipv4?.gateway !== undefined || entry.ipv4?.method === 'dhcp');
    return leadsOut
      ? [{ name, implicit: true, interface: entry, configuration: { ...IMPLICIT, interface: name } }]
      : [];
  });
}

/** What the schema fills in where nothing is said. */
const IMPLICIT: UplinkConfiguration = {
  type: 'ethernet',
  priority: 10,
  weight: 1,
  metered: false,
  standby: 'warm',
  health: {
    probes: [],
    intervalMilliseconds: 500,
    timeoutMilliseconds: 1000,
    fall: 3,
    rise: 5,
    lossPercent: 20,
    latencyMilliseconds: 1000,
    holdSeconds: 10,
  },
};
