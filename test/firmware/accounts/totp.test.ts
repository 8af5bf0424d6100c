import { describe, expect, it } from 'vitest';
import { judgeTotp, totpCode } from '../../../firmware/accounts/totp.ts';

const SECRET = Buffer.from('12345678901234567890');

describe('one-time passwords by time', () => {
  it('are those of RFC 4226, appendix D', () => {
    const codes = Array.from({ length: 10 }, (_, counter) => totpCode(SECRET, counter));
    expect(codes).toEqual('755224 287082 359152 969429 338314 254676 287922 162583 399871 520489'.split(' '));
  });

  it('are the last six digits of those of RFC 6238, appendix B', () => {
    for (const [seconds, code] of [
      [59, '287082'],
      [1_111_111_109, '081804'],
      [1_111_111_111, '050471'],
      [1_234_567_890, '005924'],
      [2_000_000_000, '279037'],
      [20_000_000_000, '353130'],
    ] as const)
      expect(judgeTotp(SECRET, code, seconds * 1000), `${seconds}`).toBe(Math.floor(seconds / 30));
  });

  it('may be a step early or late, and are taken once, in order', () => {
    const wall = 59_000;
    for (const step of [0, 1, 2]) expect(judgeTotp(SECRET, totpCode(SECRET, step), wall)).toBe(step);
    expect(judgeTotp(SECRET, totpCode(SECRET, 3), wall)).toBeUndefined();
    expect(judgeTotp(SECRET, totpCode(SECRET, 1), wall, 1)).toBeUndefined();
    expect(judgeTotp(SECRET, totpCode(SECRET, 0), wall, 1)).toBeUndefined();
    expect(judgeTotp(SECRET, totpCode(SECRET, 2), wall, 1)).toBe(2);
    for (const text of ['', '28708', '2870822', 'abcdef']) expect(judgeTotp(SECRET, text, wall)).toBeUndefined();
  });
});
