/**
 * The little of RADIUS that the lab's l2tpns asks for: Access-Request with PAP or CHAP, and accounting, which is
 * acknowledged and forgotten. RFC 2865 (3, 5.1 to 5.3, 5.8, 5.40), RFC 2866 (4.2).
 */
import { DecodeError, utf8Bytes } from '../../firmware/protocol/bytes.ts';
import { secretsEqual } from '../../firmware/protocol/ppp/authentication.ts';
import { chapMd5 } from '../../firmware/protocol/ppp/chap-md5.ts';
import { FRAMED_PROTOCOL_PPP, SERVICE_TYPE_FRAMED } from '../../firmware/protocol/radius/attribute-table.ts';
import { firstValue, type RadiusAttribute } from '../../firmware/protocol/radius/attribute-value.ts';
import { CODE, type ReadPacket, readPacket } from '../../firmware/protocol/radius/packet.ts';
import { passwordOf, sealResponse } from '../../firmware/protocol/radius/sealing.ts';
import type { PppUser } from './ppp-users.ts';

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
export function answerRadius(request: Uint8Array, secret: string, users: readonly PppUser[]): RadiusAnswer | undefined {
  try {
    return answer(readPacket(request), utf8Bytes(secret), users);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function answer(request: ReadPacket, secret: Uint8Array, users: readonly PppUser[]): RadiusAnswer | undefined {
  const { identifier, authenticator, attributes } = request;
  const reply = (code: number, summary: string, granted: readonly RadiusAttribute[] = []): RadiusAnswer => {
    // l2tpns knows no Message-Authenticator.
    const octets = sealResponse({ code, identifier, authenticator, attributes: granted }, secret, false);
    return { reply: Buffer.from(octets), summary };
  };
  if (request.code === CODE.accountingRequest) return reply(CODE.accountingResponse, 'accounting');
  if (request.code !== CODE.accessRequest) return undefined;
  const name = Buffer.from(firstValue(attributes, 'userName') ?? []).toString();
  const method = firstValue(attributes, 'chapPassword') === undefined ? 'PAP' : 'CHAP';
  const user = users.find((candidate) => candidate.name === name);
  if (user === undefined || !proves(request, secret, user.password)) {
    return reply(CODE.accessReject, `${method} ${JSON.stringify(name)} rejected`);
  }
  return reply(CODE.accessAccept, `${method} ${JSON.stringify(name)} accepted`, granted(user.address));
}

function proves(request: ReadPacket, secret: Uint8Array, password: string): boolean {
  const { attributes, authenticator } = request;
  const chap = firstValue(attributes, 'chapPassword');
  if (chap !== undefined) {
    // RFC 2865, 5.3: identifier, then the digest; the challenge may be the authenticator.
    const challenge = firstValue(attributes, 'chapChallenge') ?? authenticator;
    return secretsEqual(chapMd5(chap[0] ?? 0, utf8Bytes(password), challenge), chap.subarray(1));
  }
  const given = passwordOf(request, secret);
  return given !== undefined && secretsEqual(given, utf8Bytes(password));
}

function granted(address: string | undefined): readonly RadiusAttribute[] {
  return [
    { name: 'serviceType', value: SERVICE_TYPE_FRAMED },
    { name: 'framedProtocol', value: FRAMED_PROTOCOL_PPP },
    ...(address === undefined ? [] : [{ name: 'framedIpAddress' as const, value: address }]),
  ];
}
