/** The IKE header (RFC 7296 section 3.1). */
import { type HeaderFields, readHeader, writeHeader } from '../message-header.ts';
import { FLAG } from './numbers.ts';

const MAJOR_VERSION = 2;

export interface IkeHeader extends Pick<HeaderFields, 'spiI' | 'spiR' | 'exchange' | 'messageId'> {
  /** The sender is the original initiator of the IKE SA. */
  readonly fromInitiator: boolean;
  readonly response: boolean;
}

export interface ReceivedHeader extends IkeHeader, Pick<HeaderFields, 'nextPayload' | 'majorVersion' | 'length'> {}

/** As {@link readHeader}. @throws DecodeError when there are fewer octets than the header says. */
export function decodeHeader(datagram: Uint8Array): ReceivedHeader {
  const { flags, ...fields } = readHeader(datagram);
  return { ...fields, fromInitiator: (flags & FLAG.initiator) !== 0, response: (flags & FLAG.response) !== 0 };
}

/** The 28 octets. @param length of the whole message, in octets. */
export function encodeHeader(header: IkeHeader, nextPayload: number, length: number): Uint8Array {
  const { spiI, spiR, exchange, messageId, fromInitiator, response } = header;
  const flags = (fromInitiator ? FLAG.initiator : 0) | (response ? FLAG.response : 0);
  return writeHeader({ spiI, spiR, nextPayload, majorVersion: MAJOR_VERSION, exchange, flags, messageId, length });
}
