import { describe, expect, it } from 'vitest';
import { describePppDisconnect } from '../../../../firmware/protocol/l2tp/ppp-disconnect.ts';
import { pppDisconnect } from '../../../../firmware/vpn/l2tp/disconnect-cause.ts';

const failure = (step: string) => ({ step, reason: 'a secret reason', remedy: 'r' });

describe('the PPP disconnect cause of a session', () => {
  it.each([
    ['LCP', undefined, 0xc021, /LCP came to no end in time/],
    ['echo', 'CHAP', 0xc021, /echoes were not answered/],
    ['authentication', 'PAP', 0xc023, /authentication failed.*of the caller/],
    ['authentication', 'CHAP', 0xc223, /authentication failed/],
    ['authentication', 'EAP', 0xc227, /authentication failed/],
    ['authentication', undefined, 0xc021, /no authentication protocol was acceptable/],
    ['IPCP', 'CHAP', 0x8021, /network control protocol/],
    ['terminated', 'CHAP', 0, /in good order/],
  ])('says of a failure in %s after %s what RFC 3145 has for it', (step, spoken, protocol, words) => {
    const cause = pppDisconnect(failure(step), spoken);
    expect(cause?.protocol).toBe(protocol);
    expect(cause && describePppDisconnect(cause)).toMatch(words);
    expect(cause).not.toHaveProperty('message');
  });

  it('is none where it was not PPP that failed', () => {
    for (const step of ['interface', 'replaced', 'constructor', 'Idle-Timeout']) {
      expect(pppDisconnect(failure(step), 'CHAP')).toBeUndefined();
    }
  });
});
