import { describe, expect, it } from 'vitest';
import { parseIkeIdentity } from '../../../firmware/config/ike-identity.ts';

describe('parseIkeIdentity', () => {
  it.each([
    ['192.0.2.1', { kind: 'ipv4', value: '192.0.2.1' }],
    ['2001:DB8:0::1', { kind: 'ipv6', value: '2001:db8::1' }],
    ['branch.example', { kind: 'fqdn', value: 'branch.example' }],
    ['@192.0.2.1', { kind: 'fqdn', value: '192.0.2.1' }],
    ['me@branch.example', { kind: 'email', value: 'me@branch.example' }],
    ['CN=hq', { kind: 'dn', value: Uint8Array.from(Buffer.from('300d310b3009060355040313026871', 'hex')) }],
    ['@CN=hq', { kind: 'fqdn', value: 'CN=hq' }],
    ['#0aFF', { kind: 'key-id', value: Uint8Array.of(0x0a, 0xff) }],
  ])('reads %s', (text, identity) => expect(parseIkeIdentity(text)).toEqual(identity));

  it.each(['', '#', '#abc', '#xy', '@', 'a b', 'a@', 'a@b@c', 'ä.example', 'x'.repeat(256)])('refuses %j', (text) => {
    expect(parseIkeIdentity(text)).toBeUndefined();
  });
});
