/** What the forwarder holds for one PPP session, whatever carries it: its open network, its counters, its limits. */
import { pppHeaderLength, writePppHeader } from '../../protocol/ppp/header.ts';
import { PPP_IP, PPP_IPV6 } from '../../protocol/ppp/protocol-numbers.ts';
import type { InterfaceId, SessionCounters, SessionKey, SessionNetworkSpec } from '../data-plane.ts';
import { type Ipv4Prefix, Ipv4PrefixTable, parseIpv4Prefix } from './ipv4-prefix-table.ts';
import { type Ipv6Prefix, Ipv6PrefixTable, parseIpv6Prefix } from './ipv6-prefix-table.ts';
import { TokenBucket } from './token-bucket.ts';

/**
 * PPP control frames (LCP, authentication, NCPs) a second that a session may hand to the control thread. A negotiation
 * takes some thirty in a second, echoes a few a minute; more is a fault or an attack.
 */
const CONTROL_FRAMES_PER_SECOND = 100;
/** Control frames at once: a whole negotiation in one round trip, twice. */
const CONTROL_FRAMES_BURST = 50;
/**
 * Frames a second of user protocols that are not carried. Each is answered by a Protocol-Reject, of which one would
 * do; they have a bucket of their own, so that a peer which sends IPv6 at full speed does not silence its own LCP. Router
 * discovery of IPv6 counts among them: a host asks three times, and a router answers once in three seconds (RFC 4861).
 */
const FOREIGN_FRAMES_PER_SECOND = 5;
/** Frames of user protocols at once: a few protocols, each rejected at its first frame. */
const FOREIGN_FRAMES_BURST = 10;

/** The open network layer of a session, prepared for use per packet. */
export interface SessionNetwork {
  readonly interface: InterfaceId;
  readonly mtu: number;
  /** The PPP headers of user packets towards the peer, 1..4 octets, of one length. */
  readonly pppHeader: Uint8Array;
  readonly pppHeader6: Uint8Array;
  readonly destinations: readonly Ipv4Prefix[];
  readonly destinations6: readonly Ipv6Prefix[];
  readonly sources: Ipv4PrefixTable<true>;
  /** Empty: IPv6 is not open. */
  readonly sources6: Ipv6PrefixTable<true>;
}

/** Why packets of a session were dropped. */
export interface SessionDrops {
  /** A user packet while the network layer was not open. */
  networkClosed: number;
  /** An inner source address that the peer may not use. */
  wrongSource: number;
  /** Larger than the peer takes. */
  tooBig: number;
  /** No PPP frame, or no IP packet inside. */
  malformed: number;
  /** Its sequence number has been here already. */
  duplicate: number;
  /** Overtaken by later messages, and its place is passed. */
  late: number;
  /** The kernel would not send it. */
  sendFailed: number;
  /** Too many PPP frames for the control thread. */
  controlRate: number;
  /** The TUN would not take it: down, or its queue full. */
  tunRefused: number;
}

export abstract class PppSession {
  readonly key: SessionKey;
  network: SessionNetwork | undefined;
  readonly controlFrames = new TokenBucket(CONTROL_FRAMES_PER_SECOND, CONTROL_FRAMES_BURST);
  readonly foreignFrames = new TokenBucket(FOREIGN_FRAMES_PER_SECOND, FOREIGN_FRAMES_BURST);
  packetsReceived = 0;
  octetsReceived = 0;
  packetsSent = 0;
  octetsSent = 0;
  readonly drops: SessionDrops = {
    networkClosed: 0,
    wrongSource: 0,
    tooBig: 0,
    malformed: 0,
    duplicate: 0,
    late: 0,
    sendFailed: 0,
    controlRate: 0,
    tunRefused: 0,
  };

  constructor(key: SessionKey) {
    this.key = key;
  }

  /** Numbered messages whose place was passed without them. */
  get lost(): number {
    return 0;
  }

  /** Numbered messages that were put in their place again. */
  get reordered(): number {
    return 0;
  }

  counters(): SessionCounters {
    return {
      key: this.key,
      packetsReceived: this.packetsReceived,
      octetsReceived: this.octetsReceived,
      packetsSent: this.packetsSent,
      octetsSent: this.octetsSent,
      lost: this.lost,
      reordered: this.reordered,
      drops: { ...this.drops },
    };
  }
}

/**
 * Prepares the network layer of a specification.
 * @throws RangeError when a prefix is none.
 */
export function prepareNetwork(spec: SessionNetworkSpec): SessionNetwork {
  const sources = new Ipv4PrefixTable<true>();
  const sources6 = new Ipv6PrefixTable<true>();
  for (const prefix of ipv4Prefixes(spec.sources)) sources.add(prefix, true);
  for (const prefix of ipv6Prefixes(spec.sources)) sources6.add(prefix, true);
  return {
    interface: spec.interface,
    mtu: spec.mtu,
    pppHeader: pppHeaderOf(PPP_IP, spec),
    pppHeader6: pppHeaderOf(PPP_IPV6, spec),
    destinations: ipv4Prefixes(spec.destinations),
    destinations6: ipv6Prefixes(spec.destinations),
    sources,
    sources6,
  };
}

type HeaderCompression = Pick<SessionNetworkSpec, 'protocolCompression' | 'addressControlCompression'>;

function pppHeaderOf(protocol: number, compression: HeaderCompression): Uint8Array {
  const { protocolCompression, addressControlCompression } = compression;
  const header = new Uint8Array(pppHeaderLength(protocol, protocolCompression, addressControlCompression));
  writePppHeader(header, 0, protocol, protocolCompression, addressControlCompression);
  return header;
}

/** The IPv4 ones among `prefixes`. @throws RangeError when one is no prefix at all. */
function ipv4Prefixes(prefixes: readonly string[]): readonly Ipv4Prefix[] {
  return prefixes.map(parseIpv4Prefix).filter((prefix) => prefix !== undefined);
}

/** The IPv6 ones among `prefixes`. @throws RangeError when one of them is no prefix. */
function ipv6Prefixes(prefixes: readonly string[]): readonly Ipv6Prefix[] {
  return prefixes.map(parseIpv6Prefix).filter((prefix) => prefix !== undefined);
}
