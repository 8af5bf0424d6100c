/**
 * The ESP packet (RFC 4303 section 2): SPI, Sequence Number, IV, payload, padding, Pad Length, Next Header, ICV.
 */
import type { EspCipher } from './cipher.ts';
import { putU32, u8, u32 } from './octets.ts';

/** IP protocol number of ESP. */
export const ESP = 50;

/** SPI and Sequence Number, octets. */
export const ESP_HEADER = 8;
/** Pad Length and Next Header, octets. */
export const ESP_TRAILER = 2;

/** Next Header values with a meaning of their own (RFC 4303 section 2.6). */
export const NEXT_IPV4 = 4;
export const NEXT_IPV6 = 41;
/** A dummy packet for traffic flow confidentiality: thrown away by its receiver. */
export const NEXT_NONE = 59;

/** Lowest SPI to be assigned: 0 is never on the wire, 1 to 255 are IANA's (RFC 4303 section 2.1). */
export const MIN_ASSIGNED_SPI = 256;

/** Text ends on a multiple of this many octets, whatever the cipher (RFC 4303 section 2.4). */
const ALIGNMENT = 4;

/** Longest IV of any cipher, octets: a block of AES. */
const MAX_IV = 16;
/** Longest ICV: HMAC-SHA2-512-256. */
const MAX_ICV = 32;
/** Most octets in front of a payload, whatever the cipher. */
export const MAX_ESP_HEADROOM = ESP_HEADER + MAX_IV;
/** Most octets behind a payload, whatever the cipher: padding to a block of AES with its trailer, and ICV. */
export const MAX_ESP_TAILROOM = 15 + ESP_TRAILER + MAX_ICV;

/** A cipher's sizes, which make up the overhead. */
export type EspSizes = Pick<EspCipher, 'ivOctets' | 'icvOctets' | 'blockOctets'>;

/** Of the packet at `at`, of which {@link ESP_HEADER} octets are there. */
export function espSpi(bytes: Uint8Array, at: number): number {
  return u32(bytes, at);
}

/** Low 32 bits of the sequence number of the packet at `at`. */
export function espSequence(bytes: Uint8Array, at: number): number {
  return u32(bytes, at + 4);
}

/** Writes SPI and Sequence Number. */
export function putEspHeader(bytes: Uint8Array, at: number, spi: number, sequenceLow: number): void {
  putU32(bytes, at, spi);
  putU32(bytes, at + 4, sequenceLow);
}

/** Octets in front of the payload. */
export function espHeadroom(sizes: EspSizes): number {
  return ESP_HEADER + sizes.ivOctets;
}

/** Octets of text, payload and padding and trailer, for a payload. */
function textOctets(sizes: EspSizes, payload: number): number {
  const alignment = Math.max(ALIGNMENT, sizes.blockOctets);
  return Math.ceil((payload + ESP_TRAILER) / alignment) * alignment;
}

/** Octets of the packet that carries `payload` octets, from the SPI to the end of the ICV. */
export function espOctets(sizes: EspSizes, payload: number): number {
  return espHeadroom(sizes) + textOctets(sizes, payload) + sizes.icvOctets;
}

/** Octets of the largest payload whose packet has at most `room` octets: for the MTU. Negative when none fits. */
export function largestEspPayload(sizes: EspSizes, room: number): number {
  const alignment = Math.max(ALIGNMENT, sizes.blockOctets);
  const text = room - espHeadroom(sizes) - sizes.icvOctets;
  return Math.floor(text / alignment) * alignment - ESP_TRAILER;
}

/**
 * Writes padding (1, 2, 3 ...: RFC 4303 section 2.4), Pad Length and Next Header behind a payload.
 * @returns where the text ends and the ICV begins.
 */
export function putEspTrailer(
  bytes: Uint8Array,
  payloadAt: number,
  payloadOctets: number,
  sizes: EspSizes,
  nextHeader: number,
): number {
  const end = payloadAt + textOctets(sizes, payloadOctets);
  const padding = end - payloadAt - payloadOctets - ESP_TRAILER;
  for (let i = 0; i < padding; i++) bytes[payloadAt + payloadOctets + i] = i + 1;
  bytes[end - 2] = padding;
  bytes[end - 1] = nextHeader;
  return end;
}

/**
 * Octets of payload in a decrypted text; -1 when Pad Length is more than there is.
 *
 * What the padding holds is not looked at: the ICV vouches for it already, and some peers pad with random octets.
 */
export function espPayloadOctets(bytes: Uint8Array, textAt: number, textEnd: number): number {
  const payload = textEnd - textAt - ESP_TRAILER - u8(bytes, textEnd - 2);
  return payload < 0 ? -1 : payload;
}

/** Next Header of a decrypted text of at least {@link ESP_TRAILER} octets. */
export function espNextHeader(bytes: Uint8Array, textEnd: number): number {
  return u8(bytes, textEnd - 1);
}
