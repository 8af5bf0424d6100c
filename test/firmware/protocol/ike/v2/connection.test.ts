import { describe, expect, it } from 'vitest';
import type { IkeConnection } from '../../../../../firmware/protocol/ike/ike-types.ts';
import { IkeV2Endpoint } from '../../../../../firmware/protocol/ike/v2/endpoint.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { LEFT, net, PATH } from './harness.ts';

function endpoint(change: Partial<IkeConnection>): IkeV2Endpoint {
  return new IkeV2Endpoint({ connections: [{ ...LEFT, ...change }] }, new SeededRandom(1));
}

describe('a connection', () => {
  it.each<[string, Partial<IkeConnection>]>([
    ['no IKE proposal', { ikeProposals: [] }],
    ['an unknown algorithm', { ikeProposals: [{ encryption: 'rot13', prf: 'sha256', group: 'x25519' }] }],
    [
      'a combined mode with integrity',
      { espProposals: [{ encryption: 'aes128gcm16', integrity: 'sha1', esn: false }] },
    ],
    ['an address that is none', { localId: { kind: 'ipv4', value: 'left.example' } }],
    ['an empty name', { remoteId: { kind: 'fqdn', value: '' } }],
    ['a range of two families', { localSelectors: [{ ...net('10.1.0'), lastAddress: '2001:db8::1' }] }],
  ])('with %s is refused before it can do harm', (_what, change) => {
    expect(() => endpoint(change)).toThrow(RangeError);
  });

  it('of version 1 is left aside', () => {
    expect(() => endpoint({ version: 1 }).initiate(0, 'office', PATH)).toThrow(RangeError);
  });

  it('is called from one IP address to another, or not at all', () => {
    const named = { ...PATH, remote: { address: 'vpn.example', port: 500 } };
    expect(() => endpoint({}).initiate(0, 'office', named)).toThrow(RangeError);
    expect(() => endpoint({}).initiate(0, 'nobody', PATH)).toThrow(RangeError);
  });
});
