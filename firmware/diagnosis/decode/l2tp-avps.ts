/** The AVPs of an L2TP control message (RFC 2661 section 4.1) by the table of the protocol, for people and programs. */
import { DecodeError, hex } from '../../protocol/bytes.ts';
import { type AvpDefinition, type AvpKey, avpDefinition, findAvp } from '../../protocol/l2tp/avp-table.ts';
import { type AvpValue, decodeAvpValue } from '../../protocol/l2tp/avp-value.ts';
import { unhideValue } from '../../protocol/l2tp/hiding.ts';
import { findMessage } from '../../protocol/l2tp/message-table.ts';
import { describePppDisconnect } from '../../protocol/l2tp/ppp-disconnect.ts';
import { describeResult, type ResultBearer } from '../../protocol/l2tp/result-code.ts';
import type { DecodeFault, Fields, FieldValue } from './decoded.ts';
import { FieldError, type FieldReader } from './field-reader.ts';
import { q931Text } from './q931.ts';

/** M, H, reserved bits and Length share the first 16 bits. */
const MANDATORY = 0x8000;
const HIDDEN = 0x4000;
const RESERVED = 0x3c00;
const LENGTH = 0x03ff;
const AVP_HEADER = 6;

/** What the AVPs of a message say. */
export interface ReadAvps {
  /** In order, for people and programs. */
  readonly list: readonly Fields[];
  /** The usable ones by name; the first one where one is repeated. */
  readonly values: ReadonlyMap<AvpKey, AvpValue>;
  /** The first thing that is wrong. */
  readonly fault?: DecodeFault;
}

/** @param secrets tunnel secrets, tried in turn where a value is hidden. */
export function readAvps(reader: FieldReader, secrets: readonly Uint8Array[]): ReadAvps {
  const list: Fields[] = [];
  const values = new Map<AvpKey, AvpValue>();
  let fault: DecodeFault | undefined;
  let vector: Uint8Array | undefined;
  let bearer: ResultBearer = 'CDN';
  try {
    while (!reader.done) {
      const avp = readAvp(reader);
      if (avp.key === 'randomVector') vector = avp.octets;
      const { value, trouble } = interpret(avp, secrets, vector);
      if (trouble !== undefined) fault ??= { offset: avp.offset, field: avp.name, reason: trouble };
      if (avp.key !== undefined && value !== undefined && !values.has(avp.key)) values.set(avp.key, value);
      if (avp.key === 'messageType' && value === 4) bearer = 'StopCCN';
      list.push(described(avp, value, trouble, bearer, secrets.length > 0));
    }
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    fault ??= error.fault;
  }
  return { list, values, ...(fault === undefined ? {} : { fault }) };
}

/** Notes of AVPs whose value stayed hidden. */
const NO_SECRET = 'hidden: give --secret';
const WRONG_SECRET = 'hidden, and not readable with this secret';

/** Whether an AVP of {@link ReadAvps} stayed hidden. */
export function isClosed({ meaning }: Fields): boolean {
  return meaning === NO_SECRET || meaning === WRONG_SECRET;
}

interface FoundAvp {
  /** Of its value in the message. */
  readonly offset: number;
  readonly name: string;
  readonly key: AvpKey | undefined;
  readonly vendor: number;
  readonly type: number;
  readonly mandatory: boolean;
  readonly hidden: boolean;
  readonly octets: Uint8Array;
}

function readAvp(reader: FieldReader): FoundAvp {
  const at = reader.offset;
  const bits = reader.u16('AVP header');
  const length = bits & LENGTH;
  if (length < AVP_HEADER) throw new FieldError(at, 'AVP Length', `${length} octets, at least ${AVP_HEADER} wanted`);
  const vendor = reader.u16('AVP Vendor ID');
  const type = reader.u16('AVP Attribute Type');
  // A reserved bit makes an AVP an unknown one (section 4.1).
  const key = (bits & RESERVED) === 0 ? findAvp(vendor, type) : undefined;
  const name = key === undefined ? unknownName(vendor, type) : avpDefinition(key).name;
  const { offset } = reader;
  const octets = reader.bytes(length - AVP_HEADER, name);
  const mandatory = (bits & MANDATORY) !== 0;
  return { offset, name, key, vendor, type, mandatory, hidden: (bits & HIDDEN) !== 0, octets };
}

