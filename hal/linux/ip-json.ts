/** What `ip -j` prints, checked and brought into the shapes of the Links port. Anything unexpected is an error in words. */
import { HalError } from '../hal-error.ts';
import type { Link, LinkAddress, NextHop, Route, Rule, Vlan } from '../links.ts';

type Json = Readonly<Record<string, unknown>>;

/** rtm_type of linux/rtnetlink.h, by number (`ip -N`) and by name. Others (local, broadcast ...) are the kernel's. */
const ROUTE_TYPES: Readonly<Record<string, Route['type']>> = {
  1: 'unicast',
  6: 'blackhole',
  7: 'unreachable',
  9: 'throw',
  unicast: 'unicast',
  blackhole: 'blackhole',
  unreachable: 'unreachable',
  throw: 'throw',
};

/** rtm_scope, by number; global is not shown. */
const SCOPES: Readonly<Record<string, string>> = { 0: 'global', 200: 'site', 253: 'link', 254: 'host', 255: 'nowhere' };

/** RTPROT_BOOT: what `ip` leaves out, the protocol of routes that were added without one. */
const PROTOCOL_BOOT = 3;

/** Names that an `ip` which ignores `-N` prints for the protocols below 16. */
const PROTOCOLS: Readonly<Record<string, number>> = {
  unspec: 0,
  redirect: 1,
  kernel: 2,
  boot: 3,
  static: 4,
  ra: 9,
  dhcp: 16,
};

const TABLES: Readonly<Record<string, number>> = { default: 253, main: 254, local: 255 };

const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;

/** Selectors of a rule that the port cannot say; a rule that has one is not listed, so that none is taken for a plain one. */
const FOREIGN_SELECTORS = [
  'dst',
  'iif',
  'oif',
  'fwmask',
  'tos',
  'dsfield',
  'sport',
  'sport_start',
  'dport',
  'dport_start',
  'ipproto',
  'l3mdev',
  'tun_id',
  'uid_start',
  'action',
  'nat_gateway',
  'suppress_prefixlen',
  'suppress_ifgroup',
  'realms',
] as const;

/** `ip -j link show`. */
export function parseLinks(text: string): readonly Link[] {
  return records(text, 'links').map((entry) => ({
    index: integer(entry, 'ifindex'),
    name: string(entry, 'ifname'),
    up: array(entry, 'flags').includes('UP'),
    carrier: array(entry, 'flags').includes('LOWER_UP'),
    mtu: integer(entry, 'mtu'),
    mac: hardwareAddress(entry['address']),
  }));
}

/** Whether `ip -j link show` or `address show` names a device that sits on another one of this machine. */
export function hasParents(text: string): boolean {
  return records(text, 'links').some((entry) => typeof entry['link'] === 'string');
}

/** `ip -j -d link show`: those that are VLANs of 802.1Q. */
export function parseVlans(text: string): ReadonlyMap<string, Vlan> {
  const vlans = new Map<string, Vlan>();
  for (const entry of records(text, 'links')) {
    const info = isRecord(entry['linkinfo']) ? entry['linkinfo'] : {};
    const data = isRecord(info['info_data']) ? info['info_data'] : {};
    const [parent, id] = [entry['link'], data['id']];
    if (info['info_kind'] === 'vlan' && typeof parent === 'string' && typeof id === 'number')
      vlans.set(string(entry, 'ifname'), { parent, id });
  }
  return vlans;
}

/** Empty for tunnels, whose address is an IP address or missing, and for loopback, whose is all zeros. */
function hardwareAddress(value: unknown): string {
  return typeof value === 'string' && MAC.test(value) && /[1-9a-f]/.test(value) ? value : '';
}

/** An address with its peer, where it has one. */
export interface PeerAddress extends LinkAddress {
  readonly peer?: string;
}

/** `ip -j address show`. */
export function parseAddresses(text: string): readonly PeerAddress[] {
  return records(text, 'addresses').flatMap((link) => {
    // Links without addresses are listed as empty objects when a filter is given.
    if (link['ifname'] === undefined) return [];
    const device = string(link, 'ifname');
    return array(link, 'addr_info').flatMap((item) => {
      const info = record(item, 'addresses');
      if (info['family'] !== 'inet' && info['family'] !== 'inet6') return [];
      const address = `${string(info, 'local')}/${integer(info, 'prefixlen')}`;
      const peer = info['address'];
      return [typeof peer === 'string' ? { device, address, peer } : { device, address }];
    });
  });
}

/** `ip -j -N route show table N`. */
export function parseRoutes(text: string, family: 4 | 6, table: number): readonly Route[] {
  return records(text, 'routes').flatMap((entry) => routeOf(entry, family, table));
}

/** `ip -j -N route show table all`: both families, of which IPv6 alone tells a preference (RFC 4191), and always does. */
export function parseAllRoutes(text: string): readonly Route[] {
  return records(text, 'routes').flatMap((entry) => {
    const table = numberOf(entry['table'] ?? TABLES['main'], TABLES);
    return table === undefined ? [] : routeOf(entry, 'pref' in entry ? 6 : 4, table);
  });
}

