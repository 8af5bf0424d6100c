/** An inbound SA of AH (RFC 4302 section 3.4). */
import { IPV4_HEADER } from '../esp/ip-packet.ts';
import { type OpenedPacket, ReceivingSa, type ReceivingSaSettings } from '../esp/receiving-sa.ts';
import type { Instant } from '../machine.ts';
import type { AhAuthenticator } from './authenticator.ts';
import { clearMutable, headerOctets, isFragment, totalOctets } from './outer-header.ts';
import { AH_FIXED, AH_SPI, ahNextHeader, isAhHeaderSize, statedAhHeaderOctets } from './packet.ts';

export interface AhInboundSaSettings extends ReceivingSaSettings {
  readonly authenticator: AhAuthenticator;
}

/** A packet is a whole IPv4 packet as it came in; what is mutable in its header is cleared, and so is the ICV. */
export class AhInboundSa extends ReceivingSa {
  protected readonly spiOffset = IPV4_HEADER + AH_SPI;
  readonly #authenticator: AhAuthenticator;

  /** @throws EncodeError when the SPI, the window, a selector or a lifetime makes no sense. */
  constructor(settings: AhInboundSaSettings, now: Instant) {
    super(settings, now);
    this.#authenticator = settings.authenticator;
  }

  close(): void {
    this.#authenticator.close();
  }

  protected shape(bytes: Uint8Array, at: number, length: number): 'whole' | 'tooShort' | 'outerHeader' {
    if (length < IPV4_HEADER + AH_FIXED) return 'tooShort';
    if (headerOctets(bytes, at) !== IPV4_HEADER || isFragment(bytes, at)) return 'outerHeader';
    const header = statedAhHeaderOctets(bytes, at + IPV4_HEADER);
    if (!isAhHeaderSize(header, this.#authenticator.icvOctets)) return 'tooShort';
    return totalOctets(bytes, at) === length && IPV4_HEADER + header <= length ? 'whole' : 'tooShort';
  }

  protected authentic(bytes: Uint8Array, at: number, length: number, sequenceHigh: number): boolean {
    clearMutable(bytes, at);
    return this.#authenticator.verify(bytes, at, length, at + IPV4_HEADER + AH_FIXED, sequenceHigh);
  }

  protected find(bytes: Uint8Array, at: number, length: number, into: OpenedPacket): boolean {
    const header = IPV4_HEADER + statedAhHeaderOctets(bytes, at + IPV4_HEADER);
    into.offset = at + header;
    into.length = length - header;
    into.nextHeader = ahNextHeader(bytes, at + IPV4_HEADER);
    return true;
  }
}
