/** An outbound SA of AH in tunnel mode (RFC 4302 section 3.3): puts an IPv4 header and AH around packets where they lie. */
import { EncodeError } from '../bytes.ts';
import { IPV4_HEADER } from '../esp/ip-packet.ts';
import { SendingSa, type SendingSaSettings } from '../esp/sending-sa.ts';
import type { Instant } from '../machine.ts';
import type { AhAuthenticator } from './authenticator.ts';
import { putMutable, putOuterHeader } from './outer-header.ts';
import { AH_FIXED, ahHeaderOctets, putAhHeader } from './packet.ts';

/** Between which hosts packets go, which the ICV covers: 4 octets each, in network order. */
export interface AhEnds {
  readonly local: Uint8Array;
  readonly remote: Uint8Array;
}

export interface AhOutboundSaSettings extends SendingSaSettings {
  readonly authenticator: AhAuthenticator;
  readonly ends: AhEnds;
}

/** A packet is a whole IPv4 packet, with Don't Fragment set and the checksum left out. */
export class AhOutboundSa extends SendingSa {
  readonly headroom: number;
  readonly #authenticator: AhAuthenticator;
  readonly #headerOctets: number;
  #ends: AhEnds;

  /** @throws EncodeError when the SPI, an end or a lifetime makes no sense. */
  constructor(settings: AhOutboundSaSettings, now: Instant) {
    super(settings, now);
    this.#authenticator = settings.authenticator;
    this.#headerOctets = ahHeaderOctets(settings.authenticator.icvOctets);
    this.headroom = IPV4_HEADER + this.#headerOctets;
    this.#ends = checkedEnds(settings.ends);
  }

  /** From now on packets go between these. @throws EncodeError when they are no IPv4 hosts; then nothing changes. */
  moveTo(ends: AhEnds): void {
    this.#ends = checkedEnds(ends);
  }

  sealedOctets(payload: number): number {
    return this.headroom + payload;
  }

  largestPayload(room: number): number {
    return room - this.#headerOctets;
  }

  close(): void {
    this.#authenticator.close();
  }

  protected write(
    bytes: Uint8Array,
    start: number,
    octets: number,
    _payload: number,
    nextHeader: number,
    sequence: number,
    sequenceHigh: number,
  ): void {
    const { local, remote } = this.#ends;
    const at = start + IPV4_HEADER;
    putOuterHeader(bytes, start, octets, local, remote, sequence);
    putAhHeader(bytes, at, this.#headerOctets, nextHeader, this.spi, sequence);
    this.#authenticator.sign(bytes, start, octets, at + AH_FIXED, sequenceHigh);
    putMutable(bytes, start, 0, false);
  }
}

function checkedEnds(ends: AhEnds): AhEnds {
  for (const octets of [ends.local, ends.remote]) {
    if (octets.length !== 4) throw new EncodeError('AH goes between IPv4 addresses alone');
    if (octets.every((octet) => octet === 0))
      throw new EncodeError('AH covers its addresses, of which one is not known');
  }
  return ends;
}
