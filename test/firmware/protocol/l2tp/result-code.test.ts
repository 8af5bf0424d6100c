import { describe, expect, it } from 'vitest';
import { utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import { describeResult, meantResultCode, resultOf } from '../../../../firmware/protocol/l2tp/result-code.ts';

describe('result codes in words', () => {
  it.each([
    [{ resultCode: 4 }, 'the requester is not authorized to establish a control channel (StopCCN result 4)'],
    [
      { resultCode: 2, errorCode: 4, message: 'full' },
      'general error, insufficient resources to handle this operation now (StopCCN result 2, error 4): "full"',
    ],
    [
      { resultCode: 5, errorCode: 0x0100 },
      'the protocol version of the requester is not supported, the highest that is supported is 1.0 ' +
        '(StopCCN result 5, error 256)',
    ],
    [{ resultCode: 99 }, 'a result code that RFC 2661 does not know (StopCCN result 99)'],
    [
      { resultCode: 2, errorCode: 77 },
      'general error, an error code that RFC 2661 does not know (StopCCN result 2, error 77)',
    ],
    [undefined, 'no reason given (StopCCN without a Result Code)'],
  ])('describes %j of a StopCCN', (result, words) => {
    expect(describeResult('StopCCN', result)).toBe(words);
  });

  it('reads the same number otherwise in a CDN', () => {
    expect(describeResult('CDN', { resultCode: 3 })).toBe(
      'call disconnected for administrative reasons (CDN result 3)',
    );
  });

  it("makes the peer's message printable", () => {
    expect(describeResult('CDN', { resultCode: 1, errorCode: 0, message: 'a\nb\u001b[2J' })).toContain(
      '"a\\x0ab\\x1b[2J"',
    );
  });

  it('understands a result code with its octets swapped', () => {
    expect(meantResultCode('CDN', 0x0300)).toBe(3);
    expect(meantResultCode('StopCCN', 0x0b00)).toBe(0x0b00);
    expect(meantResultCode('StopCCN', 0)).toBe(0);
  });

  it('cuts a message of its own that is too long for the AVP, between characters', () => {
    const { message = '' } = resultOf({ resultCode: 2, errorCode: 6, message: 'ä'.repeat(2000) });
    expect(message).toBe('ä'.repeat(127));
    expect(utf8Bytes(message).length).toBeLessThanOrEqual(255);
  });
});