function unknownName(vendor: number, type: number): string {
  return vendor === 0 ? `AVP ${type}` : `AVP ${type} of vendor ${vendor}`;
}

/** The value of a known AVP; neither value nor trouble where it is unknown, or hidden with no secret at hand. */
function interpret(
  { key, hidden, type, octets }: FoundAvp,
  secrets: readonly Uint8Array[],
  vector: Uint8Array | undefined,
): { readonly value?: AvpValue; readonly trouble?: string } {
  if (key === undefined) return {};
  if (!hidden) return read(key, octets);
  if (key === 'messageType' || key === 'randomVector') return { trouble: 'it must not be hidden' };
  if (vector === undefined) return { trouble: 'it is hidden without a Random Vector before it' };
  for (const secret of secrets) {
    const plain = unhidden(type, secret, vector, octets);
    const found = plain === undefined ? undefined : read(key, plain);
    if (found?.value !== undefined) return found;
  }
  return {};
}

function unhidden(type: number, secret: Uint8Array, vector: Uint8Array, octets: Uint8Array): Uint8Array | undefined {
  try {
    return unhideValue(type, secret, vector, octets);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return undefined;
  }
}

function read(key: AvpKey, octets: Uint8Array): { readonly value?: AvpValue; readonly trouble?: string } {
  try {
    return { value: decodeAvpValue(avpDefinition(key), octets) };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { trouble: error.message };
  }
}

function described(
  avp: FoundAvp,
  value: AvpValue | undefined,
  trouble: string | undefined,
  bearer: ResultBearer,
  haveSecret: boolean,
): Fields {
  const meaning = value === undefined || avp.key === undefined ? undefined : meaningOf(avp.key, value, bearer);
  const closed = avp.hidden && value === undefined && trouble === undefined;
  const note = closed ? (haveSecret ? WRONG_SECRET : NO_SECRET) : meaning;
  return {
    name: avp.name,
    value: value === undefined ? hex(avp.octets) : jsonValue(value, avp.key),
    mandatory: avp.mandatory,
    ...(avp.hidden ? { hidden: true } : {}),
    ...(note === undefined ? {} : { meaning: note }),
    ...(avp.key === undefined ? { vendor: avp.vendor, type: avp.type } : {}),
  };
}

/** Octets in hexadecimal; a number that JSON cannot have exactly as decimal text; the rest as it is. */
function jsonValue(value: AvpValue, key?: AvpKey): FieldValue {
  if (value instanceof Uint8Array) return hex(value);
  if (typeof value === 'bigint') {
    // A Tie Breaker is compared octet by octet, and no amount of anything.
    if (key === 'tieBreaker') return value.toString(16).padStart(16, '0');
    return value > Number.MAX_SAFE_INTEGER ? value.toString() : Number(value);
  }
  if (typeof value !== 'object') return value;
  const parts: [string, AvpValue][] = Object.entries(value);
  return Object.fromEntries(parts.map(([name, part]) => [name, jsonValue(part)]));
}

/** A value in words, where its number alone says little. */
function meaningOf(key: AvpKey, value: AvpValue, bearer: ResultBearer): string | undefined {
  if (key === 'messageType' && typeof value === 'number') return findMessage(value);
  if (key === 'controlConnectionDs' || key === 'sessionDs') return dscpOf(value);
  if (typeof value === 'number') return namesOf(avpDefinition(key), value);
  if (typeof value !== 'object' || value instanceof Uint8Array) return undefined;
  if ('resultCode' in value) return describeResult(bearer, value);
  if ('direction' in value) return describePppDisconnect(value);
  if ('revision' in value) return `${value.version}.${value.revision}`;
  return 'causeCode' in value ? q931Text(value.causeCode) : undefined;
}

/** A per-hop behaviour of one DSCP has that in the six highest bits, and nothing behind it (RFC 3140 section 2). */
function dscpOf(value: AvpValue): string | undefined {
  return typeof value === 'number' && (value & 0x3ff) === 0 ? `DSCP ${value >>> 10}` : undefined;
}

function namesOf({ kind, names }: AvpDefinition, value: number): string | undefined {
  if (names === undefined) return undefined;
  if (kind !== 'bitmask') return names[value];
  const set = Object.entries(names).filter(([bit]) => (value & Number(bit)) !== 0);
  return set.map(([, name]) => name).join(', ') || 'none';
}
