/**
 * The little of RADIUS that the lab's l2tpns asks for: Access-Request with PAP or CHAP, and accounting, which is
 * acknowledged and forgotten. RFC 2865 (3, 5.1 to 5.3, 5.8, 5.40), RFC 2866 (4.2).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { PppUser } from './ppp-users.ts';

const CODE = {
  accessRequest: 1,
  accessAccept: 2,
  accessReject: 3,
  accountingRequest: 4,
  accountingResponse: 5,
} as const;
const ATTRIBUTE = {
  userName: 1,
  userPassword: 2,
  chapPassword: 3,
  serviceType: 6,
  framedProtocol: 7,
  framedIpAddress: 8,
  chapChallenge: 60,
} as const;
/** Service-Type Framed (RFC 2865, 5.6) and Framed-Protocol PPP (5.7). */
const SERVICE_FRAMED = 2;
const PROTOCOL_PPP = 1;
/** Code, identifier, length, authenticator. */
const HEADER_OCTETS = 20;

export interface RadiusAnswer {
  /** The datagram to send back. */
  readonly reply: Buffer;
  /** What was asked and answered, for the log. */
  readonly summary: string;
}

/**
 * Answers one request, or gives `undefined` when it is malformed or no request.
 * @param secret - shared with the client (RFC 2865, 3)
 */
export function answerRadius(request: Buffer, secret: string, users: readonly PppUser[]): RadiusAnswer | undefined {
  if (request.length < HEADER_OCTETS) return undefined;
  const length = request.readUInt16BE(2);
  if (length < HEADER_OCTETS || length > request.length) return undefined;
  const authenticator = request.subarray(4, HEADER_OCTETS);
  const attributes = parseAttributes(request.subarray(HEADER_OCTETS, length));
  if (attributes === undefined) return undefined;

  const reply = (code: number, body: Buffer, summary: string): RadiusAnswer => {
    const head = Buffer.from([code, request.readUInt8(1), 0, 0]);
    head.writeUInt16BE(HEADER_OCTETS + body.length, 2);
    return { reply: Buffer.concat([head, md5(head, authenticator, body, Buffer.from(secret)), body]), summary };
  };

  switch (request.readUInt8(0)) {
    case CODE.accountingRequest:
      return reply(CODE.accountingResponse, Buffer.alloc(0), 'accounting');
    case CODE.accessRequest: {
      const name = attributes.get(ATTRIBUTE.userName)?.toString() ?? '';
      const method = attributes.has(ATTRIBUTE.chapPassword) ? 'CHAP' : 'PAP';
      const user = users.find((candidate) => candidate.name === name);
      const accepted = user !== undefined && passwordMatches(attributes, authenticator, secret, user.password);
      const summary = `${method} ${JSON.stringify(name)} ${accepted ? 'accepted' : 'rejected'}`;
      if (!accepted) return reply(CODE.accessReject, Buffer.alloc(0), summary);
      return reply(CODE.accessAccept, acceptAttributes(user.address), summary);
    }
    default:
      return undefined;
  }
}

function parseAttributes(body: Buffer): Map<number, Buffer> | undefined {
  const attributes = new Map<number, Buffer>();
  for (let at = 0; at < body.length; ) {
    const length = at + 1 < body.length ? body.readUInt8(at + 1) : 0;
    if (length < 2 || at + length > body.length) return undefined;
    attributes.set(body.readUInt8(at), body.subarray(at + 2, at + length));
    at += length;
  }
  return attributes;
}

function passwordMatches(
  attributes: Map<number, Buffer>,
  authenticator: Buffer,
  secret: string,
  password: string,
): boolean {
  const chap = attributes.get(ATTRIBUTE.chapPassword);
  if (chap !== undefined) {
    // RFC 2865, 5.3: identifier, then MD5(identifier, password, challenge); the challenge may be the authenticator.
    const challenge = attributes.get(ATTRIBUTE.chapChallenge) ?? authenticator;
    const expected = md5(chap.subarray(0, 1), Buffer.from(password), challenge);
    return chap.length === 17 && timingSafeEqual(expected, chap.subarray(1));
  }
  const hidden = attributes.get(ATTRIBUTE.userPassword);
  if (hidden === undefined || hidden.length === 0 || hidden.length % 16 !== 0) return false;
  const given = revealPassword(hidden, authenticator, secret);
  return timingSafeEqual(md5(given), md5(Buffer.from(password)));
}

/** RFC 2865, 5.2: each block is XORed with MD5(secret, the block before), the first with MD5(secret, authenticator). */
function revealPassword(hidden: Buffer, authenticator: Buffer, secret: string): Buffer {
  const clear = Buffer.alloc(hidden.length);
  let before = authenticator;
  for (let at = 0; at < hidden.length; at += 16) {
    const pad = md5(Buffer.from(secret), before);
    before = hidden.subarray(at, at + 16);
    for (const [i, octet] of before.entries()) clear.writeUInt8(octet ^ pad.readUInt8(i), at + i);
  }
  const end = clear.indexOf(0);
  return end < 0 ? clear : clear.subarray(0, end);
}

function acceptAttributes(address: string | undefined): Buffer {
  const number = (type: number, value: number) => {
    const attribute = Buffer.from([type, 6, 0, 0, 0, 0]);
    attribute.writeUInt32BE(value, 2);
    return attribute;
  };
  const framed = [number(ATTRIBUTE.serviceType, SERVICE_FRAMED), number(ATTRIBUTE.framedProtocol, PROTOCOL_PPP)];
  if (address !== undefined) {
    framed.push(Buffer.from([ATTRIBUTE.framedIpAddress, 6, ...address.split('.').map(Number)]));
  }
  return Buffer.concat(framed);
}

function md5(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
