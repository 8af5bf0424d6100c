import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError, EncodeError } from '../../../../firmware/protocol/bytes.ts';
import {
  addressValue,
  decodeOptions,
  describeOption,
  encodeOptions,
  IPCP_OPTIONS,
  LCP_OPTIONS,
  protocolValue,
  readOption,
  u16Value,
  u32Value,
} from '../../../../firmware/protocol/ppp/options.ts';

const options = fc.array(
  fc.record({ type: fc.integer({ min: 0, max: 255 }), data: fc.uint8Array({ maxLength: 253 }) }),
  { maxLength: 8 },
);

describe('Configuration Options (RFC 1661 section 6)', () => {
  it('decode as they were encoded, in order', () => {
    fc.assert(
      fc.property(options, (list) => {
        expect(decodeOptions(encodeOptions(list))).toEqual(list);
      }),
    );
  });

  it('throw nothing but DecodeError on any octets, and encode back to the same octets otherwise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (octets) => {
        try {
          expect([...encodeOptions(decodeOptions(octets))]).toEqual([...octets]);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });

  it('refuse a Length below two or beyond the packet', () => {
    expect(() => decodeOptions(Uint8Array.of(1, 1))).toThrow(DecodeError);
    expect(() => decodeOptions(Uint8Array.of(1, 5, 0, 0))).toThrow(DecodeError);
  });

  it('refuse to encode more than 253 octets of data', () => {
    expect(() => encodeOptions([{ type: 1, data: new Uint8Array(254) }])).toThrow(EncodeError);
  });

  it('have values that decode as they were encoded', () => {
    const ip = fc.tuple(...Array.from({ length: 4 }, () => fc.integer({ min: 0, max: 255 }))).map((o) => o.join('.'));
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffff }),
        fc.integer({ min: 0, max: 0xffffffff }),
        ip,
        fc.uint8Array({ maxLength: 5 }),
        (u16, u32, address, data) => {
          expect(u16Value.decode(u16Value.encode(u16))).toBe(u16);
          expect(u32Value.decode(u32Value.encode(u32))).toBe(u32);
          expect(addressValue.decode(addressValue.encode(address))).toBe(address);
          const value = { protocol: u16, data };
          expect(protocolValue.decode(protocolValue.encode(value))).toEqual(value);
        },
      ),
    );
  });

  it('refuse an address that is none', () => {
    for (const text of ['1.2.3', '1.2.3.4.5', '1.2.3.256', '1.2.3.x', '', '1.2.3.-4', '1e1.2.3.4']) {
      expect(() => addressValue.encode(text), text).toThrow(EncodeError);
    }
  });

  it('are read by the table, and refused by it when their length is wrong', () => {
    expect(readOption(LCP_OPTIONS, { type: 1, data: Uint8Array.of(5, 0xdc) })).toBe(1500);
    expect(() => readOption(LCP_OPTIONS, { type: 1, data: Uint8Array.of(5) })).toThrow(DecodeError);
    expect(readOption(LCP_OPTIONS, { type: 200, data: Uint8Array.of(5) })).toEqual(Uint8Array.of(5));
  });

  it('are described in words', () => {
    const of = (type: number, ...data: number[]) => describeOption(LCP_OPTIONS, { type, data: Uint8Array.from(data) });
    expect(of(1, 5, 0x78)).toEqual({ name: 'MRU', value: 1400 });
    expect(of(3, 0xc2, 0x23, 0x81)).toEqual({ name: 'Authentication-Protocol', value: 'CHAP 81' });
    expect(of(7)).toEqual({ name: 'Protocol-Field-Compression', value: true });
    expect(of(1, 5)).toEqual({ name: 'MRU', value: '05' });
    expect(of(99, 1, 2)).toEqual({ name: 'option 99', value: '0102' });
    expect(describeOption(IPCP_OPTIONS, { type: 3, data: Uint8Array.of(10, 0, 0, 1) })).toEqual({
      name: 'IP-Address',
      value: '10.0.0.1',
    });
  });
});
