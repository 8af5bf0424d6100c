/** EAP packets inside IKEv2 (RFC 3748 section 4): code, type, and what is in clear. */
import { hex } from '../../../protocol/bytes.ts';
import { printable } from '../../../protocol/printable.ts';
import type { Out } from './chain.ts';
import type { FieldReader } from './field-reader.ts';
import { type Names, nameOf } from './names.ts';

const CODE_NAMES: Names = { 1: 'Request', 2: 'Response', 3: 'Success', 4: 'Failure' };

const TYPE_NAMES: Names = {
  1: 'Identity',
  2: 'Notification',
  3: 'Nak',
  4: 'MD5-Challenge',
  5: 'One-Time Password',
  6: 'Generic Token Card',
  13: 'EAP-TLS',
  18: 'EAP-SIM',
  21: 'EAP-TTLS',
  23: 'EAP-AKA',
  25: 'PEAP',
  26: 'MSCHAPv2',
  43: 'EAP-FAST',
  50: "EAP-AKA'",
  52: 'EAP-pwd',
  254: 'Expanded',
};

const MSCHAPV2_NAMES: Names = { 1: 'Challenge', 2: 'Response', 3: 'Success', 4: 'Failure', 7: 'Change-Password' };

const HEADER = 4;
const LAST_WITH_TYPE = 2;

export function describeEap(reader: FieldReader, out: Out): void {
  const total = reader.remaining;
  const code = reader.u8('Code');
  out['code'] = nameOf(CODE_NAMES, code, 'code');
  out['identifier'] = reader.u8('Identifier');
  const at = reader.offset;
  const length = reader.u16('Length');
  if (length < HEADER || length > total) {
    reader.fail('Length', `the EAP packet says ${length} octets, and ${total} are there`, at);
  }
  if (code < 1 || code > LAST_WITH_TYPE || length === HEADER) return;
  const type = reader.u8('Type');
  out['eapType'] = nameOf(TYPE_NAMES, type, 'type');
  const data = reader.part(length - HEADER - 1, 'Type-Data');
  if (type === 1 || type === 2) out['text'] = printable(data.rest());
  else if (type === 3) out['desired'] = [...data.rest()].map((wanted) => nameOf(TYPE_NAMES, wanted, 'type'));
  else if (type === 26 && data.remaining > 0) out['opCode'] = nameOf(MSCHAPV2_NAMES, data.u8('OpCode'), 'code');
  else if (data.remaining > 0) out['data'] = hex(data.rest());
}
