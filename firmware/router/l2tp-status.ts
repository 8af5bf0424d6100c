import type { L2tpSessionStatus, L2tpStatus, PppStatus, RadiusServerStatus } from '../api/router-control.ts';
import type { SessionCounters, SessionKey } from '../dataplane/data-plane.ts';
import type { SessionState, TunnelView } from '../protocol/l2tp/endpoint-types.ts';
import type { Failure } from '../protocol/machine.ts';
import { formatEndpoint } from '../protocol/udp-path.ts';
import type { L2tpClient } from '../vpn/l2tp/client.ts';
import type { ClientIpv6 } from '../vpn/l2tp/client-ipv6.ts';
import type { L2tpServer } from '../vpn/l2tp/server.ts';
import type { ServerSession } from '../vpn/l2tp/server-session.ts';

/** The parts of `show status` that speak of tunnels and of what runs in them. */
export interface TunnelStatus {
  readonly l2tp: readonly L2tpStatus[];
  readonly ppp: readonly PppStatus[];
}

/** Counters by session. */
export type CountersByKey = ReadonlyMap<SessionKey, SessionCounters>;

/** `reason` and `remedy` of a status entry. */
function why(failure: Failure | undefined): { reason?: string; remedy?: string } {
  return failure ? { reason: `${failure.step}: ${failure.reason}`, remedy: failure.remedy } : {};
}

type Traffic = Omit<SessionCounters, 'key' | 'drops'> & { readonly drops: Record<string, number> };

function traffic(counters: CountersByKey, key: SessionKey | undefined): Traffic | undefined {
  const found = key === undefined ? undefined : counters.get(key);
  if (!found) return undefined;
  const { key: _, drops, ...numbers } = found;
  return { ...numbers, drops: { ...drops } };
}

const sessionState = (state: SessionState): 'up' | 'connecting' => (state === 'established' ? 'up' : 'connecting');

/** A client has at most one tunnel with one session. */
export function clientStatus(client: L2tpClient, counters: CountersByKey): TunnelStatus {
  const { machine, name, state, failure } = client;
  const { tunnel, network } = machine;
  const device = state === 'up' ? client.placement.device : '';
  // While the next attempt runs, why the last one failed is still what one wants to know.
  const waits = state === 'down' && client.waitsForTraffic ? { reason: 'idle, dials when traffic comes' } : {};
  const reason = state === 'up' || state === 'down' ? waits : why(failure);
  const l2tp: L2tpStatus = {
    name,
    role: 'client',
    state,
    ...reason,
    tunnelId: tunnel?.tunnelId ?? 0,
    peerTunnelId: tunnel?.peerTunnelId ?? 0,
    peer: tunnel ? formatEndpoint(tunnel.path.remote) : client.server,
    ...(machine.peer ? { peerHostName: machine.peer.hostName } : {}),
    since: client.stateSince,
    sessions: (tunnel?.sessions ?? []).map((session) => ({
      name,
      state: sessionState(session.state),
      sessionId: session.sessionId,
      peerSessionId: session.peerSessionId,
      interface: device,
      ...traffic(counters, client.sessionKey),
    })),
  };
  const ppp: PppStatus = {
    name,
    state,
    ...reason,
    interface: device,
    localAddress: network?.localAddress ?? '',
    peerAddress: network?.peerAddress ?? '',
    dns: network ? [...network.dns] : [],
    authentication: machine.authentication ?? (state === 'up' ? 'none' : ''),
    user: client.user,
    ...(network ? { mtu: network.mtu } : {}),
    ...clientIpv6(machine.ipv6),
  };
  return { l2tp: [l2tp], ppp: [ppp] };
}

function clientIpv6(ipv6: ClientIpv6 | undefined): Pick<PppStatus, 'ipv6'> {
  if (!ipv6) return {};
  const { linkLocalAddress, peerLinkLocalAddress, addresses, router, dns } = ipv6;
  return {
    ipv6: {
      localAddress: linkLocalAddress,
      peerAddress: peerLinkLocalAddress,
      addresses: [...addresses],
      ...(router === undefined ? {} : { router }),
      dns: [...dns],
    },
  };
}

