/** Options of neighbour discovery (RFC 4861 section 4.6, RFC 8106 section 5.1): those of router discovery that are used. */
import { ByteReader, type ByteWriter, DecodeError } from '../bytes.ts';
import { IPV6_OCTETS, ipv6Octets, ipv6Text } from '../ipv6-address.ts';

export const SOURCE_LINK_LAYER_ADDRESS = 1;
const PREFIX_INFORMATION = 3;
const MTU = 5;
const RECURSIVE_DNS_SERVER = 25;

/** Lengths are counted in these, octets. */
const UNIT = 8;
/** L and A flags of Prefix Information. */
const ON_LINK = 0x80;
const AUTONOMOUS = 0x40;

/** Seconds on the wire that mean: for ever (RFC 4861 section 4.6.2). */
export const INFINITE_SECONDS = 0xffffffff;

/**
 * Options of one kind that are read from one message; the rest is passed over. A router of a tunnel has one prefix and one
 * list of servers; an advertisement that fills a packet of 1500 octets has 45 at most.
 */
const MAX_OF_A_KIND = 16;

export interface PrefixInformation {
  /** The network address, host bits cleared. */
  readonly prefix: string;
  /** 0..128 */
  readonly length: number;
  readonly onLink: boolean;
  readonly autonomous: boolean;
  readonly validSeconds: number;
  readonly preferredSeconds: number;
}

export interface RecursiveDnsServers {
  readonly lifetimeSeconds: number;
  readonly servers: readonly string[];
}

export interface DiscoveryOptions {
  readonly prefixes: readonly PrefixInformation[];
  readonly dns: readonly RecursiveDnsServers[];
  /** Octets. */
  readonly mtu?: number;
  /** The types of all options, known or not, in order. */
  readonly types: readonly number[];
}

/** @throws DecodeError when an option has Length 0 or leaves the message: all of it is then discarded. */
export function decodeOptions(octets: Uint8Array): DiscoveryOptions {
  const reader = new ByteReader(octets);
  const prefixes: PrefixInformation[] = [];
  const dns: RecursiveDnsServers[] = [];
  const types: number[] = [];
  let mtu: number | undefined;
  while (reader.remaining > 0) {
    const type = reader.u8('option Type');
    const length = reader.u8('option Length') * UNIT;
    if (length === 0) throw new DecodeError(`option ${type} has Length 0`);
    const data = reader.bytes(length - 2, `option ${type}`);
    types.push(type);
    // Of a known type and another length than it has: as if it were not there (RFC 4861 section 4.6).
    if (type === PREFIX_INFORMATION && length === 4 * UNIT) add(prefixes, decodePrefix(data));
    else if (type === MTU && length === UNIT) mtu ??= new ByteReader(data.subarray(2)).u32('MTU');
    else if (type === RECURSIVE_DNS_SERVER && length >= 3 * UNIT && length % (2 * UNIT) === UNIT) {
      add(dns, decodeDns(data));
    }
  }
  return { prefixes, dns, types, ...(mtu === undefined ? {} : { mtu }) };
}

export function writePrefix(writer: ByteWriter, option: PrefixInformation): void {
  writer
    .u8(PREFIX_INFORMATION)
    .u8(4)
    .u8(option.length)
    .u8((option.onLink ? ON_LINK : 0) | (option.autonomous ? AUTONOMOUS : 0))
    .u32(option.validSeconds)
    .u32(option.preferredSeconds)
    .u32(0)
    .bytes(ipv6Octets(option.prefix));
}

export function writeMtu(writer: ByteWriter, mtu: number): void {
  writer.u8(MTU).u8(1).u16(0).u32(mtu);
}

export function writeDns(writer: ByteWriter, { lifetimeSeconds, servers }: RecursiveDnsServers): void {
  writer
    .u8(RECURSIVE_DNS_SERVER)
    .u8(1 + 2 * servers.length)
    .u16(0)
    .u32(lifetimeSeconds);
  for (const server of servers) writer.bytes(ipv6Octets(server));
}

function decodePrefix(data: Uint8Array): PrefixInformation {
  const reader = new ByteReader(data);
  const length = reader.u8('Prefix Length');
  if (length > 128) throw new DecodeError(`a prefix of ${length} bits`);
  const flags = reader.u8('flags');
  const validSeconds = reader.u32('Valid Lifetime');
  const preferredSeconds = reader.u32('Preferred Lifetime');
  reader.skip(4, 'Reserved2');
  const prefix = reader.bytes(IPV6_OCTETS, 'Prefix').map((octet, at) => octet & maskOctet(length, at));
  return {
    prefix: ipv6Text(prefix),
    length,
    onLink: (flags & ON_LINK) !== 0,
    autonomous: (flags & AUTONOMOUS) !== 0,
    validSeconds,
    preferredSeconds,
  };
}

function decodeDns(data: Uint8Array): RecursiveDnsServers {
  const reader = new ByteReader(data);
  reader.skip(2, 'Reserved');
  const lifetimeSeconds = reader.u32('Lifetime');
  const servers: string[] = [];
  while (reader.remaining > 0) servers.push(ipv6Text(reader.bytes(IPV6_OCTETS, 'DNS server')));
  return { lifetimeSeconds, servers };
}

/** The bits of octet `at` that a prefix of `length` bits covers. */
function maskOctet(length: number, at: number): number {
  const bits = Math.min(8, Math.max(0, length - 8 * at));
  return (0xff << (8 - bits)) & 0xff;
}

function add<Option>(options: Option[], option: Option): void {
  if (options.length < MAX_OF_A_KIND) options.push(option);
}
