/** From a captured frame to the packet inside: link types as in tcpdump's list of LINKTYPE_ numbers. */
import { ETHERTYPE_PPPOE_DISCOVERY, ETHERTYPE_PPPOE_SESSION } from '../../protocol/pppoe/packet.ts';
import { FieldError, type Octets, slice } from './field-reader.ts';

/** What a frame carries. `ppp` is a PPP frame, as PPPoE sessions and serial lines carry it. */
export type LinkPayload =
  | { readonly kind: 'ip'; readonly octets: Octets }
  | { readonly kind: 'ppp'; readonly octets: Octets; readonly session: string }
  | { readonly kind: 'pppoe-discovery'; readonly octets: Octets };

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
/** 802.1Q, 802.1ad and what was used for the outer tag before it. */
const ETHERTYPES_VLAN: readonly number[] = [0x8100, 0x88a8, 0x9100, 0x9200];
/** VLAN tags that are stepped over; nobody stacks more. */
const MAX_TAGS = 8;
/** Below this an Ethernet type is a length, and LLC follows. */
const LEAST_ETHERTYPE = 0x600;

type Find = (octets: Octets) => LinkPayload | undefined;

const LINK_TYPES: ReadonlyMap<number, Find> = new Map<number, Find>([
  // NULL and LOOP: an address family in somebody's byte order; the IP header says by itself what it is.
  [0, (octets) => ip(slice(octets, 4))],
  [108, (octets) => ip(slice(octets, 4))],
  [1, (octets) => ethertype(octets, 12)],
  // Raw IP: as the list has it, and as some systems number it.
  [12, ip],
  [14, ip],
  [101, ip],
  [228, ip],
  [229, ip],
  // Linux cooked capture, versions 1 and 2.
  [113, (octets) => ethertype(octets, 14)],
  [276, (octets) => ethertype(octets, 0, 20)],
  // PPP, and PPP in HDLC-like framing.
  [9, (octets) => ({ kind: 'ppp', octets, session: '' })],
  [50, (octets) => ({ kind: 'ppp', octets, session: '' })],
]);

/** Whether frames of this link type can be read. */
export function isKnownLinkType(linkType: number): boolean {
  return LINK_TYPES.has(linkType);
}

/**
 * The packet inside a frame; `undefined` when it is not one of interest (ARP, say), or the link type is unknown.
 * @throws FieldError when the frame ends inside its header.
 */
export function linkPayload(linkType: number, frame: Octets): LinkPayload | undefined {
  return LINK_TYPES.get(linkType)?.(frame);
}

function ip(octets: Octets): LinkPayload {
  return { kind: 'ip', octets };
}

/** @param at of the type; the payload begins behind it, or at `start`. */
function ethertype(octets: Octets, at: number, start = at + 2): LinkPayload | undefined {
  let type = u16(octets, at);
  let payload = start;
  for (let tag = 0; tag < MAX_TAGS && ETHERTYPES_VLAN.includes(type); tag += 1) {
    type = u16(octets, payload + 2);
    payload += 4;
  }
  if (type < LEAST_ETHERTYPE && isSnap(octets, payload)) {
    type = u16(octets, payload + 6);
    payload += 8;
  }
  if (type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6) return ip(slice(octets, payload));
  if (type === ETHERTYPE_PPPOE_DISCOVERY) return { kind: 'pppoe-discovery', octets: slice(octets, payload) };
  return type === ETHERTYPE_PPPOE_SESSION ? pppoe(octets, payload) : undefined;
}

/** LLC with SNAP and the organisation of Ethernet types (RFC 1042). */
function isSnap({ bytes }: Octets, at: number): boolean {
  return [0xaa, 0xaa, 3, 0, 0, 0].every((octet, index) => bytes[at + index] === octet);
}

/** RFC 2516 section 4: version and type, code, session, length. */
function pppoe(octets: Octets, at: number): LinkPayload {
  const session = u16(octets, at + 2);
  const length = u16(octets, at + 4);
  return { kind: 'ppp', octets: slice(octets, at + 6, at + 6 + length), session: `PPPoE session ${session}` };
}

function u16({ bytes, missing }: Octets, at: number): number {
  const high = bytes[at];
  const low = bytes[at + 1];
  if (high === undefined || low === undefined) {
    throw new FieldError(at, 'link header', missing > 0 ? 'the capture was cut short here' : 'the frame ends here');
  }
  return (high << 8) | low;
}
