/** Distinguished names (X.501) as text; what compares and what is signed are always the octets. */
import { ByteReader, DecodeError, hex } from '../bytes.ts';
import { printable } from '../printable.ts';
import { readDer } from './crypto/der.ts';

const SEQUENCE = 0x30;
const SET = 0x31;
const OBJECT_IDENTIFIER = 6;
/** Character strings that are one octet a character, UTF-8, or a subset of it. */
const TEXT_TAGS: ReadonlySet<number> = new Set([12, 19, 20, 22]);
const BMP_STRING = 30;

/** Attribute types with a short name (RFC 4514 section 3, and what certificates bear besides), by contents in hexadecimal. */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ['550403', 'CN'],
  ['550404', 'SN'],
  ['550405', 'serialNumber'],
  ['550406', 'C'],
  ['550407', 'L'],
  ['550408', 'ST'],
  ['55040a', 'O'],
  ['55040b', 'OU'],
  ['0992268993f22c640119', 'DC'],
  ['0992268993f22c640101', 'UID'],
  ['2a864886f70d010901', 'E'],
]);

/** Longest text that is shown. */
const MAX_TEXT = 256;

/** `C=DE, O=Acme, CN=hq.example`, in the order of the octets, safe to print; of octets that are no name, their hexadecimal digits. */
export function distinguishedNameText(der: Uint8Array): string {
  try {
    const parts: string[] = [];
    const name = new ByteReader(readDer(new ByteReader(der), SEQUENCE, 'Name'));
    while (name.remaining > 0) {
      const set = new ByteReader(readDer(name, SET, 'RelativeDistinguishedName'));
      while (set.remaining > 0) parts.push(attributeText(readDer(set, SEQUENCE, 'AttributeTypeAndValue')));
    }
    return printable(parts.join(', ')).slice(0, MAX_TEXT);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return `distinguished name ${hex(der).slice(0, 64)}`;
  }
}

function attributeText(octets: Uint8Array): string {
  const reader = new ByteReader(octets);
  const type = hex(readDer(reader, OBJECT_IDENTIFIER, 'AttributeType'));
  const [tag = 0] = octets.subarray(octets.length - reader.remaining);
  const value = readDer(reader, tag, 'AttributeValue');
  return `${SHORT_NAMES.get(type) ?? `OID.${type}`}=${valueText(tag, value)}`;
}

function valueText(tag: number, value: Uint8Array): string {
  if (TEXT_TAGS.has(tag)) return Buffer.from(value).toString('utf8');
  if (tag !== BMP_STRING || value.length % 2 !== 0) return `#${hex(value)}`;
  return Buffer.from(value).swap16().toString('utf16le');
}
