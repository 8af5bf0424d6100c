/** Decoded messages as lines for people. */
import type { DecodedMessage, FieldValue, MessageEnd } from '../diagnosis/decode/decoded.ts';

/** @param start time of the first message, ms: lines tell seconds since then */
export function messageLine(message: DecodedMessage, start: number): string {
  const { frame, time, source, destination, protocol, summary } = message;
  const seconds = ((time - start) / 1000).toFixed(6).padStart(11);
  const ends = source.address === '' ? [] : [`${endText(source)} > ${endText(destination)}`];
  return [String(frame).padStart(6), seconds, ...ends, protocol.padEnd(9), summary].join('  ');
}

/** The fields of a message, a line each, indented. */
export function fieldLines({ fields, error }: DecodedMessage): readonly string[] {
  const lines = Object.entries(fields).flatMap(([name, value]) => linesOf(name, value, 1));
  if (error !== undefined) lines.push(`    error: ${error.field} at offset ${error.offset}: ${error.reason}`);
  return lines;
}

function endText({ address, port }: MessageEnd): string {
  if (port === 0) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function linesOf(name: string, value: FieldValue, depth: number): string[] {
  const indent = '    '.repeat(depth);
  if (isList(value)) return [`${indent}${name}:`, ...value.flatMap((item) => itemLines(item, depth + 1))];
  if (value === null || typeof value !== 'object') return [`${indent}${name}: ${value}`];
  return [`${indent}${name}:`, ...Object.entries(value).flatMap(([part, inner]) => linesOf(part, inner, depth + 1))];
}

/** An AVP or an option goes into one line: its name, its value, what the value means. */
function itemLines(item: FieldValue, depth: number): string[] {
  const indent = '    '.repeat(depth);
  if (item === null || typeof item !== 'object' || isList(item)) return [`${indent}${flat(item)}`];
  const { name, value, meaning, ...others } = item;
  if (name === undefined || value === undefined) return [`${indent}${flat(item)}`];
  const rest = Object.entries(others).filter(([, said]) => said !== false);
  const notes = rest.map(([key, said]) => (said === true ? key : `${key} ${flat(said)}`));
  const said = [flat(value), ...(meaning === undefined ? [] : [`= ${flat(meaning)}`])].join(' ');
  return [`${indent}${flat(name)}: ${said}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`];
}

function flat(value: FieldValue): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function isList(value: FieldValue): value is readonly FieldValue[] {
  return Array.isArray(value);
}
