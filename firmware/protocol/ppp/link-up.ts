/** What an opened LCP means for those who send user packets. */
import type { LcpAgreement } from './lcp.ts';
import type { PppLinkOptions, PppOutput } from './link-types.ts';

/** Over PPPoE nothing is compressed, though the peer may have asked to receive it so (RFC 2516 section 7). */
export function linkUp(
  { mru, mtu = mru, medium = 'tunnel', compressHeaders = true }: PppLinkOptions,
  { peerMru, peerAccm, protocolCompression, addressControlCompression }: LcpAgreement,
): PppOutput {
  const compresses = compressHeaders && medium !== 'pppoe';
  return {
    kind: 'link-up',
    protocolCompression: compresses && protocolCompression,
    addressControlCompression: compresses && addressControlCompression,
    mtu: Math.min(peerMru, mtu),
    ...(medium === 'serial' ? { peerAccm } : {}),
  };
}
