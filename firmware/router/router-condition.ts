/** How the router is, for its LEDs: from what is in memory, and at little cost. */
import { ANY_PEER } from '../config/ipsec-schema.ts';
import type { Configuration } from '../config/schema.ts';
import {
  type Condition,
  NO_MODEM,
  type VpnView,
  vpnCondition,
  type WanView,
  wanCondition,
} from '../indicators/condition.ts';
import type { ConnectionSet } from './connection-set.ts';
import { tunnelEntry } from './ipsec-connections.ts';

/**
 * @param uplinks in the order of preference; while there are none, the interfaces of the zone `wan` stand for them.
 * @param carrier whether a network device has a link.
 */
export function routerCondition(
  connections: Pick<ConnectionSet, 'configuration' | 'clients' | 'ipsecConnections'>,
  uplinks: readonly WanView[],
  carrier: (device: string) => boolean,
): Omit<Condition, 'phase'> {
  const { configuration } = connections;
  const lanDevice = Object.values(configuration.interfaces).find(({ zone }) => zone === 'lan')?.device;
  return {
    wan: wanCondition(uplinks.length > 0 ? uplinks : portsOf(configuration, carrier)),
    vpn: vpnCondition(tunnelsOf(connections)),
    lte: NO_MODEM,
    ...(lanDevice === undefined ? {} : { lanDevice }),
  };
}

function portsOf({ interfaces }: Configuration, carrier: (device: string) => boolean): readonly WanView[] {
  return Object.entries(interfaces).flatMap(([name, { zone, device }]): WanView[] => {
    if (zone !== 'wan') return [];
    return [carrier(device) ? { name, state: 'up' } : { name, state: 'failed', reason: `${device} has no link` }];
  });
}

/** Those that this side keeps up: who may call and does not is no trouble of this router. */
function tunnelsOf({
  configuration,
  clients,
  ipsecConnections,
}: Pick<ConnectionSet, 'configuration' | 'clients' | 'ipsecConnections'>): readonly VpnView[] {
  const dialled = [...clients].map(([name, { state, failure }]) => view(name, state, failure));
  const tunnels = ipsecConnections
    .filter(({ name, remote }) => remote !== ANY_PEER && tunnelEntry(configuration, name) !== undefined)
    .map(({ name, state, failure }) => view(name, state, failure));
  return [...dialled, ...tunnels];
}

function view(name: string, state: VpnView['state'], failure: VpnView['failure']): VpnView {
  return { name, state, ...(failure === undefined ? {} : { failure }) };
}
