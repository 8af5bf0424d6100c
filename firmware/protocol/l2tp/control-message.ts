/** Control messages (RFC 2661 sections 3 and 4): a header, then AVPs. Encode and decode are inverse. */
import { ByteWriter, DecodeError, EncodeError } from '../bytes.ts';
import type { RandomSource } from '../machine.ts';
import { MAX_AVP_VALUE_LENGTH, type RawAvp, readAvps, writeAvp } from './avp.ts';
import { type AVPS, type AvpKey, avpDefinition, type FieldKey, findAvp } from './avp-table.ts';
import { type AvpValue, AvpValueError, type AvpValues, decodeAvpValue, encodeAvpValue } from './avp-value.ts';
import {
  CONTROL_HEADER_LENGTH,
  type ControlHeader,
  decodeControlHeader,
  patchControlLength,
  type ReceivedControlHeader,
  writeControlHeader,
} from './header.ts';
import { hideValue, unhideValue } from './hiding.ts';
import { findMessage, MESSAGES, type MessageName } from './message-table.ts';
import { GeneralError } from './result-code.ts';

/** Octets of the Random Vector that this side sends: what the RFC recommends as the least. */
const RANDOM_VECTOR_LENGTH = 16;
/** Most octets of padding behind a hidden value. One chunk blurs the length of a name or a password. */
const MAX_HIDDEN_PADDING = 15;

/** The meaning of a message: its AVPs by name. */
export type AvpFields = { readonly [K in FieldKey]?: AvpValues[(typeof AVPS)[K]['kind']] };

/** One AVP of a received message. */
export interface DecodedAvp {
  readonly vendor: number;
  readonly type: number;
  readonly mandatory: boolean;
  readonly hidden: boolean;
  /** Row of the table; absent when the AVP is unknown or has a reserved bit set. */
  readonly key?: AvpKey;
  /** Absent when the AVP is unknown or its value cannot be used. */
  readonly value?: AvpValue;
  /** Octets as they came, hidden where `hidden`. */
  readonly raw: Uint8Array;
  /** Why a known AVP cannot be used. */
  readonly fault?: { readonly errorCode: number; readonly words: string };
}

/** What stands behind the header. */
export interface MessageBody {
  /** Vendor ID of the Message Type AVP: 0 for the messages of RFC 2661. */
  readonly vendor: number;
  readonly messageType: number;
  /** M bit of the Message Type AVP: an unknown message with it clears the tunnel. */
  readonly mandatory: boolean;
  /** Absent when the message type is unknown. */
  readonly name?: MessageName;
  /** Message Type included, in order. */
  readonly avps: readonly DecodedAvp[];
  /** The usable ones. Where an AVP is repeated, the first counts. */
  readonly fields: AvpFields;
}

export interface ControlMessage {
  readonly header: ReceivedControlHeader;
  /** Absent in a ZLB, which only acknowledges. */
  readonly body?: MessageBody;
}

/** How to hide AVPs (section 4.3). */
export interface Hiding {
  readonly secret: Uint8Array;
  readonly random: RandomSource;
  /** Which AVPs to hide among those that the RFC lets be hidden. Default: the sensitive ones. */
  readonly hides?: (key: FieldKey) => boolean;
}

/**
 * A control message.
 * @param extra AVPs that are in no table, put at the end.
 * @throws EncodeError when a field is not one of this message's, is missing though required, or is too long.
 */
export function encodeControlMessage(
  header: ControlHeader,
  name: MessageName,
  fields: AvpFields,
  hiding?: Hiding,
  extra: readonly Omit<RawAvp, 'reserved'>[] = [],
): Uint8Array {
  const definition = MESSAGES[name];
  const order = [...definition.required, ...definition.optional];
  for (const key of Object.keys(fields) as FieldKey[]) {
    if (fields[key] !== undefined && !order.includes(key)) throw new EncodeError(`${name} has no ${key}`);
  }
  for (const key of definition.required) {
    if (fields[key] === undefined) throw new EncodeError(`${name} lacks ${key}`);
  }
  const writer = new ByteWriter(256);
  writeControlHeader(writer, header);
  const type = new Uint8Array([definition.type >>> 8, definition.type & 0xff]);
  writeAvp(writer, { mandatory: true, hidden: false, vendor: 0, type: 0, value: type });

  const hides = hiding?.hides ?? ((key: FieldKey) => avpDefinition(key).sensitive === true);
  let vector: Uint8Array | undefined;
  for (const key of order) {
    const value = encodeField(fields, key);
    if (value === undefined) continue;
    const { vendor, type: attribute, mandatory, hideable } = avpDefinition(key);
    if (hiding === undefined || !hideable || !hides(key)) {
      writeAvp(writer, { mandatory, hidden: false, vendor, type: attribute, value });
      continue;
    }
    if (vector === undefined) {
      vector = hiding.random.bytes(RANDOM_VECTOR_LENGTH);
      const { type: vectorType } = avpDefinition('randomVector');
      writeAvp(writer, { mandatory: true, hidden: false, vendor: 0, type: vectorType, value: vector });
    }
    const room = Math.max(0, MAX_AVP_VALUE_LENGTH - 2 - value.length);
    const padding = randomPadding(hiding.random, Math.min(MAX_HIDDEN_PADDING, room));
    const hidden = hideValue(attribute, hiding.secret, vector, value, padding);
    writeAvp(writer, { mandatory, hidden: true, vendor, type: attribute, value: hidden });
  }
  for (const avp of extra) writeAvp(writer, avp);
  patchControlLength(writer);
  return writer.finish();
}

