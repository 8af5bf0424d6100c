/** Vendor ID payloads (RFC 2408 section 3.16): what a peer can do. */
import { hex } from '../../bytes.ts';
import { agreeOnEncapsulation, implementationOf, type OwnVendorId, ownVendorIds } from '../vendor-ids.ts';
import { PayloadType } from './numbers.ts';
import { bodiesOf, type Payload } from './payload.ts';

/** Which text of NAT traversal both sides follow; payload and mode numbers differ. */
export type NatTraversal = 'rfc3947' | 'draft';

/** MD5 of `RFC 3947` and of the drafts' names; draft 02 went into the world with a line feed behind its name, too. */
const RFC_3947 = '4a131c81070358455c5728f20e95452f';
const DRAFT_03 = '7d9419a65310ca6f2c179d9215529d56';
const DRAFT_02_LF = '90cb80913ebb696e086381b5ec427b1f';
const DRAFT_02 = 'cd60464335df21f87cfdb2fc68b6a448';

/** RFC 3706 section 5.1, version 1.0. */
const DPD = 'afcad71368a1f1c96b8696fc77570100';
const DPD_ANY_MINOR = 'afcad71368a1f1c96b8696fc775701';

/** draft-beaulieu-ike-xauth-02 section 6. */
const XAUTH = '09002689dfd6b712';

/** MD5 of `FRAGMENTATION`; behind it, from some, 4 octets of capabilities, of which this is Main Mode. */
const FRAGMENTATION = '4048b7d56ebce88525e7de7f00d6c2d3';
const FRAGMENTATION_MAIN_MODE = `${FRAGMENTATION}80000000`;

/** What some vendor ids say that a side can do, by how they begin. */
export const CAPABILITY_VENDOR_IDS: readonly { readonly prefix: string; readonly name: string }[] = [
  { prefix: RFC_3947, name: 'NAT traversal (RFC 3947)' },
  { prefix: DRAFT_03, name: 'NAT traversal (draft 03)' },
  { prefix: DRAFT_02_LF, name: 'NAT traversal (draft 02, with a line feed)' },
  { prefix: DRAFT_02, name: 'NAT traversal (draft 02)' },
  { prefix: DPD_ANY_MINOR, name: 'Dead Peer Detection (RFC 3706)' },
  { prefix: XAUTH, name: 'XAUTH' },
  { prefix: FRAGMENTATION, name: 'IKE fragmentation' },
];

const NAT_TRAVERSAL: readonly { readonly id: string; readonly kind: NatTraversal }[] = [
  { id: RFC_3947, kind: 'rfc3947' },
  { id: DRAFT_03, kind: 'draft' },
  { id: DRAFT_02_LF, kind: 'draft' },
  { id: DRAFT_02, kind: 'draft' },
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
  /** It wants ESP in UDP, as this side does. */
  readonly encapsulationAgreed: boolean;
}

/** What the vendor ids among `payloads` mean. */
export function recognizeVendor(own: OwnVendorId, payloads: readonly Payload[]): PeerVendor {
  const bodies = bodiesOf(payloads, PayloadType.vendorId);
  const ids = bodies.map(hex);
  const nat = NAT_TRAVERSAL.find(({ id }) => ids.includes(id));
  return {
    ...(nat === undefined ? {} : { natTraversal: nat.kind, natTraversalId: octetsOfHex(nat.id) }),
    deadPeerDetection: ids.some((id) => id.startsWith(DPD_ANY_MINOR)),
    fragmentation: ids.some((id) => id.startsWith(FRAGMENTATION)),
    implementation: implementationOf(bodies),
    encapsulationAgreed: agreeOnEncapsulation(own, bodies),
  };
}

/** What an initiator says it can do. @param login a user is to be logged in. */
export function initiatorVendorIds(own: OwnVendorId, login: boolean): readonly Payload[] {
  const xauth = login ? [XAUTH] : [];
  return vendorPayloads(own, [RFC_3947, DRAFT_03, DRAFT_02_LF, DRAFT_02, DPD, ...xauth, FRAGMENTATION_MAIN_MODE]);
}

/** What a responder answers: of NAT traversal the one that is to be used, if any. */
export function responderVendorIds(own: OwnVendorId, peer: PeerVendor): readonly Payload[] {
  const nat = peer.natTraversalId === undefined ? [] : [hex(peer.natTraversalId)];
  return vendorPayloads(own, [...nat, DPD, FRAGMENTATION_MAIN_MODE]);
}

function vendorPayloads(own: OwnVendorId, ids: readonly string[]): readonly Payload[] {
  const bodies = [...ids.map(octetsOfHex), ...ownVendorIds(own)];
  return bodies.map((body) => ({ type: PayloadType.vendorId, body }));
}

function octetsOfHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}
