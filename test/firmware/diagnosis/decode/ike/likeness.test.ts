import { describe, expect, it } from 'vitest';
import { NO_KEYS } from '../../../../../firmware/diagnosis/decode/keys/decode-keys.ts';
import { FIRST_FLIGHTS } from '../../../protocol/ike/profiles/first-flights.ts';
import { CLIENT, connect, SERVER } from '../../../protocol/ike/v1/setup.ts';
import { Harness } from '../../../protocol/ike/v2/harness.ts';
import { decodeAll } from './recorded.ts';

const ENDS = { source: { address: CLIENT, port: 500 }, destination: { address: SERVER, port: 500 } };

describe('the decoder', () => {
  it('says what the sender of a first message looks like, and why', () => {
    const flights = [
      FIRST_FLIGHTS['Windows 10, IKEv1'],
      FIRST_FLIGHTS['macOS or iOS, IKEv2'],
      FIRST_FLIGHTS['one proposal of anybody, IKEv2'],
    ];
    const bodies = decodeAll(
      flights.map((octets) => ({ octets, ...ENDS })),
      NO_KEYS,
    );
    expect(bodies.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    expect(bodies.map(({ fields }) => fields['looksLike'])).toEqual([
      'Windows (its vendor id, and 5 proposals with aes256-sha1-ecp384 first, and a lifetime of 28800 seconds)',
      'macOS or iOS (4 proposals with aes256gcm16-prfsha256-ecp256 first)',
      undefined,
    ]);
    expect(bodies[1]?.summary).toMatch(/^IKE_SA_INIT request 0: SA, .*; looks like macOS or iOS \(4 proposals/);
  });

  it('says it of both ends, and only of the messages that tell', () => {
    const one = connect();
    const two = new Harness();
    two.initiate();
    const request = two.pass('left');
    const octets = [...one.network.sent, request, two.pass('right')].map(({ datagram }) => datagram);
    const told = decodeAll(
      octets.map((message) => ({ octets: message, ...ENDS })),
      NO_KEYS,
    );
    const looks = told.flatMap(({ fields }) => fields['looksLike'] ?? []);
    expect(looks).toEqual(new Array(4).fill('Culvert (its vendor id)'));
  });
});
