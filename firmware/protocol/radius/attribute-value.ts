/** Values of attributes by kind (RFC 2865 section 5, RFC 2868 section 3, RFC 3162 section 2): reading and writing. */
import { ByteReader, ByteWriter, concatBytes, DecodeError, EncodeError, utf8Bytes } from '../bytes.ts';
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../ip-address.ts';
import { printable } from '../printable.ts';
import { ATTRIBUTES, type AttributeDefinition, type AttributeName } from './attribute-table.ts';

/** What each kind is in this program. */
export interface AttributeValues {
  readonly bytes: Uint8Array;
  /** In clear; it is hidden when the packet is written, by what is known then (`user-password.ts`). */
  readonly password: Uint8Array;
  /** UTF-8. */
  readonly text: string;
  /** Unsigned, 32 bits. */
  readonly integer: number;
  /** Dotted quad. */
  readonly ipv4: string;
  readonly ipv6: string;
  /** `2001:db8::/48`. */
  readonly 'ipv6-prefix': string;
  /** 24 bits, for the tunnel of tag 0. */
  readonly 'tagged-integer': number;
  /** For the tunnel of tag 0. */
  readonly 'tagged-text': string;
}

export type AttributeKind = keyof AttributeValues;

export type ValueOf<Name extends AttributeName> = AttributeValues[(typeof ATTRIBUTES)[Name]['kind']];

/** One attribute with its value; the same name may stand several times in a packet. */
export type RadiusAttribute = {
  [Name in AttributeName]: { readonly name: Name; readonly value: ValueOf<Name> };
}[AttributeName];

/** Octets of a value, at most (RFC 2865 section 5: Length is one octet and counts Type and itself). */
export const MAX_VALUE = 253;

/** Tags that group attributes of one tunnel; an octet above them is the first of the text (RFC 2868 section 3.3). */
const MAX_TAG = 0x1f;

interface Codec<Value> {
  readonly read: (bytes: Uint8Array, what: string) => Value;
  readonly write: (value: Value) => Uint8Array;
}

const lenient = new TextDecoder('utf-8');

const CODECS: { readonly [Kind in AttributeKind]: Codec<AttributeValues[Kind]> } = {
  bytes: { read: (bytes) => new Uint8Array(bytes), write: (value) => value },
  password: { read: (bytes) => new Uint8Array(bytes), write: (value) => value },
  text: { read: (bytes) => lenient.decode(bytes), write: utf8Bytes },
  integer: {
    read: (bytes, what) => whole(bytes, what, (reader) => reader.u32(what)),
    write: (value) => new ByteWriter(4).u32(value).finish(),
  },
  ipv4: {
    read: (bytes, what) => whole(bytes, what, (reader) => formatIpv4(reader.u32(what))),
    write: (value) => new ByteWriter(4).u32(parseIpv4(value) ?? fail(`${value} is no IPv4 address`)).finish(),
  },
  ipv6: {
    read: (bytes, what) => whole(bytes, what, (reader) => readIpv6(reader.bytes(16, what))),
    write: writeIpv6,
  },
  'ipv6-prefix': { read: readPrefix, write: writePrefix },
  'tagged-integer': {
    read: (bytes, what) => whole(bytes, what, (reader) => reader.u32(what)) & 0xffffff,
    write: (value) => {
      if (value > 0xffffff) throw new EncodeError(`${value} does not fit 24 bits`);
      return new ByteWriter(4).u32(value).finish();
    },
  },
  'tagged-text': {
    read: (bytes) => lenient.decode((bytes[0] ?? 0) > MAX_TAG ? bytes : bytes.subarray(1)),
    write: (value) => concatBytes(Uint8Array.of(0), utf8Bytes(value)),
  },
};

/** @throws DecodeError when the value is none of its kind. */
export function readAttribute(name: AttributeName, bytes: Uint8Array): RadiusAttribute {
  const definition: AttributeDefinition = ATTRIBUTES[name];
  const { minLength = 1, maxLength = MAX_VALUE, name: title } = definition;
  if (bytes.length < minLength || bytes.length > maxLength) {
    throw new DecodeError(`${title}: ${bytes.length} octets, where ${minLength} to ${maxLength} are allowed`);
  }
  return { name, value: CODECS[definition.kind].read(bytes, title) } as RadiusAttribute;
}

