import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  crc32,
  decodeResult,
  encodeFrame,
  type Frame,
  FrameReader,
  type FrameType,
  MAX_PAYLOAD,
  resultPayload,
} from '../../../../firmware/protocol/provisioning/frames.ts';

const TYPES: readonly FrameType[] = ['R', 'A', 'N', 'O', 'F', 'H', 'D', 'E', 'X', 'K'];

const frame = fc.record({
  type: fc.constantFrom(...TYPES),
  sequence: fc.integer({ min: 0, max: 0xffff }),
  payload: fc.uint8Array({ maxLength: 400 }),
});

describe('a frame', () => {
  it('has the checksum that everybody computes', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
  });

  it('comes back as it was, in whatever pieces, with other lines between', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 5 }), fc.integer({ min: 1, max: 50 }), (frames, piece) => {
        const text = frames.map((one) =>
          Buffer.from(encodeFrame(one.type, one.sequence, one.payload)).toString('latin1'),
        );
        const octets = Buffer.from(`unfinished${text.join('branch-12 login: \r\nand unfinished')}\r\n`, 'latin1');
        const reader = new FrameReader();
        const found: (Frame | 'garbled')[] = [];
        for (let at = 0; at < octets.length; at += piece) found.push(...reader.take(octets.subarray(at, at + piece)));
        expect(found).toEqual(frames);
      }),
    );
  });

  it('is printable, and nothing that a terminal acts on', () => {
    fc.assert(
      fc.property(frame, ({ type, sequence, payload }) => {
        expect(Buffer.from(encodeFrame(type, sequence, payload)).toString('latin1')).toMatch(/^\r\n[ -~]+\r\n$/);
      }),
    );
  });

  it('with a changed octet is never taken for another frame', () => {
    fc.assert(
      fc.property(frame, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ type, sequence, payload }, place, change) => {
        const octets = Buffer.from(encodeFrame(type, sequence, payload));
        const at = 2 + (place % (octets.length - 4));
        octets[at] = (octets[at] ?? 0) ^ change;
        for (const found of new FrameReader().take(octets)) expect(found).toBe('garbled');
      }),
    );
  });

  it('that is too long is noise, and the next one is whole', () => {
    const reader = new FrameReader();
    expect(reader.take(Buffer.from(`:D0001${'A'.repeat(1_000_000)}\r`))).toEqual(['garbled']);
    expect(reader.take(encodeFrame('A', 7))).toEqual([{ type: 'A', sequence: 7, payload: new Uint8Array() }]);
    expect(() => encodeFrame('D', 1, new Uint8Array(MAX_PAYLOAD + 1))).toThrow(RangeError);
  });

  it('holds a result, or as many of its lines as fit and a word about the others', () => {
    const lines = Array.from({ length: 50 }, (_, index) => `problem ${index}: ${'x'.repeat(100)}`);
    const payload = resultPayload({ ok: false, lines });
    expect(payload.length).toBeLessThanOrEqual(MAX_PAYLOAD);
    const result = decodeResult('F', payload);
    expect(result.ok).toBe(false);
    expect(result.lines[0]).toBe(lines[0]);
    expect(result.lines.at(-1)).toContain('and more');
    expect(decodeResult('O', resultPayload({ ok: true, lines: ['a'] }))).toEqual({ ok: true, lines: ['a'] });
  });
});
