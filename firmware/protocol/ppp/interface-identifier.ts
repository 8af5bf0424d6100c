/** Interface identifiers of IPv6 over PPP: the lower eight octets of a link's addresses (RFC 5072 sections 4.1 and 5). */
import type { RandomSource } from '../machine.ts';

/** Octets of an interface identifier. */
export const INTERFACE_IDENTIFIER_OCTETS = 8;

/** Universal/local bit of the first octet: not ours to set, since our identifiers come from no IEEE number. */
const UNIVERSAL = 0x02;

/** Neither zero nor, by the universal/local bit, claimed to be unique in the world (RFC 5072 section 4.1, case 3). */
export function randomInterfaceIdentifier(random: RandomSource): Uint8Array {
  const identifier = random.bytes(INTERFACE_IDENTIFIER_OCTETS);
  identifier[0] = (identifier[0] ?? 0) & ~UNIVERSAL;
  // Zero means "none" on the wire, and is the Subnet-Router anycast address of every prefix.
  if (isZero(identifier)) identifier[INTERFACE_IDENTIFIER_OCTETS - 1] = 1;
  return identifier;
}

export function isZero(identifier: Uint8Array): boolean {
  return identifier.every((octet) => octet === 0);
}

export function sameIdentifier(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, index) => octet === b[index]);
}
