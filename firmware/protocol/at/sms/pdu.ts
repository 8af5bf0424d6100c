/** Short messages as modems give and take them in PDU mode (3GPP TS 23.040 section 9.2, TS 27.005 section 4). */
import { ByteReader, DecodeError } from '../../bytes.ts';
import { packSeptets, septetsOf, textOfSeptets, unpackSeptets } from './gsm7.ts';

/** A message that came, or one part of a long one. */
export interface ReceivedSms {
  /** `+4915112345678`, or a name that a network gives its services. */
  readonly sender: string;
  /** When the message centre got it, as in `2026-03-01T12:34:56+01:00`; empty when it is none. */
  readonly at: string;
  readonly text: string;
  /** Which part of a long message it is. */
  readonly part?: { readonly reference: number; readonly of: number; readonly number: number };
}

/** What AT+CMGS gets. */
export interface SubmitPdu {
  /** Octets without the message centre's address, as AT+CMGS counts them. */
  readonly length: number;
  readonly hex: string;
}

/** Parts of one message that are sent at most: more is no short message. */
export const MOST_PARTS = 10;

const USER_DATA_OCTETS = 140;
const SEPTETS_ALONE = 160;
/** A header of concatenation with an 8-bit reference (section 9.2.3.24.1): six octets, or seven septets. */
const HEADER_OCTETS = 6;
const SEPTETS_IN_PART = 153;

const DELIVER = 0;
const SUBMIT = 1;
const HEADER_INDICATOR = 0x40;
const TYPE_INTERNATIONAL = 0x91;
const TYPE_UNKNOWN = 0x81;
const UCS2 = 0x08;

/**
 * @param to digits, a plus sign before an international number, 1..20 digits.
 * @param reference 0..255, told apart by the recipient's telephone from others that come at the same time.
 * @throws RangeError in words when the number is none or the text is too long or empty.
 */
export function submitPdus(to: string, text: string, reference: number): SubmitPdu[] {
  if (!/^\+?\d{1,20}$/.test(to))
    throw new RangeError(`"${to}" is no telephone number: give digits, with + before a country code.`);
  if (text === '') throw new RangeError('The message is empty: give a text.');
  const septets = septetsOf(text);
  const parts = septets === undefined ? ucs2Parts(text) : septetParts(septets);
  if (parts.length > MOST_PARTS)
    throw new RangeError(`The message needs ${parts.length} parts, and at most ${MOST_PARTS} are sent: shorten it.`);
  return parts.map((part, index) => {
    const header = parts.length === 1 ? [] : [5, 0, 3, reference & 0xff, parts.length, index + 1];
    const data =
      septets === undefined
        ? { length: header.length + part.length * 2, octets: part.flatMap((unit) => [unit >> 8, unit & 0xff]) }
        : {
            length: (header.length === 0 ? 0 : 7) + part.length,
            octets: [...packSeptets(part, header.length === 0 ? 0 : 1)],
          };
    const tpdu = Uint8Array.from([
      SUBMIT | (header.length > 0 ? HEADER_INDICATOR : 0),
      0,
      ...addressOctets(to),
      0,
      septets === undefined ? UCS2 : 0,
      data.length,
      ...header,
      ...data.octets,
    ]);
    // The message centre of the SIM: its address is left out.
    return { length: tpdu.length, hex: `00${Buffer.from(tpdu).toString('hex').toUpperCase()}` };
  });
}

/** @throws DecodeError for what is no message that came. */
export function parseDeliver(hex: string): ReceivedSms {
  if (!/^([0-9A-Fa-f]{2}){1,255}$/.test(hex)) throw new DecodeError('a short message is not in hexadecimal');
  const reader = new ByteReader(Uint8Array.from(Buffer.from(hex, 'hex')));
  reader.bytes(reader.u8('length of the message centre'), 'message centre');
  const first = reader.u8('first octet');
  if ((first & 3) !== DELIVER) throw new DecodeError(`a short message of type ${first & 3} is none that came`);
  const sender = readAddress(reader);
  reader.u8('protocol identifier');
  const coding = codingOf(reader.u8('data coding scheme'));
  const at = timestamp(reader.bytes(7, 'time stamp'));
  const length = reader.u8('user data length');
  const octets = reader.bytes(reader.remaining, 'user data');
  const headerOctets = (first & HEADER_INDICATOR) === 0 ? 0 : (octets[0] ?? 0) + 1;
  if (headerOctets > octets.length) throw new DecodeError('the header of a short message is longer than the message');
  const part = headerOctets === 0 ? undefined : concatenation(octets.subarray(1, headerOctets));
  return { sender, at, text: userText(octets, length, headerOctets, coding), ...(part !== undefined && { part }) };
}

type Coding = 'gsm7' | 'octets' | 'ucs2';

