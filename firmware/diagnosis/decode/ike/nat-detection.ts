/** NAT-D hashes held against the addresses that the packet has here (RFC 3947 section 3.2, RFC 7296 section 2.23). */

import { natdHash, natdMatches } from '../../../protocol/ike/nat.ts';
import type { HashName } from '../../../protocol/ike/transforms.ts';
import { parseIpv4, parseIpv6 } from '../../../protocol/ip-address.ts';
import type { FieldValue, MessageEnd, MessagePlace } from '../decoded.ts';

/** What the hashes of one message say. */
export interface NatHashes {
  readonly source: Uint8Array[];
  readonly destination: Uint8Array[];
}

/** Whether a hash is that of an end; `undefined` where the capture does not have its address. */
export function isHashOf(
  algorithm: HashName,
  spis: { readonly spiI: Uint8Array; readonly spiR: Uint8Array },
  hash: Uint8Array,
  end: MessageEnd,
): boolean | undefined {
  if (parseIpv4(end.address) === undefined && parseIpv6(end.address) === undefined) return undefined;
  return natdMatches([hash], natdHash(algorithm, spis.spiI, spis.spiR, end));
}

/** In words; `undefined` when there is nothing to say. */
export function natWords(
  algorithm: HashName,
  spis: { readonly spiI: Uint8Array; readonly spiR: Uint8Array },
  hashes: NatHashes,
  { source, destination }: MessagePlace,
): Record<string, FieldValue> | undefined {
  const judge = (ones: readonly Uint8Array[], end: MessageEnd, what: string): string | undefined => {
    if (ones.length === 0) return undefined;
    const matches = ones.map((hash) => isHashOf(algorithm, spis, hash, end));
    if (matches.includes(true)) return `${what} address is as the sender knows it`;
    if (matches.includes(undefined)) return undefined;
    return `${what} address was changed on the way, or its sender pretends that it was`;
  };
  const words = {
    source: judge(hashes.source, source, 'the source'),
    destination: judge(hashes.destination, destination, 'the destination'),
  };
  const said = Object.entries(words).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return said.length === 0 ? undefined : Object.fromEntries(said);
}
