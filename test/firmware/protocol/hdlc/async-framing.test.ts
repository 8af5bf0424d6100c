import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AsyncFrameDecoder,
  AsyncFrameEncoder,
  DEFAULT_ACCM,
  longestCoding,
} from '../../../../firmware/protocol/hdlc/async-framing.ts';
import { FCS16_GOOD, fcs16 } from '../../../../firmware/protocol/hdlc/fcs16.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

function encode(frame: Uint8Array, accm = DEFAULT_ACCM): Uint8Array {
  const encoder = new AsyncFrameEncoder();
  encoder.accm = accm;
  const out = new Uint8Array(longestCoding(frame.length));
  return out.subarray(0, encoder.write(frame, 0, frame.length, out, 0));
}

function collector(longest = 1504) {
  const frames: string[] = [];
  const decoder = new AsyncFrameDecoder(longest, (buffer, length) => {
    frames.push(Buffer.from(buffer.subarray(0, length)).toString('hex'));
  });
  return { frames, decoder };
}

describe('the FCS', () => {
  it('is the one of X.25: 906E for the digits 1 to 9', () => {
    const digits = ascii('123456789');
    expect(fcs16(digits, 0, digits.length) ^ 0xffff).toBe(0x906e);
    expect(fcs16(hex('313233343536373839 6e90'), 0, 11)).toBe(FCS16_GOOD);
  });

  it('begins its table as RFC 1662 section C.2 prints it', () => {
    const one = (octet: number) => fcs16(Uint8Array.of(octet), 0, 1, 0);
    expect([0, 1, 2, 3, 4, 5, 6, 7].map(one)).toEqual([0x0000, 0x1189, 0x2312, 0x329b, 0x4624, 0x57ad, 0x6536, 0x74bf]);
    expect([0xf8, 0xff].map(one)).toEqual([0x7bc7, 0x0f78]);
  });
});

describe('a frame on the line', () => {
  it('is stuffed as RFC 1662 section 4.2 has its examples', () => {
    // 0x7e is 7d 5e, 0x7d is 7d 5d, 0x03 is 7d 23, 0x11 is 7d 31, 0x13 is 7d 33.
    const line = Buffer.from(encode(hex('ff03 0021 7e 7d 03 11 13 91'))).toString('hex');
    expect(line.startsWith('7eff7d237d20217d5e7d5d7d237d317d3391')).toBe(true);
    expect(line.endsWith('7e')).toBe(true);
  });

  it('is a Configure-Request as it goes over every dial-up line', () => {
    const request = hex('ff03 c021 0101 0014 0206 00000000 0506 dc24ed57 0702 0802');
    const line = encode(request, 0);
    // All control characters are escaped, though the map says none: it is LCP.
    expect(Buffer.from(line).toString('hex')).toContain(
      '7eff7d23c0217d217d217d207d347d227d267d207d207d207d207d257d26dc24ed577d277d227d287d22',
    );
    const { frames, decoder } = collector();
    decoder.push(line);
    expect(frames).toEqual([Buffer.from(request).toString('hex')]);
  });

  it('escapes control characters by the map, and the flag and the escape in any case', () => {
    const line = Buffer.from(encode(hex('0021 11 13 01 7e 7d'), 0x000a0000)).toString('hex');
    expect(line.startsWith('7e00217d317d33017d5e7d5d')).toBe(true);
  });

  it('does not go where it may have no room', () => {
    const encoder = new AsyncFrameEncoder();
    const frame = new Uint8Array(10);
    expect(() => encoder.write(frame, 0, 10, new Uint8Array(longestCoding(10) - 1), 0)).toThrow('26 octets of room');
    expect(() => encoder.write(frame, 0, 11, new Uint8Array(100), 0)).toThrow('not inside');
    expect(encoder.write(frame, 0, 10, new Uint8Array(longestCoding(10) + 3), 3)).toBeGreaterThan(3);
  });
});

