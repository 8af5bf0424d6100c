/** What travels between simulated hosts. */
import { parseIpAddress } from '../ip-address.ts';

/** Octets of an IPv4 header without options (RFC 791 section 3.1). */
export const IPV4_HEADER = 20;

const IPV6_HEADER = 40;
const UDP_HEADER = 8;

/** IP protocol number of ESP (RFC 4303 section 2). */
const PROTOCOL_ESP = 50;

/** Hops that a host gives a packet. */
const TIME_TO_LIVE = 64;

/** A datagram under way. */
export interface SimulatedDatagram {
  readonly protocol: 'udp' | 'esp' | 'ah';
  /** Without headers; of AH the whole IP packet. */
  readonly bytes: Uint8Array;
  /** Octets with the headers of IP and UDP. */
  readonly packetLength: number;
  readonly dontFragment: boolean;
  /** Traffic class octet, 0 when sent. */
  readonly trafficClass: number;
  readonly sourceAddress: string;
  /** 0 with ESP and AH. */
  readonly sourcePort: number;
  readonly destinationAddress: string;
  /** 0 with ESP and AH. */
  readonly destinationPort: number;
  /** SO_MARK of the sending socket. */
  readonly mark: number;
}

/** Octets of the headers in front of the payload. */
export function headersOf(family: 4 | 6, protocol: SimulatedDatagram['protocol']): number {
  if (protocol === 'ah') return 0;
  return (family === 4 ? IPV4_HEADER : IPV6_HEADER) + (protocol === 'udp' ? UDP_HEADER : 0);
}

/** The IPv4 packet of an ESP datagram, as a raw socket hands it out; without header checksum, which the kernel checked. */
export function withIpv4Header(datagram: SimulatedDatagram): Uint8Array {
  const packet = new Uint8Array(IPV4_HEADER + datagram.bytes.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x45;
  packet[1] = datagram.trafficClass;
  view.setUint16(2, packet.length);
  packet[6] = datagram.dontFragment ? 0x40 : 0;
  packet[8] = TIME_TO_LIVE;
  packet[9] = PROTOCOL_ESP;
  packet.set(parseIpAddress(datagram.sourceAddress) ?? [], 12);
  packet.set(parseIpAddress(datagram.destinationAddress) ?? [], 16);
  packet.set(datagram.bytes, IPV4_HEADER);
  return packet;
}
