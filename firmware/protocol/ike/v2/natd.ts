/** NAT detection and the move to port 4500 (RFC 7296 section 2.23). */
import { ByteWriter } from '../../bytes.ts';
import type { RandomSource } from '../../machine.ts';
import type { UdpEndpoint, UdpPath } from '../../udp-path.ts';
import { hash } from '../crypto/hash.ts';
import { equalSecrets } from '../crypto/secrets.ts';
import { findNotifies, notify } from './notify.ts';
import { IKE_PORT, NAT_PORT } from './numbers.ts';
import type { Payload } from './payload.ts';
import { addressOctets } from './traffic-selector.ts';

/** Octets of a SHA-1 digest. */
const DIGEST_OCTETS = 20;

export interface NatSituation {
  /** A NAT before this side. */
  readonly local: boolean;
  /** A NAT before the peer, or a peer that pretends one. */
  readonly remote: boolean;
  /** ESP goes in UDP: there is a NAT, or one is pretended. */
  readonly encapsulate: boolean;
}

/** `SHA-1(SPIs | IP | port)`, SPIs in the order of the header. */
export function natdHash(spiI: Uint8Array, spiR: Uint8Array, end: UdpEndpoint): Uint8Array {
  const port = new ByteWriter(2).u16(end.port).finish();
  return hash('sha1', spiI, spiR, addressOctets(end.address), port);
}

/** The two notifications. @param pretend what to make a source up with, so that the peer sees a NAT where none is. */
export function natdPayloads(
  spiI: Uint8Array,
  spiR: Uint8Array,
  path: UdpPath,
  pretend: RandomSource | undefined,
): readonly Payload[] {
  const source = pretend === undefined ? natdHash(spiI, spiR, path.local) : pretend.bytes(DIGEST_OCTETS);
  return [
    notify('NAT_DETECTION_SOURCE_IP', source),
    notify('NAT_DETECTION_DESTINATION_IP', natdHash(spiI, spiR, path.remote)),
  ];
}

/** What the peer's notifications say. Without them the peer knows no NAT traversal, and there is nothing to do. */
export function detectNat(
  payloads: readonly Payload[],
  spiI: Uint8Array,
  spiR: Uint8Array,
  path: UdpPath,
  pretended: boolean,
): NatSituation {
  const sources = findNotifies(payloads, 'NAT_DETECTION_SOURCE_IP');
  const destinations = findNotifies(payloads, 'NAT_DETECTION_DESTINATION_IP');
  if (sources.length === 0 || destinations.length === 0) return { local: false, remote: false, encapsulate: false };
  const says = (notifies: typeof sources, end: UdpEndpoint): boolean => {
    const expected = natdHash(spiI, spiR, end);
    return notifies.some(({ data }) => equalSecrets(data, expected));
  };
  const remote = !says(sources, path.remote);
  const local = !says(destinations, path.local);
  return { local, remote, encapsulate: local || remote || pretended };
}

/** Where an initiator goes on once a NAT is known. A path that does not lead to port 500 stays as it is. */
export function movedToNatPort({ local, remote }: UdpPath): UdpPath {
  if (remote.port !== IKE_PORT) return { local, remote };
  return {
    local: local.port === IKE_PORT ? { ...local, port: NAT_PORT } : local,
    remote: { ...remote, port: NAT_PORT },
  };
}
