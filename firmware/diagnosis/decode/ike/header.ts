/** The header that both versions of IKE share (RFC 2408 section 3.1, RFC 7296 section 3.1), field by field. */
import { HEADER_OCTETS, SPI_OCTETS } from '../../../protocol/ike/message-header.ts';
import type { FieldReader } from '../field-reader.ts';

export interface MessageHeader {
  /** 8 octets each; cookies of IKEv1. */
  readonly spiI: Uint8Array;
  readonly spiR: Uint8Array;
  readonly nextPayload: number;
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly exchange: number;
  readonly flags: number;
  readonly messageId: number;
  /** Of the message, as it says itself; {@link HEADER_OCTETS} at least, and not more than there is. */
  readonly length: number;
}

/** @throws FieldError */
export function readMessageHeader(reader: FieldReader): MessageHeader {
  const total = reader.remaining;
  const spiI = reader.bytes(SPI_OCTETS, 'Initiator SPI');
  const spiR = reader.bytes(SPI_OCTETS, 'Responder SPI');
  const nextPayload = reader.u8('Next Payload');
  const version = reader.u8('Version');
  const exchange = reader.u8('Exchange Type');
  const flags = reader.u8('Flags');
  const messageId = reader.u32('Message ID');
  const at = reader.offset;
  const length = reader.u32('Length');
  if (length < HEADER_OCTETS) reader.fail('Length', `${length} octets are less than the header has`, at);
  if (length > total) reader.fail('Length', `the message has ${length} octets, and ${total} are there`, at);
  const [majorVersion, minorVersion] = [version >> 4, version & 0x0f];
  return { spiI, spiR, nextPayload, majorVersion, minorVersion, exchange, flags, messageId, length };
}
