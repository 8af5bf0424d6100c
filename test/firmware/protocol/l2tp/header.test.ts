import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter, DecodeError, hex } from '../../../../firmware/protocol/bytes.ts';
import {
  decodeControlHeader,
  encodeZlb,
  HeaderBit,
  isControlMessage,
  patchControlLength,
  writeControlHeader,
} from '../../../../firmware/protocol/l2tp/header.ts';

const u16 = fc.integer({ min: 0, max: 0xffff });

function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
}

describe('the control message header', () => {
  it('is C802, length, tunnel, session, Ns, Nr', () => {
    const zlb = encodeZlb({ tunnelId: 0x1234, sessionId: 0, ns: 5, nr: 0xfffe });
    expect(hex(zlb)).toBe('c802000c123400000005fffe');
  });

  it('decodes to what was encoded', () => {
    fc.assert(
      fc.property(u16, u16, u16, u16, fc.uint8Array({ maxLength: 64 }), (tunnelId, sessionId, ns, nr, body) => {
        const writer = new ByteWriter();
        writeControlHeader(writer, { tunnelId, sessionId, ns, nr });
        writer.bytes(body);
        patchControlLength(writer);
        const length = 12 + body.length;
        expect(decodeControlHeader(writer.finish())).toEqual({ length, tunnelId, sessionId, ns, nr });
      }),
    );
  });

  it.each([
    ['of version 1, which is L2F', 'c801 000c 0001 0000 0000 0000'],
    ['of version 3', 'c803 000c 0001 0000 0000 0000'],
    ['without the T bit', '4802 000c 0001 0000 0000 0000'],
    ['without Length', '8802 0001 0000 0000 0000 0000'],
    ['without Ns and Nr', 'c002 000c 0001 0000 0000 0000'],
    ['with an offset', 'ca02 000e 0001 0000 0000 0000 0000'],
    ['whose Length is under 12', 'c802 000b 0001 0000 0000 0000'],
    ['whose Length is more than there is', 'c802 000d 0001 0000 0000 0000'],
    ['that ends early', 'c802 000c 0001'],
    ['of no octets', ''],
  ])('refuses a header %s', (_, text) => {
    expect(() => decodeControlHeader(bytes(text))).toThrow(DecodeError);
  });

  it('ignores reserved bits and the P bit, and octets behind the Length', () => {
    const header = decodeControlHeader(bytes('fdf2 000c 0001 0002 0003 0004 ffff'));
    expect(header).toEqual({ length: 12, tunnelId: 1, sessionId: 2, ns: 3, nr: 4 });
  });

  it('treats every combination of T, L, S and O as the RFC has it', () => {
    for (let combination = 0; combination < 16; combination++) {
      let bits = 2;
      if (combination & 1) bits |= HeaderBit.T;
      if (combination & 2) bits |= HeaderBit.L;
      if (combination & 4) bits |= HeaderBit.S;
      if (combination & 8) bits |= HeaderBit.O;
      const datagram = new ByteWriter().u16(bits).u16(16).bytes(new Uint8Array(12)).finish();
      expect(isControlMessage(datagram)).toBe((combination & 1) !== 0);
      const decode = (): unknown => decodeControlHeader(datagram);
      if (combination === 7) expect(decode).not.toThrow();
      else expect(decode).toThrow(DecodeError);
    }
  });
});
