/** Configuration payload of IKEv2 (RFC 7296 section 3.15). */
import { hex } from '../../../protocol/bytes.ts';
import { addressText } from '../../../protocol/ike/address-octets.ts';
import { printable } from '../../../protocol/printable.ts';
import type { FieldValue } from '../decoded.ts';
import type { FieldReader } from '../field-reader.ts';
import type { Out } from './chain.ts';
import { nameOf } from './names.ts';
import { CONFIGURATION_ATTRIBUTE_NAMES, CONFIGURATION_TYPE_NAMES } from './registry-v2.ts';

/** What the value of an attribute is; all may be empty in a request. */
type Value = 'ip4' | 'ip4-mask' | 'ip6' | 'ip6-prefix' | 'text' | 'types' | 'seconds';

const VALUES: Readonly<Record<number, Value | undefined>> = {
  1: 'ip4',
  2: 'ip4',
  3: 'ip4',
  4: 'ip4',
  6: 'ip4',
  7: 'text',
  8: 'ip6-prefix',
  10: 'ip6',
  12: 'ip6',
  13: 'ip4-mask',
  14: 'types',
  15: 'ip6-prefix',
  20: 'ip4',
  21: 'ip6',
  24: 'seconds',
  25: 'text',
};

export function describeConfiguration(reader: FieldReader, out: Out): void {
  const type = reader.u8('CFG Type');
  out['cfgType'] = type;
  out['cfg'] = nameOf(CONFIGURATION_TYPE_NAMES, type, 'type');
  reader.bytes(3, 'RESERVED');
  const attributes: Out[] = [];
  out['attributes'] = attributes;
  while (reader.remaining > 0) {
    // The highest bit is reserved (section 3.15.1).
    const attributeType = reader.u16('Attribute Type') & 0x7fff;
    const length = reader.u16('Length');
    const attribute: Out = {
      type: attributeType,
      name: nameOf(CONFIGURATION_ATTRIBUTE_NAMES, attributeType, 'attribute'),
    };
    attributes.push(attribute);
    const value = reader.part(length, 'Value');
    if (length > 0) attribute['value'] = attributeValue(VALUES[attributeType], value);
  }
}

function attributeValue(kind: Value | undefined, reader: FieldReader): FieldValue {
  const { remaining } = reader;
  switch (kind) {
    case 'ip4':
      return remaining === 4 ? addressText(reader.rest()) : wrong(reader);
    case 'ip4-mask':
      if (remaining !== 8) return wrong(reader);
      return `${addressText(reader.bytes(4, 'address'))} mask ${addressText(reader.bytes(4, 'mask'))}`;
    case 'ip6':
      return remaining === 16 ? addressText(reader.rest()) : wrong(reader);
    case 'ip6-prefix':
      if (remaining !== 17) return wrong(reader);
      return `${addressText(reader.bytes(16, 'address'))}/${reader.u8('prefix length')}`;
    case 'text':
      return printable(reader.rest());
    case 'seconds':
      return remaining === 4 ? reader.u32('seconds') : wrong(reader);
    case 'types': {
      const names: string[] = [];
      while (reader.remaining > 0) {
        names.push(nameOf(CONFIGURATION_ATTRIBUTE_NAMES, reader.u16('Attribute Type') & 0x7fff, 'attribute'));
      }
      return names;
    }
    default:
      return hex(reader.rest());
  }
}

function wrong(reader: FieldReader): never {
  return reader.fail('Value', `an attribute of this type has another length than ${reader.remaining}`);
}
