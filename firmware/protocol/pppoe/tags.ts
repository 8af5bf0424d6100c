/** TAGs of PPPoE discovery (RFC 2516 section 5 and appendix A, RFC 4638 section 4): Type, Length, Value. */
import { ByteReader, type ByteWriter } from '../bytes.ts';

export const TAG_END_OF_LIST = 0x0000;
export const TAG_SERVICE_NAME = 0x0101;
export const TAG_AC_NAME = 0x0102;
export const TAG_HOST_UNIQ = 0x0103;
export const TAG_AC_COOKIE = 0x0104;
export const TAG_RELAY_SESSION_ID = 0x0110;
export const TAG_PPP_MAX_PAYLOAD = 0x0120;
export const TAG_SERVICE_NAME_ERROR = 0x0201;
export const TAG_AC_SYSTEM_ERROR = 0x0202;
export const TAG_GENERIC_ERROR = 0x0203;

/** What the value of a tag is, and the name it goes by. */
export interface TagSpec {
  readonly name: string;
  /** `text`: UTF-8; `u16`: a number of two octets; `octets`: of no meaning to this side; `none`: there is no value. */
  readonly kind: 'text' | 'u16' | 'octets' | 'none';
}

/** Every tag with a name, by type: RFC 2516 appendix A, RFC 4638, RFC 5578. */
export const PPPOE_TAGS: ReadonlyMap<number, TagSpec> = new Map<number, TagSpec>([
  [TAG_END_OF_LIST, { name: 'End-Of-List', kind: 'none' }],
  [TAG_SERVICE_NAME, { name: 'Service-Name', kind: 'text' }],
  [TAG_AC_NAME, { name: 'AC-Name', kind: 'text' }],
  [TAG_HOST_UNIQ, { name: 'Host-Uniq', kind: 'octets' }],
  [TAG_AC_COOKIE, { name: 'AC-Cookie', kind: 'octets' }],
  [0x0105, { name: 'Vendor-Specific', kind: 'octets' }],
  [0x0106, { name: 'Credits', kind: 'octets' }],
  [0x0107, { name: 'Metrics', kind: 'octets' }],
  [0x0108, { name: 'Sequence Number', kind: 'u16' }],
  [0x0109, { name: 'Credit Scale Factor', kind: 'u16' }],
  [TAG_RELAY_SESSION_ID, { name: 'Relay-Session-Id', kind: 'octets' }],
  [TAG_PPP_MAX_PAYLOAD, { name: 'PPP-Max-Payload', kind: 'u16' }],
  [TAG_SERVICE_NAME_ERROR, { name: 'Service-Name-Error', kind: 'text' }],
  [TAG_AC_SYSTEM_ERROR, { name: 'AC-System-Error', kind: 'text' }],
  [TAG_GENERIC_ERROR, { name: 'Generic-Error', kind: 'text' }],
]);

/** Tags by which an access concentrator says that it will not (RFC 2516 appendix A). */
export const ERROR_TAGS: readonly number[] = [TAG_SERVICE_NAME_ERROR, TAG_AC_SYSTEM_ERROR, TAG_GENERIC_ERROR];

/** One tag as it stands in a packet. */
export interface PppoeTag {
  /** 0..65535. */
  readonly type: number;
  /** A view into the packet. */
  readonly value: Uint8Array;
}

/**
 * The tags of a payload up to its end or End-Of-List, in order; those of unknown types are among them.
 * @throws DecodeError when a Length leaves the payload.
 */
export function decodeTags(payload: Uint8Array): PppoeTag[] {
  const reader = new ByteReader(payload);
  const tags: PppoeTag[] = [];
  while (reader.remaining > 0) {
    const type = reader.u16('TAG_TYPE');
    const value = reader.bytes(reader.u16('TAG_LENGTH'), 'TAG_VALUE');
    if (type === TAG_END_OF_LIST) break;
    tags.push({ type, value });
  }
  return tags;
}

/** @throws EncodeError when a value is longer than 65535 octets. */
export function encodeTags(writer: ByteWriter, tags: readonly PppoeTag[]): void {
  for (const { type, value } of tags) writer.u16(type).u16(value.length).bytes(value);
}

/** The value of the first tag of that type. */
export function tagValue(tags: readonly PppoeTag[], type: number): Uint8Array | undefined {
  return tags.find((tag) => tag.type === type)?.value;
}
