/** EAP (RFC 3748): identity, notification, nak, MD5-Challenge, MSCHAPv2 by their fields, other types by name. */
import { hex } from '../../protocol/bytes.ts';
import { printable } from '../../protocol/printable.ts';
import { FieldReader } from './field-reader.ts';
import type { PasswordChecker, Speaker } from './password-checker.ts';
import { verdictField } from './ppp-authentication.ts';
import type { ControlPacket, PacketText } from './ppp-packet.ts';

const REQUEST = 1;
const RESPONSE = 2;

const IDENTITY = 1;
const NOTIFICATION = 2;
const NAK = 3;
const MD5_CHALLENGE = 4;
const MSCHAPV2 = 26;

/** RFC 3748 section 5 and the IANA registry. */
const TYPES: ReadonlyMap<number, string> = new Map([
  [IDENTITY, 'Identity'],
  [NOTIFICATION, 'Notification'],
  [NAK, 'Nak'],
  [MD5_CHALLENGE, 'MD5-Challenge'],
  [5, 'One-Time Password'],
  [6, 'Generic Token Card'],
  [13, 'TLS'],
  [17, 'LEAP'],
  [18, 'SIM'],
  [21, 'TTLS'],
  [23, 'AKA'],
  [25, 'PEAP'],
  [MSCHAPV2, 'MSCHAPv2'],
  [43, 'FAST'],
  [47, 'PSK'],
  [50, "AKA'"],
  [52, 'PWD'],
  [254, 'Expanded'],
]);

/** OpCodes of EAP-MSCHAPv2 are the codes of CHAP, and one more. */
const OP_CODES = ['', 'Challenge', 'Response', 'Success', 'Failure', '', '', 'Change-Password'];

/** @throws FieldError when a field is missing */
export function eapText(packet: ControlPacket, passwords: PasswordChecker, speaker: Speaker): PacketText {
  const { codeNumber: code, identifier } = packet;
  const reader = new FieldReader(packet.data, packet.offset);
  if (code !== REQUEST && code !== RESPONSE) return { words: '', fields: {} };
  const number = reader.u8('Type');
  const type = eapTypeName(number);
  switch (number) {
    case IDENTITY:
    case NOTIFICATION: {
      const text = printable(reader.rest('Type-Data'));
      const fields = number === IDENTITY ? { identity: text } : { message: text };
      return { words: text === '' ? type : `${type} "${text}"`, fields: { type, ...fields } };
    }
    case NAK: {
      const desired = Array.from(reader.rest('Type-Data'), eapTypeName);
      return { words: `${type}, would do ${desired.join(', ') || 'nothing'}`, fields: { type, desired } };
    }
    case MD5_CHALLENGE: {
      const value = reader.bytes(reader.u8('Value-Size'), 'Value');
      const name = reader.rest('Name');
      let verdict: string | undefined;
      if (code === REQUEST) passwords.challenge(speaker, `eap ${identifier}`, value);
      else verdict = passwords.judgeResponse(speaker, `eap ${identifier}`, { identifier, name, value });
      const said = { type, value: hex(value), name: printable(name), ...verdictField(verdict) };
      return { words: `${type}${verdict === undefined ? '' : `: ${verdict}`}`, fields: said };
    }
    case MSCHAPV2:
      return msChapV2Text(reader, type, code === REQUEST, passwords, speaker);
    default: {
      const data = hex(reader.rest('Type-Data'));
      return { words: type, fields: { type, data } };
    }
  }
}

/** `MD5-Challenge` ...; `type N` for a number without a name here. */
function eapTypeName(type: number): string {
  return TYPES.get(type) ?? `type ${type}`;
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
