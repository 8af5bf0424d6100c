import { describe, expect, it } from 'vitest';
import { IkeV1Endpoint } from '../../../../../firmware/protocol/ike/v1/endpoint.ts';
import { decodeMessage } from '../../../../../firmware/protocol/ike/v1/header.ts';
import { PayloadType } from '../../../../../firmware/protocol/ike/v1/numbers.ts';
import { bodiesOf, decodePayloads } from '../../../../../firmware/protocol/ike/v1/payload.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { explain } from '../fake-certificates.ts';
import { AUTHORITY, byCertificate, EXPIRED, KEYS, keyPair } from './certificates.ts';
import type { Host } from './network.ts';
import { branch, connect, headOffice, initiate, l2tpClient, l2tpServer, makePair, psk, SERVER } from './setup.ts';

const CLIENT_ID = { kind: 'fqdn', value: 'branch.example' } as const;
const SERVER_ID = { kind: 'fqdn', value: 'hq.example' } as const;

const client = (extra = {}) =>
  branch({ ...byCertificate('client'), localId: CLIENT_ID, remoteId: SERVER_ID, ...extra });
const server = (extra = {}) =>
  headOffice({ ...byCertificate('server'), localId: SERVER_ID, remoteId: CLIENT_ID, ...extra });

function childKeysOf({ events }: Host) {
  return events.flatMap((event) => (event.kind === 'child-up' ? [event.child.inbound, event.child.outbound] : []));
}

describe('Main Mode with RSA signatures', () => {
  it('makes an ISAKMP SA and its child, and says who the peer is', () => {
    const pair = connect({ client: client(), server: server() });
    expect(pair.client.last('ike-up')?.peer.identity).toEqual(SERVER_ID);
    expect(pair.server.last('ike-up')?.peer.identity).toEqual(CLIENT_ID);
    expect(childKeysOf(pair.client)).toEqual(childKeysOf(pair.server).toReversed());
    expect(pair.client.trace.slice(0, 6)).toEqual([
      'sent Main Mode 1',
      'received Main Mode 2',
      'sent Main Mode 3',
      'received Main Mode 4',
      'sent Main Mode 5',
      'received Main Mode 6',
    ]);
  });

  it('sends long messages in fragments, and names its authorities', () => {
    const pair = connect({ client: client(), server: server() });
    const messages = pair.network.sent.map(({ datagram }) => decodeMessage(datagram));
    expect(Math.max(...pair.network.sent.map(({ datagram }) => datagram.length))).toBeLessThanOrEqual(1200);
    expect(messages.filter(({ header }) => header.nextPayload === PayloadType.fragment).length).toBeGreaterThan(3);
    const message4 = messages[3];
    const payloads = decodePayloads(message4?.header.nextPayload ?? 0, message4?.body ?? new Uint8Array());
    expect(bodiesOf(payloads, PayloadType.certificateRequest)).toEqual([Uint8Array.of(4, ...AUTHORITY)]);
  });

  it('rekeys', () => {
    const pair = connect({ client: client(), server: server() });
    pair.client.endpoint.rekeyIke(pair.network.now, pair.ikeId);
    pair.network.run(30_000);
    expect(pair.client.all('ike-up')).toHaveLength(2);
    expect(pair.client.last('ike-up')?.replaces).toBe(pair.ikeId);
    expect([pair.client.all('ike-down'), pair.server.all('ike-down')]).toEqual([[], []]);
  });

  it('comes up on a bad network', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const pair = makePair({
        client: client(),
        server: server(),
        seed,
        faults: { loss: 0.15, duplicate: 0.1, jitterMs: 40 },
      });
      initiate(pair);
      pair.network.run(60_000);
      expect(pair.client.all('child-up').length, `seed ${seed}`).toBeGreaterThan(0);
      expect(pair.server.all('child-up').length, `seed ${seed}`).toBeGreaterThan(0);
    }
  });

  it('chooses among connections by the method that is offered, and by the identity', () => {
    const connections = [
      l2tpServer({ name: 'by key' }),
      server({ name: 'another branch', remoteId: { kind: 'fqdn', value: 'other.example' } }),
      server({ name: 'this branch' }),
    ];
    const pair = connect({ client: client(), server: connections });
    expect(pair.server.all('ike-up').map(({ connection }) => connection)).toEqual(['this branch']);
    expect(connect({ client: l2tpClient(), server: connections }).server.last('ike-up')?.connection).toBe('by key');
  });

  it('is refused with words where only the other method is configured', () => {
    const pair = connect({ client: client(), server: l2tpServer() });
    const reason = pair.server.last('ike-down')?.failure.reason;
    expect(reason).toBe('the peer wants to authenticate by RSA signature, and here it is by pre-shared key');
    const reverse = connect({ client: l2tpClient(psk('secret')), server: server() });
    expect(reverse.server.last('ike-down')?.failure.reason).toContain(
      'by pre-shared key, and here it is by RSA signature',
    );
  });
});

