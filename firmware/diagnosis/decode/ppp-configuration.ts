/** LCP and the NCPs: negotiations, and what else LCP says (RFC 1661 section 5, RFC 1570 section 2). */
import { hex } from '../../protocol/bytes.ts';
import {
  CODE_REJECT,
  CONFIGURE_REJECT,
  CONFIGURE_REQUEST,
  codeName,
  DISCARD_REQUEST,
  ECHO_REQUEST,
  IDENTIFICATION,
  PROTOCOL_REJECT,
  TERMINATE_ACK,
  TERMINATE_REQUEST,
  TIME_REMAINING,
} from '../../protocol/ppp/packet.ts';
import { PPP_LCP, protocolName } from '../../protocol/ppp/protocol-numbers.ts';
import { printable } from '../../protocol/printable.ts';
import { FieldReader } from './field-reader.ts';
import { readOptions } from './ppp-options.ts';
import type { ControlPacket, PacketText } from './ppp-packet.ts';

/** RFC 2153 section 2. */
const VENDOR_SPECIFIC = 0;

/** @throws FieldError when a field is missing */
export function configurationText(protocol: number, packet: ControlPacket): PacketText {
  const { codeNumber: code } = packet;
  const reader = new FieldReader(packet.data, packet.offset);
  if (code >= CONFIGURE_REQUEST && code <= CONFIGURE_REJECT) return optionsText(protocol, reader);
  if (code === TERMINATE_REQUEST || code === TERMINATE_ACK) return messageText(reader, 'data');
  if (code === CODE_REJECT) return rejectedCode(protocol, reader);
  return protocol === PPP_LCP ? lcpText(code, reader) : rawText(reader);
}

function optionsText(protocol: number, reader: FieldReader): PacketText {
  const { options, fault } = readOptions(protocol, reader);
  const words = options.map(({ name, value, meaning }) => {
    const said = meaning ?? (value === true ? '' : String(value));
    return said === '' ? name : `${name} ${said}`;
  });
  const fields = { options: options.map((option) => ({ ...option })) };
  return { words: words.join(', '), fields, ...(fault === undefined ? {} : { error: fault }) };
}

function lcpText(code: number, reader: FieldReader): PacketText {
  if (code === PROTOCOL_REJECT) {
    const rejected = reader.u16('Rejected-Protocol');
    const rejectedProtocol = protocolName(rejected);
    return {
      words: rejectedProtocol,
      fields: { rejectedProtocol, rejectedInformation: hex(reader.rest('Rejected-Information')) },
    };
  }
  if (code === VENDOR_SPECIFIC) return vendorText(reader);
  if (code < ECHO_REQUEST || code > TIME_REMAINING) return rawText(reader);
  const magicNumber = reader.u32('Magic-Number');
  const magic = `magic 0x${magicNumber.toString(16).padStart(8, '0')}`;
  if (code === TIME_REMAINING) {
    const secondsRemaining = reader.u32('Seconds-Remaining');
    const message = printable(reader.rest('Message'));
    return { words: `${magic}, ${secondsRemaining} s left`, fields: { magicNumber, secondsRemaining, message } };
  }
  if (code === IDENTIFICATION) {
    const message = printable(reader.rest('Message'));
    return { words: `${magic} "${message}"`, fields: { magicNumber, message } };
  }
  const data = hex(reader.rest(code === DISCARD_REQUEST ? 'Discarded Data' : 'Data'));
  return { words: magic, fields: { magicNumber, data } };
}

function vendorText(reader: FieldReader): PacketText {
  const magicNumber = reader.u32('Magic-Number');
  const oui = hex(reader.bytes(3, 'OUI'));
  const kind = reader.u8('Kind');
  return { words: `vendor ${oui} kind ${kind}`, fields: { magicNumber, oui, kind, value: hex(reader.rest('Value')) } };
}

function rejectedCode(protocol: number, reader: FieldReader): PacketText {
  const rejected = reader.rest('Rejected-Packet');
  const rejectedCode = codeName(protocol, rejected[0] ?? 0);
  return {
    words: rejected.length === 0 ? '' : rejectedCode,
    fields: { ...(rejected.length === 0 ? {} : { rejectedCode }), rejectedPacket: hex(rejected) },
  };
}

/** Text, where it is some; octets else. */
function messageText(reader: FieldReader, name: string): PacketText {
  const octets = reader.rest('Data');
  const readable = octets.length > 0 && octets.every((octet) => octet >= 0x20 && octet < 0x7f);
  const value = readable ? printable(octets) : hex(octets);
  const words = octets.length === 0 ? '' : readable ? `"${value}"` : value;
  return { words, fields: { [name]: value } };
}

function rawText(reader: FieldReader): PacketText {
  return { words: '', fields: { data: hex(reader.rest('Data')) } };
}
