import { describe, expect, it } from 'vitest';
import { onesComplementSum } from '../../../../firmware/protocol/esp/internet-checksum.ts';
import { decodeIcmp, encodeEchoRequest } from '../../../../firmware/protocol/icmp/icmp-message.ts';
import { icmpError, icmpReply } from './icmp-answers.ts';

const IDENTITY = { identifier: 0x1234, sequence: 7 };
const DATA = Uint8Array.of(1, 2, 3);

describe('an echo request', () => {
  it('of IPv4 has its checksum, and one of IPv6 leaves it to the machine', () => {
    const request = encodeEchoRequest(4, IDENTITY, DATA);
    expect([...request.slice(0, 2), ...request.slice(4)]).toEqual([8, 0, 0x12, 0x34, 0, 7, 1, 2, 3]);
    expect(onesComplementSum(request, 0, request.length)).toBe(0xffff);
    expect([...encodeEchoRequest(6, IDENTITY, DATA)]).toEqual([128, 0, 0, 0, 0x12, 0x34, 0, 7, 1, 2, 3]);
  });
});

describe.each([4, 6] as const)('a message of IPv%i', (family) => {
  const request = encodeEchoRequest(family, IDENTITY, DATA);

  it('that answers tells whose and which request, and gives the data back', () => {
    expect(decodeIcmp(family, icmpReply(family, request))).toEqual({ kind: 'reply', ...IDENTITY, data: DATA });
  });

  it('that refuses tells the request that it quotes, why, and the MTU', () => {
    const decoded = (...words: [type: number, code: number, word?: number]) =>
      decodeIcmp(family, icmpError(family, request, ...words));
    const [unreachable, exceeded, big] = family === 4 ? [3, 11, [3, 4]] : [1, 3, [2, 0]];
    expect(decoded(unreachable, 1)).toEqual({ kind: 'unreachable', ...IDENTITY, code: 1 });
    expect(decoded(exceeded, 0)).toEqual({ kind: 'time-exceeded', ...IDENTITY, code: 0 });
    expect(decoded(big[0] ?? 0, big[1] ?? 0, 1400)).toEqual({ kind: 'too-big', ...IDENTITY, mtu: 1400 });
  });

  it('that is about nothing of ours is none', () => {
    expect(decodeIcmp(family, icmpError(family, request, family === 4 ? 5 : 4, 0))).toBeUndefined();
    expect(decodeIcmp(family, request)).toBeUndefined();
    const about = icmpError(family, icmpReply(family, request), family === 4 ? 3 : 1, 0);
    expect(decodeIcmp(family, about)).toBeUndefined();
  });

  it('that is cut off anywhere is refused, and never read beyond its end', () => {
    const whole = icmpError(family, request, family === 4 ? 3 : 1, 0);
    for (let length = 0; length < whole.length - DATA.length; length += 1) {
      expect(() => decodeIcmp(family, whole.slice(0, length)), `${length}`).toThrow(
        expect.objectContaining({ name: 'DecodeError' }),
      );
    }
  });
});

it('a damaged message of IPv4 is refused, for before a raw socket nobody looks at its checksum', () => {
  const reply = icmpReply(4, encodeEchoRequest(4, IDENTITY, DATA));
  reply[9] = 77;
  expect(() => decodeIcmp(4, reply)).toThrow('a wrong checksum');
});
