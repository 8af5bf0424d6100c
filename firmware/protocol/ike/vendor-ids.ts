/**
 * Vendor ids that do not depend on the version (RFC 2408 section 3.16; RFC 7296 section 3.12): whose implementation a
 * peer is, and what Culvert says of itself.
 */
import { concatBytes, hex, utf8Bytes } from '../bytes.ts';

const OWN_NAME: Uint8Array = utf8Bytes('Culvert IKE');

/** In the octet behind the name: the sender wants ESP in UDP with a peer that wants it, too. */
const WANTS_ENCAPSULATION = 0x01;

/** By how the vendor id begins. Who imitates another's vendor ids (many send Cisco's) comes before that other. */
const IMPLEMENTATIONS: readonly { readonly prefix: string; readonly name: string }[] = [
  { prefix: hex(OWN_NAME), name: 'Culvert' },
  { prefix: '882fe56d6fd20dbc2251613b2ebe5beb', name: 'strongSwan' },
  { prefix: '4f454c696272657377616e', name: 'Libreswan' },
  { prefix: '4f452d4c69627265737761', name: 'Libreswan' },
  { prefix: '1e2b516905991c7d7c96fcbfb587e461', name: 'Windows' },
  { prefix: '8299031757a36082c6a621de', name: 'FortiGate' },
  { prefix: '1d6e178f6c2c0be284985465450fe9d4', name: 'FortiGate' },
  { prefix: '166f932d55eb64d8e4df4fd37e2313f0d0fd8451', name: 'Juniper' },
  { prefix: '7003cbc1097dbe9c2600ba6983bc8b35', name: 'racoon' },
  { prefix: '434953434f2d44454c4554452d524541', name: 'Cisco' },
  { prefix: '434953434f', name: 'Cisco' },
  { prefix: '4f45', name: 'Openswan' },
  { prefix: '12f5f28c457168a9702d9fe274cc', name: 'Cisco, or one that speaks its dialect' },
];

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

/** Name in words, by the bodies of the vendor ids; empty when unknown. */
export function implementationOf(ids: readonly Uint8Array[]): string {
  const texts = ids.map(hex);
  return IMPLEMENTATIONS.find(({ prefix }) => texts.some((text) => text.startsWith(prefix)))?.name ?? '';
}

/** Whether both sides said that they want ESP in UDP: no NAT has to be pretended then. */
export function agreeOnEncapsulation(own: OwnVendorId, ids: readonly Uint8Array[]): boolean {
  if (!own.vendorId || !own.encapsulateAmongOurselves) return false;
  const name = hex(OWN_NAME);
  return ids.some((id) => hex(id).startsWith(name) && ((id[OWN_NAME.length] ?? 0) & WANTS_ENCAPSULATION) !== 0);
}
