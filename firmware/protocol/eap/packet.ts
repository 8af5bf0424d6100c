/** EAP packets (RFC 3748 section 4) without their carrier, and the names of their codes and types. */
import { ByteReader, ByteWriter, DecodeError } from '../bytes.ts';

/** Codes (section 4). */
export const EAP_REQUEST = 1;
export const EAP_RESPONSE = 2;
export const EAP_SUCCESS = 3;
export const EAP_FAILURE = 4;

/** Types (section 5). */
export const EAP_IDENTITY = 1;
export const EAP_NOTIFICATION = 2;
/** Legacy Nak: only in a Response. */
export const EAP_NAK = 3;
export const EAP_MD5 = 4;
/** RFC 3748 section 5.7: vendor types. */
export const EAP_EXPANDED = 254;
/** The draft of EAP MSCHAPv2 (draft-kamath-pppext-eap-mschapv2). */
export const EAP_MSCHAPV2 = 26;

const CODES = ['', 'Request', 'Response', 'Success', 'Failure'];

/** Of the IANA registry, those that one meets. */
const TYPES: ReadonlyMap<number, string> = new Map([
  [EAP_IDENTITY, 'Identity'],
  [EAP_NOTIFICATION, 'Notification'],
  [EAP_NAK, 'Nak'],
  [EAP_MD5, 'MD5-Challenge'],
  [5, 'One-Time Password'],
  [6, 'Generic Token Card'],
  [13, 'EAP-TLS'],
  [18, 'EAP-SIM'],
  [21, 'EAP-TTLS'],
  [23, 'EAP-AKA'],
  [25, 'PEAP'],
  [EAP_MSCHAPV2, 'MSCHAPv2'],
  [43, 'EAP-FAST'],
  [50, "EAP-AKA'"],
  [52, 'EAP-PWD'],
  [EAP_EXPANDED, 'Expanded'],
]);

/** `Request`, `Success` ...; `code N` where there is no name. */
export function eapCodeName(code: number): string {
  return CODES[code] || `code ${code}`;
}

/** `Identity`, `MD5-Challenge` ...; `type N` where there is no name here. */
export function eapTypeName(type: number): string {
  return TYPES.get(type) ?? `type ${type}`;
}

/** One packet; `data` is what stands behind the Length field, and of a Request or Response begins with its Type. */
export interface EapPacket {
  /** 0..255. */
  readonly code: number;
  /** 0..255. */
  readonly identifier: number;
  readonly data: Uint8Array;
}

/** Code, Identifier and Length, octets. */
const HEADER = 4;

/**
 * Reads a packet; what stands behind its Length is padding (section 4.1).
 * @throws DecodeError when Length is below 4 or beyond the octets.
 */
export function decodeEap(octets: Uint8Array): EapPacket {
  const reader = new ByteReader(octets);
  const code = reader.u8('Code');
  const identifier = reader.u8('Identifier');
  const length = reader.u16('Length');
  if (length < HEADER) throw new DecodeError(`Length ${length} is below ${HEADER}`);
  return { code, identifier, data: reader.bytes(length - HEADER, 'Data') };
}

/** The octets of a packet. @throws EncodeError when it is longer than 65535 octets. */
export function encodeEap({ code, identifier, data }: EapPacket): Uint8Array {
  const length = HEADER + data.length;
  return new ByteWriter(length).u8(code).u8(identifier).u16(length).bytes(data).finish();
}

/** Type and Type-Data of a Request or Response. @throws DecodeError when there is no Type. */
export function decodeTyped(data: Uint8Array): { readonly type: number; readonly typeData: Uint8Array } {
  const reader = new ByteReader(data);
  return { type: reader.u8('Type'), typeData: reader.rest() };
}

/** @param typeData of any length. */
export function typed(type: number, typeData: Uint8Array): Uint8Array {
  return new ByteWriter(1 + typeData.length).u8(type).bytes(typeData).finish();
}
