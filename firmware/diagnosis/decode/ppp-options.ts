/** Configuration Options (RFC 1661 section 6) with their names, values and meanings. */
import { DecodeError, hex } from '../../protocol/bytes.ts';
import { authenticationTitle } from '../../protocol/ppp/authentication-methods.ts';
import {
  describeOption,
  IPCP_OPTIONS,
  IPV6CP_INTERFACE_IDENTIFIER,
  IPV6CP_OPTIONS,
  LCP_AUTHENTICATION_PROTOCOL,
  LCP_OPTIONS,
  type OptionTable,
  protocolValue,
  readOption,
} from '../../protocol/ppp/options.ts';
import { PPP_CCP, PPP_IPCP, PPP_IPV6CP, PPP_LCP } from '../../protocol/ppp/protocol-numbers.ts';
import { printable } from '../../protocol/printable.ts';
import type { DecodeFault } from './decoded.ts';
import { FieldError, type FieldReader } from './field-reader.ts';

const OPTION_HEADER = 2;
const PPP_ECP = 0x8053;

const octets = (name: string) => ({ name, kind: 'octets' }) as const;

const CCP_MPPE = 18;

/** RFC 1962 section 5 and the IANA registry. */
const CCP_OPTIONS: OptionTable = new Map([
  [0, octets('OUI')],
  [1, octets('Predictor-1')],
  [2, octets('Predictor-2')],
  [3, octets('Puddle-Jumper')],
  [16, octets('Hewlett-Packard-PPC')],
  [17, octets('Stac-LZS')],
  [CCP_MPPE, octets('MPPE')],
  [19, octets('Gandalf-FZA')],
  [20, octets('V.42bis')],
  [21, octets('BSD-Compress')],
  [23, octets('LZS-DCP')],
  [24, octets('MVRCA')],
  [25, octets('DCE')],
  [26, octets('Deflate')],
  [27, octets('V.44')],
]);

/** RFC 1968 section 5 and the IANA registry. */
const ECP_OPTIONS: OptionTable = new Map([
  [0, octets('OUI')],
  [1, octets('DESE')],
  [2, octets('3DESE')],
  [3, octets('DESE-bis')],
]);

const TABLES: ReadonlyMap<number, OptionTable> = new Map([
  [PPP_LCP, LCP_OPTIONS],
  [PPP_IPCP, IPCP_OPTIONS],
  [PPP_IPV6CP, IPV6CP_OPTIONS],
  [PPP_CCP, CCP_OPTIONS],
  [PPP_ECP, ECP_OPTIONS],
]);
const NO_OPTIONS: OptionTable = new Map();

export interface DescribedOption {
  readonly name: string;
  readonly value: number | string | true;
  /** In words, where the value alone says little. */
  readonly meaning?: string;
}

/** The options of a Configure packet as far as they can be read, and the first thing that is wrong. */
export interface ReadOptions {
  readonly options: readonly DescribedOption[];
  readonly fault?: DecodeFault;
}

export function readOptions(protocol: number, reader: FieldReader): ReadOptions {
  const table = TABLES.get(protocol) ?? NO_OPTIONS;
  const options: DescribedOption[] = [];
  let fault: DecodeFault | undefined;
  try {
    while (!reader.done) {
      const at = reader.offset;
      const type = reader.u8('option Type');
      const length = reader.u8('option Length');
      const name = table.get(type)?.name ?? `option ${type}`;
      if (length < OPTION_HEADER) throw new FieldError(at + 1, `${name} Length`, `${length} octets, at least 2 wanted`);
      const option = { type, data: reader.bytes(length - OPTION_HEADER, name) };
      const trouble = troubleOf(table, option);
      if (trouble !== undefined) fault ??= { offset: at, field: name, reason: trouble };
      const meaning = trouble === undefined ? meaningOf(protocol, option) : undefined;
      options.push({ ...describeOption(table, option), ...(meaning === undefined ? {} : { meaning }) });
    }
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    fault ??= error.fault;
  }
  return { options, ...(fault === undefined ? {} : { fault }) };
}

