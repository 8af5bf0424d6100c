/** One captured frame after the other, down through all its layers. All state of a capture is in here, and bounded. */
import { decodeAh } from './ah.ts';
import type { CapturedPacket } from './capture-types.ts';
import type { DecodeOptions } from './decode-options.ts';
import type { DecodedBody, DecodedMessage, MessageEnd, MessagePlace } from './decoded.ts';
import { EspDecoder } from './esp/esp-decoder.ts';
import { FieldError, type Octets, whole } from './field-reader.ts';
import { type IncompleteDatagram, Reassembler } from './fragments.ts';
import { IkeDecoder } from './ike/ike-decoder.ts';
import { type IpPacket, IpProtocol } from './ip-packet.ts';
import { readIpv4 } from './ipv4.ts';
import { readIpv6, stepOverExtensions } from './ipv6.ts';
import { NO_KEYS } from './keys/decode-keys.ts';
import { L2tpDecoder } from './l2tp-decoder.ts';
import { linkPayload } from './link-layer.ts';
import { PppDecoder } from './ppp-decoder.ts';
import { decodePppoeDiscovery } from './pppoe-discovery.ts';
import { readUdp, UdpClassifier } from './udp.ts';
import { userPacketBody } from './user-packet.ts';

/** Packets inside packets that are followed: L2TP in ESP in UDP, and a tunnel inside that once more. */
const MAX_DEPTH = 6;

/** Where a packet came from, beside its addresses. */
interface Path {
  readonly frame: number;
  readonly time: number;
  /** Tells apart what came through different channels: addresses inside one mean nothing outside. */
  readonly link: string;
  readonly depth: number;
  /** Of the message around a packet inside a tunnel. */
  readonly around?: MessagePlace;
}

export class FrameDecoder {
  readonly #all: boolean;
  readonly #outside: boolean;
  readonly #ike: IkeDecoder;
  readonly #esp: EspDecoder;
  readonly #udp = new UdpClassifier();
  readonly #l2tp: L2tpDecoder;
  readonly #ppp: PppDecoder;
  readonly #reassembler: Reassembler;
  #messages: DecodedMessage[] = [];

  constructor(options: DecodeOptions) {
    this.#all = options.all ?? false;
    this.#outside = options.outside ?? false;
    this.#ike = new IkeDecoder(options.keys ?? NO_KEYS);
    this.#esp = new EspDecoder(options.keys ?? NO_KEYS);
    this.#ppp = new PppDecoder(options);
    this.#l2tp = new L2tpDecoder(options, this.#ppp);
    this.#reassembler = new Reassembler((datagram) => this.#incomplete(datagram));
  }

  /** What there is to say of a frame. Nothing of it is kept that is a view on its octets. */
  decode(packet: CapturedPacket): readonly DecodedMessage[] {
    const { frame, time, bytes } = packet;
    const octets = { bytes, missing: packet.originalLength - bytes.length };
    const path: Path = { frame, time, link: '', depth: 0 };
    try {
      const payload = linkPayload(packet.linkType, octets);
      if (payload?.kind === 'ip') this.#ip(payload.octets, path);
      else if (payload?.kind === 'ppp') this.#bare(payload.octets, payload.session, path);
      else if (payload !== undefined) this.#emit(cutShort(decodePppoeDiscovery(payload.octets), octets), nowhere(path));
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      this.#malformed('frame', error, path);
    }
    return this.#taken();
  }

  /** The capture has ended. */
  end(): readonly DecodedMessage[] {
    this.#reassembler.end();
    return this.#taken();
  }

