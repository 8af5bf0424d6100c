/** An outbound SA of ESP (RFC 4303 section 3.3): numbers, pads, encrypts and authenticates packets where they lie. */
import type { Instant, RandomSource } from '../machine.ts';
import type { EspCipher } from './cipher.ts';
import { type IvSource, ivSource } from './initialization-vector.ts';
import { espHeadroom, espOctets, largestEspPayload, putEspHeader, putEspTrailer } from './packet.ts';
import { SendingSa, type SendingSaSettings } from './sending-sa.ts';

export interface OutboundSaSettings extends SendingSaSettings {
  /** With a key that no other SA has, ever: sequence numbers, and with them counter IVs, begin anew with the SA. */
  readonly cipher: EspCipher;
  /** For the IVs of CBC. */
  readonly random: RandomSource;
}

export class OutboundSa extends SendingSa {
  readonly headroom: number;
  readonly #cipher: EspCipher;
  readonly #iv: IvSource;

  /** @throws EncodeError when the SPI, the cipher's IV or a lifetime makes no sense. */
  constructor(settings: OutboundSaSettings, now: Instant) {
    super(settings, now);
    this.headroom = espHeadroom(settings.cipher);
    this.#cipher = settings.cipher;
    this.#iv = ivSource(settings.cipher, settings.random);
  }

  sealedOctets(payload: number): number {
    return espOctets(this.#cipher, payload);
  }

  largestPayload(room: number): number {
    return largestEspPayload(this.#cipher, room);
  }

  close(): void {
    this.#cipher.close();
  }

  protected write(
    bytes: Uint8Array,
    start: number,
    octets: number,
    payload: number,
    nextHeader: number,
    sequence: number,
    sequenceHigh: number,
  ): void {
    const at = start + this.headroom;
    putEspHeader(bytes, start, this.spi, sequence);
    this.#iv.write(bytes, at - this.#cipher.ivOctets, sequence);
    putEspTrailer(bytes, at, payload, this.#cipher, nextHeader);
    this.#cipher.seal(bytes, start, octets, sequenceHigh);
  }
}
