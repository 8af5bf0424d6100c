/** ICMP and ICMPv6 messages as far as questions of reachability need them (RFC 792, RFC 1191 section 4, RFC 4443). */
import { ByteReader, ByteWriter, DecodeError } from '../bytes.ts';
import { onesComplementSum } from '../esp/internet-checksum.ts';

export type IcmpFamily = 4 | 6;

interface Numbers {
  /** Of the protocol in an IP header. */
  readonly protocol: number;
  readonly echoRequest: number;
  readonly echoReply: number;
  readonly unreachable: number;
  readonly timeExceeded: number;
}

const NUMBERS: Readonly<Record<IcmpFamily, Numbers>> = {
  4: { protocol: 1, echoRequest: 8, echoReply: 0, unreachable: 3, timeExceeded: 11 },
  6: { protocol: 58, echoRequest: 128, echoReply: 129, unreachable: 1, timeExceeded: 3 },
};

/** Code of Destination Unreachable (RFC 792). */
const FRAGMENTATION_NEEDED = 4;
/** ICMPv6 Packet Too Big (RFC 4443 section 3.2). */
const PACKET_TOO_BIG = 2;

const IPV6_HEADER = 40;
/** Extension header of fragments (RFC 8200 section 4.5): behind the first one stands what is looked for. */
const FRAGMENT = 44;

/** Octets in front of the data of an echo message. */
export const ECHO_HEADER = 8;

/** Octets of the IP header without options or extension headers. */
export const IP_HEADER: Readonly<Record<IcmpFamily, number>> = { 4: 20, 6: IPV6_HEADER };

/** The largest data of an echo message, octets: a packet of IPv4 has 65,535 at most (RFC 791 section 3.1). */
export const MOST_ECHO_DATA = 0xffff - IP_HEADER[4] - ECHO_HEADER;

/** Which request of whom a message is about. */
export interface EchoIdentity {
  readonly identifier: number;
  readonly sequence: number;
}

export type IcmpMessage =
  | (EchoIdentity & { readonly kind: 'reply'; readonly data: Uint8Array })
  | (EchoIdentity & { readonly kind: 'unreachable'; readonly code: number })
  | (EchoIdentity & { readonly kind: 'time-exceeded'; readonly code: number })
  /** `mtu`: octets of the largest packet; 0 from routers that do not say (RFC 1191 section 5). */
  | (EchoIdentity & { readonly kind: 'too-big'; readonly mtu: number });

/**
 * An echo request. Its checksum is written for IPv4; that of IPv6 covers addresses, and is left to the machine.
 * @param identity 16 bits each. @throws EncodeError
 */
export function encodeEchoRequest(
  family: IcmpFamily,
  { identifier, sequence }: EchoIdentity,
  data: Uint8Array,
): Uint8Array {
  const message = new ByteWriter(ECHO_HEADER + data.length)
    .u8(NUMBERS[family].echoRequest)
    .u8(0)
    .u16(0)
    .u16(identifier)
    .u16(sequence)
    .bytes(data);
  if (family === 6) return message.finish();
  const octets = message.finish();
  return message.patchU16(2, ~onesComplementSum(octets, 0, octets.length) & 0xffff).finish();
}

/**
 * A message that came in. That of IPv6 has a checksum over addresses, which the machine has judged (RFC 3542 section 3.1).
 * @returns `undefined` for what is no answer to an echo request.
 * @throws DecodeError for one that is cut off or damaged.
 */
export function decodeIcmp(family: IcmpFamily, bytes: Uint8Array): IcmpMessage | undefined {
  const numbers = NUMBERS[family];
  // Before IPv4's raw sockets nobody looks at it.
  if (family === 4 && onesComplementSum(bytes, 0, bytes.length) !== 0xffff) throw new DecodeError('a wrong checksum');
  const reader = new ByteReader(bytes);
  const type = reader.u8('Type');
  const code = reader.u8('Code');
  reader.skip(2, 'Checksum');
  if (type === numbers.echoReply) {
    const identity = { identifier: reader.u16('Identifier'), sequence: reader.u16('Sequence Number') };
    return { kind: 'reply', ...identity, data: reader.rest() };
  }
  const tooBig = family === 4 ? type === numbers.unreachable && code === FRAGMENTATION_NEEDED : type === PACKET_TOO_BIG;
  if (!tooBig && type !== numbers.unreachable && type !== numbers.timeExceeded) return undefined;
  // RFC 1191 has it in the low half of what is unused otherwise, RFC 4443 in all of it.
  const word = reader.u32('MTU');
  const identity = quotedRequest(family, reader.rest());
  if (identity === undefined) return undefined;
  if (tooBig) return { kind: 'too-big', ...identity, mtu: family === 4 ? word & 0xffff : word };
  return { kind: type === numbers.unreachable ? 'unreachable' : 'time-exceeded', ...identity, code };
}

/** The echo request in the packet that an error quotes; `undefined`: it is about something else. */
function quotedRequest(family: IcmpFamily, packet: Uint8Array): EchoIdentity | undefined {
  const { protocol, echoRequest } = NUMBERS[family];
  const reader = new ByteReader(packet);
  if (family === 4) {
    const first = reader.u8('quoted IPv4 header');
    if (first >> 4 !== 4) return undefined;
    reader.skip(8, 'quoted IPv4 header');
    if (reader.u8('quoted Protocol') !== protocol) return undefined;
    const header = (first & 0x0f) * 4;
    if (header < IP_HEADER[4]) throw new DecodeError(`a quoted IPv4 header of ${header} octets`);
    reader.skip(header - reader.offset, 'quoted IPv4 header');
  } else {
    if (reader.u8('quoted IPv6 header') >> 4 !== 6) return undefined;
    reader.skip(5, 'quoted IPv6 header');
    let next = reader.u8('quoted Next Header');
    reader.skip(IPV6_HEADER - reader.offset, 'quoted IPv6 header');
    if (next === FRAGMENT) {
      next = reader.u8('quoted Next Header');
      reader.skip(7, 'quoted fragment header');
    }
    if (next !== protocol) return undefined;
  }
  if (reader.u8('quoted Type') !== echoRequest) return undefined;
  reader.skip(3, 'quoted Code and Checksum');
  return { identifier: reader.u16('quoted Identifier'), sequence: reader.u16('quoted Sequence Number') };
}

/** What Destination Unreachable means by its code (RFC 792, RFC 1812 section 5.2.7.1). */
const UNREACHABLE_4: Readonly<Record<number, string>> = {
  0: 'it has no route to this network',
  1: 'the host does not answer in its network',
  2: 'the host knows no ICMP',
  3: 'the port is closed',
  6: 'it does not know the network',
  7: 'it does not know the host',
  9: 'a packet filter forbids the network',
  10: 'a packet filter forbids the host',
  13: 'a packet filter forbids it',
};

/** The same of ICMPv6 (RFC 4443 section 3.1). */
const UNREACHABLE_6: Readonly<Record<number, string>> = {
  0: 'it has no route there',
  1: 'a packet filter forbids it',
  2: 'the address is beyond the scope of the source address',
  3: 'the host does not answer in its network',
  4: 'the port is closed',
  5: 'a packet filter forbids the source address',
  6: 'it refuses the route',
};

/** Half a sentence, behind who says it. */
export function unreachableText(family: IcmpFamily, code: number): string {
  return (family === 4 ? UNREACHABLE_4 : UNREACHABLE_6)[code] ?? `it cannot be reached (code ${code})`;
}
