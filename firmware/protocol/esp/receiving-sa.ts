/**
 * An inbound SA of ESP or AH (RFC 4303 section 3.4, RFC 4302 section 3.4, RFC 4301 section 5.2): from a packet to what may
 * be delivered, or to the reason why not. The order is the RFCs': replay check, ICV, window update, and only then a look
 * at what is inside.
 */
import { EncodeError } from '../bytes.ts';
import type { Instant } from '../machine.ts';
import { adjustedChecksum } from './internet-checksum.ts';
import { destinationPortOf, newIpPacket, readIpPacket, sourcePortOf } from './ip-packet.ts';
import { SaLifetime, type SaLifetimes } from './lifetime.ts';
import { putU16, u8, u16, u32 } from './octets.ts';
import { MIN_ASSIGNED_SPI, NEXT_IPV4, NEXT_IPV6, NEXT_NONE } from './packet.ts';
import { DEFAULT_REPLAY_WINDOW, ReplayWindow } from './replay-window.ts';
import { newFlow, SaSelectors, type Selector } from './selectors.ts';
import { DROP, decapsulatedEcn } from './traffic-class.ts';

const TWO_32 = 0x1_0000_0000;

export interface ReceivingSaSettings {
  /** As this side chose it, 256..4294967295. */
  readonly spi: number;
  readonly extendedSequenceNumbers: boolean;
  /** Packets, a multiple of 32 within 32..4096. Default 1024. */
  readonly replayWindow?: number;
  readonly mode: 'transport' | 'tunnel';
  /** Destinations and sources of what comes out. */
  readonly localSelectors: readonly Selector[];
  readonly remoteSelectors: readonly Selector[];
  readonly lifetimes: SaLifetimes;
}

/** What is around a packet of ESP or AH. One object may serve for all packets. */
export interface OuterHeader {
  /**
   * Where the packet went to and came from, 4 or 16 octets in network order. Transport mode holds them against the
   * selectors: behind a NAT, the addresses as IKE put them into the selectors.
   */
  local: Uint8Array;
  remote: Uint8Array;
  /** Traffic class octet (TOS), of which tunnel mode takes the ECN field; 0 where it is not known. */
  trafficClass: number;
}

/** Where {@link ReceivingSa.open} found what is to be delivered. */
export interface OpenedPacket {
  /** Tunnel mode: of the inner IP packet. Transport mode: of the payload. */
  offset: number;
  /** Octets; in tunnel mode without what confidentiality padding (RFC 4303 section 2.7) follows the packet. */
  length: number;
  /** Protocol of the payload; in tunnel mode 4 or 41. */
  nextHeader: number;
}

/**
 * Why a packet was refused: `tooShort`, or of a length that no packet of these algorithms has; `outerHeader`, of AH
 * alone: with options or of a fragment; `wrongSpi`; `expired`: the SA; `replayed`; `tooOld`: left of the window; `notAuthentic`: the ICV; `padding`: Pad Length contradicts the packet;
 * `wrongMode`: no IP packet in tunnel mode; `malformed`: an IP packet that is none; `selectors`: it is not for this
 * SA; `congestion`: marked as having met congestion, but its sender would not understand (RFC 6040).
 */
export const INBOUND_REFUSALS = [
  'tooShort',
  'outerHeader',
  'wrongSpi',
  'expired',
  'replayed',
  'tooOld',
  'notAuthentic',
  'padding',
  'wrongMode',
  'malformed',
  'selectors',
  'congestion',
] as const;
export type InboundRefusal = (typeof INBOUND_REFUSALS)[number];

/** `dummy`: authentic and to be thrown away (RFC 4303 section 2.6). */
export type InboundVerdict = 'deliver' | 'dummy' | InboundRefusal;

