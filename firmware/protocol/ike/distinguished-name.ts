/** Distinguished names (X.501): as text, from text, and compared. What is signed are always the octets. */
import { ByteReader, concatBytes, DecodeError, hex, utf8Bytes } from '../bytes.ts';
import { printable } from '../printable.ts';
import { DER, derValue, readAnyDer, readDer } from './crypto/der.ts';

const SEQUENCE = 0x30;
const SET = 0x31;
const OBJECT_IDENTIFIER = 6;
const UTF8_STRING = 12;
const PRINTABLE_STRING = 19;
const IA5_STRING = 22;
/** Character strings that are one octet a character, UTF-8, or a subset of it. */
const TEXT_TAGS: ReadonlySet<number> = new Set([UTF8_STRING, PRINTABLE_STRING, 20, IA5_STRING]);
const BMP_STRING = 30;

const EMAIL_ADDRESS = '2a864886f70d010901';
const DOMAIN_COMPONENT = '0992268993f22c640119';

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
  [DOMAIN_COMPONENT, 'DC'],
  ['0992268993f22c640101', 'UID'],
  [EMAIL_ADDRESS, 'E'],
]);

/** The same the other way round, in lower case, with what else people write. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ...[...SHORT_NAMES].map(([type, name]) => [name.toLowerCase(), type] as const),
  ['emailaddress', EMAIL_ADDRESS],
  ['email', EMAIL_ADDRESS],
  ['s', '550408'],
]);

/** Longest text that is shown. */
const MAX_TEXT = 256;

interface Attribute {
  /** Contents of the OBJECT IDENTIFIER in hexadecimal. */
  readonly type: string;
  readonly tag: number;
  readonly value: Uint8Array;
}

/** `C=DE, O=Acme, CN=hq.example`, in the order of the octets, safe to print; of octets that are no name, their hexadecimal digits. */
export function distinguishedNameText(der: Uint8Array): string {
  const names = readName(der);
  if (names === undefined) return `distinguished name ${hex(der).slice(0, 64)}`;
  const text = names.map((attributes) => attributes.map(attributeText).join(' + ')).join(', ');
  return printable(text).slice(0, MAX_TEXT);
}

/**
 * What two names have in common exactly when they are the same: neither the kind of character string, nor the case of
 * letters, nor the number of spaces makes a difference (RFC 5280 section 7.1). Of octets that are no name, the octets.
 */
export function distinguishedNameKey(der: Uint8Array): string {
  const names = readName(der);
  if (names === undefined) return `#${hex(der)}`;
  return JSON.stringify(
    names.map((attributes) => attributes.map(({ type, tag, value }) => [type, fold(tag, value)]).sort()),
  );
}

/** Values of the attribute CN, safe to print; none when the octets are no name. */
export function commonNames(der: Uint8Array): readonly string[] {
  const attributes = readName(der)?.flat() ?? [];
  return attributes.flatMap(({ type, tag, value }) =>
    SHORT_NAMES.get(type) === 'CN' ? [printable(valueText(tag, value))] : [],
  );
}

/**
 * `C=DE, O=Acme, CN=hq.example`, in this order, as a DER Name. A backslash takes the meaning from a comma, a plus sign or
 * a backslash.
 * @returns `undefined` when it is none, or has an attribute type that is not known here.
 */
export function parseDistinguishedName(text: string): Uint8Array | undefined {
  const parts = text.match(/(?:\\.|[^,\\])+/g) ?? [];
  if (parts.join(',') !== text) return undefined;
  const sets: Uint8Array[] = [];
  for (const part of parts) {
    const attributes = (part.match(/(?:\\.|[^+\\])+/g) ?? []).map(parseAttribute);
    const known = attributes.filter((attribute) => attribute !== undefined);
    if (known.length === 0 || known.length < attributes.length) return undefined;
    // DER: the elements of a SET OF are in the order of their octets (X.690 section 11.6).
    sets.push(derValue(SET, ...known.sort((a, b) => Buffer.compare(a, b))));
  }
  return sets.length === 0 ? undefined : derValue(SEQUENCE, ...sets);
}

function parseAttribute(text: string): Uint8Array | undefined {
  const [, name = '', escaped = ''] = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/s.exec(text) ?? [];
  const type = TYPES.get(name.toLowerCase());
  const value = escaped.replace(/\\(.)/gs, '$1');
  if (type === undefined || value === '') return undefined;
  const tag =
    type === EMAIL_ADDRESS || type === DOMAIN_COMPONENT
      ? IA5_STRING
      : /^[A-Za-z0-9 '()+,./:=?-]+$/.test(value)
        ? PRINTABLE_STRING
        : UTF8_STRING;
  if (tag === IA5_STRING && !/^[\x20-\x7e]+$/.test(value)) return undefined;
  const oid = derValue(DER.objectIdentifier, Buffer.from(type, 'hex'));
  return derValue(SEQUENCE, concatBytes(oid, derValue(tag, utf8Bytes(value))));
}

function readName(der: Uint8Array): readonly (readonly Attribute[])[] | undefined {
  try {
    const names: Attribute[][] = [];
    const name = new ByteReader(readDer(new ByteReader(der), SEQUENCE, 'Name'));
    while (name.remaining > 0) {
      const set = new ByteReader(readDer(name, SET, 'RelativeDistinguishedName'));
      const attributes: Attribute[] = [];
      while (set.remaining > 0) {
        const attribute = new ByteReader(readDer(set, SEQUENCE, 'AttributeTypeAndValue'));
        const type = hex(readDer(attribute, OBJECT_IDENTIFIER, 'AttributeType'));
        const { tag, contents } = readAnyDer(attribute, 'AttributeValue');
        attributes.push({ type, tag, value: contents });
      }
      names.push(attributes);
    }
    return names;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return undefined;
  }
}

function attributeText({ type, tag, value }: Attribute): string {
  return `${SHORT_NAMES.get(type) ?? `OID.${type}`}=${valueText(tag, value)}`;
}

function valueText(tag: number, value: Uint8Array): string {
  if (TEXT_TAGS.has(tag)) return Buffer.from(value).toString('utf8');
  if (tag !== BMP_STRING || value.length % 2 !== 0) return `#${hex(value)}`;
  return Buffer.from(value).swap16().toString('utf16le');
}

/** Octets that are no UTF-8 are compared as they are: all of them would look the same as text. */
function fold(tag: number, value: Uint8Array): string {
  const text = valueText(tag, value);
  if (text.includes('\ufffd')) return `#${hex(value)}`;
  return text.normalize('NFC').toLowerCase().trim().replace(/\s+/g, ' ');
}
