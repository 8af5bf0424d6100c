import type { SessionSpec } from '../../dataplane/data-plane.ts';
import type { L2tpOutput } from '../../protocol/l2tp/endpoint-types.ts';
import type { PppOutput } from '../../protocol/ppp/link-types.ts';

/** An L2TP session as the data plane must know it, before a socket and an interface are chosen for it. */
export type SessionShape = Omit<SessionSpec, 'key' | 'socket' | 'network'> & {
  readonly network?: Omit<NonNullable<SessionSpec['network']>, 'interface'>;
};

/** What LCP settled about the way to the peer. */
export type LinkShape = Omit<Extract<PppOutput, { kind: 'link-up' }>, 'kind'>;

/** The shape of a session whose ids have just become known; its network is still closed. */
export function openingShape(opening: Extract<L2tpOutput, { kind: 'session-opening' }>): SessionShape {
  return {
    path: opening.path,
    localTunnelId: opening.tunnelId,
    localSessionId: opening.sessionId,
    peerTunnelId: opening.peerTunnelId,
    peerSessionId: opening.peerSessionId,
    // Two octets a packet saved; the Length field is only needed where a carrier pads (RFC 2661 section 3.1).
    lengthField: false,
    sequencing: false,
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

/** Outer octets around an inner packet: IP, UDP, L2TP with sequence numbers, PPP without compression. */
const OVERHEAD_IPV4 = 20 + 8 + 10 + 4;
const OVERHEAD_IPV6 = 40 + 8 + 10 + 4;

/** Largest inner packet such that the outer one fits a link, octets. */
export function innerMtu(linkMtu: number, family: 4 | 6): number {
  return linkMtu - (family === 4 ? OVERHEAD_IPV4 : OVERHEAD_IPV6);
}