/** 3GPP TS 23.038 section 4. */
function codingOf(scheme: number): Coding {
  if (scheme < 0x80) return (['gsm7', 'octets', 'ucs2', 'gsm7'] as const)[(scheme >> 2) & 3] ?? 'gsm7';
  if (scheme >= 0xf0) return (scheme & 4) === 0 ? 'gsm7' : 'octets';
  return scheme >= 0xe0 ? 'ucs2' : 'gsm7';
}

function userText(octets: Uint8Array, length: number, headerOctets: number, coding: Coding): string {
  if (coding === 'gsm7') {
    const headerSeptets = Math.ceil((headerOctets * 8) / 7);
    const fill = headerSeptets * 7 - headerOctets * 8;
    return textOfSeptets(unpackSeptets(octets.subarray(headerOctets), Math.max(0, length - headerSeptets), fill));
  }
  const body = octets.subarray(headerOctets, Math.max(headerOctets, length));
  if (coding === 'octets') return Buffer.from(body).toString('latin1');
  return Buffer.from(body.subarray(0, body.length & ~1))
    .swap16()
    .toString('utf16le');
}

function septetParts(septets: readonly number[]): number[][] {
  if (septets.length <= SEPTETS_ALONE) return [[...septets]];
  const parts: number[][] = [];
  for (let at = 0; at < septets.length; ) {
    let end = Math.min(septets.length, at + SEPTETS_IN_PART);
    // An escape stays with its character.
    if (end < septets.length && septets[end - 1] === 0x1b) end -= 1;
    parts.push(septets.slice(at, end));
    at = end;
  }
  return parts;
}

function ucs2Parts(text: string): number[][] {
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
  if (units.length * 2 <= USER_DATA_OCTETS) return [units];
  const parts: number[][] = [];
  const most = (USER_DATA_OCTETS - HEADER_OCTETS) / 2;
  for (let at = 0; at < units.length; ) {
    let end = Math.min(units.length, at + most);
    // The two halves of a character stay together.
    if (end < units.length && ((units[end - 1] as number) & 0xfc00) === 0xd800) end -= 1;
    parts.push(units.slice(at, end));
    at = end;
  }
  return parts;
}

/** Section 9.1.2.5: number of digits, type, two digits an octet with the first one below. */
function addressOctets(number: string): number[] {
  const international = number.startsWith('+');
  const digits = international ? number.slice(1) : number;
  return [digits.length, international ? TYPE_INTERNATIONAL : TYPE_UNKNOWN, ...semiOctets(digits)];
}

function semiOctets(digits: string): number[] {
  const padded = digits.length % 2 === 0 ? digits : `${digits}F`;
  return (padded.match(/../g) ?? []).map((pair) => Number.parseInt(`${pair[1]}${pair[0]}`, 16));
}

function readAddress(reader: ByteReader): string {
  const digits = reader.u8('length of the sender');
  const type = reader.u8('type of the sender');
  const octets = reader.bytes(Math.ceil(digits / 2), 'sender');
  if ((type & 0x70) === 0x50) return textOfSeptets(unpackSeptets(octets, Math.floor((digits * 4) / 7)));
  const text = Array.from(octets, (octet) => `${digit(octet & 15)}${digit(octet >> 4)}`)
    .join('')
    .slice(0, digits);
  return (type & 0x70) === 0x10 ? `+${text}` : text;
}

function digit(value: number): string {
  return '0123456789*#abc'[value] ?? '';
}

/** Section 9.2.3.11: two digits each of year, month, day, hour, minute, second, and quarters of an hour from UTC with their sign. */
function timestamp(octets: Uint8Array): string {
  const [year, month, day, hour, minute, second] = Array.from(octets, (octet) => `${octet & 15}${octet >> 4}`);
  const zone = octets[6] ?? 0;
  const quarters = (zone & 7) * 10 + (zone >> 4);
  const two = (value: number) => String(value).padStart(2, '0');
  const offset = `${(zone & 8) === 0 ? '+' : '-'}${two(Math.floor(quarters / 4))}:${two((quarters % 4) * 15)}`;
  const text = `20${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`;
  return Number.isNaN(Date.parse(text)) ? '' : text;
}

function concatenation(header: Uint8Array): ReceivedSms['part'] {
  for (let at = 0; at + 1 < header.length; ) {
    const [element, length] = [header[at], header[at + 1] ?? 0];
    const value = header.subarray(at + 2, at + 2 + length);
    at += 2 + length;
    const octets = element === 0 && length === 3 ? [0, ...value] : element === 8 && length === 4 ? [...value] : [];
    const [high = 0, low = 0, of = 0, number = 0] = octets;
    if (octets.length === 4 && number >= 1 && number <= of) return { reference: high * 256 + low, of, number };
  }
  return undefined;
}
