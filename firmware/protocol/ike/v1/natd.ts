/** NAT discovery in Main Mode (RFC 3947 section 3.2) and the float to port 4500 (section 4). */
import { ByteWriter, hex } from '../../bytes.ts';
import type { RandomSource } from '../../machine.ts';
import { sameEndpoint, type UdpEndpoint, type UdpPath } from '../../udp-path.ts';
import { hash } from '../crypto/hash.ts';
import { transform } from '../transforms.ts';
import { addressOctets } from './address-octets.ts';
import type { IsakmpHeader } from './header.ts';
import { PayloadType } from './numbers.ts';
import { bodiesOf, type Payload } from './payload.ts';
import type { NatTraversal } from './vendor-ids.ts';

/** IKE's ports, before and after the float. */
export const IKE_PORT = 500;
export const NAT_PORT = 4500;

export interface NatSituation {
  /** Text of NAT traversal in use; absent: the peer knows none, or sent no NAT-D. */
  readonly traversal?: NatTraversal;
  /** A NAT before this side; before the peer. */
  readonly local: boolean;
  readonly remote: boolean;
  /** ESP is to be wrapped in UDP: there is a NAT, or one is to be pretended. */
  readonly encapsulate: boolean;
}

type Cookies = Pick<IsakmpHeader, 'cookieI' | 'cookieR'>;

/** `HASH(CKY-I | CKY-R | IP | Port)` with the negotiated hash. */
export function natdHash(hashName: string, { cookieI, cookieR }: Cookies, end: UdpEndpoint): Uint8Array {
  const port = new ByteWriter(2).u16(end.port).finish();
  return hash(transform('prf', hashName).hash, cookieI, cookieR, addressOctets(end.address), port);
}

/**
 * The NAT-D payloads to send: the peer's end first, then this one's, which is made up where a NAT is to be pretended.
 */
export function natdPayloads(
  traversal: NatTraversal,
  hashName: string,
  cookies: Cookies,
  path: UdpPath,
  pretend: RandomSource | undefined,
): readonly Payload[] {
  const type = traversal === 'rfc3947' ? PayloadType.natD : PayloadType.natDDraft;
  const source = natdHash(hashName, cookies, path.local);
  return [
    { type, body: natdHash(hashName, cookies, path.remote) },
    { type, body: pretend === undefined ? source : pretend.bytes(source.length) },
  ];
}

/** What the peer's NAT-D payloads say: the first is about this side, any of the others may be the peer's source. */
export function detectNat(
  traversal: NatTraversal | undefined,
  payloads: readonly Payload[],
  hashName: string,
  cookies: Cookies,
  path: UdpPath,
  pretend: boolean,
): NatSituation {
  const type = traversal === 'draft' ? PayloadType.natDDraft : PayloadType.natD;
  const [destination, ...sources] = bodiesOf(payloads, type).map(hex);
  if (traversal === undefined || destination === undefined || sources.length === 0) {
    return { local: false, remote: false, encapsulate: false };
  }
  const local = destination !== hex(natdHash(hashName, cookies, path.local));
  const remote = !sources.includes(hex(natdHash(hashName, cookies, path.remote)));
  return { traversal, local, remote, encapsulate: local || remote || pretend };
}

/** Where an initiator goes on once a NAT is known. A path that does not lead to port 500 stays as it is. */
export function floated({ local, remote }: UdpPath): UdpPath {
  if (remote.port !== IKE_PORT) return { local, remote };
  return {
    local: local.port === IKE_PORT ? { ...local, port: NAT_PORT } : local,
    remote: { ...remote, port: NAT_PORT },
  };
}

/**
 * Where the peer is, seen by an authenticated message that is not a repeated one; `undefined` when that is nothing
 * new. The side that is behind a NAT does not follow (RFC 3947 section 7), nor does anybody a straggler from before
 * the float (section 4).
 */
export function followed(current: UdpPath, seen: UdpPath, nat: NatSituation): UdpPath | undefined {
  const moved = !sameEndpoint(seen.remote, current.remote) || !sameEndpoint(seen.local, current.local);
  const straggler = current.local.port === NAT_PORT && seen.local.port === IKE_PORT;
  return moved && !straggler && !nat.local && nat.traversal !== undefined ? seen : undefined;
}
