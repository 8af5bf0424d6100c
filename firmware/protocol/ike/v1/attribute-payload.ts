/** Attribute payloads (draft-dukes-ike-mode-cfg-02 section 3.2), which Mode-Config and XAUTH fill. */
import { ByteReader, ByteWriter, DecodeError } from '../../bytes.ts';

/** Attributes of one message. */
const MAX_ATTRIBUTES = 64;

/** Octets of an attribute without a value. */
const MIN_ATTRIBUTE = 4;

/** Attribute Format bit: set, the value is the two octets behind the type; clear, a length comes first. */
const FORMAT_TV = 0x8000;

export interface ConfigAttribute {
  /** 0..32767. */
  readonly type: number;
  /** Of the short form 2 octets. Empty: asked for, or not there. */
  readonly value: Uint8Array;
  /** Of the short form (TV). */
  readonly short?: boolean;
}

export interface AttributePayload {
  /** One of `ConfigType`. */
  readonly kind: number;
  readonly identifier: number;
  readonly attributes: readonly ConfigAttribute[];
}

/**
 * Fewer octets behind the attributes than an attribute has are padding: libreswan counts it as part of the payload.
 * @throws DecodeError when a length is wrong, or there are too many attributes.
 */
export function decodeAttributePayload(body: Uint8Array): AttributePayload {
  const reader = new ByteReader(body);
  const kind = reader.u8('Type');
  reader.skip(1, 'RESERVED');
  const identifier = reader.u16('Identifier');
  const attributes: ConfigAttribute[] = [];
  while (reader.remaining >= MIN_ATTRIBUTE) {
    if (attributes.length >= MAX_ATTRIBUTES) throw new DecodeError(`more than ${MAX_ATTRIBUTES} attributes`);
    const head = reader.u16('Attribute Type');
    const type = head & ~FORMAT_TV;
    if ((head & FORMAT_TV) !== 0) attributes.push(shortAttribute(type, reader.u16('Attribute Value')));
    else attributes.push({ type, value: reader.bytes(reader.u16('Length'), 'Attribute Value').slice() });
  }
  return { kind, identifier, attributes };
}

/** @throws EncodeError when a value is longer than 65,535 octets. */
export function encodeAttributePayload({ kind, identifier, attributes }: AttributePayload): Uint8Array {
  const writer = new ByteWriter().u8(kind).u8(0).u16(identifier);
  for (const { type, value, short } of attributes) {
    if (short === true) writer.u16(type | FORMAT_TV).bytes(value);
    else writer.u16(type).u16(value.length).bytes(value);
  }
  return writer.finish();
}

/** @param value 0..65535. */
export function shortAttribute(type: number, value: number): ConfigAttribute {
  return { type, value: new ByteWriter(2).u16(value).finish(), short: true };
}

/** The value of the first attribute of a type as a number, whatever its form; `undefined` when there is none. */
export function numberIn(attributes: readonly ConfigAttribute[], type: number): number | undefined {
  const value = attributes.find((attribute) => attribute.type === type)?.value;
  return value?.subarray(-4).reduce((sum, octet) => sum * 256 + octet, 0);
}
