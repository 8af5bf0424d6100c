/** What the demo prints. */
import type { RouterEvent, RouterStatus } from '../../firmware/api/router-control.ts';
import { addresses } from '../lab/branch-network.ts';
import type { TrafficCount } from '../lab/l2tp-in-clear.ts';
import type { OfficeKind } from './office.ts';

export function explainNetwork(lns: OfficeKind): string {
  const { branchHost, officeWan, officeHost } = addresses;
  return `
  branch LAN          branch router                          internet    head office (${lns})      head office LAN
  ${branchHost} --- Culvert == DSL, PPPoE ===== provider ==== br0 ==== ${officeWan} ------------------ ${officeHost}
                             == LTE, serial PPP ==='
`;
}

/**
 * One line per step: when, which way, what; nothing for a keepalive.
 * @param started when the demo began, for what belongs to no attempt of a connection: the uplinks. Milliseconds of the wall clock.
 */
export function formatEvent(event: RouterEvent, started: number): string | undefined {
  if (event.step === 'HELLO') return undefined;
  const time = `${Math.round(event.sinceStartMs ?? event.at - started)} ms`.padStart(9);
  if (event.kind === 'state') return `${time}      ${event.connection} is ${event.state}${detail(event)}`;
  const arrow = event.direction === 'sent' ? '-->' : event.direction === 'received' ? '<--' : '   ';
  const whose = event.sinceStartMs === undefined && event.step !== 'uplink' ? `${event.connection} ` : '';
  return `${time}  ${arrow} ${whose}${event.step ?? ''}${detail(event)}`;
}

function detail(event: RouterEvent): string {
  return event.detail === undefined ? '' : `: ${event.detail}`;
}

/** What a listener in the internet saw. */
export function formatTraffic({ ike, esp, espInUdp, keepalives, clearL2tp }: TrafficCount): string {
  return (
    `a listener in the internet saw ${ike} IKE messages, ${esp + espInUdp} ESP packets (${espInUdp} of them in UDP), ` +
    `${keepalives} NAT keepalives, and ${clearL2tp} L2TP datagrams in clear`
  );
}

/** The line that is kept up to date until Ctrl-C. */
export function formatStatusLine(status: RouterStatus, pingMs: string | undefined): string {
  const tunnel = status.l2tp[0];
  const ppp = status.ppp[0];
  const session = tunnel?.sessions[0];
  const parts = [
    `hq ${tunnel?.state ?? 'unknown'}`,
    tunnel?.since === undefined ? '' : `for ${Math.round((Date.now() - tunnel.since) / 1000)} s`,
    ppp?.localAddress ? `${ppp.localAddress} -> ${ppp.peerAddress} (${ppp.authentication})` : (tunnel?.reason ?? ''),
    session ? `${session.packetsSent ?? 0} packets sent, ${session.packetsReceived ?? 0} received` : '',
    pingMs === undefined ? 'no answer to the ping' : `ping ${pingMs} ms`,
    'Ctrl-C ends',
  ];
  return parts.filter((part) => part !== '').join(' | ');
}
