/** NAT detection and the move to port 4500, in both versions (RFC 3947 sections 3.2 and 4; RFC 7296 section 2.23). */
import { ByteWriter } from '../bytes.ts';
import type { Failure } from '../machine.ts';
import type { UdpEndpoint, UdpPath } from '../udp-path.ts';
import { addressOctets } from './address-octets.ts';
import { hash } from './crypto/hash.ts';
import { equalSecrets } from './crypto/secrets.ts';
import type { HashName } from './transforms.ts';

/** UDP ports of IKE, before and after the move. */
export const IKE_PORT = 500;
export const NAT_PORT = 4500;

/** Why ESP goes in UDP: a NAT, both sides' wish, or this side's alone. */
export type EncapsulationCause = 'nat' | 'agreement' | 'configuration';

export interface NatSituation {
  /** A NAT before this side. */
  readonly local: boolean;
  /** A NAT before the peer, or a peer that pretends one. */
  readonly remote: boolean;
  /** ESP goes in UDP. Absent: bare. */
  readonly encapsulation?: EncapsulationCause;
}

/** What besides a NAT speaks for ESP in UDP. */
export interface EncapsulationWish {
  /** Both sides said so with their vendor ids. */
  readonly agreed: boolean;
  /** `forceEncapsulation`. */
  readonly forced: boolean;
}

export const NO_NAT: NatSituation = { local: false, remote: false };

/** `HASH(SPI-I | SPI-R | IP | Port)`, SPIs (cookies) in the order of the header. */
export function natdHash(algorithm: HashName, spiI: Uint8Array, spiR: Uint8Array, end: UdpEndpoint): Uint8Array {
  const port = new ByteWriter(2).u16(end.port).finish();
  return hash(algorithm, spiI, spiR, addressOctets(end.address), port);
}

/** Whether one of the hashes that came is the expected one. */
export function natdMatches(received: readonly Uint8Array[], expected: Uint8Array): boolean {
  return received.some((one) => equalSecrets(one, expected));
}

/** What follows from NAT detection. */
export function natSituation(local: boolean, remote: boolean, { agreed, forced }: EncapsulationWish): NatSituation {
  if (local || remote) return { local, remote, encapsulation: 'nat' };
  if (agreed) return { local, remote, encapsulation: 'agreement' };
  return forced ? { local, remote, encapsulation: 'configuration' } : { local, remote };
}

/** AH is wanted, and there is a NAT (RFC 3715 section 2.1). @param step at which that was seen. */
export function ahThroughNat(step: string, { local, remote }: NatSituation): Failure {
  const where = local && remote ? 'both ends' : local ? 'this end' : 'the peer';
  return {
    step,
    reason: `there is a NAT before ${where}, and AH authenticates the addresses, which a NAT changes`,
    remedy: 'set the protocol of this connection to "esp" at both ends, or take the NAT out of the way',
    cause: 'refused',
  };
}

/** Where an initiator goes on once ESP is to go in UDP. A path that does not lead to port 500 stays as it is. */
export function movedToNatPort({ local, remote }: UdpPath): UdpPath {
  if (remote.port !== IKE_PORT) return { local, remote };
  return {
    local: local.port === IKE_PORT ? { ...local, port: NAT_PORT } : local,
    remote: { ...remote, port: NAT_PORT },
  };
}
