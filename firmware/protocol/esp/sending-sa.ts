/**
 * An outbound SA of ESP or AH (RFC 4303 section 3.3, RFC 4302 section 3.3): numbers packets where they lie, and has them
 * made.
 */
import { EncodeError } from '../bytes.ts';
import type { Instant } from '../machine.ts';
import { SaLifetime, type SaLifetimes } from './lifetime.ts';

const TWO_32 = 0x1_0000_0000;

/** Last sequence number: 2^32-1, or with extended ones 2^53-1, where JavaScript's exact numbers end. */
const LAST_SEQUENCE = TWO_32 - 1;
const LAST_EXTENDED_SEQUENCE = Number.MAX_SAFE_INTEGER;

/** At this part of them all the successor is asked for: a sixteenth is left for the rekeying. */
const SEQUENCE_SOFT = 15 / 16;

/** Greatest packet, octets: what an IP packet can hold. */
const MAX_PACKET = 65_535;

export interface SendingSaSettings {
  /** As the peer chose it, 1..4294967295. */
  readonly spi: number;
  readonly extendedSequenceNumbers: boolean;
  readonly lifetimes: SaLifetimes;
  /** Number of the last packet that was sent with this key already, for an SA that moves here. Default 0. */
  readonly lastSequence?: number;
}

/** Where {@link SendingSa.seal} left the packet. */
export interface SealedPacket {
  /** Offset of the SPI; of AH, of the IP header. */
  offset: number;
  /** Octets up to its end. */
  length: number;
}

/** Why a packet was not sent. `expired`: a lifetime or the sequence numbers ran out. `noRoom`: it does not fit. */
export const OUTBOUND_REFUSALS = ['expired', 'noRoom'] as const;
export type OutboundRefusal = (typeof OUTBOUND_REFUSALS)[number];
export type OutboundVerdict = 'sealed' | OutboundRefusal;

/** What the packets of ESP and AH have in common. */
export abstract class SendingSa {
  readonly spi: number;
  /** Octets that must be free in front of a payload. */
  abstract readonly headroom: number;
  /** Reports soft and hard limits, and wants to be ticked. */
  readonly lifetime: SaLifetime;
  /** Packets not sent, by reason. They only grow. */
  readonly refusals: Record<OutboundRefusal, number> = { expired: 0, noRoom: 0 };
  readonly #extended: boolean;
  readonly #lastSequence: number;
  #sequence = 0;

  /** @throws EncodeError when the SPI or a lifetime makes no sense. */
  constructor(settings: SendingSaSettings, now: Instant) {
    const { spi, extendedSequenceNumbers, lastSequence = 0 } = settings;
    if (!Number.isInteger(spi) || spi < 1 || spi >= TWO_32) throw new EncodeError(`${spi} is no SPI`);
    this.spi = spi;
    this.#extended = extendedSequenceNumbers;
    this.#lastSequence = extendedSequenceNumbers ? LAST_EXTENDED_SEQUENCE : LAST_SEQUENCE;
    if (!Number.isInteger(lastSequence) || lastSequence < 0 || lastSequence >= this.#lastSequence) {
      throw new EncodeError(`no sequence number is left after ${lastSequence}`);
    }
    this.#sequence = lastSequence;
    this.lifetime = new SaLifetime(settings.lifetimes, now, {
      soft: Math.floor(this.#lastSequence * SEQUENCE_SOFT) - lastSequence,
      hard: this.#lastSequence - lastSequence,
    });
  }

  /** The number of the last packet; 0 before the first. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Octets of the packet that carries `payload` octets. */
  abstract sealedOctets(payload: number): number;

  /** Octets of the largest payload whose packet takes at most `room` octets behind an IP header; negative when none does. */
  abstract largestPayload(room: number): number;

  /** Wipes the key. The SA must not be used afterwards. */
  abstract close(): void;

  /**
   * Writes all of the packet at `bytes[start..start+octets)` but the payload, {@link headroom} octets in, and seals it.
   * @param sequenceHigh -1 with 32-bit sequence numbers.
   */
  protected abstract write(
    bytes: Uint8Array,
    start: number,
    octets: number,
    payload: number,
    nextHeader: number,
    sequence: number,
    sequenceHigh: number,
  ): void;

  /**
   * Makes a packet around the payload at `bytes[at..at+length)`, in place: {@link headroom} octets in front of it
   * and those behind it that {@link sealedOctets} counts are overwritten.
   *
   * @param nextHeader protocol of the payload, 0..255; in tunnel mode 4 or 41.
   * @param into where the packet lies afterwards; means nothing unless `sealed`.
   */
  seal(
    bytes: Uint8Array,
    at: number,
    length: number,
    nextHeader: number,
    now: Instant,
    into: SealedPacket,
  ): OutboundVerdict {
    const start = at - this.headroom;
    const octets = this.sealedOctets(length);
    if (start < 0 || length < 0 || octets > MAX_PACKET || start + octets > bytes.length) return this.#refuse('noRoom');
    if (!this.lifetime.admits(length, now) || this.#sequence >= this.#lastSequence) return this.#refuse('expired');
    // Taken before anything else: whatever happens to this packet, its number and IV are not used again.
    this.#sequence += 1;
    const sequenceHigh = this.#extended ? Math.floor(this.#sequence / TWO_32) : -1;
    this.write(bytes, start, octets, length, nextHeader, this.#sequence, sequenceHigh);
    this.lifetime.count(length);
    into.offset = start;
    into.length = octets;
    return 'sealed';
  }

  #refuse(reason: OutboundRefusal): OutboundRefusal {
    this.refusals[reason] += 1;
    return reason;
  }
}
