/** What both roles of IKE_SA_INIT share (RFC 7296 sections 1.2 and 2.14). */
import { ByteReader, ByteWriter } from '../../bytes.ts';
import type { UdpPath } from '../../udp-path.ts';
import type { IkeSaSeed } from '../crypto/keys-v2.ts';
import { SIGNATURE_HASHES } from '../crypto/signature.ts';
import { type FirstFlight, recognisePeer } from '../profiles/recognition.ts';
import { implementationOf } from '../vendor-id-table.ts';
import { agreeOnEncapsulation, areOurselves, ownVendorIds } from '../vendor-ids.ts';
import type { IkeSa } from './ike-sa.ts';
import { detectNat, knowsNatTraversal, natdPayloads } from './natd.ts';
import { findNotify, notify } from './notify.ts';
import { find, findAll, type Payload } from './payload.ts';
import { ikeOffersOf } from './sa-payload.ts';

/** Octets of a nonce of ours: half the key size of any prf and more (section 2.10). */
export const NONCE_OCTETS = 32;

/** What the two sides know after the exchange. */
export interface InitResult {
  /** The first message of each side, in octets: AUTH covers them (section 2.15). */
  readonly requestOctets: Uint8Array;
  readonly responseOctets: Uint8Array;
}

/**
 * What follows SA, KE and Nonce in either message.
 * @param signed whether a side may prove itself by signature (RFC 7427 section 4).
 */
export function closingPayloads(sa: IkeSa, signed: boolean): readonly Payload[] {
  const pretend = sa.connection.forceEncapsulation === true && !sa.encapsulationAgreed ? sa.host.random : undefined;
  return [
    ...natdPayloads(sa.spiI, sa.spiR, sa.path, pretend),
    notify('IKEV2_FRAGMENTATION_SUPPORTED'),
    ...(signed ? [notify('SIGNATURE_HASH_ALGORITHMS', u16List(SIGNATURE_HASHES))] : []),
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
  sa.looksLike = recognisePeer(firstFlightOf(payloads, sa.initiator ? 'called' : 'caller'));
  sa.amongOurselves = areOurselves(sa.host, ids);
  sa.encapsulationAgreed = agreeOnEncapsulation(sa.host, ids);
  sa.nat = detectNat(payloads, sa.spiI, spiR, path, { agreed: sa.encapsulationAgreed, forced });
  sa.peerHashes = readU16List(findNotify(payloads, 'SIGNATURE_HASH_ALGORITHMS')?.data ?? new Uint8Array(0));
  sa.mobility = { agreed: false, natTraversal: knowsNatTraversal(payloads) };
  sa.fragmentation = findNotify(payloads, 'IKEV2_FRAGMENTATION_SUPPORTED') !== undefined;
}

/** What the first message of a peer says of its sender. */
export function firstFlightOf(payloads: readonly Payload[], role: FirstFlight['role']): FirstFlight {
  const vendorIds = findAll(payloads, 'V').map(({ data }) => data);
  const offers = ikeOffersOf(find(payloads, 'SA')?.proposals ?? [], 0).map(({ offer }) => offer);
  return { version: 2, role, vendorIds, offers };
}

/** Hash algorithms of a peer that are looked at. */
const MAX_HASHES = 16;

function u16List(numbers: readonly number[]): Uint8Array {
  const writer = new ByteWriter(2 * numbers.length);
  for (const number of numbers) writer.u16(number);
  return writer.finish();
}

/** An odd octet at the end is left aside. */
function readU16List(data: Uint8Array): readonly number[] {
  const reader = new ByteReader(data);
  const numbers: number[] = [];
  while (reader.remaining >= 2 && numbers.length < MAX_HASHES) numbers.push(reader.u16('Hash Algorithm'));
  return numbers;
}

/** What the keys are made of. */
export function seedOf(sa: IkeSa, nonceI: Uint8Array, nonceR: Uint8Array, sharedSecret: Uint8Array): IkeSaSeed {
  return { nonceI, nonceR, spiI: sa.spiI, spiR: sa.spiR, sharedSecret };
}
