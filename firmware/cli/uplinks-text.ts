/** `show uplinks` for people: a table, then what each one is doing and why, a line each. */
import type { UplinkStatus } from '../api/router-control.ts';
import { table } from './table.ts';
import { durationText } from './units-text.ts';

type Lines = readonly string[];

/** @param wall now, ms since 1970. */
export function uplinksText(uplinks: readonly UplinkStatus[], wall = Date.now()): Lines {
  if (uplinks.length === 0) return ['no uplinks are configured'];
  const rows = uplinks.map((uplink) => [
    uplink.carrying ? `${uplink.name} *` : uplink.name,
    uplink.type,
    uplink.state,
    orDash(uplink.interface),
    orDash(uplink.address),
    orDash(uplink.gateway),
    orDash(uplink.dns.join(' ')),
    `${uplink.priority}`,
    orDash(uplink.health.latencyMilliseconds === undefined ? '' : `${uplink.health.latencyMilliseconds} ms`),
    orDash(uplink.health.lossPercent === undefined ? '' : `${uplink.health.lossPercent} %`),
  ]);
  const several = uplinks.filter(({ carrying }) => carrying).length > 1;
  return [
    ...table([['NAME', 'TYPE', 'STATE', 'DEVICE', 'ADDRESS', 'GATEWAY', 'DNS', 'RANK', 'LATENCY', 'LOSS'], ...rows]),
    '',
    ...uplinks.map((uplink) => sentence(uplink, wall, several)),
  ];
}

/** `dsl carries the traffic; well for 3 min.` */
function sentence(uplink: UplinkStatus, wall: number, several: boolean): string {
  const { name, weight, carrying, verdict, why, doing, since, metered, standby, remedy, health } = uplink;
  const lasting = durationText((wall - since) / 1000);
  const carries = several ? `shares the traffic (weight ${weight})` : 'carries the traffic';
  const role = carrying ? carries : ROLE[standby];
  const parts = [
    `${name} ${role}`,
    `${verdict} for ${lasting}${why === '' ? '' : `: ${why}`}`,
    ...(doing === '' || doing === why ? [] : [doing]),
    ...(remedy === undefined ? [] : [remedy]),
    ...health.silentTargets.map((target) => `${target} does not answer, although others do, and does not count`),
    ...(metered ? ['metered'] : []),
  ];
  return parts.join('; ');
}

const ROLE = { warm: 'stands by', cold: 'is connected when it is needed' } as const;

function orDash(text: string | undefined): string {
  return text === undefined || text === '' ? '-' : text;
}
