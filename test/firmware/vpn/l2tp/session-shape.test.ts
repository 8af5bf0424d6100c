import { describe, expect, it } from 'vitest';
import { innerMtu } from '../../../../firmware/vpn/l2tp/session-shape.ts';

/** Octets on the link around an inner packet: L2TP with Ns and Nr and full PPP headers, and whatever protects it. */
function outer(inner: number, family: 4 | 6, esp?: { iv: number; block: number; icv: number; udp: boolean }): number {
  const ip = family === 4 ? 20 : 40;
  const udp = 8 + 10 + 4 + inner;
  if (!esp) return ip + udp;
  const encrypted = Math.ceil((udp + 2) / esp.block) * esp.block;
  return ip + (esp.udp ? 8 : 0) + 8 + esp.iv + encrypted + esp.icv;
}

/** AES-CBC with HMAC-SHA2-512-256 (RFC 4868) in UDP: what needs most room. */
const WIDEST = { iv: 16, block: 16, icv: 32, udp: true };
const OTHERS = [
  { iv: 16, block: 16, icv: 12, udp: true },
  { iv: 8, block: 8, icv: 12, udp: true },
  { iv: 8, block: 4, icv: 16, udp: true },
  { iv: 8, block: 4, icv: 16, udp: false },
];

describe('the largest inner packet', () => {
  it.each([4, 6] as const)('fills the link exactly in clear over IPv%i', (family) => {
    for (const link of [1280, 1492, 1500, 9000]) {
      expect(outer(innerMtu(link, family, false), family)).toBe(link);
    }
  });

  it.each([4, 6] as const)(
    'fits the link inside IPsec over IPv%i, whatever protects it, and wastes nothing',
    (family) => {
      for (let link = 1280; link <= 1600; link += 1) {
        const inner = innerMtu(link, family, true);
        expect(outer(inner, family, WIDEST)).toBeLessThanOrEqual(link);
        expect(outer(inner + 1, family, WIDEST)).toBeGreaterThan(link);
        for (const esp of OTHERS) expect(outer(inner, family, esp)).toBeLessThanOrEqual(link);
      }
    },
  );

  it('on Ethernet is what one expects', () => {
    expect(innerMtu(1500, 4, false)).toBe(1458);
    expect(innerMtu(1500, 4, true)).toBe(1384);
    expect(innerMtu(1500, 6, true)).toBe(1368);
  });
});
