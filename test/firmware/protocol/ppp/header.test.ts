import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  emptyPppHeader,
  MAX_PPP_HEADER,
  pppHeaderLength,
  readPppHeader,
  writePppHeader,
} from '../../../../firmware/protocol/ppp/header.ts';
import { PPP_IP, PPP_IPCP, PPP_LCP } from '../../../../firmware/protocol/ppp/protocol-numbers.ts';

function read(octets: readonly number[], offset = 0) {
  const into = emptyPppHeader();
  return readPppHeader(Uint8Array.from(octets), offset, octets.length, into) ? into : undefined;
}

describe('reading a PPP header', () => {
  it('reads all four forms of the same header', () => {
    for (const octets of [[0xff, 0x03, 0x00, 0x21], [0xff, 0x03, 0x21], [0x00, 0x21], [0x21]]) {
      expect(read([...octets, 0x45, 0x00])).toEqual({ protocol: PPP_IP, offset: octets.length, length: 2 });
    }
  });

  it('reads at an offset', () => {
    expect(read([1, 2, 3, 0xff, 0x03, 0xc0, 0x21, 9], 3)).toEqual({ protocol: PPP_LCP, offset: 7, length: 1 });
  });

  it('takes an empty information field', () => {
    expect(read([0xc0, 0x21])).toEqual({ protocol: PPP_LCP, offset: 2, length: 0 });
  });

  it('refuses what is too short for a protocol number', () => {
    for (const octets of [[], [0x80], [0xff, 0x03], [0xff, 0x03, 0x80]]) expect(read(octets)).toBeUndefined();
  });

  it('refuses bounds outside of the buffer', () => {
    expect(readPppHeader(new Uint8Array(4), 0, 5, emptyPppHeader())).toBe(false);
    expect(readPppHeader(new Uint8Array(4), -1, 4, emptyPppHeader())).toBe(false);
    expect(readPppHeader(new Uint8Array(4), 4, 4, emptyPppHeader())).toBe(false);
  });
});

describe('writing a PPP header', () => {
  it('writes the short form of IP only where both compressions were negotiated', () => {
    const forms: [boolean, boolean, number[]][] = [
      [true, true, [0x21]],
      [true, false, [0xff, 0x03, 0x21]],
      [false, true, [0x00, 0x21]],
      [false, false, [0xff, 0x03, 0x00, 0x21]],
    ];
    for (const [pfc, acfc, wanted] of forms) {
      const buffer = new Uint8Array(MAX_PPP_HEADER);
      const length = writePppHeader(buffer, 0, PPP_IP, pfc, acfc);
      expect([...buffer.subarray(0, length)]).toEqual(wanted);
    }
  });

  it('never compresses LCP, nor a protocol that has no one-octet form', () => {
    const buffer = new Uint8Array(MAX_PPP_HEADER);
    expect(writePppHeader(buffer, 0, PPP_LCP, true, true)).toBe(4);
    expect([...buffer]).toEqual([0xff, 0x03, 0xc0, 0x21]);
    expect(writePppHeader(buffer, 0, PPP_IPCP, true, true)).toBe(2);
    expect([...buffer.subarray(0, 2)]).toEqual([0x80, 0x21]);
  });

  it('is read back as it was written, in every form', () => {
    const odd = fc.integer({ min: 0, max: 0x3fff }).map((n) => ((n & 0x3f80) << 2) | ((n & 0x7f) << 1) | 1);
    fc.assert(
      fc.property(odd, fc.boolean(), fc.boolean(), fc.integer({ min: 0, max: 8 }), (protocol, pfc, acfc, offset) => {
        const buffer = new Uint8Array(offset + MAX_PPP_HEADER + 3);
        const length = writePppHeader(buffer, offset, protocol, pfc, acfc);
        expect(length).toBe(pppHeaderLength(protocol, pfc, acfc));
        const into = emptyPppHeader();
        expect(readPppHeader(buffer, offset, offset + length + 3, into)).toBe(true);
        expect(into).toEqual({ protocol, offset: offset + length, length: 3 });
      }),
    );
  });
});
