/**
 * What Lantiq's and Intel's modems answer to `dsl_cpe_pipe` (names and values in one line: `nReturn=0 nLineState=0x801`), and
 * OpenWrt's `ubus call dsl metrics`, which is JSON and has the same values.
 */
import type { DslErrors, DslState, DslStatus } from './dsl-status.ts';
import { bps, counter, decibels, errorsOf, known, linesOf, MAX_ANSWER, seconds, words } from './dsl-text.ts';

/** Line states of the DSL CPE API by their lowest number; those between belong to the one below. */
const STATES: readonly (readonly [from: number, state: DslState, words: string])[] = [
  [0x0, 'idle', 'not initialised'],
  [0x1, 'failed', 'exception'],
  [0x10, 'idle', 'idle'],
  [0x200, 'idle', 'silent'],
  [0x300, 'handshake', 'handshake'],
  [0x380, 'training', 'full initialisation'],
  [0x500, 'training', 'training'],
  [0x600, 'training', 'analysis'],
  [0x700, 'training', 'exchange'],
  [0x800, 'training', 'showtime without sync of the transport layer'],
  [0x801, 'showtime', 'showtime'],
  [0x802, 'training', 'between states'],
  [0x900, 'training', 'fast retrain'],
  [0xa00, 'showtime', 'low power'],
  [0xb00, 'failed', 'loop diagnostics'],
  [0xd00, 'training', 'resynchronisation'],
  [0xe00, 'failed', 'test'],
];

function stateOf(number: number): readonly [DslState, string] {
  const [, state, name] = STATES.findLast(([from]) => from <= number) ?? STATES[0] ?? [0, 'idle', 'idle'];
  return [state, `0x${number.toString(16)}, ${name}`];
}

type Fields = ReadonlyMap<string, number>;
const NAME = /([A-Za-z]\w{0,40})=(-?(?:0x[0-9a-fA-F]{1,8}|\d{1,12}))(?=\s|$)/g;

/** Tenths, as the API has its decibels. */
const tenths = (value: number | undefined): number | undefined =>
  decibels(value === undefined ? undefined : value / 10);

/** Answers of several commands one after the other, each with its names; an answer that says no (`nReturn=-1`) is left out. */
export function parseLantiqPipe(text: string): DslStatus | undefined {
  let line: number | undefined;
  const rates: [up?: Fields, down?: Fields] = [];
  const signals: [up?: Fields, down?: Fields] = [];
  const errors: [near?: Fields, far?: Fields] = [];
  const channels: [near?: Fields, far?: Fields] = [];
  for (const each of linesOf(text)) {
    const fields = new Map([...each.matchAll(NAME)].map(([, name, value]) => [name ?? '', Number(value)] as const));
    if (fields.get('nReturn') !== 0) continue;
    line ??= fields.get('nLineState');
    const direction = fields.get('nDirection');
    if (direction !== 0 && direction !== 1) continue;
    if (fields.has('ActualDataRate')) rates[direction] ??= fields;
    if (fields.has('SNR')) signals[direction] ??= fields;
    if (fields.has('nES')) errors[direction] ??= fields;
    if (fields.has('nCodeViolations')) channels[direction] ??= fields;
  }
  if (line === undefined || line < 0) return undefined;
  const [state, stateWords] = stateOf(line);
  const side = (direction: 0 | 1, end: 0 | 1) => {
    const rate = rates[direction];
    const signal = signals[direction];
    const now =
      state === 'showtime'
        ? {
            rateKbps: bps(rate?.get('ActualDataRate')),
            attainableKbps: bps(signal?.get('ATTNDR')),
            marginDb: tenths(signal?.get('SNR')),
            attenuationDb: tenths(signal?.get('LATN')),
            powerDbm: tenths(signal?.get('ACTATP')),
          }
        : {};
    const counters = errorsOf({
      fec: counter(channels[end]?.get('nFEC')),
      crc: counter(channels[end]?.get('nCodeViolations')),
      es: counter(errors[end]?.get('nES')),
      ses: counter(errors[end]?.get('nSES')),
      uas: counter(errors[end]?.get('nUAS')),
    });
    return known<DslStatus['down']>({ ...now, errors: counters });
  };
  // Rates have 0 for upstream and 1 for downstream; counters 0 for the near end, which is where downstream arrives.
  return { state, stateWords, down: side(1, 0), up: side(0, 1) };
}

/** Names of its states, by the words that they begin with. */
const UBUS_STATES: readonly (readonly [RegExp, DslState])[] = [
  [/^showtime with tc/i, 'showtime'],
  [/^(idle|silent|not |l3)/i, 'idle'],
  [/^handshake/i, 'handshake'],
  [/^(exception|fail|test|loop|wait for)/i, 'failed'],
];

type Json = Readonly<Record<string, unknown>>;
const objectOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? words(value) : undefined);

/** JSON, with whatever a console has put around it. */
export function parseLantiqMetrics(text: string): DslStatus | undefined {
  const bounded = text.slice(0, MAX_ANSWER);
  const [from, to] = [bounded.indexOf('{'), bounded.lastIndexOf('}')];
  if (from < 0 || to < from) return undefined;
  let root: Json;
  try {
    root = objectOf(JSON.parse(bounded.slice(from, to + 1)));
  } catch {
    return undefined;
  }
  const stateWords = textOf(root['state']);
  if (stateWords === undefined) return undefined;
  const named = UBUS_STATES.find(([pattern]) => pattern.test(stateWords))?.[1];
  const state = named ?? (root['up'] === true ? 'showtime' : 'training');
  const errors = objectOf(root['errors']);
  const side = (direction: unknown, end: unknown) => {
    const signal = objectOf(direction);
    const now =
      state === 'showtime'
        ? {
            rateKbps: bps(numberOf(signal['data_rate'])),
            attainableKbps: bps(numberOf(signal['attndr'])),
            marginDb: decibels(numberOf(signal['snr'])),
            attenuationDb: decibels(numberOf(signal['latn'])),
            powerDbm: decibels(numberOf(signal['actatp'])),
          }
        : {};
    return known<DslStatus['down']>({ ...now, errors: jsonErrors(objectOf(end)) });
  };
  return known<DslStatus>({
    state,
    stateWords,
    mode: textOf(root['mode']),
    profile: textOf(root['profile']),
    down: side(root['downstream'], errors['near']),
    up: side(root['upstream'], errors['far']),
    upSeconds: state === 'showtime' ? seconds(numberOf(root['uptime'])) : undefined,
  });
}

function jsonErrors(end: Json): DslErrors | undefined {
  const named = (name: string): number | undefined => counter(numberOf(end[name]));
  return errorsOf({
    fec: named('fecs'),
    crc: named('cv_p'),
    es: named('es'),
    ses: named('ses'),
    uas: named('uas'),
  });
}

/** Either kind. */
export function parseLantiq(text: string): DslStatus | undefined {
  return parseLantiqMetrics(text) ?? parseLantiqPipe(text);
}
