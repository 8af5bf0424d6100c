/**
 * The packet format that LCP, the NCPs, PAP and CHAP share (RFC 1661 section 5, RFC 1334 section 2.2, RFC 1994
 * section 4): Code, Identifier, Length, Data. Octets after Length are padding and ignored.
 */
import { ByteReader, ByteWriter, DecodeError, EncodeError } from '../bytes.ts';
import { PPP_CCP, PPP_CHAP, PPP_EAP, PPP_LCP, PPP_PAP } from './protocol-numbers.ts';

/** Code, Identifier and Length, octets. */
export const PACKET_HEADER = 4;

/** One control packet, its Length field understood and its padding gone. */
export interface ControlPacket {
  /** 0..255. */
  readonly code: number;
  /** 0..255. */
  readonly identifier: number;
  readonly data: Uint8Array;
}

/** Codes of LCP (RFC 1661 section 5); 1..7 are those of every NCP too. */
export const CONFIGURE_REQUEST = 1;
export const CONFIGURE_ACK = 2;
export const CONFIGURE_NAK = 3;
export const CONFIGURE_REJECT = 4;
export const TERMINATE_REQUEST = 5;
export const TERMINATE_ACK = 6;
export const CODE_REJECT = 7;
export const PROTOCOL_REJECT = 8;
export const ECHO_REQUEST = 9;
export const ECHO_REPLY = 10;
export const DISCARD_REQUEST = 11;
/** RFC 1570 section 2.1: Windows sends these; they ask for no reply. */
export const IDENTIFICATION = 12;
/** RFC 1570 section 2.2: the same. */
export const TIME_REMAINING = 13;

const NCP_CODES = [
  '',
  'Configure-Request',
  'Configure-Ack',
  'Configure-Nak',
  'Configure-Reject',
  'Terminate-Request',
  'Terminate-Ack',
  'Code-Reject',
];
const LCP_CODES = [
  ...NCP_CODES,
  'Protocol-Reject',
  'Echo-Request',
  'Echo-Reply',
  'Discard-Request',
  'Identification',
  'Time-Remaining',
];
const PAP_CODES = ['', 'Authenticate-Request', 'Authenticate-Ack', 'Authenticate-Nak'];
const CHAP_CODES = ['', 'Challenge', 'Response', 'Success', 'Failure'];
/** RFC 3748 section 4. */
const EAP_CODES = ['', 'Request', 'Response', 'Success', 'Failure'];
/** RFC 1962 section 3. */
const CCP_RESET_CODES: ReadonlyMap<number, string> = new Map([
  [14, 'Reset-Request'],
  [15, 'Reset-Ack'],
]);

/** The name of a code of the given protocol; `code N` where it has none. */
export function codeName(protocol: number, code: number): string {
  const name = codesOf(protocol)[code] ?? (protocol === PPP_CCP ? CCP_RESET_CODES.get(code) : undefined);
  return name === undefined || name === '' ? `code ${code}` : name;
}

function codesOf(protocol: number): readonly string[] {
  switch (protocol) {
    case PPP_LCP:
      return LCP_CODES;
    case PPP_PAP:
      return PAP_CODES;
    case PPP_CHAP:
      return CHAP_CODES;
    case PPP_EAP:
      return EAP_CODES;
    default:
      return NCP_CODES;
  }
}

/**
 * Reads one packet from an information field.
 * @throws DecodeError when Length is below 4 or beyond the field: silently discard it (RFC 1661 section 5).
 */
export function decodePacket(information: Uint8Array): ControlPacket {
  const reader = new ByteReader(information);
  const code = reader.u8('Code');
  const identifier = reader.u8('Identifier');
  const length = reader.u16('Length');
  if (length < PACKET_HEADER) throw new DecodeError(`Length ${length} is below ${PACKET_HEADER}`);
  return { code, identifier, data: reader.bytes(length - PACKET_HEADER, 'Data') };
}

/** The octets of a packet. @throws EncodeError when a field does not fit. */
export function encodePacket(packet: ControlPacket): Uint8Array {
  const length = PACKET_HEADER + packet.data.length;
  if (length > 0xffff) throw new EncodeError(`a packet of ${length} octets does not fit its Length field`);
  return new ByteWriter(length).u8(packet.code).u8(packet.identifier).u16(length).bytes(packet.data).finish();
}

/** A bare frame: the two-octet protocol number, then the packet. */
export function encodeFrame(protocol: number, packet: ControlPacket): Uint8Array {
  const body = encodePacket(packet);
  return new ByteWriter(2 + body.length).u16(protocol).bytes(body).finish();
}