  #taken(): readonly DecodedMessage[] {
    const messages = this.#messages;
    this.#messages = [];
    return messages;
  }

  #ip(octets: Octets, path: Path): void {
    if (path.depth > MAX_DEPTH || octets.bytes.length === 0) return;
    const version = (octets.bytes[0] ?? 0) >>> 4;
    if (version !== 4 && version !== 6) return;
    let packet: IpPacket | undefined;
    try {
      packet = version === 4 ? readIpv4(octets) : readIpv6(octets);
      if (path.around !== undefined && this.#all) this.#emit(userPacketBody(packet), path.around);
      if (packet.fragment !== undefined) packet = this.#reassembled(packet, path);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      this.#malformed('ip', error, path);
      return;
    }
    if (packet !== undefined) this.#upperLayer(packet, path);
  }

  #reassembled(fragment: IpPacket, path: Path): IpPacket | undefined {
    const packet = this.#reassembler.add(fragment, path.frame, path.time, path.link);
    // Behind the Fragment header there may be more extension headers, which only the whole has.
    return packet?.version === 6 ? { ...packet, ...stepOverExtensions(packet.protocol, packet.payload, 0) } : packet;
  }

  #upperLayer(packet: IpPacket, path: Path): void {
    switch (packet.protocol) {
      case IpProtocol.udp:
        this.#datagram(packet, path);
        return;
      case IpProtocol.esp:
        this.#espPacket(packet.payload, placeOf(path, packet, 0, 0), path);
        return;
      case IpProtocol.ah:
        this.#ahPacket(packet, path);
        return;
      case IpProtocol.ipip:
      case IpProtocol.ipv6:
        this.#ip(packet.payload, {
          ...path,
          depth: path.depth + 1,
          around: path.around ?? placeOf(path, packet, 0, 0),
        });
        return;
      default:
        this.#otherwise(packet, placeOf(path, packet, 0, 0), path);
    }
  }

  /** A packet that is none of the protocols. One inside a tunnel was told of already, where that is wanted. */
  #otherwise(packet: IpPacket, place: MessagePlace, path: Path): void {
    if (this.#outside && path.around === undefined) this.#emit(userPacketBody(packet), place);
  }

  #datagram(packet: IpPacket, path: Path): void {
    const datagram = readUdp(packet.payload);
    if (datagram === undefined) return;
    const { sourcePort, destinationPort, payload } = datagram;
    const place = placeOf(path, packet, sourcePort, destinationPort);
    switch (this.#udp.classify(place, payload, this.#l2tp.isKnown(place, path.link, payload))) {
      case 'l2tp': {
        const { link, depth } = path;
        const inner = (found: Octets) =>
          this.#ip(found, { ...path, link: `${link}/l2tp`, depth: depth + 1, around: place });
        this.#l2tp.decode(payload, { place, link, emit: (body) => this.#emit(body, place), inner });
        return;
      }
      case 'ike':
        this.#ikeMessage(payload, place);
        return;
      case 'marked-ike':
        this.#ikeMessage({ ...payload, bytes: payload.bytes.subarray(4) }, place);
        return;
      case 'esp':
        this.#espPacket(payload, place, path);
        return;
      case 'keepalive':
        this.#emit({ protocol: 'nat-keepalive', summary: 'NAT keepalive', fields: {} }, place);
        return;
      default:
        this.#otherwise(packet, place, path);
    }
  }

  #ikeMessage(payload: Octets, place: MessagePlace): void {
    for (const body of this.#ike.decode(payload.bytes, place)) this.#emit(cutShort(body, payload), place);
  }

  #espPacket(payload: Octets, place: MessagePlace, path: Path): void {
    const { body, inner } = this.#esp.decode(payload.bytes, place);
    const before = this.#messages.length;
    if (inner !== undefined && path.depth <= MAX_DEPTH) this.#insideEsp(inner, place, path);
    // User packets are not told of, and so are not the ESP packets around them.
    const silent = inner !== undefined && body.error === undefined && this.#messages.length === before && !this.#all;
    if (!silent) this.#messages.splice(before, 0, { ...place, ...cutShort(body, payload) });
  }

  #ahPacket(packet: IpPacket, path: Path): void {
    const place = placeOf(path, packet, 0, 0);
    const { body, inner } = decodeAh(packet.payload);
    this.#emit(cutShort(body, packet.payload), place);
    if (inner === undefined || path.depth > MAX_DEPTH) return;
    const within = { ...path, depth: path.depth + 1, link: `${path.link}/ah`, around: place };
    this.#upperLayer({ ...packet, protocol: inner.nextHeader, payload: inner.payload }, within);
  }

  #insideEsp(inner: { nextHeader: number; bytes: Uint8Array }, place: MessagePlace, path: Path): void {
    const payload = whole(inner.bytes);
    const within = { ...path, depth: path.depth + 1, link: `${path.link}/esp`, around: place };
    if (inner.nextHeader === IpProtocol.ipip || inner.nextHeader === IpProtocol.ipv6) {
      this.#ip(payload, within);
      return;
    }
    // Transport mode: the addresses are those of the packet around. Ports tell peers behind one NAT apart.
    const link = `${within.link} ${place.source.port} ${place.destination.port}`;
    const { source, destination } = place;
    const version = source.address.includes(':') ? 6 : 4;
    const addresses = { version, source: source.address, destination: destination.address } as const;
    this.#upperLayer({ ...addresses, protocol: inner.nextHeader, payload }, { ...within, link });
  }

  /** PPP without L2TP around it. */
  #bare(frame: Octets, session: string, path: Path): void {
    const place = nowhere(path);
    const emit = (body: DecodedBody) => this.#emit(body, place);
    const inner = (found: Octets) => this.#ip(found, { ...path, depth: path.depth + 1, around: place });
    this.#ppp.decode(frame, { place, link: path.link, emit, inner }, { session, fields: {} });
  }

  #incomplete({ packet, frame, time, start, why }: IncompleteDatagram): void {
    if (start === undefined || packet.protocol !== IpProtocol.udp) return;
    const datagram = readUdp(start);
    if (datagram === undefined) return;
    const { sourcePort, destinationPort, payload } = datagram;
    const place = placeOf({ frame, time }, packet, sourcePort, destinationPort);
    const kind = this.#udp.classify(place, payload, this.#l2tp.isKnown(place, '', payload));
    if (kind === undefined || kind === 'keepalive') return;
    const protocol = kind === 'l2tp' || kind === 'esp' ? kind : 'ike';
    const error = { offset: payload.bytes.length, field: 'fragments', reason: `the datagram is not complete: ${why}` };
    this.#emit({ protocol, summary: `datagram in fragments that is not complete: ${why}`, fields: {}, error }, place);
  }

  #malformed(protocol: string, { fault }: FieldError, path: Path): void {
    // What is wrong inside a user's packet matters only where user packets are told of.
    if (path.around !== undefined && !this.#all) return;
    const place = path.around ?? nowhere(path);
    this.#emit({ protocol, summary: `malformed: ${fault.field}: ${fault.reason}`, fields: {}, error: fault }, place);
  }

  #emit(body: DecodedBody, place: MessagePlace): void {
    this.#messages.push({ ...place, ...body });
  }
}

/** Of what has no IP header around it. */
function nowhere({ frame, time }: Pick<Path, 'frame' | 'time'>): MessagePlace {
  const end = { address: '', port: 0 };
  return { frame, time, source: end, destination: end };
}

function placeOf(
  { frame, time }: Pick<Path, 'frame' | 'time'>,
  { source, destination }: Pick<IpPacket, 'source' | 'destination'>,
  sourcePort: number,
  destinationPort: number,
): MessagePlace {
  const end = (address: string, port: number): MessageEnd => ({ address, port });
  return { frame, time, source: end(source, sourcePort), destination: end(destination, destinationPort) };
}

/** Decoders of others know nothing of captures that were cut short: say it where something is wrong. */
function cutShort(body: DecodedBody, { missing }: Octets): DecodedBody {
  if (missing === 0 || body.error === undefined) return body;
  const reason = `the capture was cut short: ${missing} octets of the packet are not in it`;
  return { ...body, error: { ...body.error, reason } };
}
