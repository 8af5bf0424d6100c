/**
 * `xdslctl info --stats` of Broadcom's modems (also `xdslcmd` and `adsl`). Lines of a name, a colon and values, most with one
 * for each direction. Counters come several times: in all, of quarters and days, and of this link; each under its heading.
 */
import type { DslErrors, DslState, DslStatus } from './dsl-status.ts';
import { counter, decibels, errorsOf, kbps, known, linesOf, seconds, words } from './dsl-text.ts';

/** Words of `Status:`. What is in none of these lists is training: the names of its phases differ between releases. */
const STATES: readonly (readonly [RegExp, DslState])[] = [
  [/showtime/i, 'showtime'],
  [/idle|disabled|no ?signal|silent/i, 'idle'],
  [/G\.99[34] (started|training)|handshake/i, 'handshake'],
  [/fail|error|loop ?diag/i, 'failed'],
];

const RATES = /Upstream rate\s*=\s*(\d{1,9}) Kbps,\s*Downstream rate\s*=\s*(\d{1,9}) Kbps/i;
const PAIR = /^\s*([^:]{1,20}):\s+(-?\d{1,10}(?:\.\d{1,3})?)\s+(-?\d{1,10}(?:\.\d{1,3})?)\s*$/;
const DURATION = /(\d{1,6}) (day|hour|min|sec)/g;
const UNITS: Readonly<Record<string, number>> = { day: 86_400, hour: 3600, min: 60, sec: 1 };

const COUNTERS: Readonly<Record<string, keyof DslErrors>> = {
  FEC: 'fec',
  CRC: 'crc',
  ES: 'es',
  SES: 'ses',
  UAS: 'uas',
};

type Pair = readonly [down: number, up: number];

export function parseBroadcom(text: string): DslStatus | undefined {
  let stateWords: string | undefined;
  const said = new Map<string, string>();
  const pairs = new Map<string, Pair>();
  const counters = new Map<keyof DslErrors, Pair>();
  let attainable: Pair | undefined;
  let rate: Pair | undefined;
  let retrains: number | undefined;
  let upSeconds: number | undefined;
  let heading: 'none' | 'total' | 'link' | 'other' = 'none';

  for (const line of linesOf(text)) {
    const [, name = '', value = ''] = /^\s*([A-Za-z][A-Za-z0-9 -]{0,40}):\s*(.*)$/.exec(line) ?? [];
    const rates = RATES.exec(line);
    if (rates !== null) {
      const pair: Pair = [Number(rates[2]), Number(rates[1])];
      // A second bearer or path carries nothing as a rule.
      if (/^Max$/i.test(name)) attainable ??= pair;
      else if (/^(Bearer|Path|Channel)$/i.test(name) || name === '') rate ??= pair;
      continue;
    }
    const time = /^\s*(Total|Since Link|Latest .{1,20}|Previous .{1,20}) time\s*=(.*)$/i.exec(line);
    if (time !== null) {
      heading = /^total$/i.test(time[1] ?? '') ? 'total' : /^since link$/i.test(time[1] ?? '') ? 'link' : 'other';
      if (heading === 'link') upSeconds = duration(time[2] ?? '');
      continue;
    }
    if (/^status$/i.test(name)) stateWords ??= words(value);
    if (heading === 'total' && name === 'Retr')
      retrains ??= counter(Number(/^\d{1,10}/.exec(value)?.[0] ?? Number.NaN));
    const pair = PAIR.exec(line);
    if (pair === null) {
      if (name !== '' && !said.has(name)) said.set(name, value);
      continue;
    }
    const key = (pair[1] ?? '').trim();
    const both: Pair = [Number(pair[2]), Number(pair[3])];
    const error = COUNTERS[key];
    // Some releases head nothing: then the first counters are those in all.
    if (error !== undefined && (heading === 'total' || (heading === 'none' && !counters.has(error))))
      counters.set(error, both);
    else if (error === undefined && !pairs.has(key)) pairs.set(key, both);
  }

  if (stateWords === undefined) return undefined;
  const state = STATES.find(([pattern]) => pattern.test(stateWords))?.[1] ?? 'training';
  const up = state === 'showtime';
  const side = (index: 0 | 1) => {
    const errors = errorsOf({
      fec: counter(counters.get('fec')?.[index]),
      crc: counter(counters.get('crc')?.[index]),
      es: counter(counters.get('es')?.[index]),
      ses: counter(counters.get('ses')?.[index]),
      uas: counter(counters.get('uas')?.[index]),
    });
    // What is printed of a line that is not up is left from before.
    const now = up
      ? {
          rateKbps: kbps(rate?.[index]),
          attainableKbps: kbps(attainable?.[index]),
          marginDb: decibels(pairs.get('SNR (dB)')?.[index]),
          attenuationDb: decibels(pairs.get('Attn(dB)')?.[index]),
          powerDbm: decibels(pairs.get('Pwr(dBm)')?.[index]),
        }
      : {};
    return known<DslStatus['down']>({ ...now, errors });
  };
  return known<DslStatus>({
    state,
    stateWords,
    mode: words(said.get('Mode')),
    profile: words(/Profile\s+(\w{2,5})/i.exec(said.get('VDSL2 Profile') ?? '')?.[1]),
    down: side(0),
    up: side(1),
    retrains,
    retrainReason: words(said.get('Last Retrain Reason') ?? said.get('Retrain Reason')),
    upSeconds: up ? upSeconds : undefined,
  });
}

/** `1 days 3 hours 2 min 12 sec`, units that are zero left out. */
function duration(text: string): number | undefined {
  let sum: number | undefined;
  for (const [, count, unit] of text.matchAll(DURATION)) sum = (sum ?? 0) + Number(count) * (UNITS[unit ?? ''] ?? 0);
  return seconds(sum);
}
