/**
 * Modems in SFP modules (Metanoia and others) and all that have no format of their own: lines of a label, a colon or an equals
 * sign, and a value with its unit, with the direction in the label (`DS SNR Margin: 8.5 dB`, `Upstream rate = 10000 kbps`).
 */
import type { DslErrors, DslState, DslStatus } from './dsl-status.ts';
import {
  counter,
  decibels,
  errorsOf,
  kbps,
  known,
  linesOf,
  type MutableDirection,
  seconds,
  words,
} from './dsl-text.ts';

const STATES: readonly (readonly [RegExp, DslState])[] = [
  [/show ?time|link ?up|^up$|connected|synchroni[sz]ed/i, 'showtime'],
  [/idle|silent|no ?signal|link ?down|^down$|disconnected|disabled/i, 'idle'],
  [/handshake|G\.994/i, 'handshake'],
  [/train|init|discovery|analysis|exchange|G\.99[235]/i, 'training'],
  [/fail|error/i, 'failed'],
];

const LABELLED = /^\s*([A-Za-z][A-Za-z0-9 ._()/-]{0,40}?)\s*[:=]\s*(\S.*?)\s*$/;
const STATE = /^(?:(?:line|link|dsl|xdsl|vdsl|modem|port)[ _-]?)?(?:status|state)$/i;
const DIRECTION = /\b(?:(ds|down(?:stream)?|rx)|(us|up(?:stream)?|tx))\b/i;
const NUMBER = /^(-?\d{1,12}(?:\.\d{1,3})?)\s*([A-Za-z/]{0,8})/;

/** kbit/s in one of these; without a unit it is kbit/s. */
const RATE_UNITS: readonly (readonly [RegExp, number])[] = [
  [/^(kbps|kbit\/s|kb\/s|k)$/i, 1],
  [/^(mbps|mbit\/s|mb\/s|m)$/i, 1000],
  [/^(bps|bit\/s|b\/s)$/i, 0.001],
];

const COUNTERS: readonly (readonly [RegExp, keyof DslErrors])[] = [
  [/\bFEC\b/i, 'fec'],
  [/\b(CRC|CV)\b/i, 'crc'],
  [/\bSES\b/i, 'ses'],
  [/\bES\b/i, 'es'],
  [/\bUAS\b/i, 'uas'],
];

interface Side {
  readonly now: MutableDirection;
  readonly errors: { -readonly [Key in keyof DslErrors]: DslErrors[Key] | undefined };
}

export function parseLabelled(text: string): DslStatus | undefined {
  let stateWords: string | undefined;
  let mode: string | undefined;
  let profile: string | undefined;
  let upSeconds: number | undefined;
  const down: Side = { now: {}, errors: {} };
  const up: Side = { now: {}, errors: {} };
  for (const line of linesOf(text)) {
    const [, label = '', value = ''] = LABELLED.exec(line) ?? [];
    if (label === '') continue;
    if (STATE.test(label)) {
      if (STATES.some(([pattern]) => pattern.test(value))) stateWords ??= words(value);
      continue;
    }
    if (/^(?:(line|dsl|vdsl)[ _-]?)?(mode|standard)$/i.test(label)) mode ??= words(value);
    else if (/profile$/i.test(label)) profile ??= words(/\b\d{1,3}[ab]\b/i.exec(value)?.[0]);
    else if (/^(link|line|show ?time)?[ _-]?(up ?time|time)$/i.test(label)) upSeconds ??= seconds(numberOf(value));
    else {
      const direction = DIRECTION.exec(label);
      if (direction !== null) take(direction[1] === undefined ? up : down, label, value);
    }
  }
  if (stateWords === undefined) return undefined;
  const state = STATES.find(([pattern]) => pattern.test(stateWords))?.[1] ?? 'training';
  const side = ({ now, errors }: Side) =>
    known<DslStatus['down']>({ ...(state === 'showtime' ? now : {}), errors: errorsOf(errors) });
  return known<DslStatus>({
    state,
    stateWords,
    mode,
    profile,
    down: side(down),
    up: side(up),
    upSeconds: state === 'showtime' ? upSeconds : undefined,
  });
}

function take({ now, errors }: Side, label: string, value: string): void {
  if (/max|attainable/i.test(label)) now.attainableKbps ??= rateOf(value);
  else if (/rate|speed/i.test(label)) now.rateKbps ??= rateOf(value);
  else if (/snr|margin/i.test(label)) now.marginDb ??= decibels(numberOf(value));
  else if (/att(e?n)/i.test(label)) now.attenuationDb ??= decibels(numberOf(value));
  else if (/pwr|power/i.test(label)) now.powerDbm ??= decibels(numberOf(value));
  else {
    const key = COUNTERS.find(([pattern]) => pattern.test(label))?.[1];
    if (key !== undefined) errors[key] ??= counter(numberOf(value));
  }
}

function numberOf(value: string): number | undefined {
  const found = NUMBER.exec(value);
  return found === null ? undefined : Number(found[1]);
}

function rateOf(value: string): number | undefined {
  const found = NUMBER.exec(value);
  if (found === null) return undefined;
  const unit = found[2] ?? '';
  const factor = unit === '' ? 1 : RATE_UNITS.find(([pattern]) => pattern.test(unit))?.[1];
  return factor === undefined ? undefined : kbps(Math.floor(Number(found[1]) * factor));
}
