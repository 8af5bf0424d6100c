/** A line of the log, as the router writes it, as a message of syslog. */
import { escapeInvisible } from '../log/escape-invisible.ts';
import { encodeSyslogMessage, type SyslogMessage } from '../protocol/syslog/message.ts';
import type { Facility, Severity } from '../protocol/syslog/priority.ts';

/** What is the same in all messages to one server. */
export interface SyslogSource {
  readonly facility: Facility;
  readonly hostName: string;
  /** A receiver sees by it that the router was started anew. */
  readonly processId: string;
  /** Longest message, octets. */
  readonly maximum: number;
}

/** Levels that may be asked for, the lowest first. */
export const LINE_LEVELS = ['info', 'warn', 'error'] as const;

export type LineLevel = (typeof LINE_LEVELS)[number];

/** Below {@link LINE_LEVELS}, in them and above. */
const SEVERITY_OF: Readonly<Record<string, Severity>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'informational',
  warn: 'warning',
  error: 'error',
  fatal: 'critical',
};
const RANK = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

const APP_NAME = 'culvert';
/**
 * The number is that of examples (RFC 5612), since the project has no Private Enterprise Number: it is nobody else's, and a
 * name without a number is IANA's to give (RFC 5424 section 6.3.2).
 */
const DATA_ID = 'culvert@32473';
/** What says nothing that the header does not. */
const HEADER_KEYS = new Set(['level', 'time', 'msg']);
/** Parameters of one message, and characters of one value. */
const MAX_PARAMETERS = 32;
const MAX_VALUE = 1024;
/** Depth to which fields inside fields have names of their own: `err.cause.message`. */
const MAX_DEPTH = 3;

type Fields = Readonly<Record<string, unknown>>;

/** The level of a line; `info` when it says none. */
export function levelOf(line: string): string {
  const level = fieldsOf(line)?.['level'];
  return typeof level === 'string' && Object.hasOwn(SEVERITY_OF, level) ? level : 'info';
}

/** Whether a line of this level is at least as grave as `least`. */
export function isAtLeast(level: string, least: LineLevel): boolean {
  return RANK.indexOf(level) >= RANK.indexOf(least);
}

/** @param line a JSON object of the logger; other text becomes a message without time and data. */
export function syslogLine(line: string, source: SyslogSource): Uint8Array {
  const fields = fieldsOf(line);
  const { time, msg } = fields ?? {};
  const text = typeof msg === 'string' ? msg : fields === undefined ? line : '';
  return encode(source, {
    severity: SEVERITY_OF[levelOf(line)] ?? 'informational',
    ...(typeof time === 'string' ? { timestamp: time } : {}),
    messageId: typeof fields?.['connection'] === 'string' ? 'connection' : 'router',
    data: { id: DATA_ID, parameters: parameters(fields ?? {}) },
    text: shown(text),
  });
}

/** Stands where lines were dropped. @param next the line behind them, whose time it has. */
export function lostLines(count: number, next: string | undefined, source: SyslogSource): Uint8Array {
  const time = next === undefined ? undefined : fieldsOf(next)?.['time'];
  return encode(source, {
    severity: 'warning',
    ...(typeof time === 'string' ? { timestamp: time } : {}),
    messageId: 'dropped',
    data: { id: DATA_ID, parameters: [['dropped', String(count)]] },
    text:
      `${count} log ${count === 1 ? 'line was' : 'lines were'} dropped here: this server could not be reached, and ` +
      'only so many lines are kept for it; "culvert show log" may have them',
  });
}

function encode(source: SyslogSource, message: Omit<SyslogMessage, 'facility' | 'hostName' | 'appName' | 'processId'>) {
  const { facility, hostName, processId, maximum } = source;
  return encodeSyslogMessage({ ...message, facility, hostName, appName: APP_NAME, processId }, maximum);
}

function fieldsOf(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function parameters(fields: Fields): [string, string][] {
  return Object.entries(fields)
    .filter(([key]) => !HEADER_KEYS.has(key))
    .flatMap(([key, value]) => flat(key, value, 1))
    .slice(0, MAX_PARAMETERS);
}

function flat(name: string, value: unknown, depth: number): [string, string][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && depth < MAX_DEPTH) {
    return Object.entries(value).flatMap(([key, item]) => flat(`${name}.${key}`, item, depth + 1));
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return [[name, shown(text.slice(0, MAX_VALUE))]];
}

/** One line without a character that moves a cursor: JSON had them escaped, and parsing brought them back. */
function shown(text: string): string {
  return escapeInvisible(text).replaceAll('\n', '\\n');
}
