/** The AVP format (RFC 2661 section 4.1): framing alone, whatever the value means. */
import { ByteReader, type ByteWriter, DecodeError, EncodeError } from '../bytes.ts';

/** Octets before the Attribute Value. */
export const AVP_HEADER_LENGTH = 6;
/** Greatest Length, which counts the header and has 10 bits. */
export const MAX_AVP_LENGTH = 1023;
/** Greatest Attribute Value, octets. */
export const MAX_AVP_VALUE_LENGTH = MAX_AVP_LENGTH - AVP_HEADER_LENGTH;

const MANDATORY = 0x8000;
const HIDDEN = 0x4000;
const RESERVED = 0x3c00;
const LENGTH = 0x03ff;

/** An AVP as it stands in a message. */
export interface RawAvp {
  readonly mandatory: boolean;
  readonly hidden: boolean;
  /** A reserved bit was set: the AVP must be treated as an unrecognized one. Never sent. */
  readonly reserved: boolean;
  readonly vendor: number;
  readonly type: number;
  /** 0..1017 octets, a view. Hidden where `hidden`. */
  readonly value: Uint8Array;
}

/**
 * The AVPs of a message's body, in order.
 * @throws DecodeError when a Length is under 6 or more than there is: what follows cannot be found then.
 */
export function readAvps(body: Uint8Array): RawAvp[] {
  const reader = new ByteReader(body);
  const avps: RawAvp[] = [];
  while (reader.remaining > 0) {
    const bits = reader.u16('AVP header');
    const length = bits & LENGTH;
    if (length < AVP_HEADER_LENGTH) throw new DecodeError(`AVP with a Length of ${length}, under 6`);
    const vendor = reader.u16('AVP Vendor ID');
    const type = reader.u16('AVP Attribute Type');
    const value = reader.bytes(length - AVP_HEADER_LENGTH, `value of AVP ${vendor}/${type}`);
    avps.push({
      mandatory: (bits & MANDATORY) !== 0,
      hidden: (bits & HIDDEN) !== 0,
      reserved: (bits & RESERVED) !== 0,
      vendor,
      type,
      value,
    });
  }
  return avps;
}

/** Appends an AVP. @throws EncodeError when the value is longer than 1017 octets. */
export function writeAvp(writer: ByteWriter, avp: Omit<RawAvp, 'reserved'>): void {
  if (avp.value.length > MAX_AVP_VALUE_LENGTH) {
    throw new EncodeError(`AVP ${avp.vendor}/${avp.type}: ${avp.value.length} octets, at most ${MAX_AVP_VALUE_LENGTH}`);
  }
  const bits = (avp.mandatory ? MANDATORY : 0) | (avp.hidden ? HIDDEN : 0);
  writer.u16(bits | (AVP_HEADER_LENGTH + avp.value.length));
  writer.u16(avp.vendor).u16(avp.type).bytes(avp.value);
}
