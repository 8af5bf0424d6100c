/** One value of each kind to octets and back. */
import { ByteReader, ByteWriter, DecodeError, EncodeError } from '../bytes.ts';
import { formatCidr, formatIpv4, networkOf, parseIpv4, parseNetwork } from '../ip-address.ts';
import type { ClasslessRoute, OptionKind } from './option-table.ts';

/** Addresses, and routes, that are read of one option; what a stranger lists beyond them is left aside. */
const MOST_IN_LIST = 64;

/** @throws DecodeError when the octets are none of this kind. */
export function decodeValue(kind: OptionKind, octets: Uint8Array, what: string): unknown {
  const reader = new ByteReader(octets);
  const value = read(kind, reader, what);
  if (reader.remaining > 0) throw new DecodeError(`${what}: ${reader.remaining} octets too many`);
  return value;
}

function read(kind: OptionKind, reader: ByteReader, what: string): unknown {
  switch (kind) {
    case 'u8':
      return reader.u8(what);
    case 'u16':
      return reader.u16(what);
    case 'u32':
      return reader.u32(what);
    case 'address':
      return formatIpv4(reader.u32(what));
    case 'addresses':
      return list(reader, () => formatIpv4(reader.u32(what)));
    case 'text':
      return textOf(reader.rest());
    case 'octets':
      return reader.rest().slice();
    case 'routes':
      return list(reader, () => route(reader, what));
  }
}

/** One or more (RFC 2132: the minimum length of each list is that of one entry). */
function list<T>(reader: ByteReader, entry: () => T): T[] {
  const entries = [entry()];
  while (reader.remaining > 0) {
    const next = entry();
    if (entries.length < MOST_IN_LIST) entries.push(next);
  }
  return entries;
}

/** Width of the mask, then those octets of the network that the mask covers, then the router (RFC 3442). */
function route(reader: ByteReader, what: string): ClasslessRoute {
  const length = reader.u8(what);
  if (length > 32) throw new DecodeError(`${what}: a mask of ${length} bits`);
  const octets = new Uint8Array(4);
  octets.set(reader.bytes(Math.ceil(length / 8), what));
  const prefix = formatCidr(networkOf({ address: new ByteReader(octets).u32(what), length }));
  return { prefix, router: formatIpv4(reader.u32(what)) };
}

/** Latin-1, so that no octet is lost; many servers end it with a NUL (RFC 2132 section 2 tells receivers to expect that). */
function textOf(octets: Uint8Array): string {
  return Buffer.from(octets).toString('latin1').replace(/\0+$/, '');
}

/** @throws EncodeError for a value that is none of this kind. */
export function encodeValue(kind: OptionKind, value: unknown): Uint8Array {
  const writer = new ByteWriter();
  switch (kind) {
    case 'u8':
      return writer.u8(Number(value)).finish();
    case 'u16':
      return writer.u16(Number(value)).finish();
    case 'u32':
      return writer.u32(Number(value)).finish();
    case 'address':
      return writer.u32(addressOf(value)).finish();
    case 'addresses':
      for (const address of value as readonly string[]) writer.u32(addressOf(address));
      return writer.finish();
    case 'text':
      return Uint8Array.from(Buffer.from(String(value), 'latin1'));
    case 'octets':
      return value as Uint8Array;
    case 'routes':
      for (const entry of value as readonly ClasslessRoute[]) writeRoute(writer, entry);
      return writer.finish();
  }
}

function writeRoute(writer: ByteWriter, { prefix, router }: ClasslessRoute): void {
  const network = parseNetwork(prefix);
  if (network === undefined) throw new EncodeError(`${prefix} is no network`);
  const octets = new ByteWriter().u32(network.address).finish();
  writer
    .u8(network.length)
    .bytes(octets.subarray(0, Math.ceil(network.length / 8)))
    .u32(addressOf(router));
}

/** @throws EncodeError */
export function addressOf(value: unknown): number {
  const address = parseIpv4(String(value));
  if (address === undefined) throw new EncodeError(`${String(value)} is no IPv4 address`);
  return address;
}