/**
 * A control message from the wire. Values are views on `datagram`. AVPs that are unknown or unusable do not make it
 * throw: whether they matter is for {@link findProblem} in `message-check.ts` to say.
 * @param secret tunnel secret, needed only to read hidden AVPs.
 * @throws DecodeError when the header is not that of a control message, when the AVPs do not fill the message exactly,
 * or when the first one is not a Message Type.
 */
export function decodeControlMessage(datagram: Uint8Array, secret?: Uint8Array): ControlMessage {
  const header = decodeControlHeader(datagram);
  if (header.length === CONTROL_HEADER_LENGTH) return { header };
  return { header, body: decodeBody(datagram.subarray(CONTROL_HEADER_LENGTH, header.length), secret) };
}

function decodeBody(octets: Uint8Array, secret: Uint8Array | undefined): MessageBody {
  const raws = readAvps(octets);
  const first = raws[0];
  if (first === undefined || first.type !== 0 || first.hidden || first.reserved || first.value.length !== 2) {
    throw new DecodeError('control message that does not begin with a Message Type AVP');
  }
  const messageType = ((first.value[0] ?? 0) << 8) | (first.value[1] ?? 0);
  const avps: DecodedAvp[] = [];
  const fields = new Map<AvpKey, AvpValue>();
  let vector: Uint8Array | undefined;
  for (const raw of raws) {
    const avp = decodeAvp(raw, secret, vector);
    avps.push(avp);
    if (avp.key === undefined || avp.value === undefined) continue;
    if (avp.key === 'randomVector') vector = raw.value;
    else if (avp.key !== 'messageType' && !fields.has(avp.key)) fields.set(avp.key, avp.value);
  }
  const name = first.vendor === 0 ? findMessage(messageType) : undefined;
  return {
    vendor: first.vendor,
    messageType,
    mandatory: first.mandatory,
    ...(name === undefined ? {} : { name }),
    avps,
    // Each value was decoded by the kind that the table gives its key: the types agree.
    fields: Object.fromEntries(fields) as AvpFields,
  };
}

function decodeAvp(raw: RawAvp, secret: Uint8Array | undefined, vector: Uint8Array | undefined): DecodedAvp {
  const { vendor, type, mandatory, hidden } = raw;
  const key = raw.reserved ? undefined : findAvp(vendor, type);
  const seen = { vendor, type, mandatory, hidden, raw: raw.value };
  if (key === undefined) return seen;
  try {
    const value = hidden ? unhide(raw, key, secret, vector) : raw.value;
    return { ...seen, key, value: decodeAvpValue(avpDefinition(key), value) };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const errorCode = error instanceof AvpValueError ? error.errorCode : GeneralError.range;
    return { ...seen, key, fault: { errorCode, words: error.message } };
  }
}

function unhide(raw: RawAvp, key: AvpKey, secret: Uint8Array | undefined, vector: Uint8Array | undefined): Uint8Array {
  const { name } = avpDefinition(key);
  if (key === 'messageType' || key === 'randomVector') throw new DecodeError(`${name} must not be hidden`);
  if (secret === undefined) throw new DecodeError(`${name} is hidden, and there is no tunnel secret to read it with`);
  if (vector === undefined) throw new DecodeError(`${name} is hidden without a Random Vector before it`);
  return unhideValue(raw.type, secret, vector, raw.value);
}

function encodeField<K extends FieldKey>(fields: AvpFields, key: K): Uint8Array | undefined {
  const value = fields[key];
  if (value === undefined) return undefined;
  const definition = avpDefinition(key);
  // AvpFields ties the value's type to the kind that the table gives the key; the compiler cannot follow that here.
  return encodeAvpValue(definition, definition.kind, value as AvpValues[typeof definition.kind]);
}

function randomPadding(random: RandomSource, most: number): Uint8Array {
  const drawn = random.bytes(1 + most);
  return drawn.subarray(1, 1 + ((drawn[0] ?? 0) % (most + 1)));
}
