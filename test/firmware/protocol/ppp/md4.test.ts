import { describe, expect, it } from 'vitest';
import { hex, utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import { md4 } from '../../../../firmware/protocol/ppp/md4.ts';

describe('MD4', () => {
  it.each([
    ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
    ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
    ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
    ['message digest', 'd9130a8164549fe818874806e1c7014b'],
    ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'],
    ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', '043f8582f241db351ce627e153e7f0e4'],
    ['1234567890'.repeat(8), 'e33b4ddc9c38f2199c3e7b164fcc0536'],
  ])('gives the digest of RFC 1320 appendix A.5 for "%s"', (message, digest) => {
    expect(hex(md4(utf8Bytes(message)))).toBe(digest);
  });

  it('takes messages around the block length', () => {
    const digests = new Set([55, 56, 63, 64, 65].map((length) => hex(md4(new Uint8Array(length)))));
    expect(digests.size).toBe(5);
  });
});
