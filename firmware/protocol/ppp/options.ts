/**
 * Configuration Options (RFC 1661 section 6): Type, Length, Data; and the tables of those that LCP and IPCP know.
 * The tables drive decoding, encoding and the names that people read.
 */
import { ByteReader, ByteWriter, DecodeError, EncodeError, hex } from '../bytes.ts';
import { protocolName } from './protocol-numbers.ts';

/** Type and Length, octets. */
const OPTION_HEADER = 2;

/** One option as it stands in a Configure packet. */
export interface ConfigurationOption {
  /** 0..255. */
  readonly type: number;
  /** 0..253 octets. */
  readonly data: Uint8Array;
}

/**
 * The options of a Configure packet, in order.
 * @throws DecodeError when a Length is below 2 or leaves the packet: all of it is then discarded (RFC 1661 section 6).
 */
export function decodeOptions(data: Uint8Array): ConfigurationOption[] {
  const reader = new ByteReader(data);
  const options: ConfigurationOption[] = [];
  while (reader.remaining > 0) {
    const type = reader.u8('option Type');
    const length = reader.u8('option Length');
    if (length < OPTION_HEADER) throw new DecodeError(`option ${type} has Length ${length}`);
    options.push({ type, data: reader.bytes(length - OPTION_HEADER, `option ${type}`) });
  }
  return options;
}

/** @throws EncodeError when an option is longer than 255 octets. */
export function encodeOptions(options: readonly ConfigurationOption[]): Uint8Array {
  const writer = new ByteWriter(64);
  for (const option of options) {
    writer
      .u8(option.type)
      .u8(OPTION_HEADER + option.data.length)
      .bytes(option.data);
  }
  return writer.finish();
}

/** The value of an Authentication-Protocol or Quality-Protocol option: a protocol number and what belongs to it. */
export interface ProtocolValue {
  readonly protocol: number;
  /** CHAP: one octet, the Algorithm (RFC 1994 section 3). */
  readonly data: Uint8Array;
}

interface ValueCodec<Value> {
  /** @throws DecodeError when the data has not the length of the kind. */
  readonly decode: (data: Uint8Array) => Value;
  /** @throws EncodeError when the value is not in the range of the kind. */
  readonly encode: (value: Value) => Uint8Array;
}

const fixed = <Value>(length: number, read: (reader: ByteReader) => Value): ((data: Uint8Array) => Value) => {
  return (data) => {
    if (data.length !== length) throw new DecodeError(`${data.length} octets where ${length} belong`);
    return read(new ByteReader(data));
  };
};

export const u16Value: ValueCodec<number> = {
  decode: fixed(2, (reader) => reader.u16('value')),
  encode: (value) => new ByteWriter(16).u16(value).finish(),
};

export const u32Value: ValueCodec<number> = {
  decode: fixed(4, (reader) => reader.u32('value')),
  encode: (value) => new ByteWriter(16).u32(value).finish(),
};

/** A boolean option: its presence is its value. */
export const flagValue: ValueCodec<true> = {
  decode: fixed(0, () => true),
  encode: () => new Uint8Array(0),
};

/** An IPv4 address, dotted quad. */
export const addressValue: ValueCodec<string> = {
  decode: fixed(4, (reader) => Array.from(reader.rest()).join('.')),
  encode: (value) => {
    const parts = value.split('.');
    if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part))) {
      throw new EncodeError(`${value} is not an IPv4 address`);
    }
    const writer = new ByteWriter(16);
    for (const part of parts) writer.u8(Number(part));
    return writer.finish();
  },
};

export const protocolValue: ValueCodec<ProtocolValue> = {
  decode: (data) => {
    const reader = new ByteReader(data);
    return { protocol: reader.u16('protocol'), data: reader.rest() };
  },
  encode: (value) => new ByteWriter(16).u16(value.protocol).bytes(value.data).finish(),
};

/** What the data of an option is, and the name it goes by. */
export type OptionSpec =
  | { readonly name: string; readonly kind: 'u16'; readonly codec: ValueCodec<number> }
  | { readonly name: string; readonly kind: 'u32'; readonly codec: ValueCodec<number> }
  | { readonly name: string; readonly kind: 'flag'; readonly codec: ValueCodec<true> }
  | { readonly name: string; readonly kind: 'address'; readonly codec: ValueCodec<string> }
  | { readonly name: string; readonly kind: 'protocol'; readonly codec: ValueCodec<ProtocolValue> }
  | { readonly name: string; readonly kind: 'octets' };

/** A table of the options of one protocol, by type. */
export type OptionTable = ReadonlyMap<number, OptionSpec>;

