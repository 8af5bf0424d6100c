/**
 * Packets as they go on the wire: written, and made provable with the shared secret. Request and Response Authenticator
 * (RFC 2865 section 3, RFC 2866 section 3) are MD5 with the secret behind the packet, which an attacker in the path can
 * forge for answers (CVE-2024-3596); Message-Authenticator (RFC 3579 section 3.2) is HMAC-MD5, which he cannot. So every
 * Access-Request carries one, as its first attribute, and an answer is expected to.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { ByteWriter, concatBytes, EncodeError } from '../bytes.ts';
import { ATTRIBUTES } from './attribute-table.ts';
import { MAX_VALUE, type RadiusAttribute, writeAttribute } from './attribute-value.ts';
import {
  AUTHENTICATOR_OCTETS,
  AUTHENTICATOR_OFFSET,
  CODE,
  HEADER_OCTETS,
  MAX_PACKET,
  type RadiusPacket,
  type ReadPacket,
  VENDOR_SPECIFIC,
} from './packet.ts';
import { hidePassword, revealPassword } from './user-password.ts';

/** Where the value of Message-Authenticator stands when it is the first attribute. */
const FIRST_VALUE = HEADER_OCTETS + 2;

/** Type, Length and Vendor-Id of a Vendor-Specific attribute, then type and length of the vendor's own. */
const VENDOR_OVERHEAD = 6;

/**
 * An Access-Request or Accounting-Request.
 * @param request its `authenticator`: 16 unforeseeable octets; of an Accounting-Request it is worked out here.
 * @throws EncodeError when it does not fit.
 */
export function sealRequest(request: RadiusPacket, secret: Uint8Array): Uint8Array {
  if (request.code !== CODE.accountingRequest) {
    const octets = write(request, secret, true);
    octets.set(hmacMd5(octets, secret), FIRST_VALUE);
    return octets;
  }
  const octets = write({ ...request, authenticator: new Uint8Array(AUTHENTICATOR_OCTETS) }, secret, false);
  octets.set(md5(octets, secret), AUTHENTICATOR_OFFSET);
  return octets;
}

/**
 * An answer to a request, as a server writes it.
 * @param response its `authenticator`: that of the request.
 */
export function sealResponse(response: RadiusPacket, secret: Uint8Array, messageAuthenticator = true): Uint8Array {
  const octets = write(response, secret, messageAuthenticator);
  if (messageAuthenticator) octets.set(hmacMd5(octets, secret), FIRST_VALUE);
  octets.set(md5(octets, secret), AUTHENTICATOR_OFFSET);
  return octets;
}

/** What an answer's proofs are worth. */
export type ResponseProof = 'good' | 'wrong-authenticator' | 'wrong-message-authenticator' | 'no-message-authenticator';

/** Checks both proofs of an answer, in constant time. @param requestAuthenticator of the request that it answers. */
export function checkResponse(
  response: ReadPacket,
  requestAuthenticator: Uint8Array,
  secret: Uint8Array,
): ResponseProof {
  const octets = withAuthenticator(response.octets, requestAuthenticator);
  if (!timingSafeEqual(md5(octets, secret), response.authenticator)) return 'wrong-authenticator';
  const at = response.messageAuthenticatorAt;
  if (at === undefined) return 'no-message-authenticator';
  return checkHmac(octets, at, secret) ? 'good' : 'wrong-message-authenticator';
}

/** As a server checks it: an Access-Request by its Message-Authenticator, an Accounting-Request by its authenticator. */
export function checkRequest(request: ReadPacket, secret: Uint8Array): boolean {
  if (request.code === CODE.accountingRequest) {
    const octets = withAuthenticator(request.octets, new Uint8Array(AUTHENTICATOR_OCTETS));
    return timingSafeEqual(md5(octets, secret), request.authenticator);
  }
  const at = request.messageAuthenticatorAt;
  return at !== undefined && checkHmac(request.octets, at, secret);
}

/** The password of an Access-Request in clear, as a server reads it. @throws DecodeError when it is malformed. */
export function passwordOf(request: ReadPacket, secret: Uint8Array): Uint8Array | undefined {
  const found = request.attributes.find(({ name }) => name === 'userPassword');
  return found?.name === 'userPassword' ? revealPassword(found.value, secret, request.authenticator) : undefined;
}

/** Writes the packet, with room for a Message-Authenticator in front when it shall have one. */
function write(packet: RadiusPacket, secret: Uint8Array, messageAuthenticator: boolean): Uint8Array {
  const writer = new ByteWriter(256).u8(packet.code).u8(packet.identifier).u16(0).bytes(packet.authenticator);
  if (messageAuthenticator) {
    writeOne(writer, { name: 'messageAuthenticator', value: new Uint8Array(AUTHENTICATOR_OCTETS) });
  }
  for (const attribute of packet.attributes) {
    if (attribute.name === 'messageAuthenticator') continue;
    const hidden = attribute.name === 'userPassword';
    const value = hidden ? hidePassword(attribute.value, secret, packet.authenticator) : undefined;
    writeOne(writer, value === undefined ? attribute : { name: 'userPassword', value });
  }
  if (writer.length > MAX_PACKET) throw new EncodeError(`a packet of ${writer.length} octets; at most ${MAX_PACKET}`);
  return writer.patchU16(2, writer.length).finish();
}

function writeOne(writer: ByteWriter, attribute: RadiusAttribute): void {
  const { vendor, type, name } = ATTRIBUTES[attribute.name];
  const value = writeAttribute(attribute);
  if (vendor === 0) {
    writer
      .u8(type)
      .u8(value.length + 2)
      .bytes(value);
    return;
  }
  if (value.length + VENDOR_OVERHEAD > MAX_VALUE) throw new EncodeError(`${name}: ${value.length} octets`);
  writer
    .u8(VENDOR_SPECIFIC)
    .u8(value.length + VENDOR_OVERHEAD + 2)
    .u32(vendor);
  writer
    .u8(type)
    .u8(value.length + 2)
    .bytes(value);
}

function checkHmac(octets: Uint8Array, at: number, secret: Uint8Array): boolean {
  const zeroed = new Uint8Array(octets);
  zeroed.fill(0, at, at + AUTHENTICATOR_OCTETS);
  return timingSafeEqual(hmacMd5(zeroed, secret), octets.subarray(at, at + AUTHENTICATOR_OCTETS));
}

function withAuthenticator(octets: Uint8Array, authenticator: Uint8Array): Uint8Array {
  return concatBytes(octets.subarray(0, AUTHENTICATOR_OFFSET), authenticator, octets.subarray(HEADER_OCTETS));
}

function md5(octets: Uint8Array, secret: Uint8Array): Uint8Array {
  return createHash('md5').update(octets).update(secret).digest();
}

function hmacMd5(octets: Uint8Array, secret: Uint8Array): Uint8Array {
  return createHmac('md5', secret).update(octets).digest();
}
