import { describe, expect, it } from 'vitest';
import { hex, utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import { challengeResponse, isRightResponse } from '../../../../firmware/protocol/l2tp/tunnel-authentication.ts';

const SECRET = utf8Bytes('branch secret');
const CHALLENGE = Uint8Array.from({ length: 16 }, (_, i) => i);

describe('the Challenge Response', () => {
  it('is MD5 over the Message Type of its bearer, the secret and the challenge', () => {
    expect(hex(challengeResponse('SCCRP', SECRET, CHALLENGE))).toBe('fccef0bccbacbd42f280bb113dfe7d49');
    expect(hex(challengeResponse('SCCCN', SECRET, CHALLENGE))).toBe('5725ed8577253848413b86a1a4b42e2c');
  });

  it('is right only for its bearer, secret, challenge and length', () => {
    const response = challengeResponse('SCCCN', SECRET, CHALLENGE);
    expect(isRightResponse(response, 'SCCCN', SECRET, CHALLENGE)).toBe(true);
    expect(isRightResponse(response, 'SCCRP', SECRET, CHALLENGE)).toBe(false);
    expect(isRightResponse(response, 'SCCCN', utf8Bytes('other'), CHALLENGE)).toBe(false);
    expect(isRightResponse(response, 'SCCCN', SECRET, CHALLENGE.subarray(1))).toBe(false);
    expect(isRightResponse(response.subarray(1), 'SCCCN', SECRET, CHALLENGE)).toBe(false);
  });
});
