/** The header that both versions share (RFC 2408 section 3.1; RFC 7296 section 3.1): SPIs are what IKEv1 calls cookies. */
import { ByteReader, ByteWriter, DecodeError, hex } from '../bytes.ts';

/** Octets of the header. */
export const HEADER_OCTETS = 28;

/** Octets of an IKE SPI, or cookie. */
export const SPI_OCTETS = 8;

/** What a responder's SPI is before there is one. */
export const ZERO_SPI: Uint8Array = new Uint8Array(SPI_OCTETS);

export interface HeaderFields {
  /** 8 octets, of the original initiator. */
  readonly spiI: Uint8Array;
  /** 8 octets; zero in the first message. */
  readonly spiR: Uint8Array;
  readonly nextPayload: number;
  readonly majorVersion: number;
  readonly exchange: number;
  /** As they stand there. */
  readonly flags: number;
  readonly messageId: number;
  /** Of the whole message, in octets. */
  readonly length: number;
}

/**
 * Reads the header of a message. The minor version is ignored, as is anything behind the message's own length. The SPIs
 * are parts of `datagram`.
 * @throws DecodeError when there are fewer octets than the header says.
 */
export function readHeader(datagram: Uint8Array): HeaderFields {
  const reader = new ByteReader(datagram);
  const spiI = reader.bytes(SPI_OCTETS, 'initiator SPI');
  const spiR = reader.bytes(SPI_OCTETS, 'responder SPI');
  const nextPayload = reader.u8('Next Payload');
  const majorVersion = reader.u8('version') >> 4;
  const exchange = reader.u8('Exchange Type');
  const flags = reader.u8('flags');
  const messageId = reader.u32('Message ID');
  const length = reader.u32('Length');
  if (length < HEADER_OCTETS || length > datagram.length) {
    throw new DecodeError(`Length ${length} in a datagram of ${datagram.length} octets`);
  }
  return { spiI, spiR, nextPayload, majorVersion, exchange, flags, messageId, length };
}

/** The 28 octets, minor version 0. @throws EncodeError when a field does not fit. */
export function writeHeader(fields: HeaderFields): Uint8Array {
  return new ByteWriter(HEADER_OCTETS)
    .bytes(fields.spiI)
    .bytes(fields.spiR)
    .u8(fields.nextPayload)
    .u8(fields.majorVersion << 4)
    .u8(fields.exchange)
    .u8(fields.flags)
    .u32(fields.messageId)
    .u32(fields.length)
    .finish();
}

/** Whether an SPI is not there yet. */
export function isZeroSpi(spi: Uint8Array): boolean {
  return spi.every((octet) => octet === 0);
}

/** An SPI as the key of a map. */
export function spiKey(spi: Uint8Array): string {
  return hex(spi);
}