interface Option {
  readonly type: number;
  readonly data: Uint8Array;
}

function troubleOf(table: OptionTable, option: Option): string | undefined {
  try {
    readOption(table, option);
    return undefined;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return error.message;
  }
}

function meaningOf(protocol: number, option: Option): string | undefined {
  return MEANINGS.get(protocol)?.get(option.type)?.(option.data);
}

type Meanings = ReadonlyMap<number, (data: Uint8Array) => string | undefined>;

/** RFC 1990 section 5.1.3. */
const ENDPOINT_CLASSES = ['null', 'locally assigned', 'IP address', 'MAC address', 'magic number', 'PSTN number'];
/** RFC 1570 section 2.3. */
const CALLBACK_OPERATIONS = ['by authentication', 'dialling string', 'location', 'E.164 number', 'name'];
/** RFC 1570 section 2.4: null, 16 bits, 32 bits. */
const FCS_BITS: readonly (readonly [number, string])[] = [
  [1, 'none'],
  [2, '16 bits'],
  [4, '32 bits'],
];

const LCP_MEANINGS: Meanings = new Map<number, (data: Uint8Array) => string | undefined>([
  [2, (data) => `0x${hex(data)}`],
  [LCP_AUTHENTICATION_PROTOCOL, (data) => authenticationTitle(protocolValue.decode(data))],
  [5, (data) => `0x${hex(data)}`],
  [9, (data) => bitNames(data[0] ?? 0, FCS_BITS)],
  [13, (data) => callback(data)],
  [19, endpoint],
]);

/** RFC 3078 section 2.1. */
const MPPE_BITS: readonly (readonly [number, string])[] = [
  [0x0100_0000, 'stateless'],
  [0x80, '56 bits'],
  [0x40, '128 bits'],
  [0x20, '40 bits'],
  [0x10, 'obsolete'],
  [0x01, 'MPPC'],
];

const CCP_MEANINGS: Meanings = new Map([
  [CCP_MPPE, (data: Uint8Array) => (data.length === 4 ? bitNames(numberOf(data), MPPE_BITS) : undefined)],
]);

const IPV6CP_MEANINGS: Meanings = new Map([
  [IPV6CP_INTERFACE_IDENTIFIER, (data: Uint8Array) => hex(data).match(/.{4}/g)?.join(':')],
]);

const MEANINGS: ReadonlyMap<number, Meanings> = new Map([
  [PPP_LCP, LCP_MEANINGS],
  [PPP_CCP, CCP_MEANINGS],
  [PPP_IPV6CP, IPV6CP_MEANINGS],
]);

function bitNames(bits: number, names: readonly (readonly [number, string])[]): string {
  const set = names.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name);
  return set.length === 0 ? 'none' : set.join(', ');
}

function numberOf(data: Uint8Array): number {
  return data.reduce((sum, octet) => sum * 256 + octet, 0);
}

function callback(data: Uint8Array): string | undefined {
  const operation = data[0];
  if (operation === undefined) return undefined;
  if (operation === 6) return 'by CBCP';
  return CALLBACK_OPERATIONS[operation] ?? `operation ${operation}`;
}

function endpoint(data: Uint8Array): string | undefined {
  const kind = data[0];
  if (kind === undefined) return undefined;
  const address = data.subarray(1);
  const name = ENDPOINT_CLASSES[kind] ?? `class ${kind}`;
  if (kind === 2 && address.length === 4) return `${name} ${address.join('.')}`;
  if (kind === 3) return `${name} ${hex(address).match(/../g)?.join(':') ?? ''}`;
  const readable = address.length > 0 && address.every((octet) => octet >= 0x20 && octet < 0x7f);
  return `${name} ${readable ? `"${printable(address)}"` : hex(address)}`.trimEnd();
}
