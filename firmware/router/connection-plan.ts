/** Which connections a new configuration leaves alone, and what becomes of the others. */
import { tunnelInterfaceNames } from '../config/interface-names.ts';
import type { Configuration } from '../config/schema.ts';
import { unchanged } from './connections.ts';

/** Names of those that keep running. */
export interface KeptConnections {
  readonly clients: ReadonlySet<string>;
  readonly servers: ReadonlySet<string>;
  /** Of `ipsec.connections`. */
  readonly ipsec: ReadonlySet<string>;
}

/** @param protects whether there is a service of IPsec: what was begun without it has never been protected. */
export function keptConnections(before: Configuration, after: Configuration, protects: boolean): KeptConnections {
  const was = tunnelInterfaceNames(before);
  const devices = tunnelInterfaceNames(after);
  const sameName = before.system.hostname === after.system.hostname;
  const clients = sameName ? unchanged(before.l2tp.clients, after.l2tp.clients) : new Set<string>();
  const servers = sameName ? unchanged(before.l2tp.servers, after.l2tp.servers) : new Set<string>();
  keepDevices(clients, was.clients, devices.clients);
  keepDevices(servers, was.servers, devices.servers);
  const ipsec = protects ? unchanged(before.ipsec.connections, after.ipsec.connections) : new Set<string>();
  keepProtected(clients, after.l2tp.clients, ipsec);
  keepProtected(servers, after.l2tp.servers, ipsec);
  return { clients, servers, ipsec };
}

/** One sentence for each connection that starts, ends or starts anew, without a full stop. */
export function connectionChanges(before: Configuration, after: Configuration): string[] {
  const kept = keptConnections(before, after, true);
  return [
    ...changes('L2TP server', before.l2tp.servers, after.l2tp.servers, kept.servers),
    ...changes('L2TP client', before.l2tp.clients, after.l2tp.clients, kept.clients),
    ...changes('IPsec connection', before.ipsec.connections, after.ipsec.connections, kept.ipsec),
  ];
}

function changes(kind: string, before: object, after: object, kept: ReadonlySet<string>): string[] {
  const [old, now] = [Object.keys(before), Object.keys(after)];
  const touched = now.filter((name) => !kept.has(name));
  return [
    ...old.filter((name) => !now.includes(name)).map((name) => `${kind} "${name}" ends`),
    ...touched.map((name) => `${kind} "${name}" ${old.includes(name) ? 'starts anew' : 'starts'}`),
  ];
}

/** A new connection can take the device name of an old one when both are cut to 15 characters: then both start anew. */
function keepDevices(keep: Set<string>, before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): void {
  for (const name of keep) {
    if (before.get(name) !== after.get(name)) keep.delete(name);
  }
}

/** What is inside a connection of IPsec that has changed starts anew with it. */
function keepProtected(
  keep: Set<string>,
  entries: Readonly<Record<string, { readonly ipsec?: string }>>,
  sameIpsec: ReadonlySet<string>,
): void {
  for (const name of keep) {
    const connection = entries[name]?.ipsec;
    if (connection !== undefined && !sameIpsec.has(connection)) keep.delete(name);
  }
}
