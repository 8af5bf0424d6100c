/** Values that both versions have in common, as the decoder shows them. */

import { hex } from '../../../protocol/bytes.ts';
import { addressText, isAddressOctets } from '../../../protocol/ike/address-octets.ts';
import { printable } from '../../../protocol/printable.ts';
import type { FieldReader } from '../field-reader.ts';

/** All that is left as an IP address. @throws FieldError when it is none. */
export function addressRest(reader: FieldReader, octets: 4 | 16, field: string): string {
  if (reader.remaining !== octets) reader.fail(field, `${reader.remaining} octets instead of ${octets}`);
  return addressText(reader.rest());
}

/** An address in the next octets. @throws FieldError */
export function address(reader: FieldReader, octets: 4 | 16, field: string): string {
  return addressText(reader.bytes(octets, field));
}

/** Octets that are mostly an address or a text: whichever they look like. */
export function guessed(octets: Uint8Array): string {
  if (isAddressOctets(octets)) return addressText(octets);
  return isText(octets) ? printable(octets) : hex(octets);
}

function isText(octets: Uint8Array): boolean {
  return octets.length > 0 && octets.every((octet) => octet >= 0x20 && octet < 0x7f);
}