/** One of the two does not say that it is a Culvert. */
const STRANGERS = { clientOptions: { vendorId: false } };

describe('a proof that is not believed by somebody of another make', () => {
  const stolen = byCertificate('client', ['client', 'server'], undefined, KEYS.stranger.privateKey);
  it.each([
    ['a certificate of a strange authority', client(byCertificate('stranger')), {}, /nobody knows the authority/],
    ['an expired certificate', client(), byCertificate('server', ['client'], EXPIRED), /expired yesterday/],
    ['a signature by another key', client(stolen), {}, /signature of branch\.example is not by the key/],
    ['another identity', client({ localId: { kind: 'fqdn', value: 'x.example' } }), {}, /calls itself x\.example/],
    ['no certificate', client(withoutChain()), {}, /branch\.example sent no certificate/],
  ] as const)('of the caller (%s) is told in words on both sides', (_what, own, their, words) => {
    const pair = connect({ client: own, server: server(their), ...STRANGERS });
    pair.network.run(40_000);
    expect(pair.server.all('ike-down').map(({ failure }) => failure.reason)).toEqual([expect.stringMatching(words)]);
    const told = pair.client.last('ike-down')?.failure;
    expect(told?.reason).toMatch(
      /does not believe the certificate of this side; an unauthenticated AUTHENTICATION-FAILED/,
    );
    expect(pair.client.all('ike-up')).toEqual([]);
    expect(pair.server.all('ike-up')).toEqual([]);
    expect([pair.client.endpoint.idle, pair.server.endpoint.idle]).toEqual([true, true]);
  });

  const stolenThere = byCertificate('server', ['client'], undefined, KEYS.stranger.privateKey);
  it.each([
    ['a certificate of a strange authority', {}, byCertificate('stranger'), /nobody knows the authority/],
    ['an expired certificate', byCertificate('client', ['server'], EXPIRED), {}, /expired yesterday/],
    ['a signature by another key', {}, stolenThere, /signature of hq\.example is not by the key/],
    ['another identity', {}, { localId: CLIENT_ID }, /calls itself branch\.example/],
  ] as const)('of the one that is called (%s) is told in words on both sides', (_what, own, their, words) => {
    const pair = connect({ client: client(own), server: server(their), ...STRANGERS });
    expect(pair.client.all('ike-down').map(({ failure }) => failure.reason)).toEqual([expect.stringMatching(words)]);
    expect(pair.server.last('ike-down')?.failure.reason).toMatch(/peer does not believe who this side is/);
    expect([pair.client.all('ike-up'), pair.client.all('child-up')]).toEqual([[], []]);
    expect(pair.client.trace.filter((line) => line.includes('Quick Mode'))).toEqual([]);
  });

  it('is answered with one notification, whatever the reason', () => {
    const answers = [client(byCertificate('stranger')), client(stolen), client({ localId: SERVER_ID })].map((own) => {
      const pair = connect({ client: own, server: server(), ...STRANGERS });
      const [sent] = pair.network.sent.filter(({ from, datagram }) => from === pair.server && datagram.length < 60);
      return decodeMessage(sent?.datagram ?? new Uint8Array()).body;
    });
    expect(answers[0]?.length).toBeGreaterThan(0);
    expect(answers).toEqual([answers[0], answers[0], answers[0]]);
  });

  function withoutChain() {
    const { authentication } = byCertificate('client');
    if (authentication.kind !== 'certificate') throw new Error('no certificate');
    return { authentication: { ...authentication, credential: { ...authentication.credential, chain: [] } } };
  }
});

it('takes RSA keys only, and no EAP', () => {
  const endpoint = (connection: Parameters<typeof byCertificate>[3]) =>
    new IkeV1Endpoint(
      { connections: [client(byCertificate('client', [], undefined, connection))] },
      new SeededRandom(1),
    );
  expect(() => endpoint(keyPair(1024).privateKey)).not.toThrow();
  const eap = { kind: 'eap-server', credential: { chain: [], privateKey: keyPair(1024).privateKey, explain } } as const;
  const connections = [client({ remote: SERVER, authentication: { ...eap, passwordOf: () => undefined } })];
  expect(() => new IkeV1Endpoint({ connections }, new SeededRandom(1))).toThrow(/EAP is of IKEv2/);
});
