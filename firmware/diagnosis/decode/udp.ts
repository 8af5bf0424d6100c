/** UDP (RFC 768), and what goes over it: told by port, and where the port is unusual, by its looks. */
import { BoundedMap } from './bounded-map.ts';
import type { MessagePlace } from './decoded.ts';
import { type Octets, slice } from './field-reader.ts';

const HEADER = 8;

export interface UdpDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Octets;
}

/** `undefined` when the octets have no room for a header. A wrong Length counts as the whole of what there is. */
export function readUdp(octets: Octets): UdpDatagram | undefined {
  const { bytes } = octets;
  if (bytes.length < HEADER) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = view.getUint16(4);
  const payload = slice(octets, HEADER, length < HEADER ? undefined : length);
  return { sourcePort: view.getUint16(0), destinationPort: view.getUint16(2), payload };
}

const L2TP_PORT = 1701;
const IKE_PORT = 500;
const NAT_T_PORT = 4500;
/** Non-ESP marker (RFC 3948 section 2.2). */
const MARKER = 4;
const KEEPALIVE = 0xff;

/** ISAKMP header (RFC 2408 section 3.1, RFC 7296 section 3.1): its octets and where its fields are. */
const IKE_HEADER = 28;
const IKE_FIELD = { version: 17, length: 24 } as const;
/** Versions 1.0 and 2.0. */
const IKE_VERSIONS: readonly number[] = [0x10, 0x20];

/** Pairs of ports on which ESP was seen to be wrapped, remembered at a time. */
const MAX_PAIRS = 4096;

/** `marked-ike` begins with the non-ESP marker. */
export type UdpContent = 'l2tp' | 'ike' | 'marked-ike' | 'esp' | 'keepalive';

/** Knows the ports on which ESP goes beside IKE, because IKE was seen there. */
export class UdpClassifier {
  readonly #wrapped = new BoundedMap<string, true>(MAX_PAIRS);

  /** @param isL2tp whether the datagram belongs to a tunnel that is known already */
  classify(place: MessagePlace, { bytes }: Octets, isL2tp: boolean): UdpContent | undefined {
    const ports = [place.source.port, place.destination.port];
    if (ports.includes(NAT_T_PORT)) return wrapped(bytes);
    if (ports.includes(IKE_PORT)) return 'ike';
    if (isL2tp || ports.includes(L2TP_PORT)) return 'l2tp';
    if (looksLikeIke(bytes, 0)) return 'ike';
    const ends = [place.source, place.destination].map(({ address, port }) => `${address} ${port}`);
    const pair = ends.sort().join(' ');
    if (startsWithMarker(bytes) && looksLikeIke(bytes, MARKER)) {
      this.#wrapped.set(pair, true);
      return 'marked-ike';
    }
    return this.#wrapped.has(pair) ? wrapped(bytes) : undefined;
  }
}

function wrapped(bytes: Uint8Array): UdpContent | undefined {
  if (bytes.length === 1 && bytes[0] === KEEPALIVE) return 'keepalive';
  if (startsWithMarker(bytes)) return 'marked-ike';
  return bytes.length < MARKER ? undefined : 'esp';
}

function startsWithMarker(bytes: Uint8Array): boolean {
  return bytes.length >= MARKER && bytes.subarray(0, MARKER).every((octet) => octet === 0);
}

function looksLikeIke(bytes: Uint8Array, at: number): boolean {
  if (bytes.length < at + IKE_HEADER || !IKE_VERSIONS.includes(bytes[at + IKE_FIELD.version] ?? 0)) return false;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + IKE_FIELD.length) === bytes.length - at;
}
