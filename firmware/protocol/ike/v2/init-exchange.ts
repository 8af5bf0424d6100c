/** What both roles of IKE_SA_INIT share (RFC 7296 sections 1.2 and 2.14). */
import type { IkeSaSeed } from '../crypto/keys-v2.ts';
import type { IkeHost, IkeSa } from './ike-sa.ts';
import { natdPayloads } from './natd.ts';
import { notify } from './notify.ts';
import type { Payload } from './payload.ts';
import { OWN_VENDOR_ID } from './vendor-id.ts';

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
  const pretend = sa.connection.forceEncapsulation === true ? sa.host.random : undefined;
  return [
    ...natdPayloads(sa.spiI, sa.spiR, sa.path, pretend),
    notify('IKEV2_FRAGMENTATION_SUPPORTED'),
    ...vendorPayloads(sa.host),
  ];
}

function vendorPayloads({ vendorId }: IkeHost): readonly Payload[] {
  return vendorId ? [{ kind: 'V', data: OWN_VENDOR_ID }] : [];
}

/** What the keys are made of. */
export function seedOf(sa: IkeSa, nonceI: Uint8Array, nonceR: Uint8Array, sharedSecret: Uint8Array): IkeSaSeed {
  return { nonceI, nonceR, spiI: sa.spiI, spiR: sa.spiR, sharedSecret };
}
