import { describe, expect, it } from 'vitest';
import type { IpsecStatus } from '../../../firmware/api/router-control.ts';
import { ipsecText } from '../../../firmware/cli/ipsec-text.ts';
import { statusText } from '../../../firmware/cli/status-text.ts';
import { IPSEC_STATUS, STATUS } from '../api/fake-router.ts';

const HQ = IPSEC_STATUS;
const { secondsLeft: _, ...rest } = HQ;
const DOWN: IpsecStatus = {
  ...rest,
  name: 'plant',
  state: 'failed',
  reason: 'IKE_AUTH: the keys differ',
  remedy: 'compare them',
  algorithms: '',
  peerIdentity: '',
  encapsulation: '',
  peer: '10.20.0.8',
  children: [],
};

describe('IPsec for people', () => {
  it('has a line per IKE SA, and what was settled below', () => {
    expect(ipsecText([HQ])).toEqual([
      'NAME  STATE  VERSION  MODE       ROLE       PEER            PEER IDENTITY',
      'hq    up     IKEv1    transport  initiator  10.20.0.2:4500  srv.lab',
      '',
      'hq with 10.20.0.2:4500',
      '  IKE SA      AES-CBC with 256-bit key, PRF-HMAC-SHA1, 2048-bit MODP; 3 h 53 min left',
      '  peer runs   strongSwan',
      '  NAT         this router is behind a NAT',
      '  ESP in UDP  AES-CBC with 256-bit key, HMAC-SHA1-96; 55 min left',
      '    between   10.20.0.9 UDP port 1701 and 10.20.0.2 UDP port 1701',
      '    received  12 (15.3 KB), SPI 00c0ffee',
      '    sent      9 (900 B), SPI fedcba98',
      '    dropped   replayed 2',
    ]);
  });

  it('names the user who has logged in', () => {
    expect(ipsecText([{ ...HQ, peerUser: 'alice' }])[1]).toMatch(/ {2}alice \(srv\.lab\)$/);
  });

  it('says of AH what it is not', () => {
    const children = HQ.children.map(
      (child) => ({ ...child, protocol: 'ah', algorithms: 'HMAC-SHA2-256-128' }) as const,
    );
    const text = ipsecText([{ ...HQ, children }]).join('\n');
    expect(text).toMatch(/^ {2}AH +HMAC-SHA2-256-128, not encrypted; 55 min left$/m);
    expect(text).not.toContain('ESP');
  });

  it('says why one is not up, and nothing of what it has not settled', () => {
    const lines = ipsecText([DOWN]);
    expect(lines).toHaveLength(3);
    expect(lines[2]).toBe('plant: IKE_AUTH: the keys differ; compare them');
  });

  it('says that a server waits, and that nothing passes without SAs', () => {
    expect(ipsecText([{ ...DOWN, state: 'up', peer: 'any' }])[1]).toContain('waits for anybody');
    expect(ipsecText([{ ...HQ, children: [] }]).join('\n')).toContain('child SAs  none: nothing passes');
    expect(ipsecText([])).toEqual(['no IPsec connections']);
  });

  it('says of a failure that is past that it is', () => {
    const [reason, remedy] = ['IKE_AUTH: the keys differ', 'compare them'];
    const last = (entry: IpsecStatus) =>
      ipsecText([{ ...entry, reason, remedy }]).filter((line) => line.includes('differ'));
    expect(last({ ...DOWN, state: 'up', peer: 'any' })).toEqual([
      'plant: the last caller was turned away: IKE_AUTH: the keys differ; compare them',
    ]);
    expect(last({ ...DOWN, state: 'connecting' })).toEqual([
      'plant: the last attempt failed: IKE_AUTH: the keys differ; compare them',
    ]);
  });

  it('marks a pair that only receives', () => {
    const children = HQ.children.map((child) => ({ ...child, state: 'down' as const }));
    expect(ipsecText([{ ...HQ, children }]).join('\n')).toContain('55 min left; only receives');
  });

  it('is a part of the overview', () => {
    const lines = statusText({ ...STATUS, ipsec: [HQ] });
    expect(lines).toContain('IPsec');
    expect(lines).toContain('    NAT         this router is behind a NAT');
  });
});
