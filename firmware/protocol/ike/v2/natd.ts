/** NAT detection in IKE_SA_INIT (RFC 7296 section 2.23). */
import type { RandomSource } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import { type EncapsulationWish, type NatSituation, NO_NAT, natdHash, natdMatches, natSituation } from '../nat.ts';
import { findNotifies, notify } from './notify.ts';
import type { Payload } from './payload.ts';

/** Octets of a SHA-1 digest. */
const DIGEST_OCTETS = 20;

/** The two notifications. @param pretend what to make a source up with, so that the peer sees a NAT where none is. */
export function natdPayloads(
  spiI: Uint8Array,
  spiR: Uint8Array,
  path: UdpPath,
  pretend: RandomSource | undefined,
): readonly Payload[] {
  const source = pretend === undefined ? natdHash('sha1', spiI, spiR, path.local) : pretend.bytes(DIGEST_OCTETS);
  return [
    notify('NAT_DETECTION_SOURCE_IP', source),
    notify('NAT_DETECTION_DESTINATION_IP', natdHash('sha1', spiI, spiR, path.remote)),
  ];
}

/** Whether the peer sends what NAT detection needs. */
export function knowsNatTraversal(payloads: readonly Payload[]): boolean {
  const [source] = findNotifies(payloads, 'NAT_DETECTION_SOURCE_IP');
  const [destination] = findNotifies(payloads, 'NAT_DETECTION_DESTINATION_IP');
  return source !== undefined && destination !== undefined;
}

/** What the peer's notifications say. Without them the peer knows no NAT traversal, and there is nothing to do. */
export function detectNat(
  payloads: readonly Payload[],
  spiI: Uint8Array,
  spiR: Uint8Array,
  path: UdpPath,
  wish: EncapsulationWish,
): NatSituation {
  const sources = findNotifies(payloads, 'NAT_DETECTION_SOURCE_IP').map(({ data }) => data);
  const destinations = findNotifies(payloads, 'NAT_DETECTION_DESTINATION_IP').map(({ data }) => data);
  if (!knowsNatTraversal(payloads)) return NO_NAT;
  const remote = !natdMatches(sources, natdHash('sha1', spiI, spiR, path.remote));
  const local = !natdMatches(destinations, natdHash('sha1', spiI, spiR, path.local));
  return natSituation(local, remote, wish);
}
