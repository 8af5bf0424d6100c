/** The messages of DHCP (RFC 2131 section 2), with options that are split or stand in other fields (RFC 3396, option overload). */
import { ByteReader, ByteWriter, DecodeError } from '../bytes.ts';
import { formatIpv4 } from '../ip-address.ts';
import { DHCP_OPTIONS, MESSAGE_TYPES, type MessageType, type OptionName, type OptionValues } from './option-table.ts';
import { addressOf, decodeValue, encodeValue } from './option-value.ts';

export interface DhcpMessage {
  readonly op: 'request' | 'reply';
  readonly type: MessageType;
  /** 32 bits. */
  readonly transactionId: number;
  /** Since the client began, 0..65535 s. */
  readonly seconds: number;
  /** The client cannot hear unicast before it has an address. */
  readonly broadcast: boolean;
  /** Dotted quads; `0.0.0.0`: none. */
  readonly clientAddress: string;
  readonly yourAddress: string;
  readonly relayAddress: string;
  /** 6 octets. */
  readonly clientMac: Uint8Array;
  /** All but the message type. */
  readonly options: OptionValues;
}

const REQUEST = 1;
const REPLY = 2;
const ETHERNET = 1;
const MAC_OCTETS = 6;
const HARDWARE_FIELD = 16;
const SERVER_NAME_FIELD = 64;
const FILE_FIELD = 128;
const BROADCAST_FLAG = 0x8000;
/** RFC 2131 section 3: the options begin with these four octets. */
const MAGIC = 0x6382_5363;

const PAD = 0;
const END = 255;
/** What one option holds; the rest is in another one of its code (RFC 3396). */
const LARGEST_PART = 255;
/** Octets that a BOOTP message has at least (RFC 1542 section 2.1): relays drop shorter ones. */
const SMALLEST_MESSAGE = 300;
/** Octets of all options together that are read: a datagram has no more. */
const MOST_OPTION_OCTETS = 65_535;

const NAMES = new Map<number, OptionName>(
  Object.entries(DHCP_OPTIONS).map(([name, { code }]) => [code, name as OptionName]),
);
const TYPE_NAMES = new Map<number, MessageType>(
  Object.entries(MESSAGE_TYPES).map(([name, number]) => [number, name as MessageType]),
);

/** @throws EncodeError for a value that does not fit its field. */
export function encodeDhcp(message: DhcpMessage): Uint8Array {
  const writer = new ByteWriter(SMALLEST_MESSAGE)
    .u8(message.op === 'request' ? REQUEST : REPLY)
    .u8(ETHERNET)
    .u8(MAC_OCTETS)
    .u8(0)
    .u32(message.transactionId)
    .u16(message.seconds)
    .u16(message.broadcast ? BROADCAST_FLAG : 0)
    .u32(addressOf(message.clientAddress))
    .u32(addressOf(message.yourAddress))
    .u32(0)
    .u32(addressOf(message.relayAddress))
    .bytes(message.clientMac)
    .bytes(new Uint8Array(HARDWARE_FIELD - message.clientMac.length + SERVER_NAME_FIELD + FILE_FIELD))
    .u32(MAGIC);
  writeOption(writer, DHCP_OPTIONS.messageType.code, Uint8Array.of(MESSAGE_TYPES[message.type]));
  for (const [name, value] of Object.entries(message.options)) {
    if (value === undefined) continue;
    const { code, kind } = DHCP_OPTIONS[name as OptionName];
    writeOption(writer, code, encodeValue(kind, value));
  }
  writer.u8(END);
  if (writer.length < SMALLEST_MESSAGE) writer.bytes(new Uint8Array(SMALLEST_MESSAGE - writer.length));
  return writer.finish();
}

function writeOption(writer: ByteWriter, code: number, value: Uint8Array): void {
  for (let at = 0; at === 0 || at < value.length; at += LARGEST_PART) {
    const part = value.subarray(at, at + LARGEST_PART);
    writer.u8(code).u8(part.length).bytes(part);
  }
}