const u16 = (name: string): OptionSpec => ({ name, kind: 'u16', codec: u16Value });
const u32 = (name: string): OptionSpec => ({ name, kind: 'u32', codec: u32Value });
const flag = (name: string): OptionSpec => ({ name, kind: 'flag', codec: flagValue });
const address = (name: string): OptionSpec => ({ name, kind: 'address', codec: addressValue });
const protocol = (name: string): OptionSpec => ({ name, kind: 'protocol', codec: protocolValue });
const octets = (name: string): OptionSpec => ({ name, kind: 'octets' });

/** LCP option types that are negotiated here (RFC 1661 section 6, RFC 1662 section 7.1). */
export const LCP_MRU = 1;
export const LCP_ACCM = 2;
export const LCP_AUTHENTICATION_PROTOCOL = 3;
export const LCP_MAGIC_NUMBER = 5;
export const LCP_PFC = 7;
export const LCP_ACFC = 8;

/** Every LCP option with a name: RFC 1661, 1662, 1570, 1990, 2125 and 2484. */
export const LCP_OPTIONS: OptionTable = new Map([
  [LCP_MRU, u16('MRU')],
  [LCP_ACCM, u32('ACCM')],
  [LCP_AUTHENTICATION_PROTOCOL, protocol('Authentication-Protocol')],
  [4, protocol('Quality-Protocol')],
  [LCP_MAGIC_NUMBER, u32('Magic-Number')],
  [LCP_PFC, flag('Protocol-Field-Compression')],
  [LCP_ACFC, flag('Address-and-Control-Field-Compression')],
  [9, octets('FCS-Alternatives')],
  [10, octets('Self-Describing-Padding')],
  [11, octets('Numbered-Mode')],
  [13, octets('Callback')],
  [15, flag('Compound-Frames')],
  [17, u16('MRRU')],
  [18, flag('Short-Sequence-Number-Header-Format')],
  [19, octets('Endpoint-Discriminator')],
  [23, u16('Link-Discriminator')],
  [28, octets('Internationalization')],
]);

/** IPCP option types that are negotiated here (RFC 1332 section 3, RFC 1877 section 1). */
export const IPCP_IP_ADDRESS = 3;
export const IPCP_PRIMARY_DNS = 129;
export const IPCP_SECONDARY_DNS = 131;

/** Every IPCP option with a name: RFC 1332 and 1877. */
export const IPCP_OPTIONS: OptionTable = new Map([
  [1, octets('IP-Addresses')],
  [2, protocol('IP-Compression-Protocol')],
  [IPCP_IP_ADDRESS, address('IP-Address')],
  [IPCP_PRIMARY_DNS, address('Primary-DNS-Address')],
  [130, address('Primary-NBNS-Address')],
  [IPCP_SECONDARY_DNS, address('Secondary-DNS-Address')],
  [132, address('Secondary-NBNS-Address')],
]);

/** The IPV6CP option type that is negotiated here (RFC 5072 section 4.1). */
export const IPV6CP_INTERFACE_IDENTIFIER = 1;

/** Every IPV6CP option with a name: RFC 5072 section 4.1 and RFC 5172. */
export const IPV6CP_OPTIONS: OptionTable = new Map([
  [IPV6CP_INTERFACE_IDENTIFIER, octets('Interface-Identifier')],
  [2, protocol('IPv6-Compression-Protocol')],
]);

/** The value of an option in the form of its kind. */
export type OptionValue = number | string | true | ProtocolValue | Uint8Array;

/** Reads an option by the table; plain octets where the table has none. @throws DecodeError on a wrong length. */
export function readOption(table: OptionTable, option: ConfigurationOption): OptionValue {
  const spec = table.get(option.type);
  return spec === undefined || spec.kind === 'octets' ? option.data : spec.codec.decode(option.data);
}

/** An option as people and the decoder's JSON see it. */
export interface DescribedOption {
  readonly name: string;
  readonly value: number | string | true;
}

/** Names and values for people. A known option of a wrong length is shown in hexadecimal; nothing is thrown. */
export function describeOption(table: OptionTable, option: ConfigurationOption): DescribedOption {
  const name = table.get(option.type)?.name ?? `option ${option.type}`;
  try {
    const value = readOption(table, option);
    if (value instanceof Uint8Array) return { name, value: hex(value) };
    if (typeof value !== 'object') return { name, value };
    const tail = value.data.length === 0 ? '' : ` ${hex(value.data)}`;
    return { name, value: `${protocolName(value.protocol)}${tail}` };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { name, value: hex(option.data) };
  }
}

/** Decodes a value, or `undefined` where its length is wrong: a Configure-Request is then answered with a Nak. */
export function valueOrUndefined<Value>(codec: ValueCodec<Value>, option: ConfigurationOption): Value | undefined {
  try {
    return codec.decode(option.data);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return undefined;
  }
}
