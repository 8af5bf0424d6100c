import { describe, expect, it } from 'vitest';
import { decodeFlaw, encodeFlaw } from '../../../../firmware/protocol/ike/certificate-refusal.ts';

const octets = (...values: number[]) => Uint8Array.from(values);

describe('what is wrong with a certificate, in octets', () => {
  it('has a number of its own for each reason, which never changes', () => {
    const flaws = ['expired', 'not-yet-valid', 'identity', 'authority', 'revoked', 'unfit', 'signature'] as const;
    expect(flaws.map((flaw) => [...encodeFlaw(flaw)])).toEqual(flaws.map((_, index) => [1, index + 1]));
    expect(flaws.map((flaw) => decodeFlaw(encodeFlaw(flaw)))).toEqual(flaws);
  });

  it.each([
    ['nothing', octets()],
    ['one octet', octets(1)],
    ['three octets', octets(1, 1, 0)],
    ['64 KiB', new Uint8Array(65_000).fill(1)],
    ['another version', octets(2, 1)],
    ['a code that nobody has given away', octets(1, 8)],
    ['code 0', octets(1, 0)],
    ['code 255', octets(1, 255)],
  ])('is nothing in %s', (_what, data) => expect(decodeFlaw(data)).toBeUndefined());
});
