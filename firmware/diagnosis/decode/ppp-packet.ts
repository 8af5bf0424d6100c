/** The format that LCP, the NCPs, PAP, CHAP and EAP share (RFC 1661 section 5): Code, Identifier, Length, Data. */
import { codeName, PACKET_HEADER } from '../../protocol/ppp/packet.ts';
import type { DecodeFault, Fields } from './decoded.ts';
import { FieldError, FieldReader, type Octets, slice } from './field-reader.ts';

export interface ControlPacket {
  /** Its name; `code N` where it has none. */
  readonly code: string;
  readonly codeNumber: number;
  readonly identifier: number;
  /** Without padding. */
  readonly data: Octets;
  /** Of the data in its PPP frame. */
  readonly offset: number;
}

/** What is said of the data of a packet. */
export interface PacketText {
  /** Behind code and identifier; may be empty. */
  readonly words: string;
  readonly fields: Fields;
  readonly error?: DecodeFault;
}

/** @param offset of the octets in their frame. @throws FieldError when the header is not one */
export function readControlPacket(protocol: number, octets: Octets, offset: number): ControlPacket {
  const reader = new FieldReader(octets, offset);
  const codeNumber = reader.u8('Code');
  const identifier = reader.u8('Identifier');
  const length = reader.u16('Length');
  const there = octets.bytes.length + octets.missing;
  if (length < PACKET_HEADER) throw new FieldError(offset + 2, 'Length', `${length} octets, at least 4 wanted`);
  if (length > there) throw new FieldError(offset + 2, 'Length', `${length} octets announced, the frame has ${there}`);
  const code = codeName(protocol, codeNumber);
  return { code, codeNumber, identifier, data: slice(octets, PACKET_HEADER, length), offset: reader.offset };
}
