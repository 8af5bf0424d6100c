/** Final result codes: what ends the answer to a command (ITU-T V.250 section 5.7.1, 3GPP TS 27.007 section 9). */
import { printable } from '../printable.ts';
import { errorWords } from './error-words.ts';

export type AtResult =
  | 'OK'
  | 'CONNECT'
  | 'ERROR'
  | 'NO CARRIER'
  | 'BUSY'
  | 'NO ANSWER'
  | 'NO DIALTONE'
  /** Nothing came in time. */
  | 'timeout'
  /** The module began anew, or the line was lost, in the middle of it. */
  | 'reset';

export interface AtReply {
  readonly result: AtResult;
  /** Of +CME ERROR and +CMS ERROR. */
  readonly code?: number;
  /** What was said, in words without a full stop: `the SIM is busy (+CME ERROR: 14)`, `CONNECT 150000000`. */
  readonly text: string;
  /** Information lines, without echo and without what came unasked. */
  readonly lines: readonly string[];
}

type Final = Pick<AtReply, 'result' | 'code' | 'text'>;

/** Ends a call or the attempt of one; means nothing as the answer to any other command. */
const CALL_RESULTS: readonly AtResult[] = ['NO CARRIER', 'BUSY', 'NO ANSWER', 'NO DIALTONE'];

/** Answers to commands that a modem does not know, of Huawei and of CDMA modems. */
const REFUSALS = ['ERROR', 'COMMAND NOT SUPPORT', 'TOO MANY PARAMETERS', 'NA'];

/** @param dials whether the command makes or ends a call. @returns `undefined` for what ends nothing. */
export function finalResult(line: string, dials: boolean): Final | undefined {
  if (line === 'OK') return { result: 'OK', text: line };
  if (REFUSALS.includes(line)) return { result: 'ERROR', text: `the modem refuses it (${line})` };
  const error = /^\+(CME|CMS) ERROR: ?(.*)$/.exec(line);
  if (error !== null) return errorResult(error[1] as 'CME' | 'CMS', error[2] ?? '');
  if (!dials) return undefined;
  if (/^CONNECT\b/.test(line)) return { result: 'CONNECT', text: printable(line) };
  const ended = line === 'NO DIAL TONE' ? 'NO DIALTONE' : CALL_RESULTS.find((result) => result === line);
  return ended === undefined ? undefined : { result: ended, text: line };
}

/** With +CMEE=2, or out of habit, modems give words in place of the number. */
function errorResult(domain: 'CME' | 'CMS', value: string): Final {
  if (/^\d{1,5}$/.test(value)) {
    const code = Number(value);
    return { result: 'ERROR', code, text: errorWords(domain, code) };
  }
  const code = domain === 'CME' ? VERBOSE_CME.find(([words]) => words === value.toLowerCase())?.[1] : undefined;
  const text = code === undefined ? `the modem says "${printable(value)}"` : errorWords(domain, code);
  return { result: 'ERROR', ...(code !== undefined && { code }), text };
}

const VERBOSE_CME: readonly (readonly [words: string, code: number])[] = [
  ['sim not inserted', 10],
  ['sim pin required', 11],
  ['sim puk required', 12],
  ['sim failure', 13],
  ['sim busy', 14],
  ['sim wrong', 15],
  ['incorrect password', 16],
  ['no network service', 30],
  ['network timeout', 31],
];
