/** Lines of the tables that Wireshark keeps its settings in: fields with commas between, in quotes or in hexadecimal. */

/** The line cannot be taken apart. The message says what is wrong with it, without a full stop, and never holds a key. */
export class UatLineError extends Error {
  override readonly name = 'UatLineError';
}

/** Fields that any table of interest has, and then some. */
const MAX_FIELDS = 16;

/** The fields of a line, without quotes; `\xNN` within quotes is an octet. @throws UatLineError */
export function splitUatLine(line: string): readonly string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (fields.length >= MAX_FIELDS) throw new UatLineError(`there are more than ${MAX_FIELDS} fields`);
    at = skipBlanks(line, at);
    const field = line[at] === '"' ? quoted(line, at + 1) : bare(line, at);
    fields.push(field.text);
    at = skipBlanks(line, field.end);
    if (at >= line.length) return fields;
    if (line[at] !== ',') throw new UatLineError(`a comma is missing behind field ${fields.length}`);
    at += 1;
  }
}

interface Field {
  readonly text: string;
  /** Where what follows it begins. */
  readonly end: number;
}

function skipBlanks(line: string, from: number): number {
  let at = from;
  while (line[at] === ' ' || line[at] === '\t') at += 1;
  return at;
}

function bare(line: string, from: number): Field {
  const comma = line.indexOf(',', from);
  const end = comma === -1 ? line.length : comma;
  return { text: line.slice(from, end).trimEnd(), end };
}

const ESCAPED = /^\\x([0-9a-fA-F]{2})/;

function quoted(line: string, from: number): Field {
  let text = '';
  for (let at = from; at < line.length; at += 1) {
    const char = line[at] ?? '';
    if (char === '"') return { text, end: at + 1 };
    const escaped = char === '\\' ? ESCAPED.exec(line.slice(at, at + 4))?.[1] : undefined;
    if (escaped === undefined) text += char;
    else {
      text += String.fromCharCode(Number.parseInt(escaped, 16));
      at += 3;
    }
  }
  throw new UatLineError('a quotation mark is not closed');
}
