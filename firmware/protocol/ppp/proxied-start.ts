/** What another (a LAC) did with the peer in our place, to go on with instead of beginning anew (RFC 2661 section 4.4.5). */
import { chapAlgorithm } from './chap-algorithms.ts';
import type { PeerProof, PppAuthentication } from './link-types.ts';

/** Trusted as far as it is handed in: whoever told it is believed. */
export interface ProxiedStart {
  /** Options of the last Configure-Request that was sent to the peer, as they stood in the packet. */
  readonly lastSentConfreq: Uint8Array;
  /** Options of the last one that came from the peer. */
  readonly lastReceivedConfreq: Uint8Array;
  /** What the peer answered to that side's Challenge, or asked by PAP. Absent: it is challenged anew. */
  readonly proof?: PeerProof;
  /** Identifier of that side's Challenge, 0..255: a Response to it may still be on its way, so ours gets another one. */
  readonly challengeIdentifier?: number;
}

/** Shortest challenge of CHAP-MD5 for which a relayed answer is taken, octets: of shorter ones the answers can be collected. */
const MIN_CHALLENGE = 16;

/** The proof, where it is one by just the method that was agreed on, and to a challenge such as we would send. */
export function usableProof(
  proof: PeerProof | undefined,
  method: PppAuthentication | undefined,
): Exclude<PeerProof, { method: 'eap' }> | undefined {
  if (proof === undefined || proof.method !== method || proof.method === 'eap') return undefined;
  if (proof.method === 'pap') return proof;
  const { challengeLength } = chapAlgorithm(proof.method);
  const { length } = proof.challenge;
  return (challengeLength === undefined ? length >= MIN_CHALLENGE : length === challengeLength) ? proof : undefined;
}
