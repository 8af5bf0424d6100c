import fc from 'fast-check';
import { formatIpv4, formatIpv6 } from '../../../../firmware/protocol/ip-address.ts';
import {
  ATTRIBUTES,
  type AttributeDefinition,
  type AttributeName,
} from '../../../../firmware/protocol/radius/attribute-table.ts';
import type { RadiusAttribute } from '../../../../firmware/protocol/radius/attribute-value.ts';

/** What a Vendor-Specific attribute has room for. */
const MAX_VENDOR_VALUE = 247;

/** A few attributes of the table, of any kind, as a server may send them. */
export function arbitraryAttributes(): fc.Arbitrary<RadiusAttribute[]> {
  const names = (Object.keys(ATTRIBUTES) as AttributeName[]).filter(
    (name) => name !== 'messageAuthenticator' && name !== 'userPassword',
  );
  const one = fc.constantFrom(...names).chain((name) => {
    const values = valuesOf(ATTRIBUTES[name]);
    return values.map((value) => ({ name, value }) as RadiusAttribute);
  });
  return fc.array(one, { maxLength: 12 });
}

function valuesOf(definition: AttributeDefinition): fc.Arbitrary<unknown> {
  const room = definition.vendor === 0 ? 253 : MAX_VENDOR_VALUE;
  const { minLength = 1, maxLength = room } = definition;
  const text = fc.string({ minLength: 1, maxLength: 60 });
  switch (definition.kind) {
    case 'bytes':
    case 'password':
      return fc.uint8Array({ minLength, maxLength });
    case 'text':
      return text;
    case 'tagged-text':
      return text;
    case 'integer':
      return fc.integer({ min: 0, max: 0xffffffff });
    case 'tagged-integer':
      return fc.integer({ min: 0, max: 0xffffff });
    case 'ipv4':
      return fc.integer({ min: 0, max: 0xffffffff }).map(formatIpv4);
    case 'ipv6':
      return groups(8).map(formatIpv6);
    case 'ipv6-prefix':
      return fc.integer({ min: 0, max: 8 }).chain((count) =>
        groups(count).map((head) => {
          const padded = [...head, ...new Array<number>(8 - count).fill(0)];
          return `${formatIpv6(padded)}/${count * 16}`;
        }),
      );
  }
}

function groups(count: number): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: count, maxLength: count });
}
