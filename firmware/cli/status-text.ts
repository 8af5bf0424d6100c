/** Status as aligned tables for people. */
import type {
  InterfaceStatus,
  L2tpSessionStatus,
  L2tpStatus,
  PppStatus,
  RadiusServerStatus,
  RouterStatus,
} from '../api/router-control.ts';
import { configurationStateText } from './configuration-state-text.ts';
import { dslBlocks } from './dsl-text.ts';
import { ipsecText } from './ipsec-text.ts';
import { table } from './table.ts';
import { countsText, durationText, failureLines, octetsText, trafficText } from './units-text.ts';
import { uplinksText } from './uplinks-text.ts';

type Lines = readonly string[];

export function statusText(status: RouterStatus): Lines {
  return [
    ...configurationStateText(status.configuration),
    `${status.hostname}: culvert ${status.version} on ${status.board}, up ${durationText(status.uptimeSeconds)}`,
    storageText(status.storage),
    ...status.warnings.map((warning) => `warning: ${warning}`),
    ...section('Interfaces', status.interfaces, interfacesText),
    ...section('Uplinks', status.uplinks, uplinksText),
    ...section('L2TP', status.l2tp, l2tpText),
    ...section('PPP', status.ppp, pppText),
    ...section('IPsec', status.ipsec, ipsecText),
  ];
}

function storageText({ octetsWrittenToday, octetsPerDayLimit, history }: RouterStatus['storage']): string {
  const paused = history === 'paused' ? '; traffic history is not written down until tomorrow' : '';
  return `written to the disk today: ${octetsText(octetsWrittenToday)} of ${octetsText(octetsPerDayLimit)}${paused}`;
}

export function interfacesText(interfaces: readonly InterfaceStatus[]): Lines {
  if (interfaces.length === 0) return ['no interfaces are configured'];
  const rows = interfaces.map((entry) => [
    entry.name,
    entry.state,
    orDash(portText(entry)),
    cableText(entry),
    orDash(entry.zone),
    orDash(entry.addresses.join(' ')),
    orDash(entry.mtu),
  ]);
  const heading = ['NAME', 'STATE', 'DEVICE', 'LINK', 'ZONE', 'ADDRESSES', 'MTU'];
  return [...table([heading, ...rows]), ...failureLines(interfaces), ...dslBlocks(interfaces)];
}

/** `eth1 (LAN1)`, `eth0 (WAN)`: the device, and what the board calls its port or means it for. */
function portText({ device, label, role }: InterfaceStatus): string {
  const port = label ?? role?.toUpperCase();
  return port === undefined ? device : `${device} (${port})`;
}

/** `1000 Mbit/s`, `100 Mbit/s half`, `yes`, `no`; a dash where nobody knows. */
function cableText({ carrier, speedMegabits, fullDuplex }: InterfaceStatus): string {
  if (carrier === undefined) return '-';
  if (!carrier) return 'no';
  return speedMegabits === undefined ? 'yes' : `${speedMegabits} Mbit/s${fullDuplex === false ? ' half' : ''}`;
}

export function l2tpText(tunnels: readonly L2tpStatus[]): Lines {
  if (tunnels.length === 0) return ['no L2TP clients or servers are configured'];
  const rows = tunnels.map(({ name, role, state, tunnelId, peerTunnelId, peer }) => [
    name,
    role,
    state,
    orDash(tunnelId),
    orDash(peerTunnelId),
    orDash(peer),
  ]);
  const lines = [
    ...table([['NAME', 'ROLE', 'STATE', 'TUNNEL', 'PEER TUNNEL', 'PEER'], ...rows]),
    ...failureLines(tunnels),
  ];
  for (const { name, radius } of withRadius(tunnels)) lines.push('', ...radiusText(name, radius));
  const sessions = tunnels.flatMap((tunnel) => tunnel.sessions);
  if (sessions.length > 0) lines.push('', ...sessionsText(sessions));
  return lines;
}

/** Each server once, however many tunnels it has. */
function withRadius(tunnels: readonly L2tpStatus[]) {
  const servers = new Map(tunnels.flatMap(({ name, radius }) => (radius ? [[name, radius] as const] : [])));
  return [...servers].map(([name, radius]) => ({ name, radius }));
}

function radiusText(server: string, servers: readonly RadiusServerStatus[]): Lines {
  const rows = servers.map((entry) => [
    server,
    entry.service,
    entry.address,
    entry.state,
    String(entry.requests),
    String(entry.answers),
    String(entry.timeouts),
    String(entry.unproved + entry.malformed),
  ]);
  const head = ['RADIUS OF', 'SERVICE', 'SERVER', 'STATE', 'ASKED', 'ANSWERS', 'TIME-OUTS', 'WRONG'];
  const troubles = servers.flatMap(({ reason, remedy }) =>
    reason === undefined ? [] : [`${reason}; ${remedy ?? ''}`],
  );
  return [...table([head, ...rows]), ...troubles];
}

function sessionsText(sessions: readonly L2tpSessionStatus[]): Lines {
  const rows = sessions.map((session) => [
    session.name,
    session.state,
    orDash(session.sessionId),
    orDash(session.peerSessionId),
    orDash(session.interface),
    trafficText(session.packetsReceived, session.octetsReceived),
    trafficText(session.packetsSent, session.octetsSent),
    countsText({ lost: session.lost ?? 0, reordered: session.reordered ?? 0 }),
    countsText(session.drops),
  ]);
  const head = ['SESSION OF', 'STATE', 'SESSION', 'PEER SESSION', 'INTERFACE', 'RECEIVED', 'SENT', 'ORDER', 'DROPS'];
  return [...table([head, ...rows]), ...failureLines(sessions)];
}

export function pppText(links: readonly PppStatus[]): Lines {
  if (links.length === 0) return ['no PPP links'];
  const rows = links.map((link) => [
    link.name,
    link.state,
    orDash(link.interface),
    orDash(link.localAddress),
    orDash(link.peerAddress),
    orDash(link.dns.join(' ')),
    orDash(link.authentication),
    orDash(link.user),
    orDash(link.mtu),
  ]);
  const head = ['NAME', 'STATE', 'INTERFACE', 'LOCAL', 'PEER', 'DNS', 'AUTHENTICATION', 'USER', 'MTU'];
  return [...table([head, ...rows]), ...failureLines(links), ...ipv6Text(links)];
}

/** A table of its own, and only where there is IPv6: its addresses are long. */
function ipv6Text(links: readonly PppStatus[]): Lines {
  const rows = links.flatMap(({ name, ipv6 }) =>
    ipv6 === undefined
      ? []
      : [
          [
            name,
            ipv6.localAddress,
            ipv6.peerAddress,
            orDash(ipv6.addresses.join(' ')),
            orDash(ipv6.prefix),
            orDash(ipv6.router),
            orDash(ipv6.dns.join(' ')),
          ],
        ],
  );
  if (rows.length === 0) return [];
  return ['', ...table([['IPV6 OF', 'LOCAL', 'PEER', 'ADDRESSES', 'PREFIX', 'ROUTER', 'DNS'], ...rows])];
}

/** A section of the overview; left out when there is nothing in it. */
function section<Entry>(title: string, entries: readonly Entry[], text: (entries: readonly Entry[]) => Lines): Lines {
  return entries.length === 0 ? [] : ['', title, ...text(entries).map((line) => (line === '' ? '' : `  ${line}`))];
}

function orDash(value: string | number | undefined): string {
  return value === undefined || value === '' || value === 0 ? '-' : String(value);
}
