/** Vendor ID payloads (RFC 2408 section 3.16): what a peer can do. */
import { hex } from '../../bytes.ts';
import { type FirstFlight, type Recognition, recognisePeer } from '../profiles/recognition.ts';
import { implementationOf, VENDOR_ID } from '../vendor-id-table.ts';
import { agreeOnEncapsulation, areOurselves, type OwnVendorId, ownVendorIds } from '../vendor-ids.ts';
import { firstFlightOf } from './first-flight.ts';
import { PayloadType } from './numbers.ts';
import { bodiesOf, type Payload } from './payload.ts';

/** Which text of NAT traversal both sides follow; payload and mode numbers differ. */
export type NatTraversal = 'rfc3947' | 'draft';

/** RFC 3706 section 5.1, version 1.0. */
const DPD = `${VENDOR_ID.deadPeerDetection}00`;

/** The capability, of 4 octets, is Main Mode. */
const FRAGMENTATION_MAIN_MODE = `${VENDOR_ID.fragmentation}80000000`;

const NAT_TRAVERSAL: readonly { readonly id: string; readonly kind: NatTraversal }[] = [
  { id: VENDOR_ID.rfc3947, kind: 'rfc3947' },
  { id: VENDOR_ID.draft03, kind: 'draft' },
  { id: VENDOR_ID.draft02WithLineFeed, kind: 'draft' },
  { id: VENDOR_ID.draft02, kind: 'draft' },
];

export interface PeerVendor {
  /** What of NAT traversal both sides know, the better kind; absent: nothing. */
  readonly natTraversal?: NatTraversal;
  /** The vendor id that says so, to be returned by a responder. */
  readonly natTraversalId?: Uint8Array;
  readonly deadPeerDetection: boolean;
  readonly fragmentation: boolean;
  /** In words; empty when unknown. */
  readonly implementation: string;
  /** Absent when it looks like nobody who is known. */
  readonly looksLike?: Recognition;
  /** Both sides said that they are Culvert. */
  readonly amongOurselves: boolean;
  /** It wants ESP in UDP, as this side does. */
  readonly encapsulationAgreed: boolean;
}

/**
 * What the vendor ids among `payloads` mean.
 * @param payloads of the first message of the peer.
 * @param role whether the peer calls, or answered a call.
 * @throws DecodeError when the SA payload is malformed.
 */
export function recognizeVendor(own: OwnVendorId, payloads: readonly Payload[], role: FirstFlight['role']): PeerVendor {
  const bodies = bodiesOf(payloads, PayloadType.vendorId);
  const ids = bodies.map(hex);
  const nat = NAT_TRAVERSAL.find(({ id }) => ids.includes(id));
  const looksLike = recognisePeer(firstFlightOf(payloads, role));
  return {
    ...(nat === undefined ? {} : { natTraversal: nat.kind, natTraversalId: octetsOfHex(nat.id) }),
    deadPeerDetection: ids.some((id) => id.startsWith(VENDOR_ID.deadPeerDetection)),
    fragmentation: ids.some((id) => id.startsWith(VENDOR_ID.fragmentation)),
    implementation: implementationOf(bodies),
    ...(looksLike === undefined ? {} : { looksLike }),
    amongOurselves: areOurselves(own, bodies),
    encapsulationAgreed: agreeOnEncapsulation(own, bodies),
  };
}

/** What an initiator says it can do. @param login a user is to be logged in. */
export function initiatorVendorIds(own: OwnVendorId, login: boolean): readonly Payload[] {
  return vendorPayloads(own, [...NAT_TRAVERSAL.map(({ id }) => id), DPD, ...loginIds(login), FRAGMENTATION_MAIN_MODE]);
}

/** What a responder answers: of NAT traversal the one that is to be used, if any. @param login as for the other side. */
export function responderVendorIds(own: OwnVendorId, peer: PeerVendor, login: boolean): readonly Payload[] {
  const nat = peer.natTraversalId === undefined ? [] : [hex(peer.natTraversalId)];
  return vendorPayloads(own, [...nat, DPD, ...loginIds(login), FRAGMENTATION_MAIN_MODE]);
}

function loginIds(login: boolean): readonly string[] {
  return login ? [VENDOR_ID.xauth] : [];
}

function vendorPayloads(own: OwnVendorId, ids: readonly string[]): readonly Payload[] {
  const bodies = [...ids.map(octetsOfHex), ...ownVendorIds(own)];
  return bodies.map((body) => ({ type: PayloadType.vendorId, body }));
}

function octetsOfHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}
