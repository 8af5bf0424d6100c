import type { RouterStatus } from '../api/router-control.ts';
import type { DataPlaneCounters } from '../dataplane/data-plane.ts';
import type { ConnectionSet } from './connection-set.ts';
import { ipsecStatus } from './ipsec-status.ts';
import { clientStatus, serverStatus } from './l2tp-status.ts';

/** Tunnels, what runs in them, and what encrypts them. */
export function connectionStatus(
  { clients, servers, ipsecConnections }: Pick<ConnectionSet, 'clients' | 'servers' | 'ipsecConnections'>,
  counters: DataPlaneCounters,
): Pick<RouterStatus, 'l2tp' | 'ppp' | 'ipsec'> {
  const sessions = new Map(counters.sessions.map((session) => [session.key, session]));
  const sas = new Map(counters.sas.map((sa) => [sa.key, sa]));
  const tunnels = [
    ...[...clients.values()].map((client) => clientStatus(client, sessions)),
    ...[...servers.values()].map((server) => serverStatus(server, sessions)),
  ];
  return {
    l2tp: tunnels.flatMap((part) => part.l2tp),
    ppp: tunnels.flatMap((part) => part.ppp),
    ipsec: ipsecConnections.flatMap((connection) => ipsecStatus(connection, sas)),
  };
}
