/** PPPoE discovery (RFC 2516 section 5, RFC 4638): codes and tags by their names. */
import { hex } from '../../protocol/bytes.ts';
import { PPPOE_CODES } from '../../protocol/pppoe/packet.ts';
import { PPPOE_TAGS, TAG_END_OF_LIST } from '../../protocol/pppoe/tags.ts';
import { printable } from '../../protocol/printable.ts';
import type { DecodedBody, FieldValue } from './decoded.ts';
import { FieldReader, faultOf, type Octets } from './field-reader.ts';

interface ShownTag {
  readonly name: string;
  readonly value: string | number;
  readonly [name: string]: FieldValue;
}

/** What stands behind the Ethernet header, with the padding of a short frame. */
export function decodePppoeDiscovery(octets: Octets): DecodedBody {
  const reader = new FieldReader(octets);
  const tags: ShownTag[] = [];
  let name = 'packet';
  let sessionId = 0;
  const error = faultOf(() => {
    const version = reader.u8('VER and TYPE');
    if (version !== 0x11) reader.fail('VER and TYPE', `0x${version.toString(16)} is no version of PPPoE`, 0);
    const code = reader.u8('CODE');
    name = PPPOE_CODES.get(code) ?? `code 0x${code.toString(16)}`;
    sessionId = reader.u16('SESSION_ID');
    const payload = reader.part(reader.u16('LENGTH'), 'LENGTH');
    while (!payload.done) {
      const type = payload.u16('TAG_TYPE');
      const value = payload.bytes(payload.u16('TAG_LENGTH'), 'TAG_LENGTH');
      if (type === TAG_END_OF_LIST) break;
      tags.push(shown(type, value));
    }
  });
  const words = tags.map(({ name, value }) => (value === '' ? name : `${name} ${value}`));
  const session = sessionId === 0 ? [] : [`session ${sessionId}`];
  return {
    protocol: 'pppoe-discovery',
    summary: [name, ...session, ...words].join(', '),
    fields: { messageType: name, sessionId, tags },
    ...(error === undefined ? {} : { error }),
  };
}

function shown(type: number, value: Uint8Array): ShownTag {
  const { name, kind } = PPPOE_TAGS.get(type) ?? {
    name: `tag 0x${type.toString(16).padStart(4, '0')}`,
    kind: 'octets',
  };
  if (kind === 'text') return { name, value: value.length === 0 ? '' : `"${printable(value)}"` };
  const [high, low, more] = value;
  if (kind === 'u16' && high !== undefined && low !== undefined && more === undefined) {
    return { name, value: (high << 8) | low };
  }
  return { name, value: hex(value) };
}
