/** Status as aligned tables for people. */
import type {
  InterfaceStatus,
  IpsecStatus,
  L2tpSessionStatus,
  L2tpStatus,
  PppStatus,
  RouterStatus,
  UplinkStatus,
} from '../api/router-control.ts';
import { table } from './table.ts';

type Lines = readonly string[];

export function statusText(status: RouterStatus): Lines {
  return [
    `${status.hostname}: culvert ${status.version} on ${status.board}, up ${durationText(status.uptimeSeconds)}`,
    ...section('Interfaces', status.interfaces, interfacesText),
    ...section('Uplinks', status.uplinks, uplinksText),
    ...section('L2TP', status.l2tp, l2tpText),
    ...section('PPP', status.ppp, pppText),
    ...section('IPsec', status.ipsec, ipsecText),
  ];
}

export function interfacesText(interfaces: readonly InterfaceStatus[]): Lines {
  if (interfaces.length === 0) return ['no interfaces are configured'];
  const rows = interfaces.map(({ name, state, device, zone, addresses, mtu }) => [
    name,
    state,
    orDash(device),
    orDash(zone),
    orDash(addresses.join(' ')),
    orDash(mtu),
  ]);
  return [...table([['NAME', 'STATE', 'DEVICE', 'ZONE', 'ADDRESSES', 'MTU'], ...rows]), ...failures(interfaces)];
}

export function uplinksText(uplinks: readonly UplinkStatus[]): Lines {
  if (uplinks.length === 0) return ['no uplinks are configured'];
  const rows = uplinks.map((uplink) => [uplink.name, uplink.state, orDash(uplink.interface)]);
  return [...table([['NAME', 'STATE', 'INTERFACE'], ...rows]), ...failures(uplinks)];
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
  const lines = [...table([['NAME', 'ROLE', 'STATE', 'TUNNEL', 'PEER TUNNEL', 'PEER'], ...rows]), ...failures(tunnels)];
  const sessions = tunnels.flatMap((tunnel) => tunnel.sessions);
  if (sessions.length > 0) lines.push('', ...sessionsText(sessions));
  return lines;
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
    dropsText(session.drops),
  ]);
  const head = ['SESSION OF', 'STATE', 'SESSION', 'PEER SESSION', 'INTERFACE', 'RECEIVED', 'SENT', 'DROPS'];
  return [...table([head, ...rows]), ...failures(sessions)];
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
  return [...table([head, ...rows]), ...failures(links)];
}

export function ipsecText(connections: readonly IpsecStatus[]): Lines {
  if (connections.length === 0) return ['no IPsec connections'];
  return [
    ...table([['NAME', 'STATE'], ...connections.map(({ name, state }) => [name, state])]),
    ...failures(connections),
  ];
}

/** `42 s`, `3 min 20 s`, `5 h 3 min`, `45 d 2 h`: the two largest units. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [
    { value: Math.floor(whole / 86_400), unit: 'd' },
    { value: Math.floor(whole / 3600) % 24, unit: 'h' },
    { value: Math.floor(whole / 60) % 60, unit: 'min' },
    { value: whole % 60, unit: 's' },
  ];
  const first = parts.findIndex(({ value }) => value > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(({ value }) => value > 0)
    .map(({ value, unit }) => `${value} ${unit}`)
    .join(' ');
}

/** `1.5 KB`: decimal units, three digits at most before the unit changes. */
export function octetsText(octets: number): string {
  let value = octets;
  for (const unit of ['B', 'KB', 'MB', 'GB'])
    if (value < 1000) return `${unit === 'B' ? value : value.toFixed(1)} ${unit}`;
    else value /= 1000;
  return `${value.toFixed(1)} TB`;
}

function trafficText(packets: number | undefined, octets: number | undefined): string {
  if (packets === undefined) return '-';
  return octets === undefined ? `${packets}` : `${packets} (${octetsText(octets)})`;
}

function dropsText(drops: Readonly<Record<string, number>> | undefined): string {
  const reasons = Object.entries(drops ?? {}).filter(([, packets]) => packets > 0);
  return reasons.length === 0 ? '-' : reasons.map(([reason, packets]) => `${reason} ${packets}`).join(', ');
}

/** A section of the overview; left out when there is nothing in it. */
function section<Entry>(title: string, entries: readonly Entry[], text: (entries: readonly Entry[]) => Lines): Lines {
  return entries.length === 0 ? [] : ['', title, ...text(entries).map((line) => (line === '' ? '' : `  ${line}`))];
}

function failures(entries: readonly { name: string; reason?: string; remedy?: string }[]): Lines {
  return entries
    .filter(({ reason }) => reason !== undefined)
    .map(({ name, reason, remedy }) => `${name}: ${reason}${remedy === undefined ? '' : `; ${remedy}`}`);
}

function orDash(value: string | number | undefined): string {
  return value === undefined || value === '' || value === 0 ? '-' : String(value);
}
