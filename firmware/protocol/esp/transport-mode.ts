/** Transport mode on whole IPv4 packets (RFC 4303 section 3.1.1): ESP between the IP header and its payload. */
import type { Instant } from '../machine.ts';
import type { InboundSa, InboundVerdict, OpenedPacket } from './inbound-sa.ts';
import { putIpv4Checksum } from './internet-checksum.ts';
import { newIpPacket, readIpPacket } from './ip-packet.ts';
import { newOuterIpv4, readOuterIpv4 } from './ipv4-header.ts';
import { putU16 } from './octets.ts';
import type { OutboundSa, OutboundVerdict, SealedPacket } from './outbound-sa.ts';
import { ESP } from './packet.ts';

const MAX_PACKET = 65_535;

/** `notWhole`: no IPv4 packet, or a fragment, to which transport mode does not apply (RFC 4303 section 3.3.4). */
export type TransportOutboundVerdict = OutboundVerdict | 'notWhole';
/** `notEsp`: no IPv4 packet that carries a whole ESP packet. */
export type TransportInboundVerdict = InboundVerdict | 'notEsp';

/** One per thread serves for all SAs. */
export class TransportMode {
  readonly #packet = newIpPacket();
  readonly #outer = newOuterIpv4();

  /**
   * Puts ESP into the IPv4 packet at `bytes[at..at+length)`. Its header moves ahead by the SA's headroom, even when it is
   * refused: the buffer is worth nothing then.
   * @param into the packet that is to be sent, IP header included; means nothing unless `sealed`.
   */
  encapsulate(
    sa: OutboundSa,
    bytes: Uint8Array,
    at: number,
    length: number,
    now: Instant,
    into: SealedPacket,
  ): TransportOutboundVerdict {
    const packet = this.#packet;
    if (!readIpPacket(bytes, at, at + length, packet) || packet.version !== 4 || packet.fragment) return 'notWhole';
    const header = packet.payloadAt - at;
    const payload = packet.length - header;
    const start = at - sa.headroom;
    if (start < 0 || header + sa.sealedOctets(payload) > MAX_PACKET) return 'noRoom';
    // First, for the ESP header is about to be written where the IP header ends.
    bytes.copyWithin(start, at, at + header);
    const verdict = sa.seal(bytes, packet.payloadAt, payload, packet.protocol, now, into);
    if (verdict !== 'sealed') return verdict;
    into.offset = start;
    into.length += header;
    putHeader(bytes, start, header, into.length, ESP);
    return 'sealed';
  }

  /**
   * Takes ESP out of the IPv4 packet at `bytes[at..at+length)`.
   * @param into the packet that is to be delivered, IP header included; means nothing unless `deliver`.
   */
  decapsulate(
    sa: InboundSa,
    bytes: Uint8Array,
    at: number,
    length: number,
    now: Instant,
    into: OpenedPacket,
  ): TransportInboundVerdict {
    const packet = this.#packet;
    if (!readOuterIpv4(bytes, at, length, packet, this.#outer)) return 'notEsp';
    const header = packet.payloadAt - at;
    const verdict = sa.open(bytes, packet.payloadAt, packet.length - header, this.#outer, now, into);
    if (verdict !== 'deliver') return verdict;
    const start = into.offset - header;
    bytes.copyWithin(start, at, at + header);
    putHeader(bytes, start, header, header + into.length, into.nextHeader);
    into.offset = start;
    into.length += header;
    return 'deliver';
  }
}

function putHeader(bytes: Uint8Array, at: number, header: number, total: number, protocol: number): void {
  putU16(bytes, at + 2, total);
  bytes[at + 9] = protocol;
  putIpv4Checksum(bytes, at, header);
}
