/** Vendor ID payloads (RFC 7296 section 3.12): whose implementation the peer is. Nothing is done because of one. */
import { hex, utf8Bytes } from '../../bytes.ts';
import { findAll, type Payload } from './payload.ts';

/** What this side sends. */
export const OWN_VENDOR_ID: Uint8Array = utf8Bytes('Culvert IKE');

/** By how the vendor id begins, in hexadecimal. */
const IMPLEMENTATIONS: readonly { readonly prefix: string; readonly name: string }[] = [
  { prefix: hex(OWN_VENDOR_ID), name: 'Culvert' },
  { prefix: '882fe56d6fd20dbc2251613b2ebe5beb', name: 'strongSwan' },
  { prefix: '4f452d4c69627265737761', name: 'Libreswan' },
  { prefix: '1e2b516905991c7d7c96fcbfb587e461', name: 'Windows' },
  { prefix: '8299031757a36082c6a621de', name: 'FortiGate' },
  { prefix: '434953434f2d44454c4554452d524541', name: 'Cisco' },
  { prefix: '434953434f', name: 'Cisco' },
  { prefix: '4f45', name: 'Openswan' },
];

/** In words; empty when unknown. */
export function implementationOf(payloads: readonly Payload[]): string {
  const ids = findAll(payloads, 'V').map(({ data }) => hex(data));
  return IMPLEMENTATIONS.find(({ prefix }) => ids.some((id) => id.startsWith(prefix)))?.name ?? '';
}
