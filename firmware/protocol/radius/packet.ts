/** RADIUS packets (RFC 2865 section 3, RFC 2866 section 3): reading, and the few facts about codes. */
import { ByteReader, DecodeError } from '../bytes.ts';
import { attributeByNumber, isKnownVendor } from './attribute-table.ts';
import { type RadiusAttribute, readAttribute } from './attribute-value.ts';

export const CODE = {
  accessRequest: 1,
  accessAccept: 2,
  accessReject: 3,
  accountingRequest: 4,
  accountingResponse: 5,
  accessChallenge: 11,
} as const;

const CODE_NAMES: Readonly<Record<number, string>> = {
  1: 'Access-Request',
  2: 'Access-Accept',
  3: 'Access-Reject',
  4: 'Accounting-Request',
  5: 'Accounting-Response',
  11: 'Access-Challenge',
};

/** `Access-Accept`, or `code 42`. */
export function codeName(code: number): string {
  return CODE_NAMES[code] ?? `code ${code}`;
}

/** Code, Identifier, Length, Authenticator. */
export const HEADER_OCTETS = 20;
/** Offset and octets of the Authenticator. */
export const AUTHENTICATOR_OFFSET = 4;
export const AUTHENTICATOR_OCTETS = 16;
/** Octets of a packet, at most. */
export const MAX_PACKET = 4096;
/** Type of Vendor-Specific (RFC 2865 section 5.26). */
export const VENDOR_SPECIFIC = 26;

export interface RadiusPacket {
  readonly code: number;
  readonly identifier: number;
  /** 16 octets. */
  readonly authenticator: Uint8Array;
  /** Those of the table, in their order; others are passed over (RFC 2865 section 5). */
  readonly attributes: readonly RadiusAttribute[];
}

/** What {@link readPacket} found, with what is needed to check it. */
export interface ReadPacket extends RadiusPacket {
  /** The packet without what may lie behind its Length. */
  readonly octets: Uint8Array;
  /** Where the value of Message-Authenticator begins in `octets`. */
  readonly messageAuthenticatorAt?: number;
}

/**
 * Reads a datagram. Nothing is verified.
 * @throws DecodeError when it is no packet, or an attribute is malformed.
 */
export function readPacket(datagram: Uint8Array): ReadPacket {
  const header = new ByteReader(datagram);
  const code = header.u8('Code');
  const identifier = header.u8('Identifier');
  const length = header.u16('Length');
  // Octets behind Length are padding; a datagram that is shorter is discarded (RFC 2865 section 3).
  if (length < HEADER_OCTETS || length > MAX_PACKET || length > datagram.length) {
    throw new DecodeError(`Length: ${length} in a datagram of ${datagram.length} octets`);
  }
  const authenticator = new Uint8Array(header.bytes(AUTHENTICATOR_OCTETS, 'Authenticator'));
  const octets = datagram.subarray(0, length);
  const attributes: RadiusAttribute[] = [];
  let messageAuthenticatorAt: number | undefined;
  const reader = new ByteReader(octets);
  reader.skip(HEADER_OCTETS, 'header');
  while (reader.remaining > 0) {
    const { type, value, at } = readOne(reader);
    // Must not be sent (RFC 2865 section 5), is sent all the same, and says nothing.
    if (value.length === 0) continue;
    if (type === VENDOR_SPECIFIC) {
      attributes.push(...readVendorSpecific(value));
      continue;
    }
    const name = attributeByNumber(0, type);
    if (name === undefined) continue;
    attributes.push(readAttribute(name, value));
    if (name !== 'messageAuthenticator') continue;
    if (messageAuthenticatorAt !== undefined) throw new DecodeError('Message-Authenticator stands there twice');
    messageAuthenticatorAt = at;
  }
  return {
    code,
    identifier,
    authenticator,
    attributes,
    octets,
    ...(messageAuthenticatorAt === undefined ? {} : { messageAuthenticatorAt }),
  };
}

function readOne(reader: ByteReader): { readonly type: number; readonly value: Uint8Array; readonly at: number } {
  const type = reader.u8('attribute type');
  const length = reader.u8('attribute length');
  if (length < 2) throw new DecodeError(`attribute ${type}: length ${length}`);
  const at = reader.offset;
  return { type, value: reader.bytes(length - 2, `attribute ${type}`), at };
}

/** Vendor-Id, then attributes of that vendor in the same form; those of vendors that are not read may have any other. */
function readVendorSpecific(value: Uint8Array): readonly RadiusAttribute[] {
  const reader = new ByteReader(value);
  const vendor = reader.u32('Vendor-Id');
  if (!isKnownVendor(vendor)) return [];
  const attributes: RadiusAttribute[] = [];
  while (reader.remaining > 0) {
    const inner = readOne(reader);
    const name = attributeByNumber(vendor, inner.type);
    if (name !== undefined && inner.value.length > 0) attributes.push(readAttribute(name, inner.value));
  }
  return attributes;
}
