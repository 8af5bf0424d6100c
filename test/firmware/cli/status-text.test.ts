import { describe, expect, it } from 'vitest';
import { interfacesText, l2tpText, pppText, statusText } from '../../../firmware/cli/status-text.ts';
import { durationText, octetsText } from '../../../firmware/cli/units-text.ts';
import { STATUS } from '../api/fake-router.ts';

describe('status for people', () => {
  it('begins with host, version, board and uptime, and leaves out what is empty', () => {
    const lines = statusText(STATUS);
    expect(lines[0]).toBe('branch-12: culvert 0.1.0 on simulated, up 3 min 20 s');
    expect(lines).toContain('L2TP');
    expect(lines).not.toContain('IPsec');
    for (const line of lines) expect(line).toBe(line.trimEnd());
  });

  it('puts each column below its heading', () => {
    const [head = '', wan = ''] = interfacesText(STATUS.interfaces);
    expect(wan.indexOf('10.20.0.9/24')).toBe(head.indexOf('ADDRESSES'));
    expect(interfacesText([])).toEqual(['no interfaces are configured']);
  });

  it('shows the addresses and the authentication of a PPP link', () => {
    expect(pppText(STATUS.ppp)[1]).toBe(
      'hq    up     l2tp-hq    10.99.0.2  10.99.0.1  10.99.0.1  mschapv2        alice  1400',
    );
  });

  it('shows the RADIUS servers of a server once, however many tunnels it has, and why one is silent', () => {
    const [tunnel] = STATUS.l2tp;
    if (tunnel === undefined) throw new Error('the fake router has no tunnel');
    const counters = { retransmissions: 2, timeouts: 3, duplicates: 0, unproved: 1, malformed: 0 };
    const asked = { service: 'authentication' as const, requests: 7, answers: 5, ...counters };
    const radius = [
      { ...asked, address: '10.0.0.5:1812', state: 'silent' as const, reason: 'it is silent', remedy: 'start it' },
      { ...asked, address: '10.0.0.6:1812', state: 'answers' as const },
    ];
    const server = { ...tunnel, name: 'office', role: 'server' as const, radius, sessions: [] };
    const lines = l2tpText([server, { ...server, tunnelId: 7 }]);
    expect(lines.slice(-4)).toEqual([
      'RADIUS OF  SERVICE         SERVER         STATE    ASKED  ANSWERS  TIME-OUTS  WRONG',
      'office     authentication  10.0.0.5:1812  silent   7      5        3          1',
      'office     authentication  10.0.0.6:1812  answers  7      5        3          1',
      'it is silent; start it',
    ]);
  });

  it('shows the IPv6 of the links that have it in a table of its own', () => {
    const [link] = STATUS.ppp;
    if (link === undefined) throw new Error('the fake router has no PPP link');
    const ipv6 = { localAddress: 'fe80::7', peerAddress: 'fe80::1', addresses: ['fd00:98:0:7::7'], dns: [] };
    expect(pppText([link, { ...link, name: 'plant', ipv6: { ...ipv6, router: 'fe80::1' } }]).slice(-2)).toEqual([
      'IPV6 OF  LOCAL    PEER     ADDRESSES       PREFIX  ROUTER   DNS',
      'plant    fe80::7  fe80::1  fd00:98:0:7::7  -       fe80::1  -',
    ]);
    expect(pppText([link]).join('')).not.toContain('IPV6');
  });

  it.each([
    [0, '0 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [3_661, '1 h 1 min'],
    [86_400, '1 d'],
    [3_900_000, '45 d 3 h'],
  ])('writes %d seconds as %s', (seconds, text) => expect(durationText(seconds)).toBe(text));

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_500, '1.5 KB'],
    [2_000_000_000_000, '2.0 TB'],
  ])('writes %d octets as %s', (octets, text) => expect(octetsText(octets)).toBe(text));
});
