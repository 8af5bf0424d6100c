/**
 * What a PPP peer proved itself with, as attributes of an Access-Request (RFC 2865 sections 5.2, 5.3 and 5.40, RFC 2548
 * sections 2.1 and 2.3, RFC 3579 section 3.1), and what an answer has for the peer.
 */
import { ByteReader, concatBytes, DecodeError } from '../bytes.ts';
import type { PeerProof } from '../ppp/link-types.ts';
import { allValues, firstValue, MAX_VALUE, type RadiusAttribute } from './attribute-value.ts';

/** Octets of the Value field of a Response, and of its parts (RFC 1994, RFC 2433 section 5, RFC 2759 section 4). */
const MD5_OCTETS = 16;
const LM_AND_NT_OCTETS = 48;
const CHALLENGE_AND_RESERVED = 24;
const NT_OCTETS = 24;
/** `S=` and 40 digits (RFC 2759 section 5). */
const SUCCESS_OCTETS = 42;

/** Octets of EAP in one request, at most: half of a packet of RADIUS, the other half of which is for all the rest. */
const MAX_EAP = 2048;

/**
 * User-Name and the proof.
 * @throws DecodeError when the peer's response has a length that its method does not know, or the name none at all.
 */
export function proofAttributes(proof: PeerProof): readonly RadiusAttribute[] {
  const { name } = proof;
  if (name.length === 0 || name.length > MAX_VALUE) throw new DecodeError(`User-Name: ${name.length} octets`);
  return [{ name: 'userName', value: name }, ...methodAttributes(proof)];
}

function methodAttributes(proof: PeerProof): readonly RadiusAttribute[] {
  switch (proof.method) {
    case 'pap':
      if (proof.password.length > 128) throw new DecodeError(`User-Password: ${proof.password.length} octets`);
      return [{ name: 'userPassword', value: proof.password }];
    case 'chap': {
      const response = only(proof.response, MD5_OCTETS, 'CHAP response');
      return [
        { name: 'chapPassword', value: concatBytes(Uint8Array.of(proof.identifier), response) },
        { name: 'chapChallenge', value: proof.challenge },
      ];
    }
    case 'mschapv1': {
      const reader = new ByteReader(only(proof.response, LM_AND_NT_OCTETS + 1, 'MS-CHAP response'));
      const responses = reader.bytes(LM_AND_NT_OCTETS, 'LM-Response and NT-Response');
      const flags = reader.u8('Use-NT flag');
      return [
        { name: 'msChapChallenge', value: proof.challenge },
        { name: 'msChapResponse', value: concatBytes(Uint8Array.of(proof.identifier, flags), responses) },
      ];
    }
    case 'mschapv2': {
      const length = CHALLENGE_AND_RESERVED + NT_OCTETS;
      const reader = new ByteReader(only(proof.response, length + 1, 'MS-CHAPv2 response'));
      const responses = reader.bytes(length, 'Peer-Challenge and NT-Response');
      return [
        { name: 'msChapChallenge', value: proof.challenge },
        { name: 'msChap2Response', value: concatBytes(Uint8Array.of(proof.identifier, 0), responses) },
      ];
    }
    case 'eap':
      return splitEap(proof.packet);
  }
}

/** An EAP packet in as many attributes as it takes, one behind the other (RFC 3579 section 3.1). */
export function splitEap(packet: Uint8Array): readonly RadiusAttribute[] {
  if (packet.length === 0 || packet.length > MAX_EAP) throw new DecodeError(`EAP packet: ${packet.length} octets`);
  const parts = Array.from({ length: Math.ceil(packet.length / MAX_VALUE) }, (_, index) =>
    packet.subarray(index * MAX_VALUE, (index + 1) * MAX_VALUE),
  );
  return parts.map((value) => ({ name: 'eapMessage', value }));
}

/** The EAP packet of an answer; `undefined` when it has none. */
export function joinEap(attributes: readonly RadiusAttribute[]): Uint8Array | undefined {
  const parts = allValues(attributes, 'eapMessage');
  return parts.length === 0 ? undefined : concatBytes(...parts);
}

/** The authenticator response of MS-CHAPv2, `S=` and 40 digits, which proves that the server knows the password too. */
export function msChapSuccess(attributes: readonly RadiusAttribute[]): string | undefined {
  const value = firstValue(attributes, 'msChap2Success');
  const text = value === undefined ? '' : ascii(value.subarray(1));
  return text.length === SUCCESS_OCTETS && /^S=[0-9A-Fa-f]{40}$/.test(text) ? text : undefined;
}

/** The message of MS-CHAP for a refused peer: `E=691 R=0 ...` (RFC 2759 section 6). */
export function msChapError(attributes: readonly RadiusAttribute[]): string | undefined {
  const value = firstValue(attributes, 'msChapError');
  if (value === undefined) return undefined;
  // Some servers leave Ident out.
  const text = ascii(value[0] === 0x45 ? value : value.subarray(1));
  return /^E=[0-9]{1,10}(\s|$)/.test(text) ? text : undefined;
}

function only(response: Uint8Array, length: number, what: string): Uint8Array {
  if (response.length !== length) throw new DecodeError(`${what}: ${response.length} octets instead of ${length}`);
  return response;
}

function ascii(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
