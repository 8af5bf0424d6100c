import { isDeepStrictEqual } from 'node:util';
import type { CommandResult } from '../api/router-control.ts';
import { usersOf } from '../config/ipsec-users.ts';
import { ownEntry } from '../config/schema.ts';
import type { UplinkManager } from '../uplink/uplink-manager.ts';
import type { ConnectionSet } from './connection-set.ts';
import { tunnelEntry } from './ipsec-connections.ts';
import { uplinkState } from './uplink-status.ts';
import type { Awaited } from './wait-for-state.ts';

/** What `connect` and `disconnect` work on. */
export interface ConnectTarget {
  connect(): void;
  /** Resolves when it is down. */
  disconnect(): Promise<void>;
  /** As it is now; `undefined` when the configuration has it no more, or has another under its name. */
  now(): Awaited | undefined;
}

/** The L2TP client, or else the IPsec connection in tunnel mode or the uplink with that name; `undefined`: there is none. */
export function connectTarget(
  connections: ConnectionSet,
  uplinks: UplinkManager,
  name: string,
): ConnectTarget | undefined {
  const client = connections.clients.get(name);
  if (client) {
    return {
      connect: () => client.connect(),
      disconnect: () => client.disconnect(),
      now: () => (connections.clients.get(name) === client ? client : undefined),
    };
  }
  const call = callTarget(connections, name);
  if (call) return call;
  const { ipsec } = connections;
  const entry = tunnelEntry(connections.configuration, name);
  if (ipsec === undefined || entry === undefined) return uplinkTarget(uplinks, name);
  return {
    connect: () => ipsec.connect(name),
    disconnect: () => ipsec.disconnect(name),
    now: () => {
      const info = ipsec.info().find((connection) => connection.name === name);
      const same = isDeepStrictEqual(tunnelEntry(connections.configuration, name), entry);
      return info && same ? { state: info.state, failure: info.failure } : undefined;
    },
  };
}

function uplinkTarget(uplinks: UplinkManager, name: string): ConnectTarget | undefined {
  const uplink = uplinks.uplinks.get(name);
  if (uplink === undefined) return undefined;
  return {
    connect: () => uplinks.connect(name),
    disconnect: () => uplinks.disconnect(name),
    now: () =>
      uplinks.uplinks.get(name) === uplink ? { state: uplinkState(uplink), failure: uplink.failure } : undefined,
  };
}

/** A branch that one of the servers calls. */
function callTarget(connections: ConnectionSet, name: string): ConnectTarget | undefined {
  for (const [serverName, server] of connections.servers) {
    if (server.machine.callView(name) === undefined) continue;
    return {
      connect: () => server.call(name),
      disconnect: async () => server.hangUp(name),
      now: () => {
        const view = connections.servers.get(serverName) === server ? server.machine.callView(name) : undefined;
        return view && { state: view.state, failure: view.failure };
      },
    };
  }
  return undefined;
}

/** Why there is no {@link ConnectTarget}, and what to do instead. */
export function noTarget(
  connections: ConnectionSet,
  uplinks: UplinkManager,
  name: string,
  verb: 'connect' | 'disconnect',
): CommandResult & { readonly ok: false } {
  const { configuration } = connections;
  const waits = {
    ok: false,
    reason: `${name} is a server, which waits for others to dial in`,
    remedy: `${verb} the client at the other end`,
  } as const;
  if (connections.servers.has(name)) return waits;
  const entry = ownEntry(configuration.ipsec.connections, name);
  if (entry === undefined) {
    const calls = Object.values(configuration.l2tp.servers).flatMap((server) => Object.keys(server.calls));
    const tunnels = Object.keys(configuration.ipsec.connections).filter((other) => tunnelEntry(configuration, other));
    return {
      ok: false,
      reason: `there is no connection ${JSON.stringify(name)}`,
      remedy: 'name one that the configuration has',
      notFound: [...new Set([...connections.clients.keys(), ...calls, ...tunnels, ...uplinks.uplinks.keys()])],
    };
  }
  if (entry.mode === 'tunnel') {
    return {
      ok: false,
      reason: `${name} needs IPsec, which could not be started`,
      remedy: 'see the log for the cause',
    };
  }
  const { clients, servers } = usersOf(configuration, name);
  const reason = `${name} is an IPsec connection in transport mode, which comes and goes with the L2TP inside it`;
  if (clients.length > 0) return { ok: false, reason, remedy: `${verb} the L2TP client ${clients.join(' or ')}` };
  if (servers.length > 0) return { ...waits, reason: `${name} protects the L2TP server ${servers.join(' and ')}` };
  return { ok: false, reason, remedy: 'let an L2TP client use it' };
}