/** @throws EncodeError when the value does not fit. */
export function writeAttribute({ name, value }: RadiusAttribute): Uint8Array {
  const definition: AttributeDefinition = ATTRIBUTES[name];
  const codec = CODECS[definition.kind] as Codec<RadiusAttribute['value']>;
  const bytes = codec.write(value);
  const { minLength = 1, maxLength = MAX_VALUE } = definition;
  if (bytes.length < minLength || bytes.length > maxLength) {
    throw new EncodeError(`${definition.name}: ${bytes.length} octets, where ${minLength} to ${maxLength} are allowed`);
  }
  return bytes;
}

/** `Framed-IP-Address 10.98.0.7`; of a sensitive one the name alone. What a stranger wrote is escaped. */
export function describeAttribute({ name, value }: RadiusAttribute): string {
  const { name: title, names, sensitive }: AttributeDefinition = ATTRIBUTES[name];
  if (sensitive) return title;
  const word = typeof value === 'number' ? (names?.[value] ?? String(value)) : printable(value);
  return `${title} ${word}`;
}

/** The first value of that attribute. */
export function firstValue<Name extends AttributeName>(
  attributes: readonly RadiusAttribute[],
  name: Name,
): ValueOf<Name> | undefined {
  return allValues(attributes, name)[0];
}

/** All values of that attribute, in the order in which they stand. */
export function allValues<Name extends AttributeName>(
  attributes: readonly RadiusAttribute[],
  name: Name,
): readonly ValueOf<Name>[] {
  return attributes.flatMap((attribute) => (attribute.name === name ? [attribute.value as ValueOf<Name>] : []));
}

/** Reads a value of fixed size. @throws DecodeError when it is longer or shorter. */
function whole<Value>(bytes: Uint8Array, what: string, read: (reader: ByteReader) => Value): Value {
  const reader = new ByteReader(bytes);
  const value = read(reader);
  if (reader.remaining > 0) throw new DecodeError(`${what}: ${reader.remaining} octets too many`);
  return value;
}

function readIpv6(bytes: Uint8Array): string {
  const reader = new ByteReader(bytes);
  return formatIpv6(Array.from({ length: 8 }, () => reader.u16('IPv6 address')));
}

function writeIpv6(value: string): Uint8Array {
  const writer = new ByteWriter(16);
  for (const group of parseIpv6(value) ?? fail(`${value} is no IPv6 address`)) writer.u16(group);
  return writer.finish();
}

/** Reserved, Prefix-Length, and of the prefix as many octets as its sender liked (RFC 3162 section 2.3). */
function readPrefix(bytes: Uint8Array, what: string): string {
  const reader = new ByteReader(bytes);
  reader.skip(1, what);
  const length = reader.u8(what);
  const prefix = reader.rest();
  if (length > 128 || prefix.length > 16 || prefix.length * 8 < length) {
    throw new DecodeError(`${what}: length ${length} with ${prefix.length} octets of prefix`);
  }
  const octets = Uint8Array.from({ length: 16 }, (_, index) => (prefix[index] ?? 0) & ~hostBits(length, index));
  return `${readIpv6(octets)}/${length}`;
}

/** The bits of octet `index` that are behind a prefix of that length. */
function hostBits(length: number, index: number): number {
  return 0xff >> Math.min(8, Math.max(0, length - index * 8));
}

function writePrefix(value: string): Uint8Array {
  const [address = '', digits = ''] = value.split('/');
  const length = Number(digits);
  if (!/^[0-9]{1,3}$/.test(digits) || length > 128) throw new EncodeError(`${value} is no IPv6 prefix`);
  const octets = writeIpv6(address);
  return concatBytes(Uint8Array.of(0, length), octets.subarray(0, Math.ceil(length / 8)));
}

function fail(message: string): never {
  throw new EncodeError(message);
}
