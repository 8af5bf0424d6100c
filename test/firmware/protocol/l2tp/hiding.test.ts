import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError, hex, utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import { hideValue, unhideValue } from '../../../../firmware/protocol/l2tp/hiding.ts';

const SECRET = utf8Bytes('branch secret');
const VECTOR = Uint8Array.from({ length: 16 }, (_, i) => i);

// Worked out by hand from section 4.3, with an MD5 that is not this program's.
const VECTORS = [
  { what: 'a value shorter than a chunk', type: 9, value: '1234', padding: '', hidden: '4fec3662' },
  {
    what: 'a padded value of a chunk and a bit',
    type: 24,
    value: '05f5e100',
    padding: 'a0a1a2a3a4a5a6a7a8a9aaab',
    hidden: 'c51970fa1b530eca8cafbb33103bcfad2c35',
  },
  {
    what: 'a value that fills a chunk',
    type: 30,
    value: hex(utf8Bytes('fourteen bytes')),
    padding: '',
    hidden: '9198caefd306d9bae63347095a216574',
  },
  {
    what: 'a value of three chunks',
    type: 33,
    value: hex(utf8Bytes('correct horse battery staple, 40 octets!!')),
    padding: '555555',
    hidden: 'c29c2eb591720050ab179473e2adafd77770532eec87a471edae46ff8bd238b445d732091bdcfe319fb99a36713b',
  },
];

function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

describe('AVP hiding', () => {
  it.each(VECTORS)('hides $what as the RFC has it', ({ type, value, padding, hidden }) => {
    expect(hex(hideValue(type, SECRET, VECTOR, bytes(value), bytes(padding)))).toBe(hidden);
  });

  it.each(VECTORS)('reads $what back', ({ type, value, hidden }) => {
    expect(hex(unhideValue(type, SECRET, VECTOR, bytes(hidden)))).toBe(value);
  });

  it('gives back what was hidden, whatever the lengths', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffff }),
        fc.uint8Array({ maxLength: 40 }),
        fc.uint8Array({ maxLength: 1017 }),
        fc.uint8Array({ maxLength: 100 }),
        fc.uint8Array({ maxLength: 40 }),
        (type, secret, vector, value, padding) => {
          const hidden = hideValue(type, secret, vector, value, padding);
          expect(hidden.length).toBe(2 + value.length + padding.length);
          expect(unhideValue(type, secret, vector, hidden)).toEqual(value);
        },
      ),
    );
  });

  it('accepts an original length of exactly two less than the hidden length, and not one more', () => {
    const hidden = hideValue(9, SECRET, VECTOR, bytes('1234'), bytes(''));
    expect(unhideValue(9, SECRET, VECTOR, hidden)).toEqual(bytes('1234'));
    expect(() => unhideValue(9, SECRET, VECTOR, hidden.subarray(0, 3))).toThrow(DecodeError);
  });

  it('refuses a hidden value without room for the length', () => {
    expect(() => unhideValue(9, SECRET, VECTOR, new Uint8Array(1))).toThrow(DecodeError);
  });

  it('throws nothing but DecodeError on any octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (hidden) => {
        try {
          unhideValue(1, SECRET, VECTOR, hidden);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});
