/** A DSL line for people: a compact block, and when it was up. */
import type { DslLineStatus, InterfaceStatus } from '../api/router-control.ts';
import { DSL_STATE_WORDS } from '../protocol/dsl/dsl-status.ts';
import { instantText } from './instant-text.ts';
import { table } from './table.ts';
import { durationText } from './units-text.ts';

type Lines = readonly string[];
type Line = NonNullable<DslLineStatus['line']>;

/** How many of the last syncs are told. */
const SYNCS = 3;

/** A block for each interface with a DSL line, an empty line before it. @param wall now, ms since 1970. */
export function dslBlocks(interfaces: readonly InterfaceStatus[], wall = Date.now()): Lines {
  return interfaces.flatMap(({ name, dsl }) => (dsl === undefined ? [] : ['', ...block(name, dsl, wall)]));
}

function block(name: string, { source, line, reason, remedy, syncs }: DslLineStatus, wall: number): Lines {
  const state = line === undefined ? 'not known' : lineWords(line, wall);
  return [
    `DSL of ${name}: ${state} (${source})`,
    ...(line === undefined || line.state !== 'showtime'
      ? []
      : table([HEAD, row('down', line.down), row('up', line.up)])),
    ...(reason === undefined ? [] : [`${reason}${remedy === undefined ? '' : `; ${remedy}`}`]),
    ...syncs
      .slice(-SYNCS)
      .toReversed()
      .map((sync) => syncText(sync, line !== undefined)),
  ];
}

/** `up for 3 h 2 min, VDSL2 Annex B 17a, retrained 2 times`. */
function lineWords({ state, mode, profile, retrains, retrainReason, upSince }: Line, wall: number): string {
  const lasting = upSince === undefined ? '' : ` for ${durationText((wall - upSince) / 1000)}`;
  const why = retrainReason === undefined ? '' : `, the last time for reason ${retrainReason}`;
  const kind = [mode, profile].filter((word) => word !== undefined).join(' ');
  return [
    `${DSL_STATE_WORDS[state]}${lasting}`,
    ...(kind === '' ? [] : [kind]),
    ...(retrains === undefined || retrains === 0
      ? []
      : [`retrained ${retrains} ${retrains === 1 ? 'time' : 'times'}${why}`]),
  ].join(', ');
}

const HEAD = ['', 'RATE', 'ATTAINABLE', 'MARGIN', 'ATTENUATION', 'FEC', 'CRC', 'ES', 'SES', 'UAS'];

function row(label: string, { rateKbps, attainableKbps, marginDb, attenuationDb, errors = {} }: Line['down']): Lines {
  const counts = [errors.fec, errors.crc, errors.es, errors.ses, errors.uas];
  return [
    label,
    rateText(rateKbps),
    rateText(attainableKbps),
    orDash(marginDb, ' dB'),
    orDash(attenuationDb, ' dB'),
    ...counts.map((value) => orDash(value)),
  ];
}

/** @param heard whether the modem tells how the line is now. */
function syncText({ upAt, downAt, downKbps, upKbps, reason }: DslLineStatus['syncs'][number], heard: boolean): string {
  const rates =
    downKbps === undefined || upKbps === undefined ? '' : `, ${rateText(downKbps)} down and ${rateText(upKbps)} up`;
  if (downAt === undefined)
    return `${heard ? 'up since' : 'was up when the modem was last heard, from'} ${instantText(upAt)}${rates}`;
  const why = reason === undefined ? '' : `: ${reason}`;
  return `was up from ${instantText(upAt)} for ${durationText((downAt - upAt) / 1000)}${rates}${why}`;
}

function rateText(kbps: number | undefined): string {
  return kbps === undefined ? '-' : `${(kbps / 1000).toFixed(1)} Mbit/s`;
}

function orDash(value: number | undefined, unit = ''): string {
  return value === undefined ? '-' : `${value}${unit}`;
}
