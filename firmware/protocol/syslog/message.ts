/** One message of syslog as octets (RFC 5424 section 6). */
import { utf8Bytes } from '../bytes.ts';
import { type Facility, priority, type Severity } from './priority.ts';

/** What a message says. Anything goes in; what a field cannot hold is replaced, and what does not fit is cut. */
export interface SyslogMessage {
  readonly facility: Facility;
  readonly severity: Severity;
  /** `2026-01-31T12:00:00.000Z`; anything that is no such time, and none, becomes the NILVALUE. */
  readonly timestamp?: string;
  readonly hostName?: string;
  readonly appName?: string;
  readonly processId?: string;
  readonly messageId?: string;
  /** One SD-ELEMENT; without parameters it is left out. */
  readonly data?: { readonly id: string; readonly parameters: readonly (readonly [name: string, value: string])[] };
  readonly text: string;
}

/** Shortest bound that may be asked for, octets: the longest header fits, with the NILVALUE and the mark of a cut behind it. */
export const LEAST_MAXIMUM = 512;

/** Longest fields of the header, octets (section 6, ABNF). */
const LONGEST = { hostName: 255, appName: 48, processId: 128, messageId: 32, name: 32 } as const;

const NIL = '-';
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/;
/** PRINTUSASCII. */
const NOT_PRINTABLE = /[^\x21-\x7e]/g;
/** What SD-NAME does not have of that. */
const NOT_IN_NAME = /[^\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]/g;
/** ABNF of MSG-UTF8; text of ASCII alone means the same without it, and many receivers show it. */
const BYTE_ORDER_MARK = '\ufeff';
/** Stands at the end of what was cut. */
const CUT = '...';

/**
 * The message in at most `maximum` octets, {@link LEAST_MAXIMUM} and more. Parameters that do not fit are left out whole, the
 * last ones first, and so is their element; then the text is cut between two characters. The time is never made up: only a
 * timestamp of the RFC's form (section 6.2.3) is passed on.
 */
export function encodeSyslogMessage(message: SyslogMessage, maximum: number): Uint8Array {
  const head = header(message);
  const text = messageText(message.text);
  // Half of the room is the text's, however much data there is.
  const room = maximum - octets(head) - 2;
  const data = structuredData(message.data, room - Math.min(octets(text), Math.floor(room / 2)));
  const start = `${head} ${data}`;
  if (text === '') return utf8Bytes(start);
  return utf8Bytes(`${start} ${cutTo(text, maximum - octets(start) - 1)}`);
}

function header(message: SyslogMessage): string {
  const { facility, severity, timestamp, hostName, appName, processId, messageId } = message;
  const time = timestamp !== undefined && TIMESTAMP.test(timestamp) ? timestamp : NIL;
  return [
    `<${priority(facility, severity)}>1`,
    time,
    field(hostName, LONGEST.hostName),
    field(appName, LONGEST.appName),
    field(processId, LONGEST.processId),
    field(messageId, LONGEST.messageId),
  ].join(' ');
}

function field(text: string | undefined, longest: number): string {
  const printable = (text ?? '').replace(NOT_PRINTABLE, '_').slice(0, longest);
  return printable === '' ? NIL : printable;
}

/** STRUCTURED-DATA in at most so many octets (section 6.3). */
function structuredData(data: SyslogMessage['data'], room: number): string {
  if (data === undefined) return NIL;
  const start = `[${name(data.id)}`;
  let left = room - octets(start) - 1;
  const fitting: string[] = [];
  for (const [key, value] of data.parameters) {
    const parameter = ` ${name(key)}="${parameterValue(value)}"`;
    left -= octets(parameter);
    if (left < 0) break;
    fitting.push(parameter);
  }
  return fitting.length === 0 ? NIL : `${start}${fitting.join('')}]`;
}

/** SD-NAME (section 6.3.2): no space, no `=`, `"` and `]`. */
function name(text: string): string {
  const legal = text.replace(NOT_IN_NAME, '_').slice(0, LONGEST.name);
  return legal === '' ? '_' : legal;
}

/** PARAM-VALUE (section 6.3.3): UTF-8, three characters behind a backslash. */
function parameterValue(text: string): string {
  return text.toWellFormed().replace(/["\\\]]/g, '\\$&');
}

/** MSG (section 6.4). */
function messageText(text: string): string {
  const whole = text.toWellFormed();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII
  return /^[\x00-\x7f]*$/.test(whole) ? whole : `${BYTE_ORDER_MARK}${whole}`;
}

/** The text in at most so many octets of UTF-8, no character in halves. */
function cutTo(text: string, room: number): string {
  if (octets(text) <= room) return text;
  let left = room - CUT.length;
  let end = 0;
  for (const character of text) {
    left -= octets(character);
    if (left < 0) break;
    end += character.length;
  }
  return `${text.slice(0, end)}${CUT}`;
}

function octets(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}
