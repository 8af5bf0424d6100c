/** A strict reader of RFC 5424 section 6 and RFC 6587 section 3.4.1, written from their ABNF and not from the writer. */

export interface ParsedSyslog {
  readonly priority: number;
  readonly timestamp: string;
  readonly hostName: string;
  readonly appName: string;
  readonly processId: string;
  readonly messageId: string;
  /** By SD-ID, then by PARAM-NAME: every value in order. */
  readonly data: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** Without its byte order mark. */
  readonly text: string;
  readonly byteOrderMark: boolean;
}

const HEADER =
  /^<(\d{1,3})>1 (-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) /;
const NAME = /[!#-<>-\\^-~]{1,32}/y;

/** @throws Error where it is no message. */
export function parseSyslog(octets: Uint8Array): ParsedSyslog {
  const whole = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  const header = HEADER.exec(whole);
  if (header === null) throw new Error(`no header: ${whole}`);
  const [start, priority = '', timestamp = '', hostName = '', appName = '', processId = '', messageId = ''] = header;
  if (Number(priority) > 191) throw new Error(`PRI ${priority}`);
  const data: Record<string, Record<string, string[]>> = {};
  let at = start.length;
  if (whole[at] === '-') at += 1;
  else if (whole[at] !== '[') throw new Error(`no data: ${whole}`);
  while (whole[at] === '[') at = parseElement(whole, at + 1, data);
  const rest = whole.slice(at);
  if (rest !== '' && !rest.startsWith(' ')) throw new Error(`no space before the text: ${rest}`);
  const byteOrderMark = rest.startsWith(' \ufeff');
  const text = rest.slice(byteOrderMark ? 2 : 1);
  return { priority: Number(priority), timestamp, hostName, appName, processId, messageId, data, text, byteOrderMark };
}

function parseElement(whole: string, start: number, data: Record<string, Record<string, string[]>>): number {
  const id = name(whole, start);
  const parameters: Record<string, string[]> = Object.create(null);
  data[id] = parameters;
  let at = start + id.length;
  while (whole[at] === ' ') {
    const key = name(whole, at + 1);
    at += 1 + key.length;
    if (!whole.startsWith('="', at)) throw new Error(`no value: ${whole.slice(at)}`);
    at += 2;
    let value = '';
    for (; whole[at] !== '"'; at += 1) {
      if (at >= whole.length || whole[at] === ']') throw new Error(`an open value: ${value}`);
      if (whole[at] === '\\' && /["\\\]]/.test(whole[at + 1] ?? '')) at += 1;
      value += whole[at];
    }
    at += 1;
    parameters[key] = [...(parameters[key] ?? []), value];
  }
  if (whole[at] !== ']') throw new Error(`an open element: ${whole.slice(at)}`);
  return at + 1;
}

function name(whole: string, at: number): string {
  NAME.lastIndex = at;
  const found = NAME.exec(whole)?.[0];
  if (found === undefined) throw new Error(`no name: ${whole.slice(at)}`);
  return found;
}

/** Takes messages out of a stream, however it comes in pieces. */
export class OctetCountingReader {
  #rest: Buffer = Buffer.alloc(0);

  /** @throws Error where a length should be and is none. */
  read(chunk: Uint8Array): Uint8Array[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const messages: Uint8Array[] = [];
    for (;;) {
      const space = this.#rest.indexOf(' ');
      if (space < 0 || space > 9) {
        if (this.#rest.length > 9) throw new Error(`no length: ${this.#rest.subarray(0, 40).toString()}`);
        return messages;
      }
      const length = this.#rest.subarray(0, space).toString();
      if (!/^[1-9]\d*$/.test(length)) throw new Error(`no length: ${length}`);
      const end = space + 1 + Number(length);
      if (this.#rest.length < end) return messages;
      messages.push(new Uint8Array(this.#rest.subarray(space + 1, end)));
      this.#rest = this.#rest.subarray(end);
    }
  }
}