/** @throws DecodeError for what is no DHCP message over Ethernet. Options that are not in the table are passed over. */
export function decodeDhcp(bytes: Uint8Array): DhcpMessage {
  const reader = new ByteReader(bytes);
  const op = reader.u8('op');
  if (op !== REQUEST && op !== REPLY) throw new DecodeError(`op ${op}`);
  const hardware = reader.u8('htype');
  const length = reader.u8('hlen');
  if (hardware !== ETHERNET || length !== MAC_OCTETS) throw new DecodeError(`hardware ${hardware} of ${length} octets`);
  reader.skip(1, 'hops');
  const transactionId = reader.u32('xid');
  const seconds = reader.u16('secs');
  const broadcast = (reader.u16('flags') & BROADCAST_FLAG) !== 0;
  const [clientAddress, yourAddress] = [formatIpv4(reader.u32('ciaddr')), formatIpv4(reader.u32('yiaddr'))];
  reader.skip(4, 'siaddr');
  const relayAddress = formatIpv4(reader.u32('giaddr'));
  const clientMac = reader.bytes(HARDWARE_FIELD, 'chaddr').slice(0, MAC_OCTETS);
  const serverName = reader.bytes(SERVER_NAME_FIELD, 'sname');
  const file = reader.bytes(FILE_FIELD, 'file');
  if (reader.u32('magic cookie') !== MAGIC) throw new DecodeError('no magic cookie: it is BOOTP, not DHCP');
  const options = new OptionCollector();
  options.add(reader.rest(), 'options');
  // The order in which parts of one option are put together: options, file, sname (RFC 3396 section 5).
  const overload = options.octets(DHCP_OPTIONS.overload.code)?.[0] ?? 0;
  if (overload > 3) throw new DecodeError(`option overload ${overload}`);
  if ((overload & 1) !== 0) options.add(file, 'file');
  if ((overload & 2) !== 0) options.add(serverName, 'sname');
  const typeOctets = options.octets(DHCP_OPTIONS.messageType.code);
  const type = typeOctets?.length === 1 ? TYPE_NAMES.get(typeOctets[0] ?? 0) : undefined;
  if (type === undefined) throw new DecodeError('no message type: it is BOOTP, not DHCP');
  const addresses = { clientAddress, yourAddress, relayAddress };
  return {
    op: op === REQUEST ? 'request' : 'reply',
    type,
    transactionId,
    seconds,
    broadcast,
    ...addresses,
    clientMac,
    options: options.values(),
  };
}

/** Parts of options, put together by code. */
class OptionCollector {
  readonly #parts = new Map<number, Uint8Array[]>();
  #octets = 0;

  /** @throws DecodeError for an option that is cut off. An end that is missing is no fault: many servers leave it out. */
  add(field: Uint8Array, what: string): void {
    const reader = new ByteReader(field);
    while (reader.remaining > 0) {
      const code = reader.u8(what);
      if (code === PAD) continue;
      if (code === END) return;
      const value = reader.bytes(reader.u8(`${what}: length of option ${code}`), `${what}: option ${code}`);
      this.#octets += value.length;
      if (this.#octets > MOST_OPTION_OCTETS) throw new DecodeError(`${what}: too many options`);
      const parts = this.#parts.get(code);
      if (parts === undefined) this.#parts.set(code, [value]);
      else parts.push(value);
    }
  }

  octets(code: number): Uint8Array | undefined {
    const parts = this.#parts.get(code);
    return parts && Uint8Array.from(Buffer.concat(parts));
  }

  /** One that is damaged is left out, as if it had not been sent: many servers send an empty one for what they do not know. */
  values(): OptionValues {
    const values: Record<string, unknown> = {};
    for (const code of this.#parts.keys()) {
      const name = NAMES.get(code);
      const octets = this.octets(code);
      if (name === undefined || octets === undefined || name === 'messageType' || name === 'overload') continue;
      try {
        values[name] = decodeValue(DHCP_OPTIONS[name].kind, octets, name);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }
    return values;
  }
}
