import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, DecodeError, hex, utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import type { RadiusAttribute } from '../../../../firmware/protocol/radius/attribute-value.ts';
import { CODE, readPacket } from '../../../../firmware/protocol/radius/packet.ts';
import {
  joinEap,
  msChapError,
  msChapSuccess,
  proofAttributes,
  splitEap,
} from '../../../../firmware/protocol/radius/proof-attributes.ts';
import { sealRequest } from '../../../../firmware/protocol/radius/sealing.ts';

const name = utf8Bytes('User');
const challenge = Uint8Array.from({ length: 16 }, (_, index) => 0x10 + index);

function octets(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => from + index);
}

function sent(attributes: readonly RadiusAttribute[]): string {
  const packet = { code: CODE.accessRequest, identifier: 1, authenticator: new Uint8Array(16), attributes };
  return hex(sealRequest(packet, utf8Bytes('secret')).subarray(38));
}

describe('a proof', () => {
  it('of CHAP is identifier and response, with the challenge beside it', () => {
    const proof = { method: 'chap', name, identifier: 0x16, challenge, response: octets(0x80, 16) } as const;
    expect(sent(proofAttributes(proof))).toBe(
      `0106${hex(name)}` + `031316${hex(octets(0x80, 16))}` + `3c12${hex(challenge)}`,
    );
  });

  it('of MS-CHAPv1 has Ident and Flags before the responses', () => {
    const response = concatBytes(octets(0, 24), octets(0x40, 24), Uint8Array.of(1));
    const proof = { method: 'mschapv1', name, identifier: 9, challenge: challenge.subarray(0, 8), response } as const;
    expect(sent(proofAttributes(proof))).toBe(
      `0106${hex(name)}` +
        `1a10000001370b0a${hex(challenge.subarray(0, 8))}` +
        `1a3a0000013701340901${hex(octets(0, 24))}${hex(octets(0x40, 24))}`,
    );
  });

  it('of MS-CHAPv2 has Ident and a zero before Peer-Challenge, Reserved and NT-Response', () => {
    const value = concatBytes(octets(0x20, 16), new Uint8Array(8), octets(0x60, 24));
    const response = concatBytes(value, Uint8Array.of(0));
    const proof = { method: 'mschapv2', name, identifier: 9, challenge, response } as const;
    expect(sent(proofAttributes(proof))).toBe(
      `0106${hex(name)}` + `1a18000001370b12${hex(challenge)}` + `1a3a0000013719340900${hex(value)}`,
    );
  });

  it.each([
    { method: 'chap', length: 15 },
    { method: 'chap', length: 49 },
    { method: 'mschapv1', length: 48 },
    { method: 'mschapv2', length: 16 },
  ] as const)('of $method with $length octets is nobody’s', ({ method, length }) => {
    const response = new Uint8Array(length);
    expect(() => proofAttributes({ method, name, identifier: 1, challenge, response })).toThrow(DecodeError);
  });

  it('without a name, with an endless one or an endless password is nobody’s', () => {
    const password = utf8Bytes('x');
    expect(() => proofAttributes({ method: 'pap', name: new Uint8Array(), password })).toThrow(DecodeError);
    expect(() => proofAttributes({ method: 'pap', name: new Uint8Array(254), password })).toThrow(DecodeError);
    expect(() => proofAttributes({ method: 'pap', name, password: new Uint8Array(129) })).toThrow(DecodeError);
  });

  it('of EAP is cut and put together again, in order', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 2048 }), (packet) => {
        const parts = splitEap(packet);
        expect(parts.length).toBe(Math.ceil(packet.length / 253));
        const all = { code: CODE.accessRequest, identifier: 1, authenticator: new Uint8Array(16), attributes: parts };
        expect(joinEap(readPacket(sealRequest(all, utf8Bytes('s'))).attributes)).toEqual(packet);
      }),
    );
    expect(joinEap([])).toBeUndefined();
  });
});

describe('what an answer has for the peer', () => {
  const digits = '407A5589115FD0D6209F510FE9C04566932CDA56';

  it('is the authenticator response, with the letters in which the server wrote it', () => {
    const value = concatBytes(Uint8Array.of(9), utf8Bytes(`S=${digits}`));
    expect(msChapSuccess([{ name: 'msChap2Success', value }])).toBe(`S=${digits}`);
    const wrong = concatBytes(Uint8Array.of(9), utf8Bytes(`S=${digits.replace('4', 'G')}`));
    expect(msChapSuccess([{ name: 'msChap2Success', value: wrong }])).toBeUndefined();
    expect(msChapSuccess([])).toBeUndefined();
  });

  it.each([
    { what: 'with Ident', value: '\u0009E=691 R=0 V=3' },
    { what: 'without Ident', value: 'E=691 R=0 V=3' },
  ])('is the error of MS-CHAP $what', ({ value }) => {
    const octets = new Uint8Array(Buffer.from(value, 'latin1'));
    expect(msChapError([{ name: 'msChapError', value: octets }])).toBe('E=691 R=0 V=3');
  });

  it('is no error when it does not read like one', () => {
    expect(msChapError([{ name: 'msChapError', value: utf8Bytes('\u0009no') }])).toBeUndefined();
  });
});
