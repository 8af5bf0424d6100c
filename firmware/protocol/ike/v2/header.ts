/** The IKE header (RFC 7296 section 3.1). */
import { ByteReader, ByteWriter, DecodeError, hex } from '../../bytes.ts';
import { FLAG } from './numbers.ts';

/** Octets of the header. */
export const HEADER_OCTETS = 28;

/** Octets of an IKE SPI. */
export const SPI_OCTETS = 8;

/** What a responder's SPI is before there is one. */
export const ZERO_SPI: Uint8Array = new Uint8Array(SPI_OCTETS);

/** Major version 2, minor version 0. */
const VERSION = 0x20;

export interface IkeHeader {
  /** 8 octets, of the original initiator of the IKE SA. */
  readonly spiI: Uint8Array;
  /** 8 octets; zero in the first message. */
  readonly spiR: Uint8Array;
  readonly exchange: number;
  /** The sender is the original initiator of the IKE SA. */
  readonly fromInitiator: boolean;
  readonly response: boolean;
  readonly messageId: number;
}

export interface ReceivedHeader extends IkeHeader {
  readonly nextPayload: number;
  readonly majorVersion: number;
  /** Of the whole message, in octets. */
  readonly length: number;
}

/**
 * Reads the header of a message. The minor version is ignored, as is anything behind the message's own length.
 * @throws DecodeError when there are fewer octets than the header says.
 */
export function decodeHeader(datagram: Uint8Array): ReceivedHeader {
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
  return {
    spiI,
    spiR,
    nextPayload,
    majorVersion,
    exchange,
    fromInitiator: (flags & FLAG.initiator) !== 0,
    response: (flags & FLAG.response) !== 0,
    messageId,
    length,
  };
}

/** The 28 octets. @param length of the whole message, in octets. */
export function encodeHeader(header: IkeHeader, nextPayload: number, length: number): Uint8Array {
  return new ByteWriter(HEADER_OCTETS)
    .bytes(header.spiI)
    .bytes(header.spiR)
    .u8(nextPayload)
    .u8(VERSION)
    .u8(header.exchange)
    .u8((header.fromInitiator ? FLAG.initiator : 0) | (header.response ? FLAG.response : 0))
    .u32(header.messageId)
    .u32(length)
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