/** A server has an entry per tunnel, or one that says on which address it waits. */
export function serverStatus(server: L2tpServer, counters: CountersByKey): TunnelStatus {
  const { name, state, failure, placement, machine } = server;
  const tunnels = machine.tunnels;
  if (tunnels.length === 0) {
    const waiting: L2tpStatus = {
      name,
      role: 'server',
      state,
      ...why(failure),
      tunnelId: 0,
      peerTunnelId: 0,
      peer: formatEndpoint({ address: placement.listen, port: placement.port }),
      since: server.stateSince,
      ...radiusStatus(server),
      sessions: [],
    };
    return { l2tp: [waiting], ppp: [] };
  }
  const parts = tunnels.map((tunnel) => serverTunnelStatus(server, tunnel, counters));
  return { l2tp: parts.flatMap((part) => part.l2tp), ppp: parts.flatMap((part) => part.ppp) };
}

/** What is known of the RADIUS servers of a server that has any. */
function radiusStatus(server: L2tpServer): { radius?: readonly RadiusServerStatus[] } {
  const { radius } = server;
  if (!radius) return {};
  return {
    radius: radius.servers.map(({ host, service, endpoint, state, counters, failure }) => ({
      service,
      address: endpoint ? formatEndpoint(endpoint) : host,
      state,
      ...counters,
      ...(failure ? { reason: failure.reason, remedy: failure.remedy } : {}),
    })),
  };
}

function serverTunnelStatus(server: L2tpServer, tunnel: TunnelView, counters: CountersByKey): TunnelStatus {
  const ppp: PppStatus[] = [];
  const sessions = tunnel.sessions.map((view): L2tpSessionStatus => {
    const session = server.machine.session(tunnel.tunnelId, view.sessionId);
    const switched = server.machine.switchboard.call(`${tunnel.tunnelId}/${view.sessionId}`);
    const name = session?.user ?? switched?.user ?? server.name;
    if (session) ppp.push(serverPppStatus(server, session));
    return {
      name,
      state: sessionState(view.state),
      sessionId: view.sessionId,
      peerSessionId: view.peerSessionId,
      interface: session?.up ? server.placement.device : '',
      ...traffic(counters, server.sessionKey(tunnel.tunnelId, view.sessionId)),
    };
  });
  // A tunnel by which callers are handed on is one of ours.
  const target = server.machine.switchboard.target(tunnel.tunnelId);
  const l2tp: L2tpStatus = {
    name: target?.name ?? server.name,
    role: target === undefined ? 'server' : 'client',
    state: tunnel.state === 'established' ? 'up' : 'connecting',
    tunnelId: tunnel.tunnelId,
    peerTunnelId: tunnel.peerTunnelId,
    peer: formatEndpoint(tunnel.path.remote),
    ...(tunnel.peer ? { peerHostName: tunnel.peer.hostName } : {}),
    ...radiusStatus(server),
    sessions,
  };
  return { l2tp: [l2tp], ppp };
}

function serverPppStatus(server: L2tpServer, session: ServerSession): PppStatus {
  const { view } = session.ppp;
  return {
    name: session.user ?? server.name,
    state: session.up ? 'up' : 'connecting',
    interface: session.up ? server.placement.device : '',
    localAddress: session.up ? server.machine.localAddress : '',
    peerAddress: session.address ?? '',
    dns: [...view.dns],
    authentication: view.authentication ?? (session.up ? 'none' : ''),
    ...(session.user === undefined ? {} : { user: session.user }),
    ...(session.mtu === undefined ? {} : { mtu: session.mtu }),
    ...serverIpv6(server, session),
  };
}

function serverIpv6(server: L2tpServer, { ipv6 }: ServerSession): Pick<PppStatus, 'ipv6'> {
  if (!ipv6) return {};
  const { linkLocalAddress, peerLinkLocalAddress, prefix } = ipv6;
  const local = server.machine.ipv6LocalAddress;
  return {
    ipv6: {
      localAddress: linkLocalAddress,
      peerAddress: peerLinkLocalAddress,
      addresses: local === undefined ? [] : [local],
      ...(prefix === undefined ? {} : { prefix }),
      dns: [],
    },
  };
}
