/** NAT discovery in phase 1 (RFC 3947 section 3.2), and where a peer behind a NAT is. */
import type { RandomSource } from '../../machine.ts';
import { sameEndpoint, type UdpPath } from '../../udp-path.ts';
import {
  type EncapsulationWish,
  IKE_PORT,
  NAT_PORT,
  type NatSituation,
  NO_NAT,
  natdHash,
  natdMatches,
  natSituation,
} from '../nat.ts';
import { transform } from '../transforms.ts';
import type { IsakmpHeader } from './header.ts';
import { PayloadType } from './numbers.ts';
import { bodiesOf, type Payload } from './payload.ts';
import type { NatTraversal } from './vendor-ids.ts';

export interface NatSituationV1 extends NatSituation {
  /** Text of NAT traversal in use; absent: the peer knows none, or sent no NAT-D. */
  readonly traversal?: NatTraversal;
}

type Cookies = Pick<IsakmpHeader, 'cookieI' | 'cookieR'>;

/**
 * The NAT-D payloads to send: the peer's end first, then this one's, which is made up where a NAT is to be pretended.
 * @param prf whose hash is used.
 */
export function natdPayloads(
  traversal: NatTraversal,
  prf: string,
  { cookieI, cookieR }: Cookies,
  path: UdpPath,
  pretend: RandomSource | undefined,
): readonly Payload[] {
  const type = traversal === 'rfc3947' ? PayloadType.natD : PayloadType.natDDraft;
  const { hash } = transform('prf', prf);
  const source = natdHash(hash, cookieI, cookieR, path.local);
  return [
    { type, body: natdHash(hash, cookieI, cookieR, path.remote) },
    { type, body: pretend === undefined ? source : pretend.bytes(source.length) },
  ];
}

/**
 * What the peer's NAT-D payloads say: the first is about this side, any of the others may be the peer's source.
 * @param paths on which the message came, or the one before: some move to port 4500 between hashing and sending.
 */
export function detectNat(
  traversal: NatTraversal | undefined,
  payloads: readonly Payload[],
  prf: string,
  { cookieI, cookieR }: Cookies,
  paths: UdpPath | readonly UdpPath[],
  wish: EncapsulationWish,
): NatSituationV1 {
  const type = traversal === 'draft' ? PayloadType.natDDraft : PayloadType.natD;
  const [destination, ...sources] = bodiesOf(payloads, type);
  if (traversal === undefined || destination === undefined || sources.length === 0) return NO_NAT;
  const { hash } = transform('prf', prf);
  const seen = [paths].flat();
  const local = !seen.some((path) => natdMatches([destination], natdHash(hash, cookieI, cookieR, path.local)));
  const remote = !seen.some((path) => natdMatches(sources, natdHash(hash, cookieI, cookieR, path.remote)));
  return { traversal, ...natSituation(local, remote, wish) };
}

/**
 * Where the peer is, seen by an authenticated message that is not a repeated one; `undefined` when that is nothing
 * new. The side that is behind a NAT does not follow (RFC 3947 section 7), nor does anybody a straggler from before
 * the float (section 4).
 */
export function followed(current: UdpPath, seen: UdpPath, nat: NatSituationV1): UdpPath | undefined {
  const moved = !sameEndpoint(seen.remote, current.remote) || !sameEndpoint(seen.local, current.local);
  const straggler = current.local.port === NAT_PORT && seen.local.port === IKE_PORT;
  return moved && !straggler && !nat.local && nat.traversal !== undefined ? seen : undefined;
}
