/** Which L2TP clients and servers are protected by which IPsec connection. */
import type { Configuration } from './schema.ts';

/** Names, in the configuration's order. */
export interface IpsecUsers {
  readonly clients: readonly string[];
  readonly servers: readonly string[];
}

/** Who uses the IPsec connection `name`. */
export function usersOf(configuration: Configuration, name: string): IpsecUsers {
  const { clients, servers } = configuration.l2tp;
  return { clients: namesWith(clients, name), servers: namesWith(servers, name) };
}

function namesWith(entries: Readonly<Record<string, { readonly ipsec?: string }>>, connection: string): string[] {
  return Object.entries(entries).flatMap(([name, { ipsec }]) => (ipsec === connection ? [name] : []));
}