/** What the packets of ESP and AH have in common. {@link open} has the order; the sizes and the arithmetic are theirs. */
export abstract class ReceivingSa {
  readonly spi: number;
  /** Reports soft and hard limits, and wants to be ticked. */
  readonly lifetime: SaLifetime;
  /** Packets refused, by reason. They only grow. */
  readonly refusals: Record<InboundRefusal, number> = {
    tooShort: 0,
    outerHeader: 0,
    wrongSpi: 0,
    expired: 0,
    replayed: 0,
    tooOld: 0,
    notAuthentic: 0,
    padding: 0,
    wrongMode: 0,
    malformed: 0,
    selectors: 0,
    congestion: 0,
  };
  readonly #extended: boolean;
  readonly #window: ReplayWindow;
  readonly #mode: 'transport' | 'tunnel';
  #selectors: SaSelectors;
  readonly #inner = newIpPacket();
  readonly #flow = newFlow();
  #dummies = 0;

  /** @throws EncodeError when the SPI, the window, a selector or a lifetime makes no sense. */
  constructor(settings: ReceivingSaSettings, now: Instant) {
    const { spi, extendedSequenceNumbers } = settings;
    if (!Number.isInteger(spi) || spi < MIN_ASSIGNED_SPI || spi >= TWO_32) throw new EncodeError(`${spi} is no SPI`);
    this.spi = spi;
    this.lifetime = new SaLifetime(settings.lifetimes, now);
    this.#extended = extendedSequenceNumbers;
    this.#window = new ReplayWindow(settings.replayWindow ?? DEFAULT_REPLAY_WINDOW, extendedSequenceNumbers);
    this.#mode = settings.mode;
    this.#selectors = new SaSelectors(settings.localSelectors, settings.remoteSelectors);
  }

  /** What it may carry; what goes out by the other SA of the pair is held against them as well. */
  get selectors(): SaSelectors {
    return this.#selectors;
  }

  /**
   * Other selectors and limits from now on; key, window and counters stay.
   * @throws EncodeError as the constructor; all stays as it was.
   */
  reprogram(settings: Pick<ReceivingSaSettings, 'localSelectors' | 'remoteSelectors' | 'lifetimes'>): void {
    const selectors = new SaSelectors(settings.localSelectors, settings.remoteSelectors);
    this.lifetime.replaceLimits(settings.lifetimes);
    this.#selectors = selectors;
  }

  /** Dummy packets received. */
  get dummies(): number {
    return this.#dummies;
  }

  /** The highest sequence number that was authentic; 0 before the first. */
  get sequence(): number {
    return this.#window.top;
  }

  /**
   * Opens the packet at `bytes[at..at+length)`, in place, of which nothing is worth anything when it is refused. Never
   * throws, whatever the packet holds.
   *
   * @param into where to find what is to be delivered; means nothing unless the verdict is `deliver`.
   */
  open(
    bytes: Uint8Array,
    at: number,
    length: number,
    outer: OuterHeader,
    now: Instant,
    into: OpenedPacket,
  ): InboundVerdict {
    const verdict = this.#open(bytes, at, length, outer, now, into);
    if (verdict === 'dummy') this.#dummies += 1;
    else if (verdict !== 'deliver') this.refusals[verdict] += 1;
    return verdict;
  }

  /** Wipes the key. The SA must not be used afterwards. */
  abstract close(): void;

  /** Octets of the packet in front of its SPI, which the Sequence Number follows. */
  protected abstract readonly spiOffset: number;

  /** Whether the packet is as long, and has the header, that its algorithms ask for. */
  protected abstract shape(bytes: Uint8Array, at: number, length: number): 'whole' | 'tooShort' | 'outerHeader';

  /** Checks the ICV, in constant time, and decrypts what is encrypted. @param sequenceHigh -1 with 32-bit numbers. */
  protected abstract authentic(bytes: Uint8Array, at: number, length: number, sequenceHigh: number): boolean;

  /** Finds what an authentic packet holds. @returns false when it contradicts itself. */
  protected abstract find(bytes: Uint8Array, at: number, length: number, into: OpenedPacket): boolean;

