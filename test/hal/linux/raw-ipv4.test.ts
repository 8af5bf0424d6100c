import { describe, expect, it } from 'vitest';
import { payloadOffset } from '../../../hal/linux/raw-ipv4.ts';

const packet = (first: number): Uint8Array => Uint8Array.of(first, ...new Array<number>(99).fill(0));

describe('payloadOffset', () => {
  it('is the length that the header gives, with its options', () => {
    expect(payloadOffset(packet(0x45), 100)).toBe(20);
    expect(payloadOffset(packet(0x46), 100)).toBe(24);
    expect(payloadOffset(packet(0x4f), 100)).toBe(60);
    expect(payloadOffset(packet(0x4f), 60)).toBe(60);
  });

  it.each([
    ['a length below that of a header', 0x44, 100],
    ['a length of zero', 0x40, 100],
    ['another version', 0x65, 100],
    ['a length beyond what was received', 0x4f, 59],
    ['less than a header', 0x45, 19],
    ['nothing', 0x45, 0],
  ])('leaves no payload behind %s', (_what, first, received) => {
    expect(payloadOffset(packet(first), received)).toBe(received);
    expect(payloadOffset(packet(first).subarray(0, received), received)).toBe(received);
  });
});
