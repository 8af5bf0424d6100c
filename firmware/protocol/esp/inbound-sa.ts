/** An inbound SA of ESP (RFC 4303 section 3.4). */
import type { Instant } from '../machine.ts';
import type { EspCipher } from './cipher.ts';
import { ESP_TRAILER, espHeadroom, espNextHeader, espPayloadOctets } from './packet.ts';
import { type OpenedPacket, ReceivingSa, type ReceivingSaSettings } from './receiving-sa.ts';

export interface InboundSaSettings extends ReceivingSaSettings {
  readonly cipher: EspCipher;
}

/** A packet is what stands from the SPI to the end of the ICV; its text is decrypted where it lies. */
export class InboundSa extends ReceivingSa {
  protected readonly spiOffset = 0;
  readonly #cipher: EspCipher;

  /** @throws EncodeError when the SPI, the window, a selector or a lifetime makes no sense. */
  constructor(settings: InboundSaSettings, now: Instant) {
    super(settings, now);
    this.#cipher = settings.cipher;
  }

  close(): void {
    this.#cipher.close();
  }

  protected shape(_bytes: Uint8Array, _at: number, length: number): 'whole' | 'tooShort' {
    const text = length - espHeadroom(this.#cipher) - this.#cipher.icvOctets;
    // Alignment to 4 is asked of senders; whoever forgets it is understood all the same.
    return text >= ESP_TRAILER && text % this.#cipher.blockOctets === 0 ? 'whole' : 'tooShort';
  }

  protected authentic(bytes: Uint8Array, at: number, length: number, sequenceHigh: number): boolean {
    return this.#cipher.open(bytes, at, length, sequenceHigh);
  }

  protected find(bytes: Uint8Array, at: number, length: number, into: OpenedPacket): boolean {
    const textAt = at + espHeadroom(this.#cipher);
    const textEnd = at + length - this.#cipher.icvOctets;
    into.offset = textAt;
    into.length = espPayloadOctets(bytes, textAt, textEnd);
    into.nextHeader = espNextHeader(bytes, textEnd);
    return into.length >= 0;
  }
}
