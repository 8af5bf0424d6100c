/** EAP (RFC 3748): identity, notification, nak, MD5-Challenge, MSCHAPv2 by their fields, other types by name. */
import { hex } from '../../protocol/bytes.ts';
import {
  EAP_IDENTITY,
  EAP_MD5,
  EAP_MSCHAPV2,
  EAP_NAK,
  EAP_NOTIFICATION,
  EAP_REQUEST,
  EAP_RESPONSE,
  eapTypeName,
} from '../../protocol/eap/packet.ts';
import { printable } from '../../protocol/printable.ts';
import { FieldReader } from './field-reader.ts';
import type { PasswordChecker, Speaker } from './password-checker.ts';
import { verdictField } from './ppp-authentication.ts';
import type { ControlPacket, PacketText } from './ppp-packet.ts';

/** OpCodes of EAP-MSCHAPv2 are the codes of CHAP, and one more. */
const OP_CODES = ['', 'Challenge', 'Response', 'Success', 'Failure', '', '', 'Change-Password'];

/** @throws FieldError when a field is missing */
export function eapText(packet: ControlPacket, passwords: PasswordChecker, speaker: Speaker): PacketText {
  const { codeNumber: code, identifier } = packet;
  const reader = new FieldReader(packet.data, packet.offset);
  if (code !== EAP_REQUEST && code !== EAP_RESPONSE) return { words: '', fields: {} };
  const number = reader.u8('Type');
  const type = eapTypeName(number);
  switch (number) {
    case EAP_IDENTITY:
    case EAP_NOTIFICATION: {
      const text = printable(reader.rest('Type-Data'));
      const fields = number === EAP_IDENTITY ? { identity: text } : { message: text };
      return { words: text === '' ? type : `${type} "${text}"`, fields: { type, ...fields } };
    }
    case EAP_NAK: {
      const desired = Array.from(reader.rest('Type-Data'), (type) => eapTypeName(type));
      return { words: `${type}, would do ${desired.join(', ') || 'nothing'}`, fields: { type, desired } };
    }
    case EAP_MD5: {
      const value = reader.bytes(reader.u8('Value-Size'), 'Value');
      const name = reader.rest('Name');
      let verdict: string | undefined;
      if (code === EAP_REQUEST) passwords.challenge(speaker, `eap ${identifier}`, value);
      else verdict = passwords.judgeResponse(speaker, `eap ${identifier}`, { identifier, name, value });
      const said = { type, value: hex(value), name: printable(name), ...verdictField(verdict) };
      return { words: `${type}${verdict === undefined ? '' : `: ${verdict}`}`, fields: said };
    }
    case EAP_MSCHAPV2:
      return msChapV2Text(reader, type, code === EAP_REQUEST, passwords, speaker);
    default: {
      const data = hex(reader.rest('Type-Data'));
      return { words: type, fields: { type, data } };
    }
  }
}

/** draft-kamath-pppext-eap-mschapv2: OpCode, MS-CHAPv2-ID, MS-Length, then what CHAP has. */
function msChapV2Text(
  reader: FieldReader,
  type: string,
  request: boolean,
  passwords: PasswordChecker,
  speaker: Speaker,
): PacketText {
  const number = reader.u8('OpCode');
  const opCode = OP_CODES[number] || `operation ${number}`;
  // The acknowledgement of a Success or Failure is an OpCode alone.
  if (!request && number !== 2) return { words: `${type} ${opCode}`, fields: { type, opCode } };
  const msChapV2Id = reader.u8('MS-CHAPv2-ID');
  reader.u16('MS-Length');
  const head = { type, opCode, msChapV2Id };
  const key = `eap-mschapv2 ${msChapV2Id}`;
  if (number === 1 || number === 2) {
    const value = reader.bytes(reader.u8('Value-Size'), 'Value');
    const name = reader.rest('Name');
    let verdict: string | undefined;
    if (number === 1) passwords.challenge(speaker, key, value);
    else verdict = passwords.judgeResponse(speaker, key, { identifier: msChapV2Id, name, value });
    const words = `${type} ${opCode} name "${printable(name)}"${verdict === undefined ? '' : `: ${verdict}`}`;
    return { words, fields: { ...head, value: hex(value), name: printable(name), ...verdictField(verdict) } };
  }
  const message = reader.rest('Message');
  const verdict = number === 3 ? passwords.judgeSuccess(speaker, key, message) : undefined;
  const said = printable(message);
  const words = `${type} ${opCode} "${said}"${verdict === undefined ? '' : `: ${verdict}`}`;
  return { words, fields: { ...head, message: said, ...verdictField(verdict) } };
}
