import { describe, expect, it } from 'vitest';
import { hex, utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import type { PppLinkOptions } from '../../../../firmware/protocol/ppp/link-types.ts';
import { MSCHAP_V1 } from '../../../../firmware/protocol/ppp/mschapv1.ts';
import { Pair, TestRandom } from './simulation.ts';

const INPUT = { identifier: 1, name: utf8Bytes('User'), password: 'MyPw' };

describe('MS-CHAPv1', () => {
  it('computes the NT-Response of RFC 2433 appendix B.2', () => {
    const challenge = Uint8Array.from(Buffer.from('102db5df085d3041', 'hex'));
    const { value } = MSCHAP_V1.respond({ ...INPUT, challenge }, new TestRandom(1));
    expect(hex(value.subarray(24, 48))).toBe('4e9d3c8f9cfd385d5bf4d3246791956ca4c351ab409a3d61');
    expect(value).toHaveLength(49);
    expect(value[48]).toBe(1);
    expect(MSCHAP_V1.verify({ ...INPUT, challenge }, value).ok).toBe(true);
  });

  it('takes neither the response of LAN Manager, nor one of another length', () => {
    const challenge = new Uint8Array(8).fill(5);
    const { value } = MSCHAP_V1.respond({ ...INPUT, challenge }, new TestRandom(1));
    const lanManager = value.slice();
    lanManager[48] = 0;
    for (const wrong of [lanManager, value.subarray(0, 48), Uint8Array.of(...value, 0), new Uint8Array(0)])
      expect(MSCHAP_V1.verify({ ...INPUT, challenge }, wrong).ok).toBe(false);
  });

  it('is spoken by both sides where both were told to', () => {
    const client: PppLinkOptions = {
      mru: 1400,
      authenticatee: { user: 'alice', password: 'alice-pw', methods: ['mschapv1'] },
      ipcp: { role: 'client', requestDns: false },
    };
    const server = (password: string): PppLinkOptions => ({
      mru: 1400,
      authenticator: { name: 'lns', methods: ['mschapv1'], password: () => password },
      ipcp: { role: 'server', assign: () => ({ localAddress: '10.0.0.1', peerAddress: '10.0.0.7', dns: [] }) },
    });
    const good = new Pair(client, server('alice-pw')).start();
    good.run(60_000, () => good.a.isOpen && good.b.isOpen);
    expect(good.b.link.view).toMatchObject({ phase: 'open', authentication: 'mschapv1', user: 'alice' });
    const bad = new Pair(client, server('other')).start();
    bad.run(60_000, () => bad.a.isDone);
    expect(bad.a.failure?.reason).toMatch(/^the server refused user alice \(MS-CHAPv1\): error 691/);
  });
});
