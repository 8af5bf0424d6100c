import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError, EncodeError } from '../../../../firmware/protocol/bytes.ts';
import { codeName, decodePacket, encodeFrame, encodePacket } from '../../../../firmware/protocol/ppp/packet.ts';
import { PPP_CCP, PPP_CHAP, PPP_LCP, PPP_PAP } from '../../../../firmware/protocol/ppp/protocol-numbers.ts';

const octet = fc.integer({ min: 0, max: 255 });
const packets = fc.record({ code: octet, identifier: octet, data: fc.uint8Array({ maxLength: 300 }) });

describe('the control packet format (RFC 1661 section 5)', () => {
  it('decodes what it encodes, whatever padding follows', () => {
    fc.assert(
      fc.property(packets, fc.uint8Array({ maxLength: 20 }), (packet, padding) => {
        const octets = Uint8Array.from([...encodePacket(packet), ...padding]);
        expect(decodePacket(octets)).toEqual(packet);
      }),
    );
  });

  it('refuses a Length below four or beyond the frame', () => {
    expect(() => decodePacket(Uint8Array.of(1, 1, 0, 3))).toThrow(DecodeError);
    expect(() => decodePacket(Uint8Array.of(1, 1, 0, 6, 0))).toThrow(DecodeError);
    expect(() => decodePacket(Uint8Array.of(1, 1, 0))).toThrow(DecodeError);
  });

  it('throws nothing but DecodeError on any octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
        try {
          decodePacket(octets);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });

  it('refuses to encode data that Length cannot say', () => {
    expect(() => encodePacket({ code: 1, identifier: 1, data: new Uint8Array(65_532) })).toThrow(EncodeError);
  });

  it('puts the protocol number before the packet in a bare frame', () => {
    expect([...encodeFrame(PPP_LCP, { code: 9, identifier: 7, data: Uint8Array.of(1) })]).toEqual([
      0xc0, 0x21, 9, 7, 0, 5, 1,
    ]);
  });

  it('names the codes of each protocol', () => {
    expect(codeName(PPP_LCP, 1)).toBe('Configure-Request');
    expect(codeName(PPP_LCP, 8)).toBe('Protocol-Reject');
    expect(codeName(PPP_PAP, 1)).toBe('Authenticate-Request');
    expect(codeName(PPP_CHAP, 1)).toBe('Challenge');
    expect(codeName(PPP_CCP, 14)).toBe('Reset-Request');
    expect(codeName(PPP_CHAP, 99)).toBe('code 99');
    expect(codeName(PPP_LCP, 0)).toBe('code 0');
  });
});
