/** What vendor ids mean, in words (RFC 2408 section 3.16, RFC 7296 section 3.12). */
import { hex } from '../../../protocol/bytes.ts';
import { CAPABILITY_VENDOR_IDS } from '../../../protocol/ike/v1/vendor-ids.ts';
import { implementationOf } from '../../../protocol/ike/vendor-ids.ts';

/** Those that the machines have no use for, by how they begin. */
const OTHERS: readonly { readonly prefix: string; readonly name: string }[] = [
  { prefix: '09002689dfd6b712', name: 'XAUTH' },
  { prefix: '12f5f28c457168a9702d9fe274cc', name: 'Cisco Unity' },
  { prefix: '4485152d18b6bbcd0be8a8469579ddcc', name: 'NAT traversal (draft 00)' },
  { prefix: '16f6ca16e4a4066d83821a0f0aeaa862', name: 'NAT traversal (draft 01)' },
  { prefix: '9909b64eed937c6573de52ace952fa6b', name: 'NAT traversal (draft 04)' },
  { prefix: '80d0bb3def54565ee84645d4c85ce3ee', name: 'NAT traversal (draft 05)' },
  { prefix: '4d1e0e136deafa34c4f3ea9f02ec7285', name: 'NAT traversal (draft 06)' },
  { prefix: '439b59f8ba676c4c7737ae22eab8f582', name: 'NAT traversal (draft 07)' },
  { prefix: '8f8d83826d246b6fc7a8a6a428c11de8', name: 'NAT traversal (draft 08)' },
  { prefix: '26244d38eddb61b3172a36e3d0cfb819', name: 'Windows: Initial Contact' },
  { prefix: 'fb1de3cdf341b7ea16b7e5be0855f120', name: 'Windows: Negotiation Discovery' },
  { prefix: 'e3a5966a76379fe707228231e5ce8652', name: 'Windows: IKE CGA version 1' },
];

/** Meaning of a vendor id; `undefined` when unknown. */
export function vendorMeaning(id: Uint8Array): string | undefined {
  const text = hex(id);
  const known = [...CAPABILITY_VENDOR_IDS, ...OTHERS].find(({ prefix }) => text.startsWith(prefix));
  if (known !== undefined) return known.name;
  const implementation = implementationOf([id]);
  return implementation === '' ? undefined : implementation;
}
