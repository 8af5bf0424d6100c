/** How the router is, for its LEDs: from what is in memory, and at little cost. */
import type { UplinkStatus } from '../api/router-control.ts';
import { ANY_PEER } from '../config/ipsec-schema.ts';
import type { Configuration } from '../config/schema.ts';
import {
  type Condition,
  type LteCondition,
  NO_MODEM,
  type VpnView,
  vpnCondition,
  type WanView,
  wanCondition,
} from '../indicators/condition.ts';
import type { ConnectionSet } from './connection-set.ts';
import { tunnelEntry } from './ipsec-connections.ts';

/**
 * @param uplinks while there are none, the interfaces of the zone `wan` stand for them.
 * @param carrier whether a network device has a link.
 */
export function routerCondition(
  connections: Pick<ConnectionSet, 'configuration' | 'clients' | 'ipsecConnections'>,
  uplinks: readonly UplinkStatus[],
  carrier: (device: string) => boolean,
): Omit<Condition, 'phase'> {
  const { configuration } = connections;
  const lanDevice = Object.values(configuration.interfaces).find(({ zone }) => zone === 'lan')?.device;
  return {
    wan: wanCondition(uplinks.length > 0 ? waysOf(uplinks) : portsOf(configuration, carrier)),
    vpn: vpnCondition(tunnelsOf(connections)),
    lte: lteCondition(uplinks),
    ...(lanDevice === undefined ? {} : { lanDevice }),
  };
}

/** The best first. */
function waysOf(uplinks: readonly UplinkStatus[]): readonly WanView[] {
  const ordered = uplinks.toSorted((one, other) => one.priority - other.priority || other.weight - one.weight);
  return ordered.map(({ name, state, reason, verdict, why }) => ({
    name,
    state,
    ...(reason === undefined ? {} : { reason }),
    ...(verdict === 'degraded' ? { trouble: why === '' ? 'does badly' : why } : {}),
  }));
}

/** Of the first modem. */
function lteCondition(uplinks: readonly UplinkStatus[]): LteCondition {
  const modem = uplinks.find(({ type }) => type === 'modem');
  if (modem === undefined) return NO_MODEM;
  const { name, state, doing, reason, signalBars: bars } = modem;
  if (bars !== undefined) {
    const strength = `the signal of ${name} has ${bars} of 5 bars`;
    return { state: 'registered', bars, why: state === 'up' ? strength : `${strength}, and it is not connected` };
  }
  if (state === 'up') return { state: 'registered', why: `${name} is connected` };
  const words = reason ?? (doing === '' ? 'it waits' : doing);
  return { state: state === 'down' ? 'none' : 'searching', why: `${name} is not connected: ${words}` };
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