describe('octets off the line', () => {
  it('are frames again, whatever they are, however they are cut, whatever map stands', () => {
    const octets = fc.uint8Array({ minLength: 2, maxLength: 200 });
    fc.assert(
      fc.property(
        fc.array(octets, { maxLength: 8 }),
        fc.integer({ min: 0, max: DEFAULT_ACCM }),
        fc.array(fc.nat(60), { minLength: 1 }),
        (sent, accm, cuts) => {
          const line = Buffer.concat(sent.map((frame) => encode(frame, accm)));
          const { frames, decoder } = collector(200);
          decoder.accm = accm;
          for (let at = 0, cut = 0; at < line.length; cut++) {
            const end = Math.min(line.length, at + (cuts[cut % cuts.length] ?? 0) + 1);
            decoder.push(line, at, end);
            at = end;
          }
          expect(frames).toEqual(sent.map((frame) => Buffer.from(frame).toString('hex')));
          expect(decoder.counters).toEqual({ frames: sent.length, badFcs: 0, tooLong: 0, tooShort: 0, aborted: 0 });
        },
      ),
    );
  });

  it('are passed over before the first flag', () => {
    const { frames, decoder } = collector();
    decoder.push(ascii('CONNECT 150000000\r\n'));
    decoder.push(encode(hex('ff03002145')));
    expect(frames).toEqual(['ff03002145']);
    expect(decoder.counters.badFcs).toBe(0);
  });

  it('may share a flag between two frames', () => {
    const { frames, decoder } = collector();
    const first = encode(hex('002101'));
    decoder.push(first.subarray(0, -1));
    decoder.push(encode(hex('002102')));
    expect(frames).toEqual(['002101', '002102']);
  });

  it('lose control characters that something on the way put there, unless the map lets them stand for themselves', () => {
    const line = [...encode(hex('ff0300214511'))];
    line.splice(4, 0, 0x11, 0x13);
    const { frames, decoder } = collector();
    decoder.push(Uint8Array.from(line));
    expect(frames).toEqual(['ff0300214511']);
    decoder.accm = 0;
    decoder.push(Uint8Array.from(line));
    expect(decoder.counters).toMatchObject({ frames: 1, badFcs: 1 });
  });

  it('lose a control character between an escape and what it escapes, too', () => {
    const line = [...encode(hex('ff0300214511'))];
    line.splice(line.indexOf(0x7d) + 1, 0, 0x13);
    const { frames, decoder } = collector();
    decoder.push(Uint8Array.from(line));
    expect(frames).toEqual(['ff0300214511']);
  });

  it('are counted when they are damaged, too short, given up or too long, and the next frame is whole', () => {
    const { frames, decoder } = collector(20);
    const good = encode(hex('ff0300214500'));
    const damaged = Uint8Array.from(good, (octet, at) => (at === 6 ? octet ^ 1 : octet));
    decoder.push(damaged);
    expect(decoder.counters).toEqual({ frames: 0, badFcs: 1, tooLong: 0, tooShort: 0, aborted: 0 });
    decoder.push(hex('7e7e 414243 7e'));
    expect(decoder.counters.tooShort).toBe(1);
    decoder.push(hex('7e ff03 0021 45 7d 7e'));
    expect(decoder.counters.aborted).toBe(1);
    decoder.push(encode(new Uint8Array(21).fill(0x41)));
    decoder.push(ascii('A'.repeat(10_000)));
    expect(decoder.counters.tooLong).toBe(2);
    decoder.push(encode(new Uint8Array(20).fill(0x41)));
    decoder.push(good);
    expect(frames).toEqual(['41'.repeat(20), 'ff0300214500']);
    expect(decoder.counters).toEqual({ frames: 2, badFcs: 1, tooLong: 2, tooShort: 1, aborted: 1 });
  });

  it('never give a frame that was not sent, nor throw, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (pieces) => {
        const { decoder } = collector(100);
        for (const piece of pieces) decoder.push(piece);
        decoder.push(Uint8Array.of(0x7e));
        const before = decoder.counters.frames;
        decoder.push(encode(hex('ff0300214500')));
        expect(decoder.counters.frames).toBe(before + 1);
      }),
    );
  });

  it('go on after a frame whose taker threw', () => {
    let calls = 0;
    const decoder = new AsyncFrameDecoder(100, () => {
      calls += 1;
      if (calls === 1) throw new Error('no');
    });
    expect(() => decoder.push(encode(hex('ff0300214500')))).toThrow('no');
    decoder.push(encode(hex('ff0300214501')));
    expect(calls).toBe(2);
  });
});

describe('the end of a call', () => {
  it.each([DEFAULT_ACCM, 0])('is seen in NO CARRIER after a frame, under the map %s', (accm) => {
    const { frames, decoder } = collector();
    decoder.accm = accm;
    let ended = 0;
    decoder.onNoCarrier = () => {
      ended += 1;
    };
    decoder.push(encode(hex('ff0300214500'), accm));
    for (const character of '\r\nNO CARRIER\r\n') decoder.push(ascii(character));
    decoder.push(ascii('\r\nRING\r\n'));
    expect({ frames: frames.length, ended }).toEqual({ frames: 1, ended: 1 });
  });

  it('is not seen in a frame that has these words as data', () => {
    const { frames, decoder } = collector();
    let ended = 0;
    decoder.onNoCarrier = () => {
      ended += 1;
    };
    const frame = Buffer.concat([hex('ff030021'), ascii('\r\nNO CARRIER\r\n')]);
    for (const octet of encode(frame)) decoder.push(Uint8Array.of(octet));
    expect({ frames: frames.length, ended }).toEqual({ frames: 1, ended: 0 });
  });
});
