/**
 * Transport mode through a NAT (RFC 3948 section 3.1.2): the sender computed the TCP or UDP checksum over the addresses
 * that it saw, and the NAT could not correct what it could not read. With the original addresses, which IKE exchanged
 * (NAT-OA, RFC 3947 section 5.2), the checksum is corrected by the difference, so that damage stays recognisable.
 */
import { EncodeError } from '../bytes.ts';
import { parseIpv4 } from '../ip-address.ts';
import { fold } from './internet-checksum.ts';
import { TCP, UDP } from './ip-packet.ts';
import { putU16, u16 } from './octets.ts';

/** Offset of the checksum and length of the header, octets. */
const CHECKSUM_AT: Readonly<Record<number, { readonly offset: number; readonly header: number }>> = {
  [TCP]: { offset: 16, header: 20 },
  [UDP]: { offset: 6, header: 8 },
};

/** IPv4 addresses as dotted quads. */
export interface AddressPair {
  readonly source: string;
  readonly destination: string;
}

export class NatChecksum {
  /** What is added to the complement of a checksum. */
  readonly #difference: number;

  /**
   * @param original the addresses that the sender computed the checksum over.
   * @param received those that the receiver will check it against.
   * @throws EncodeError when one is no IPv4 address.
   */
  constructor(original: AddressPair, received: AddressPair) {
    const removed = addressSum(original.source) + addressSum(original.destination);
    const added = addressSum(received.source) + addressSum(received.destination);
    this.#difference = fold(added + (~fold(removed) & 0xffff));
  }

  /**
   * Corrects the checksum of the TCP or UDP payload at `bytes[at..at+length)`. A UDP checksum of zero stays: there is
   * none (RFC 768).
   * @returns false when there is nothing to correct: another protocol, or shorter than its header.
   */
  correct(bytes: Uint8Array, at: number, length: number, protocol: number): boolean {
    const field = CHECKSUM_AT[protocol];
    if (field === undefined || length < field.header || at + length > bytes.length) return false;
    const checksum = u16(bytes, at + field.offset);
    if (protocol === UDP && checksum === 0) return false;
    const corrected = ~fold((~checksum & 0xffff) + this.#difference) & 0xffff;
    putU16(bytes, at + field.offset, protocol === UDP && corrected === 0 ? 0xffff : corrected);
    return true;
  }
}

/**
 * Where the original addresses are not known: takes the UDP checksum out (RFC 3948 section 3.1.2, item 3); the ICV has
 * vouched for the datagram. @returns false when it is not UDP or too short.
 */
export function clearUdpChecksum(bytes: Uint8Array, at: number, length: number, protocol: number): boolean {
  if (protocol !== UDP || length < 8 || at + length > bytes.length) return false;
  putU16(bytes, at + 6, 0);
  return true;
}

function addressSum(text: string): number {
  const address = parseIpv4(text);
  if (address === undefined) throw new EncodeError(`${text} is no IPv4 address`);
  return (address >>> 16) + (address & 0xffff);
}
