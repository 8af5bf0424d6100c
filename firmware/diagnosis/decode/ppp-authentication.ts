/** PAP (RFC 1334 section 2) and CHAP with any algorithm (RFC 1994, 2433, 2759). */
import { hex } from '../../protocol/bytes.ts';
import { printable } from '../../protocol/printable.ts';
import { FieldReader } from './field-reader.ts';
import type { PasswordChecker, Speaker } from './password-checker.ts';
import type { ControlPacket, PacketText } from './ppp-packet.ts';

const PAP_REQUEST = 1;
const CHALLENGE = 1;
const RESPONSE = 2;
const SUCCESS = 3;
const FAILURE = 4;

/** @throws FieldError when a field is missing */
export function papText(packet: ControlPacket, passwords: PasswordChecker): PacketText {
  const reader = new FieldReader(packet.data, packet.offset);
  if (packet.codeNumber !== PAP_REQUEST) {
    // Peers that leave the length out, or say more than there is, are forgiven.
    const length = reader.remaining === 0 ? 0 : reader.u8('Msg-Length');
    const message = printable(reader.bytes(Math.min(length, reader.remaining), 'Message'));
    return { words: message === '' ? '' : `"${message}"`, fields: { message } };
  }
  const peerId = reader.bytes(reader.u8('Peer-ID Length'), 'Peer-ID');
  const password = reader.bytes(reader.u8('Passwd-Length'), 'Password');
  const verdict = passwords.judgePassword(password);
  const name = printable(peerId);
  // A password is nothing to print: a decoded capture goes from hand to hand.
  const words = `peer "${name}", password of ${password.length} octets${verdict === undefined ? '' : `: ${verdict}`}`;
  return { words, fields: { peerId: name, passwordLength: password.length, ...verdictField(verdict) } };
}

/** @throws FieldError when a field is missing */
export function chapText(packet: ControlPacket, passwords: PasswordChecker, speaker: Speaker): PacketText {
  const { codeNumber: code, identifier } = packet;
  const reader = new FieldReader(packet.data, packet.offset);
  if (code === SUCCESS || code === FAILURE) {
    const octets = reader.rest('Message');
    const message = printable(octets);
    const verdict = code === SUCCESS ? passwords.judgeSuccess(speaker, `chap ${identifier}`, octets) : undefined;
    const words = `${message === '' ? '' : `"${message}"`}${verdict === undefined ? '' : `: ${verdict}`}`;
    return { words, fields: { message, ...verdictField(verdict) } };
  }
  if (code !== CHALLENGE && code !== RESPONSE) return { words: '', fields: { data: hex(reader.rest('Data')) } };
  const value = reader.bytes(reader.u8('Value-Size'), 'Value');
  const name = reader.rest('Name');
  let verdict: string | undefined;
  if (code === CHALLENGE) passwords.challenge(speaker, `chap ${identifier}`, value);
  else verdict = passwords.judgeResponse(speaker, `chap ${identifier}`, { identifier, name, value });
  const words = `name "${printable(name)}", value ${hex(value)}${verdict === undefined ? '' : `: ${verdict}`}`;
  return { words, fields: { value: hex(value), name: printable(name), ...verdictField(verdict) } };
}

/** What the password says, as a field. */
export function verdictField(verdict: string | undefined): { readonly authentication?: string } {
  return verdict === undefined ? {} : { authentication: verdict };
}
