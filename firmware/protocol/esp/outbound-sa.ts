/** An outbound SA (RFC 4303 section 3.3): numbers, pads, encrypts and authenticates packets where they lie. */
import { EncodeError } from '../bytes.ts';
import type { Instant, RandomSource } from '../machine.ts';
import type { EspCipher } from './cipher.ts';
import { type IvSource, ivSource } from './initialization-vector.ts';
import { SaLifetime, type SaLifetimes } from './lifetime.ts';
import { espHeadroom, espOctets, largestEspPayload, putEspHeader, putEspTrailer } from './packet.ts';

const TWO_32 = 0x1_0000_0000;

/** Last sequence number: 2^32-1, or with extended ones 2^53-1, where JavaScript's exact numbers end. */
const LAST_SEQUENCE = TWO_32 - 1;
const LAST_EXTENDED_SEQUENCE = Number.MAX_SAFE_INTEGER;

/** At this part of them all the successor is asked for: a sixteenth is left for the rekeying. */
const SEQUENCE_SOFT = 15 / 16;

/** Greatest ESP packet, octets: what an IP packet can hold. */
const MAX_PACKET = 65_535;

export interface OutboundSaSettings {
  /** As the peer chose it, 1..4294967295. */
  readonly spi: number;
  /** With a key that no other SA has, ever: sequence numbers, and with them counter IVs, begin anew with the SA. */
  readonly cipher: EspCipher;
  /** For the IVs of CBC. */
  readonly random: RandomSource;
  readonly extendedSequenceNumbers: boolean;
  readonly lifetimes: SaLifetimes;
  /** Number of the last packet that was sent with this key already, for an SA that moves here. Default 0. */
  readonly lastSequence?: number;
}

/** Where {@link OutboundSa.seal} left the packet. */
export interface SealedPacket {
  /** Offset of the SPI. */
  offset: number;
  /** Octets up to the end of the ICV. */
  length: number;
}

/** Why a packet was not sent. `expired`: a lifetime or the sequence numbers ran out. `noRoom`: it does not fit. */
export const OUTBOUND_REFUSALS = ['expired', 'noRoom'] as const;
export type OutboundRefusal = (typeof OUTBOUND_REFUSALS)[number];
export type OutboundVerdict = 'sealed' | OutboundRefusal;

export class OutboundSa {
  readonly spi: number;
  /** Octets that must be free in front of a payload. */
  readonly headroom: number;
  /** Reports soft and hard limits, and wants to be ticked. */
  readonly lifetime: SaLifetime;
  /** Packets not sent, by reason. They only grow. */
  readonly refusals: Record<OutboundRefusal, number> = { expired: 0, noRoom: 0 };
  readonly #cipher: EspCipher;
  readonly #iv: IvSource;
  readonly #extended: boolean;
  readonly #lastSequence: number;
  #sequence = 0;

  /** @throws EncodeError when the SPI, the cipher's IV or a lifetime makes no sense. */
  constructor(settings: OutboundSaSettings, now: Instant) {
    const { spi, cipher, extendedSequenceNumbers, lastSequence = 0 } = settings;
    if (!Number.isInteger(spi) || spi < 1 || spi >= TWO_32) throw new EncodeError(`${spi} is no SPI`);
    this.spi = spi;
    this.headroom = espHeadroom(cipher);
    this.#cipher = cipher;
    this.#iv = ivSource(cipher, settings.random);
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
  sealedOctets(payload: number): number {
    return espOctets(this.#cipher, payload);
  }

  /** Octets of the largest payload whose packet has at most `room` octets; negative when none fits. */
  largestPayload(room: number): number {
    return largestEspPayload(this.#cipher, room);
  }

  /**
   * Makes an ESP packet around the payload at `bytes[at..at+length)`, in place: {@link headroom} octets in front of it
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
    const octets = espOctets(this.#cipher, length);
    if (start < 0 || length < 0 || octets > MAX_PACKET || start + octets > bytes.length) return this.#refuse('noRoom');
    if (!this.lifetime.admits(length, now) || this.#sequence >= this.#lastSequence) return this.#refuse('expired');
    // Taken before anything else: whatever happens to this packet, its number and IV are not used again.
    this.#sequence += 1;
    putEspHeader(bytes, start, this.spi, this.#sequence);
    this.#iv.write(bytes, start + this.headroom - this.#cipher.ivOctets, this.#sequence);
    putEspTrailer(bytes, at, length, this.#cipher, nextHeader);
    this.#cipher.seal(bytes, start, octets, this.#extended ? Math.floor(this.#sequence / TWO_32) : -1);
    this.lifetime.count(length);
    into.offset = start;
    into.length = octets;
    return 'sealed';
  }

  /** Wipes the key. The SA must not be used afterwards. */
  close(): void {
    this.#cipher.close();
  }

  #refuse(reason: OutboundRefusal): OutboundRefusal {
    this.refusals[reason] += 1;
    return reason;
  }
}
