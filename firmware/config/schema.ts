/**
 * The one description of the configuration: what may be written, what is assumed when it is not, and what it means.
 * It is strict; a key that is not here is refused.
 */
import Type, { type Static } from 'typebox';
import { INTERFACES_SCHEMA, ROUTES_SCHEMA, SYSTEM_SCHEMA } from './interfaces-schema.ts';
import { IPSEC_SCHEMA } from './ipsec-schema.ts';
import { L2TP_SCHEMA } from './l2tp-schema.ts';
import { MODEMS_SCHEMA } from './modems-schema.ts';
import { UPLINKS_SCHEMA } from './uplinks-schema.ts';
import { USERS_SCHEMA } from './users-schema.ts';

export const CONFIGURATION_SCHEMA = Type.Object(
  {
    system: SYSTEM_SCHEMA,
    interfaces: INTERFACES_SCHEMA,
    modems: MODEMS_SCHEMA,
    uplinks: UPLINKS_SCHEMA,
    l2tp: L2TP_SCHEMA,
    ipsec: IPSEC_SCHEMA,
    routes: ROUTES_SCHEMA,
    users: USERS_SCHEMA,
  },
  {
    title: 'Configuration',
    description: 'The whole configuration of a router.',
    additionalProperties: false,
  },
);

/** A configuration with every default filled in. */
export type Configuration = Static<typeof CONFIGURATION_SCHEMA>;

/** Keys that belong to the configuration file and that this version cannot carry out, by the path of their object. */
export const NOT_AVAILABLE_KEYS: ReadonlyMap<string, readonly string[]> = new Map([['', ['firewall', 'dhcp', 'dns']]]);

/** The entry of `record` under exactly this name; names such as `constructor` find nothing that was not configured. */
export function ownEntry<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
