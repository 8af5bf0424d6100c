import type { SessionSpec } from '../../dataplane/data-plane.ts';
import type { L2tpOutput } from '../../protocol/l2tp/endpoint-types.ts';
import type { PppOutput } from '../../protocol/ppp/link-types.ts';

/** An L2TP session as the data plane must know it, before a socket and an interface are chosen for it. */
export type SessionShape = Omit<SessionSpec, 'key' | 'socket' | 'network' | 'relay'> & {
  /** The session, by its id, by which all frames of this one go on. */
  readonly relay?: string;
  readonly network?: Omit<NonNullable<SessionSpec['network']>, 'interface'>;
};

/** What LCP settled about the way to the peer. */
export type LinkShape = Omit<Extract<PppOutput, { kind: 'link-up' }>, 'kind'>;

/** How the data messages of a client or server shall be. */
export interface DataOptions {
  /** Number them, whether the peer does or not. A client demands the same of its peer. Default false. */
  readonly sequencing?: boolean;
  readonly reorder?: NonNullable<SessionSpec['reorder']>;
  /** 0..63. */
  readonly dscp?: number;
}

/** The shape of a session whose ids have just become known; its network is still closed. */
export function openingShape(
  opening: Extract<L2tpOutput, { kind: 'session-opening' }>,
  { sequencing = false, reorder, dscp: configured = 0 }: DataOptions,
): SessionShape {
  const dscp = opening.dscp ?? configured;
  return {
    path: opening.path,
    localTunnelId: opening.tunnelId,
    localSessionId: opening.sessionId,
    peerTunnelId: opening.peerTunnelId,
    peerSessionId: opening.peerSessionId,
    // Two octets a packet saved; the Length field is only needed where a carrier pads (RFC 2661 section 3.1).
    lengthField: false,
    sequencing,
    ...(reorder ? { reorder } : {}),
    ...(dscp === 0 ? {} : { dscp }),
  };
}

/** The same session with its network layer open. */
export function openShape(
  shape: SessionShape,
  link: LinkShape,
  prefixes: { readonly destinations: readonly string[]; readonly sources: readonly string[] },
): SessionShape {
  const { protocolCompression, addressControlCompression, mtu } = link;
  return { ...shape, network: { protocolCompression, addressControlCompression, mtu, ...prefixes } };
}

/** The same session with its network layer closed. */
export function closedShape(shape: SessionShape): SessionShape {
  const { network: _, ...rest } = shape;
  return rest;
}

/** Octets of the outer IP header. */
const IP_HEADER = { 4: 20, 6: 40 } as const;
/** Octets of the UDP header: that of L2TP, and that of UDP encapsulation around ESP. */
const UDP_HEADER = 8;
/** L2TP with sequence numbers, and PPP without compression. */
const L2TP_AND_PPP = 10 + 4;

/**
 * ESP at its widest (RFC 4303): AES-CBC and HMAC-SHA2-512-256. SPI and sequence number, then the IV, and the ICV at the
 * end. Between them stand whole cipher blocks, the last octets of which are Pad Length and Next Header.
 */
const ESP_HEADER = 8;
const ESP_IV = 16;
const ESP_ICV = 32;
const CIPHER_BLOCK = 16;
const ESP_TRAILER = 2;

/**
 * Largest inner packet such that the outer one fits a link, octets.
 * @param protection L2TP goes inside IPsec: reckoned with ESP in UDP and the algorithms that need most room, so that
 * neither a NAT nor a rekey to other algorithms makes packets too big.
 */
export function innerMtu(linkMtu: number, family: 4 | 6, protection: boolean): number {
  const datagram = linkMtu - IP_HEADER[family];
  if (!protection) return datagram - UDP_HEADER - L2TP_AND_PPP;
  const encrypted = datagram - UDP_HEADER - ESP_HEADER - ESP_IV - ESP_ICV;
  return encrypted - (encrypted % CIPHER_BLOCK) - ESP_TRAILER - UDP_HEADER - L2TP_AND_PPP;
}
