/** What the IP layers hand on, whichever the version. */
import type { Octets } from './field-reader.ts';

/** Protocol numbers that the decoder looks into. */
export const IpProtocol = {
  icmp: 1,
  ipip: 4,
  tcp: 6,
  udp: 17,
  ipv6: 41,
  esp: 50,
  ah: 51,
  icmpv6: 58,
} as const;

/** Where a fragment belongs in its datagram. */
export interface FragmentPlace {
  /** Identification: 16 bits with IPv4, 32 with IPv6. */
  readonly id: number;
  /** Octets from the beginning of the fragmentable part. */
  readonly offset: number;
  /** More fragments follow. */
  readonly more: boolean;
}

export interface IpPacket {
  readonly version: 4 | 6;
  /** Textual. */
  readonly source: string;
  readonly destination: string;
  /** Of the payload: with IPv6 behind the extension headers. */
  readonly protocol: number;
  readonly payload: Octets;
  /** Only in a fragment; the payload is then a part. */
  readonly fragment?: FragmentPlace;
}
