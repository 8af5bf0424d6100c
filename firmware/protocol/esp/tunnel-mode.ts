/** Tunnel mode over IPv4 (RFC 4303 section 3.1.2, RFC 4301 section 5.1.2.1): a whole IP packet inside ESP. */
import { EncodeError } from '../bytes.ts';
import { parseIpv4 } from '../ip-address.ts';
import type { Instant } from '../machine.ts';
import type { InboundSa, InboundVerdict, OpenedPacket } from './inbound-sa.ts';
import { putIpv4Checksum } from './internet-checksum.ts';
import { IPV4_HEADER, type IpPacket, newIpPacket, readIpPacket } from './ip-packet.ts';
import { newOuterIpv4, readOuterIpv4 } from './ipv4-header.ts';
import { putU16, putU32, u8, u16 } from './octets.ts';
import type { OutboundSa, OutboundVerdict, SealedPacket } from './outbound-sa.ts';
import { ESP, NEXT_IPV4, NEXT_IPV6 } from './packet.ts';
import { type OuterDscp, outerTrafficClass } from './traffic-class.ts';

const MAX_PACKET = 65_535;
const DONT_FRAGMENT = 0x4000;
/** TTL of the outer header: the recommended default of the IANA registry of IP parameters. */
const TTL = 64;

/** The tunnel's outer header. */
export interface TunnelHeader {
  /** IPv4 dotted quads. */
  readonly source: string;
  readonly destination: string;
  /** Default `copy`. */
  readonly dscp?: OuterDscp;
  /** The DF bit (RFC 4301 section 8.1). Default `copy`; IPv6 inside counts as set. */
  readonly dontFragment?: 'copy' | 'set' | 'clear';
}

/** `notIp`: no IP packet, or one that contradicts itself. */
export type TunnelOutboundVerdict = OutboundVerdict | 'notIp';
/** `notEsp`: no IPv4 packet that carries a whole ESP packet. */
export type TunnelInboundVerdict = InboundVerdict | 'notEsp';

/** One end of a tunnel; it numbers its outer packets. */
export class TunnelMode {
  readonly #source: number;
  readonly #destination: number;
  readonly #dscp: OuterDscp;
  readonly #dontFragment: 'copy' | 'set' | 'clear';
  readonly #packet = newIpPacket();
  readonly #outer = newOuterIpv4();
  #identification = 0;

  /** @throws EncodeError when an address is no IPv4 address. */
  constructor(header: TunnelHeader) {
    this.#source = ipv4(header.source);
    this.#destination = ipv4(header.destination);
    this.#dscp = header.dscp ?? 'copy';
    this.#dontFragment = header.dontFragment ?? 'copy';
  }

  /**
   * Puts the IP packet at `bytes[at..at+length)` into ESP and an IPv4 header: 20 octets and the SA's headroom in front
   * of it are overwritten. Its TTL is the caller's to decrement, who forwards it.
   * @param into the packet that is to be sent, IP header included; means nothing unless `sealed`.
   */
  encapsulate(
    sa: OutboundSa,
    bytes: Uint8Array,
    at: number,
    length: number,
    now: Instant,
    into: SealedPacket,
  ): TunnelOutboundVerdict {
    const inner = this.#packet;
    if (!readIpPacket(bytes, at, at + length, inner)) return 'notIp';
    const start = at - sa.headroom - IPV4_HEADER;
    if (start < 0 || IPV4_HEADER + sa.sealedOctets(inner.length) > MAX_PACKET) return 'noRoom';
    const trafficClass = outerTrafficClass(trafficClassOf(bytes, inner), this.#dscp);
    const dontFragment = this.#outerDontFragment(bytes, inner);
    const nextHeader = inner.version === 4 ? NEXT_IPV4 : NEXT_IPV6;
    const verdict = sa.seal(bytes, at, inner.length, nextHeader, now, into);
    if (verdict !== 'sealed') return verdict;
    into.offset = start;
    into.length += IPV4_HEADER;
    this.#identification = (this.#identification + 1) & 0xffff;
    bytes[start] = 0x45;
    bytes[start + 1] = trafficClass;
    putU16(bytes, start + 2, into.length);
    putU16(bytes, start + 4, this.#identification);
    putU16(bytes, start + 6, dontFragment ? DONT_FRAGMENT : 0);
    bytes[start + 8] = TTL;
    bytes[start + 9] = ESP;
    putU32(bytes, start + 12, this.#source);
    putU32(bytes, start + 16, this.#destination);
    putIpv4Checksum(bytes, start, IPV4_HEADER);
    return 'sealed';
  }

  /**
   * Takes the inner packet out of the IPv4 packet at `bytes[at..at+length)`.
   * @param into the inner IP packet; means nothing unless `deliver`.
   */
  decapsulate(
    sa: InboundSa,
    bytes: Uint8Array,
    at: number,
    length: number,
    now: Instant,
    into: OpenedPacket,
  ): TunnelInboundVerdict {
    const packet = this.#packet;
    if (!readOuterIpv4(bytes, at, length, packet, this.#outer)) return 'notEsp';
    return sa.open(bytes, packet.payloadAt, at + packet.length - packet.payloadAt, this.#outer, now, into);
  }

  #outerDontFragment(bytes: Uint8Array, inner: IpPacket): boolean {
    if (this.#dontFragment !== 'copy') return this.#dontFragment === 'set';
    return inner.version === 6 || (u16(bytes, inner.offset + 6) & DONT_FRAGMENT) !== 0;
  }
}

function trafficClassOf(bytes: Uint8Array, packet: IpPacket): number {
  return packet.version === 4 ? u8(bytes, packet.offset + 1) : (u16(bytes, packet.offset) >>> 4) & 0xff;
}

function ipv4(text: string): number {
  const address = parseIpv4(text);
  if (address === undefined) throw new EncodeError(`${text} is no IPv4 address`);
  return address;
}
