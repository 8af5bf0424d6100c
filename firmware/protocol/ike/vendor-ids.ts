/** What Culvert says of itself in vendor ids, whatever the version (RFC 2408 section 3.16; RFC 7296 section 3.12). */
import { concatBytes, hex } from '../bytes.ts';
import { OWN_NAME } from './vendor-id-table.ts';

/** In the octet behind the name: the sender wants ESP in UDP with a peer that wants it, too. */
const WANTS_ENCAPSULATION = 0x01;

/** What an endpoint says of itself, and asks of others like it. */
export interface OwnVendorId {
  /** Whether to say with a Vendor ID payload whose implementation this is. */
  readonly vendorId: boolean;
  /** Whether to wrap ESP in UDP with another Culvert that wants it, too. Nothing comes of it without `vendorId`. */
  readonly encapsulateAmongOurselves: boolean;
}

/** Bodies of the vendor ids that name this implementation: one or none. */
export function ownVendorIds({ vendorId, encapsulateAmongOurselves }: OwnVendorId): readonly Uint8Array[] {
  if (!vendorId) return [];
  return [concatBytes(OWN_NAME, Uint8Array.of(encapsulateAmongOurselves ? WANTS_ENCAPSULATION : 0))];
}

/** Whether both sides said that they want ESP in UDP: no NAT has to be pretended then. */
export function agreeOnEncapsulation(own: OwnVendorId, ids: readonly Uint8Array[]): boolean {
  if (!own.vendorId || !own.encapsulateAmongOurselves) return false;
  return ids.some((id) => isOurs(id) && ((id[OWN_NAME.length] ?? 0) & WANTS_ENCAPSULATION) !== 0);
}

/** Whether both sides said that they are this implementation: what is of private use means the same to both then. */
export function areOurselves(own: OwnVendorId, ids: readonly Uint8Array[]): boolean {
  return own.vendorId && ids.some(isOurs);
}

function isOurs(id: Uint8Array): boolean {
  return hex(id).startsWith(hex(OWN_NAME));
}
