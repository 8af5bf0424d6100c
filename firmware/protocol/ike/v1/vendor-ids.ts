/** Vendor ID payloads (RFC 2408 section 3.16): what a peer can do, and whose it is. */
import { hex } from '../../bytes.ts';
import { PayloadType } from './numbers.ts';
import type { Payload } from './payload.ts';

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

/** MD5 of `FRAGMENTATION`; behind it, from some, 4 octets of capabilities, of which this is Main Mode. */
const FRAGMENTATION = '4048b7d56ebce88525e7de7f00d6c2d3';
const FRAGMENTATION_MAIN_MODE = `${FRAGMENTATION}80000000`;

const NAT_TRAVERSAL: readonly { readonly id: string; readonly kind: NatTraversal }[] = [
  { id: RFC_3947, kind: 'rfc3947' },
  { id: DRAFT_03, kind: 'draft' },
  { id: DRAFT_02_LF, kind: 'draft' },
  { id: DRAFT_02, kind: 'draft' },
];

/** By how the vendor id begins. Who imitates another's vendor ids (many send Cisco's) comes before that other. */
const IMPLEMENTATIONS: readonly { readonly prefix: string; readonly name: string }[] = [
  { prefix: '882fe56d6fd20dbc2251613b2ebe5beb', name: 'strongSwan' },
  { prefix: '4f454c696272657377616e', name: 'Libreswan' },
  { prefix: '4f452d4c69627265737761', name: 'Libreswan' },
  { prefix: '1e2b516905991c7d7c96fcbfb587e461', name: 'Windows' },
  { prefix: '8299031757a36082c6a621de', name: 'FortiGate' },
  { prefix: '1d6e178f6c2c0be284985465450fe9d4', name: 'FortiGate' },
  { prefix: '166f932d55eb64d8e4df4fd37e2313f0d0fd8451', name: 'Juniper' },
  { prefix: '7003cbc1097dbe9c2600ba6983bc8b35', name: 'racoon' },
  { prefix: '4f45', name: 'Openswan' },
  { prefix: '12f5f28c457168a9702d9fe274cc', name: 'Cisco, or one that speaks its dialect' },
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
}

/** What the vendor ids among `payloads` mean. */
export function recognizeVendor(payloads: readonly Payload[]): PeerVendor {
  const ids = payloads.filter(({ type }) => type === PayloadType.vendorId).map(({ body }) => hex(body));
  const nat = NAT_TRAVERSAL.find(({ id }) => ids.includes(id));
  const known = IMPLEMENTATIONS.find(({ prefix }) => ids.some((id) => id.startsWith(prefix)));
  return {
    ...(nat === undefined ? {} : { natTraversal: nat.kind, natTraversalId: octetsOfHex(nat.id) }),
    deadPeerDetection: ids.some((id) => id.startsWith(DPD_ANY_MINOR)),
    fragmentation: ids.some((id) => id.startsWith(FRAGMENTATION)),
    implementation: known?.name ?? '',
  };
}

/** What an initiator says it can do. */
export function initiatorVendorIds(): readonly Payload[] {
  return vendorPayloads([RFC_3947, DRAFT_03, DRAFT_02_LF, DRAFT_02, DPD, FRAGMENTATION_MAIN_MODE]);
}

/** What a responder answers: of NAT traversal the one that is to be used, if any. */
export function responderVendorIds(peer: PeerVendor): readonly Payload[] {
  const nat = peer.natTraversalId === undefined ? [] : [hex(peer.natTraversalId)];
  return vendorPayloads([...nat, DPD, FRAGMENTATION_MAIN_MODE]);
}

function vendorPayloads(ids: readonly string[]): readonly Payload[] {
  return ids.map((id) => ({ type: PayloadType.vendorId, body: octetsOfHex(id) }));
}

function octetsOfHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}
