/** What both roles of IKE_SA_INIT share (RFC 7296 sections 1.2 and 2.14). */
import type { UdpPath } from '../../udp-path.ts';
import type { IkeSaSeed } from '../crypto/keys-v2.ts';
import { agreeOnEncapsulation, implementationOf, ownVendorIds } from '../vendor-ids.ts';
import type { IkeSa } from './ike-sa.ts';
import { detectNat, natdPayloads } from './natd.ts';
import { findNotify, notify } from './notify.ts';
import { findAll, type Payload } from './payload.ts';

/** Octets of a nonce of ours: half the key size of any prf and more (section 2.10). */
export const NONCE_OCTETS = 32;

/** What the two sides know after the exchange. */
export interface InitResult {
  /** The first message of each side, in octets: AUTH covers them (section 2.15). */
  readonly requestOctets: Uint8Array;
  readonly responseOctets: Uint8Array;
}

/** What follows SA, KE and Nonce in either message. */
export function closingPayloads(sa: IkeSa): readonly Payload[] {
  const pretend = sa.connection.forceEncapsulation === true && !sa.encapsulationAgreed ? sa.host.random : undefined;
  return [
    ...natdPayloads(sa.spiI, sa.spiR, sa.path, pretend),
    notify('IKEV2_FRAGMENTATION_SUPPORTED'),
    ...ownVendorIds(sa.host).map((data) => ({ kind: 'V' as const, data })),
  ];
}

/**
 * What the closing payloads of the peer say.
 * @param spiR as it stands in the header of their message.
 * @param forced whether ESP is to go in UDP whatever they say.
 */
export function readClosingPayloads(
  sa: IkeSa,
  payloads: readonly Payload[],
  spiR: Uint8Array,
  path: UdpPath,
  forced: boolean,
): void {
  const ids = findAll(payloads, 'V').map(({ data }) => data);
  sa.implementation = implementationOf(ids);
  sa.encapsulationAgreed = agreeOnEncapsulation(sa.host, ids);
  sa.nat = detectNat(payloads, sa.spiI, spiR, path, { agreed: sa.encapsulationAgreed, forced });
  sa.fragmentation = findNotify(payloads, 'IKEV2_FRAGMENTATION_SUPPORTED') !== undefined;
}

/** What the keys are made of. */
export function seedOf(sa: IkeSa, nonceI: Uint8Array, nonceR: Uint8Array, sharedSecret: Uint8Array): IkeSaSeed {
  return { nonceI, nonceR, spiI: sa.spiI, spiR: sa.spiR, sharedSecret };
}
