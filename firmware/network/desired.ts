/**
 * What the machine's network should look like: computed from the configuration and from what stands at the moment.
 * Nothing here touches the machine.
 */
import type { Route, Rule, Vlan } from '../../hal/links.ts';
import { tunnelInterfaceNames } from '../config/interface-names.ts';
import type { Configuration } from '../config/schema.ts';
import { formatIpPrefix, parseIpPrefix } from '../protocol/ip-prefix.ts';
import { desiredRouting, routingFoundations } from './desired-routing.ts';
import type { SourceGuard } from './guards.ts';
import type { LiveUplink } from './uplink-routing.ts';

/** A tunnel whose device stands and whose network layer is open. */
export interface LiveTunnel {
  readonly device: string;
  /** Our address inside, plain IPv4; empty: the tunnel has none of its own (IPsec between networks). */
  readonly localAddress: string;
  /** Which of our other addresses packets of this router itself have in a tunnel that has none of its own. */
  readonly source?: string;
  /** The peer's, where there is one peer (a client). */
  readonly peerAddress?: string;
  /** While IPv6 is up in it: our addresses with their prefix lengths; octets of the largest IPv6 packet, if less than its MTU. */
  readonly ipv6?: { readonly addresses: readonly string[]; readonly mtu?: number };
  /** Remote prefixes that the tunnel takes now; those of IPv6 count while IPv6 is up. */
  readonly prefixes: readonly string[];
}

/** What stands at the moment. */
export interface LiveState {
  readonly tunnels: readonly LiveTunnel[];
  /** Default: none that had to be found out. */
  readonly uplinks?: readonly LiveUplink[];
  /** The main tables of both families, for their directly connected networks. */
  readonly mainRoutes: readonly Route[];
  /** Reverse-path filtering is on for an interface: replies to outer sockets need their mark to pass it. */
  readonly reversePathFilter: boolean;
}

export interface DesiredLink {
  /** Name of the interface in the configuration, for messages. */
  readonly name: string;
  readonly device: string;
  readonly up: true;
  readonly mtu?: number;
  /** Instead of the device's own, lower case. */
  readonly mac?: string;
  /** It is to be made, on a device that comes before it. */
  readonly vlan?: Vlan;
}

export interface DesiredAddress {
  readonly device: string;
  /** With its prefix length. */
  readonly address: string;
}

export interface DesiredNetwork {
  readonly links: readonly DesiredLink[];
  readonly addresses: readonly DesiredAddress[];
  /** Of the main table and of our own tables. */
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  /** Sources that must not come in clear, the longest prefix first. */
  readonly guards: readonly SourceGuard[];
  readonly masquerade: readonly { readonly device: string }[];
  /** Give packets for outer sockets the sockets' mark before reverse-path filtering. */
  readonly markReplies: boolean;
  /** net.ipv4.ip_forward. False: as it was. */
  readonly forwarding: boolean;
  /** The same of IPv6. */
  readonly forwarding6: boolean;
}

/** @param foundations where they were laid in a turn of their own: `routingFoundations` of the same. */
export function desiredNetwork(
  configuration: Configuration,
  live: LiveState,
  foundations = routingFoundations(configuration, live.tunnels, live.mainRoutes),
): DesiredNetwork {
  const routing = desiredRouting(configuration, live, foundations);
  return {
    links: desiredLinks(configuration),
    addresses: desiredAddresses(configuration, live.tunnels, live.uplinks),
    ...routing,
    masquerade: desiredMasquerade(configuration),
    markReplies: live.reversePathFilter && routing.rules.length > 0,
    forwarding: wantsForwarding(configuration),
    forwarding6: wantsForwarding(configuration) && carriesIpv6(configuration),
  };
}

/** Those of network cards first: VLANs stand on them, whether or not they have interfaces of their own. */
export function desiredLinks({ interfaces }: Configuration): DesiredLink[] {
  const links = Object.entries(interfaces).map(
    ([name, { device, mtu, mac, vlan }]): DesiredLink => ({
      name,
      device,
      up: true,
      ...(mtu === undefined ? {} : { mtu }),
      ...(mac === undefined ? {} : { mac: mac.toLowerCase() }),
      ...(vlan === undefined ? {} : { vlan }),
    }),
  );
  const cards = links.filter(({ vlan }) => vlan === undefined);
  const vlans = links.filter(({ vlan }) => vlan !== undefined);
  const known = new Set(cards.map(({ device }) => device));
  const parents = vlans.flatMap(({ name, vlan }): DesiredLink[] => {
    const device = vlan?.parent ?? '';
    if (known.has(device)) return [];
    known.add(device);
    return [{ name, device, up: true }];
  });
  return [...cards, ...parents, ...vlans];
}

/**
 * The configured addresses, those that uplinks were given, and each tunnel's own as a plain /32. A tunnel's address has no kernel peer on purpose: the
 * kernel would put the peer's address into the main table, where outer packets look, and a peer that names its server's
 * outer address as its inner one (many do) would swallow its own tunnel.
 */
export function desiredAddresses(
  configuration: Configuration,
  tunnels: readonly LiveTunnel[],
  uplinks: readonly LiveUplink[] = [],
): DesiredAddress[] {
  const configured = Object.values(configuration.interfaces).flatMap(({ device, ipv4 }) =>
    ipv4?.method === 'static' && ipv4.address !== undefined ? [{ device, address: ipv4.address }] : [],
  );
  const configured6 = Object.values(configuration.interfaces).flatMap(({ device, ipv6 }) =>
    ipv6 === undefined ? [] : [{ device, address: canonicalAddress(ipv6.address) }],
  );
  const inner = tunnels.flatMap(({ device, localAddress, ipv6 }) => [
    ...(localAddress === '' ? [] : [{ device, address: `${localAddress}/32` }]),
    ...(ipv6?.addresses ?? []).map((address) => ({ device, address })),
  ]);
  const leased = uplinks.flatMap(({ device, address, assign }) => (assign ? [{ device, address }] : []));
  return [...configured, ...configured6, ...leased, ...inner];
}

/** As the kernel writes it. */
function canonicalAddress(text: string): string {
  const prefix = parseIpPrefix(text);
  return prefix === undefined ? text : formatIpPrefix(prefix);
}

/** Whoever has one address at the other end only hides everybody behind it. */
function desiredMasquerade(configuration: Configuration): { device: string }[] {
  const { clients, connections } = tunnelInterfaceNames(configuration);
  return [
    ...[...clients].filter(([name]) => configuration.l2tp.clients[name]?.masquerade === true),
    ...[...connections].filter(([name]) => configuration.ipsec.connections[name]?.virtualAddress === true),
  ].map(([, device]) => ({ device }));
}

/** A router with a branch network, with users that dial in or between networks forwards; a lone client does not. */
function wantsForwarding(configuration: Configuration): boolean {
  const hasLan = Object.values(configuration.interfaces).some(({ zone }) => zone === 'lan');
  const connectsNetworks = Object.values(configuration.ipsec.connections).some(
    ({ mode, virtualAddress, localSubnets, routing }) =>
      mode === 'tunnel' && (!virtualAddress || localSubnets.length > 0 || routing === 'route'),
  );
  return hasLan || connectsNetworks || Object.keys(configuration.l2tp.servers).length > 0;
}

/** Whether anything of this configuration has IPv6 inside. */
function carriesIpv6({ l2tp }: Configuration): boolean {
  return (
    Object.values(l2tp.clients).some(({ ipv6 }) => ipv6) ||
    Object.values(l2tp.servers).some(({ ipv6 }) => ipv6 !== undefined)
  );
}