function routeOf(entry: Json, family: 4 | 6, table: number): Route[] {
  const type = ROUTE_TYPES[String(entry['type'] ?? 'unicast')];
  if (!type) return [];
  const nexthops = family === 4 ? nextHops(entry['nexthops']) : undefined;
  const gateway = entry['gateway'] ?? (isRecord(entry['via']) ? entry['via']['host'] : undefined);
  const scope = entry['scope'] === undefined ? 'global' : String(entry['scope']);
  const scopeName = SCOPES[scope] ?? scope;
  return [
    {
      prefix: routePrefix(string(entry, 'dst'), family),
      type,
      table,
      protocol: numberOf(entry['protocol'], PROTOCOLS) ?? PROTOCOL_BOOT,
      // IPv6 shows `lo` for routes that lead nowhere.
      ...(type === 'unicast' && typeof entry['dev'] === 'string' ? { device: entry['dev'] } : {}),
      ...(typeof gateway === 'string' ? { gateway } : {}),
      ...(nexthops === undefined ? {} : { nexthops }),
      ...(typeof entry['prefsrc'] === 'string' ? { source: entry['prefsrc'] } : {}),
      ...(typeof entry['metric'] === 'number' ? { metric: entry['metric'] } : {}),
      ...(scopeName === 'global' ? {} : { scope: scopeName }),
    },
  ];
}

/** `undefined`: there are none, or one that the port cannot express. */
function nextHops(value: unknown): readonly NextHop[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const hops = value.flatMap((hop): NextHop[] => {
    if (!isRecord(hop) || 'via' in hop) return [];
    const { dev: device, gateway, weight } = hop;
    if (typeof device !== 'string' || typeof weight !== 'number') return [];
    return [{ device, weight, ...(typeof gateway === 'string' ? { gateway } : {}) }];
  });
  return hops.length === value.length ? hops : undefined;
}

function routePrefix(destination: string, family: 4 | 6): string {
  if (destination === 'default') return family === 4 ? '0.0.0.0/0' : '::/0';
  return destination.includes('/') ? destination : `${destination}/${family === 4 ? 32 : 128}`;
}

/** `ip -j -N route get ADDRESS`: the source that the kernel would choose; `undefined` when it has none. */
export function parsePreferredSource(text: string): string | undefined {
  const [entry] = records(text, 'route');
  return entry?.['prefsrc'] === undefined ? undefined : string(entry, 'prefsrc');
}

/** `ip -j -N rule show`: those rules that the port can express. */
export function parseRules(text: string, family: 4 | 6): readonly Rule[] {
  return records(text, 'rules').flatMap((entry) => {
    const table = numberOf(entry['table'], TABLES);
    const target = numberOf(entry['goto'], {});
    const inverted = 'not' in entry;
    const mark = numberOf(entry['fwmark'], {});
    const source = ruleSource(entry, family);
    if ((table === undefined) === (target === undefined)) return [];
    if (FOREIGN_SELECTORS.some((selector) => selector in entry)) return [];
    if (inverted && (mark === undefined || source !== undefined)) return [];
    const protocol = numberOf(entry['protocol'], PROTOCOLS);
    return [
      {
        priority: integer(entry, 'priority'),
        family,
        ...(table === undefined ? {} : { table }),
        ...(target === undefined ? {} : { goto: target }),
        ...(mark === undefined ? {} : { [inverted ? 'notMark' : 'mark']: mark }),
        ...(source === undefined ? {} : { source }),
        ...(protocol === undefined ? {} : { protocol }),
      },
    ];
  });
}

function ruleSource(entry: Json, family: 4 | 6): string | undefined {
  const address = string(entry, 'src');
  if (address === 'all') return undefined;
  // Of one address, no length is shown.
  return `${address}/${'srclen' in entry ? integer(entry, 'srclen') : family === 4 ? 32 : 128}`;
}

/** A number, the text of one (decimal or `0x`), or one of the names. */
function numberOf(value: unknown, names: Readonly<Record<string, number>>): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  return names[value] ?? (/^(\d+|0x[0-9a-f]+)$/i.test(value) ? Number(value) : undefined);
}

function records(text: string, what: string): readonly Json[] {
  // An empty list is printed as nothing by some versions.
  if (text.trim() === '') return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unexpected(what, 'no JSON');
  }
  if (!Array.isArray(value)) throw unexpected(what, 'no list');
  return value.map((item) => record(item, what));
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function record(value: unknown, what: string): Json {
  if (!isRecord(value)) throw unexpected(what, 'an entry that is no object');
  return value;
}

function string(entry: Json, field: string): string {
  const value = entry[field];
  if (typeof value !== 'string') throw unexpected(field, 'no text');
  return value;
}

function integer(entry: Json, field: string): number {
  const value = entry[field];
  if (typeof value !== 'number' || !Number.isInteger(value)) throw unexpected(field, 'no whole number');
  return value;
}

function array(entry: Json, field: string): readonly unknown[] {
  const value = entry[field];
  if (!Array.isArray(value)) throw unexpected(field, 'no list');
  return value;
}

function unexpected(where: string, what: string): HalError {
  return new HalError(
    `The program ip printed ${what} where its ${where} should be: check that iproute2 is version 5.0 or newer.`,
    'EBADMSG',
  );
}
