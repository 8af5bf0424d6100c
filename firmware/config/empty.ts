import type { Configuration } from './schema.ts';

/** What a router has before it was ever given a configuration: no interface, no connection. */
export const EMPTY_CONFIGURATION: Configuration = {
  system: { hostname: 'culvert', syslog: {}, console: { idleMinutes: 15 } },
  interfaces: {},
  modems: {},
  uplinks: {},
  l2tp: { clients: {}, servers: {} },
  ipsec: { connections: {}, certificates: {} },
  routes: [],
  users: {},
};