  #open(
    bytes: Uint8Array,
    at: number,
    length: number,
    outer: OuterHeader,
    now: Instant,
    into: OpenedPacket,
  ): InboundVerdict {
    if (at < 0 || at + length > bytes.length) return 'tooShort';
    const shape = this.shape(bytes, at, length);
    if (shape !== 'whole') return shape;
    const header = at + this.spiOffset;
    if (u32(bytes, header) !== this.spi) return 'wrongSpi';
    if (!this.lifetime.admits(0, now)) return 'expired';

    const sequence = this.#window.expand(u32(bytes, header + 4));
    const replay = this.#window.check(sequence);
    if (replay !== 'new') return replay;
    const sequenceHigh = this.#extended ? Math.floor(sequence / TWO_32) : -1;
    if (!this.authentic(bytes, at, length, sequenceHigh)) return 'notAuthentic';
    this.#window.update(sequence);

    if (!this.find(bytes, at, length, into)) return 'padding';
    if (!this.lifetime.admits(into.length, now)) return 'expired';
    this.lifetime.count(into.length);
    if (into.nextHeader === NEXT_NONE) return 'dummy';
    return this.#mode === 'tunnel' ? this.#tunnel(bytes, outer, into) : this.#transport(bytes, outer, into);
  }

  #transport(bytes: Uint8Array, outer: OuterHeader, into: OpenedPacket): InboundVerdict {
    const flow = this.#flow;
    const end = into.offset + into.length;
    flow.localBytes = outer.local;
    flow.remoteBytes = outer.remote;
    flow.localAt = 0;
    flow.remoteAt = 0;
    flow.addressOctets = outer.local.length;
    flow.protocol = into.nextHeader;
    flow.localPort = destinationPortOf(bytes, into.nextHeader, into.offset, end);
    flow.remotePort = sourcePortOf(bytes, into.nextHeader, into.offset, end);
    return this.#selectors.match(flow) ? 'deliver' : 'selectors';
  }

  #tunnel(bytes: Uint8Array, outer: OuterHeader, into: OpenedPacket): InboundVerdict {
    const inner = this.#inner;
    const flow = this.#flow;
    if (into.nextHeader !== NEXT_IPV4 && into.nextHeader !== NEXT_IPV6) return 'wrongMode';
    if (!readIpPacket(bytes, into.offset, into.offset + into.length, inner)) return 'malformed';
    if ((into.nextHeader === NEXT_IPV4) !== (inner.version === 4)) return 'malformed';
    into.length = inner.length;
    flow.localBytes = bytes;
    flow.remoteBytes = bytes;
    flow.localAt = inner.destinationAt;
    flow.remoteAt = inner.sourceAt;
    flow.addressOctets = inner.addressOctets;
    flow.protocol = inner.protocol;
    flow.localPort = inner.destinationPort;
    flow.remotePort = inner.sourcePort;
    if (!this.#selectors.match(flow)) return 'selectors';
    return propagateEcn(bytes, into.offset, inner.version, outer.trafficClass) ? 'deliver' : 'congestion';
  }
}

/** Carries the outer ECN field over to the inner header at `at`. @returns false when the packet is to be dropped. */
function propagateEcn(bytes: Uint8Array, at: number, version: 4 | 6, outer: number): boolean {
  // The traffic class of IPv6 lies across two octets: its low four bits are the high ones of the second.
  const shift = version === 4 ? 0 : 4;
  const before = u16(bytes, at);
  const inner = u8(bytes, at + 1) >> shift;
  const ecn = decapsulatedEcn(inner, outer);
  if (ecn === DROP) return false;
  const after = (before & ~(0x03 << shift)) | (ecn << shift);
  if (after === before) return true;
  putU16(bytes, at, after);
  if (version === 4) putU16(bytes, at + 10, adjustedChecksum(u16(bytes, at + 10), before, after));
  return true;
}
