import { parseIkeIdentity } from '../config/ike-identity.ts';
import {
  type CheckedProposals,
  checkAhProposal,
  checkEspProposal,
  checkIkeProposal,
} from '../config/ipsec-proposals.ts';
import type { IpsecConnectionConfiguration } from '../config/ipsec-schema.ts';
import { usersOf } from '../config/ipsec-users.ts';
import { type Configuration, ownEntry } from '../config/schema.ts';
import type { IkeIdentity } from '../protocol/ike/ike-types.ts';
import type { IpsecAuthentication, IpsecConnectionSettings } from '../vpn/ipsec/ipsec-types.ts';

/** Octets of outer headers around ESP: IP, and UDP where a NAT lies between. */
const OUTER_IPV4 = 20 + 8;
const OUTER_IPV6 = 40 + 8;
/** ESP with the algorithms that need the most room: SPI and sequence number, IV of AES-CBC, ICV of HMAC-SHA2-512-256. */
const ESP_AROUND = 8 + 16 + 32;
/** What is encrypted are whole blocks, at the end of which are Pad Length and Next Header (RFC 4303 section 2). */
const CIPHER_BLOCK = 16;
const ESP_TRAILER = 2;

/** AH with the longest ICV (HMAC-SHA2-512-256), and the IPv4 header in front of it. */
const AH_AROUND = 20 + 12 + 32;

/**
 * Largest inner packet of tunnel mode such that the outer one fits a link, octets; whatever the algorithms and the NATs.
 * @param remote as configured; a name counts as IPv4.
 */
export function tunnelMtu(linkMtu: number, remote: string): number {
  const encrypted = linkMtu - (remote.includes(':') ? OUTER_IPV6 : OUTER_IPV4) - ESP_AROUND;
  return encrypted - (encrypted % CIPHER_BLOCK) - ESP_TRAILER;
}

/**
 * What the IPsec service is told, from the configuration.
 * @param devices TUNs of the connections in tunnel mode, by name.
 * @param linkMtu smallest MTU of the interfaces that lead out, octets.
 */
export function connectionSettings(
  configuration: Configuration,
  devices: ReadonlyMap<string, string>,
  linkMtu: number,
): IpsecConnectionSettings[] {
  return Object.entries(configuration.ipsec.connections).map(([name, entry]): IpsecConnectionSettings => {
    const { version, remote, mode, protocol, profile, encapsulation, dpdSeconds } = entry;
    const device = devices.get(name);
    const { localSubnets, remoteSubnets, routing, start, idleSeconds, virtualAddress, pool, dns } = entry;
    const inner = {
      ...(virtualAddress ? { virtualAddress: true as const } : {}),
      ...(pool === undefined ? {} : { pool: { range: pool, dns } }),
    };
    const mtu = protocol === 'ah' ? linkMtu - AH_AROUND : tunnelMtu(linkMtu, remote);
    return {
      name,
      version,
      remote,
      authentication: authentication(configuration, name, entry),
      ...login(entry),
      ...logins(entry),
      ...(entry.aggressive ? { aggressive: true } : {}),
      ...identity('localId', entry.localId),
      ...identity('remoteId', entry.remoteId),
      mode,
      ...(protocol === 'ah' ? { protocol } : {}),
      profile,
      ...(entry.ike === undefined
        ? {}
        : { ikeProposals: entry.ike.flatMap((text) => proposals(checkIkeProposal(version, text))) }),
      ...(entry.esp === undefined
        ? {}
        : { espProposals: entry.esp.flatMap((text) => proposals(checkEspProposal(version, text))) }),
      ...(entry.ah === undefined
        ? {}
        : { espProposals: entry.ah.flatMap((text) => proposals(checkAhProposal(version, text))) }),
      encapsulation,
      ...(entry.ikeLifetimeSeconds === undefined ? {} : { ikeLifetime: entry.ikeLifetimeSeconds }),
      ...(entry.lifetimeSeconds === undefined ? {} : { childLifetime: entry.lifetimeSeconds }),
      ...(entry.ppk === undefined || entry.ppkId === undefined
        ? {}
        : { ppk: { id: entry.ppkId, key: entry.ppk, mandatory: entry.ppkRequired ?? true } }),
      ...(entry.reauthSeconds === undefined ? {} : { reauthSeconds: entry.reauthSeconds }),
      dpdSeconds,
      ...(device === undefined
        ? {}
        : { tunnel: { device, localSubnets, remoteSubnets, routing, mtu, start, idleSeconds, ...inner } }),
    };
  });
}

/** The rules have refused every configuration in which something is missing, or there twice. */
function authentication(
  { ipsec: { certificates } }: Configuration,
  name: string,
  { version, psk, certificate, authorities = [], user, password, users }: IpsecConnectionConfiguration,
): IpsecAuthentication {
  if (psk !== undefined) return { kind: 'psk', psk };
  const trusted = authorities.flatMap((known) => ownEntry(certificates, known) ?? []);
  if (version === 2 && user !== undefined && password !== undefined) {
    return { kind: 'eap-client', user, password, authorities: trusted };
  }
  const own = certificate === undefined ? undefined : ownEntry(certificates, certificate);
  if (own === undefined) throw new RangeError(`connection ${name} has neither a pre-shared key nor a certificate`);
  if (version === 1 || users === undefined) return { kind: 'certificate', own, authorities: trusted };
  return { kind: 'eap-server', own, users: passwordsOf(users) };
}

function passwordsOf(users: NonNullable<IpsecConnectionConfiguration['users']>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(users).map(([name, { password }]) => [name, password]));
}

function login({ version, user, password }: IpsecConnectionConfiguration): Pick<IpsecConnectionSettings, 'login'> {
  return version === 2 || user === undefined || password === undefined ? {} : { login: { user, password } };
}

function logins({ version, users }: IpsecConnectionConfiguration): Pick<IpsecConnectionSettings, 'logins'> {
  return version === 2 || users === undefined ? {} : { logins: passwordsOf(users) };
}

function identity<Key extends 'localId' | 'remoteId'>(
  key: Key,
  text: string | undefined,
): { [K in Key]?: IkeIdentity } {
  const parsed = text === undefined ? undefined : parseIkeIdentity(text);
  const found: { [K in Key]?: IkeIdentity } = {};
  if (parsed !== undefined) found[key] = parsed;
  return found;
}

/** The rules have refused every configuration in which one is wrong. */
function proposals<Proposal>(checked: CheckedProposals<Proposal>): readonly Proposal[] {
  return checked.ok ? checked.proposals : [];
}

/** Whether L2TP goes inside this connection, so that it has no state of its own that one could ask for. */
export function isForL2tp({ mode }: IpsecConnectionConfiguration): boolean {
  return mode === 'transport';
}

/**
 * Under whose name the steps of an IPsec connection are told: that of the L2TP client, if exactly one uses it and nobody
 * else, so that one list shows its whole set-up; else its own.
 */
export function speakerOf(configuration: Configuration, connection: string): { name: string; isClient: boolean } {
  const { clients, servers } = usersOf(configuration, connection);
  const [client] = clients;
  const isClient = client !== undefined && clients.length === 1 && servers.length === 0;
  return { name: isClient ? client : connection, isClient };
}

/** The entry of the connection in tunnel mode with that name. */
export function tunnelEntry(configuration: Configuration, name: string): IpsecConnectionConfiguration | undefined {
  const entry = ownEntry(configuration.ipsec.connections, name);
  return entry === undefined || isForL2tp(entry) ? undefined : entry;
}
