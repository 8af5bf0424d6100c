import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../../../../firmware/protocol/ike/v1/header.ts';
import { ExchangeType, PayloadType } from '../../../../../firmware/protocol/ike/v1/numbers.ts';
import { byCertificate, EXPIRED } from './certificates.ts';
import type { Host, Sent } from './network.ts';
import {
  branch,
  CLIENT,
  connect,
  headOffice,
  initiate,
  l2tpClient,
  l2tpServer,
  makePair,
  OUTSIDE,
  psk,
  range,
  SERVER,
} from './setup.ts';

const CLIENT_ID = { kind: 'fqdn', value: 'branch.example' } as const;
const SERVER_ID = { kind: 'fqdn', value: 'hq.example' } as const;
const OTHER_ID = { kind: 'fqdn', value: 'other.example' } as const;

const client = (extra = {}) => branch({ aggressive: true, localId: CLIENT_ID, remoteId: SERVER_ID, ...extra });
const server = (extra = {}) => headOffice({ aggressive: true, localId: SERVER_ID, remoteId: CLIENT_ID, ...extra });

const childrenOf = ({ events }: Host) =>
  events.flatMap((event) => (event.kind === 'child-up' ? [event.child.inbound, event.child.outbound] : []));

/** The Aggressive Mode messages of a host, by their place in the exchange. */
const isMessage3 = ({ datagram }: Sent): boolean => {
  const { header } = decodeMessage(datagram);
  return header.exchangeType === ExchangeType.aggressive && header.flags === 1;
};

describe('Aggressive Mode', () => {
  it.each([
    ['a pre-shared key', {}, {}],
    ['RSA signatures', byCertificate('client'), byCertificate('server')],
  ])('takes three messages with %s', (_what, own, their) => {
    const pair = connect({ client: client(own), server: server(their) });
    expect(pair.client.trace.slice(0, 4)).toEqual([
      'sent Aggressive Mode 1',
      'received Aggressive Mode 2',
      'sent Aggressive Mode 3',
      'sent Quick Mode 1',
    ]);
    expect(pair.client.last('ike-up')?.peer.identity).toEqual(SERVER_ID);
    expect(pair.server.last('ike-up')?.peer.identity).toEqual(CLIENT_ID);
    expect(childrenOf(pair.client)).toHaveLength(2);
    expect(childrenOf(pair.client)).toEqual(childrenOf(pair.server).toReversed());
    pair.client.endpoint.rekeyIke(pair.network.now, pair.ikeId);
    pair.network.run(30_000);
    expect(pair.client.last('ike-up')?.replaces).toBe(pair.ikeId);
    expect([pair.client.all('ike-down'), pair.server.all('ike-down')]).toEqual([[], []]);
  });

  it('finds a NAT, and moves to port 4500', () => {
    const pair = connect({ client: client(), server: server(), clientBehindNat: true });
    expect(pair.client.last('ike-up')?.peer).toMatchObject({ natLocal: true, natRemote: false, encapsulation: 'nat' });
    expect(pair.server.last('ike-up')?.peer).toMatchObject({ natLocal: false, natRemote: true, encapsulation: 'nat' });
    expect(pair.server.last('ike-up')?.path).toMatchObject({ local: { port: 4500 }, remote: { address: OUTSIDE } });
    expect(pair.client.last('child-up')?.child.udpEncapsulation).toBe(true);
  });

  it('sees no NAT where there is none, though ESP is to go in UDP', () => {
    const ours = { encapsulateAmongOurselves: true };
    const pair = connect({ client: client(), server: server(), clientOptions: ours, serverOptions: ours });
    for (const { events } of [pair.client, pair.server]) {
      const up = events.find((event) => event.kind === 'ike-up');
      expect(up?.peer).toMatchObject({ natLocal: false, natRemote: false, encapsulation: 'agreement' });
    }
    const forced = connect({ client: client({ forceEncapsulation: true }), server: server() });
    expect(forced.server.last('child-up')?.child.udpEncapsulation).toBe(true);
  });

  it('chooses the key by the identity, also where others have no name', () => {
    const connections = [
      server({ name: 'anybody', ...psk('for anybody'), remoteId: undefined }),
      server({ name: 'another', ...psk('for another'), remoteId: OTHER_ID }),
      server({ name: 'this one', ...psk('for this one') }),
    ];
    const named = connect({ client: client(psk('for this one')), server: connections });
    expect(named.server.last('ike-up')?.connection).toBe('this one');
    const stranger = client({ ...psk('for anybody'), localId: { kind: 'email', value: 'who@ever.example' } });
    expect(connect({ client: stranger, server: connections }).server.last('ike-up')?.connection).toBe('anybody');
  });

  it('is answered only by connections that say so', () => {
    const pair = connect({ client: client(), server: [headOffice(), server({ remote: '192.0.2.77' })] });
    pair.network.run(30_000);
    expect(pair.server.endpoint.counters.aggressiveMode).toBeGreaterThan(0);
    expect(pair.client.last('ike-down')?.failure.reason).toContain('INVALID-EXCHANGE-TYPE');
    expect(pair.server.events.filter(({ kind }) => kind !== 'trace')).toEqual([]);
  });

  it('is not what a connection with Main Mode ends in, and takes Main Mode as well', () => {
    const pair = connect({ client: branch({ localId: CLIENT_ID }), server: server() });
    expect(pair.client.trace[0]).toBe('sent Main Mode 1');
    expect(pair.server.all('child-up')).toHaveLength(1);
  });

  it.each([3, 4, 5, 6, 7])('comes up on a bad network, and lives on there (seed %i)', (seed) => {
    for (const [own, their] of [
      [{}, {}],
      [byCertificate('client'), byCertificate('server')],
    ]) {
      const faults = { loss: 0.2, duplicate: 0.1, jitterMs: 40 };
      const pair = makePair({ client: client(own), server: server(their), seed, faults });
      initiate(pair);
      pair.network.run(60_000);
      expect([pair.client.all('child-up').length > 0, pair.server.all('child-up').length > 0]).toEqual([true, true]);
    }
  });

  it('repeats message 3 that was lost, while nobody says anything', () => {
    const pair = makePair({ client: client(), server: server() });
    let lost = 0;
    pair.network.filter = (sent) => {
      if (!isMessage3(sent) || lost >= 2) return true;
      lost += 1;
      return false;
    };
    initiate(pair);
    pair.network.run(10_000);
    expect(lost).toBe(2);
    expect(pair.server.all('child-up')).toHaveLength(1);
    expect(pair.client.trace).toContain('sent Aggressive Mode 3 again');
  });

  it('asks for a message 3 that is never repeated', () => {
    const pair = makePair({ client: client(), server: server() });
    let first = true;
    pair.network.filter = (sent) => {
      if (!isMessage3(sent)) return true;
      const { trace } = pair.client;
      if (first || trace.at(-1) === 'sent Aggressive Mode 3 again') {
        first = false;
        return false;
      }
      return true;
    };
    initiate(pair);
    pair.network.run(10_000);
    expect(pair.server.trace).toContain('sent Aggressive Mode reply again');
    expect(pair.server.all('child-up')).toHaveLength(1);
  });

  it('costs a stranger who floods no more than what is allowed', () => {
    const pair = makePair({ client: client(), server: server() });
    initiate(pair);
    const message = pair.network.sent[0]?.datagram ?? new Uint8Array();
    for (let at = 0; at < 500; at += 1) {
      const copy = Uint8Array.from(message);
      copy.set([at >> 8, at & 255], 2);
      pair.network.inject(pair.server, copy, pair.server.to(`198.51.100.${at % 250}`));
    }
    expect(pair.server.endpoint.views().length).toBeLessThanOrEqual(60);
    expect(pair.server.endpoint.counters.halfOpenLimit).toBeGreaterThan(400);
  });
});

describe('an Aggressive Mode that fails', () => {
  const KEY = /pre-shared key is another one/;
  const CALLER = /not believe who this side is/;
  it.each([
    ['another key', client(psk('other')), server(), KEY, CALLER],
    ['another responder', client({ remoteId: OTHER_ID }), server(), /calls itself hq\.example/, CALLER],
    [
      'an expired certificate of the responder',
      client(byCertificate('client', ['server'], EXPIRED)),
      server(byCertificate('server')),
      /expired yesterday/,
      CALLER,
    ],
    [
      'another caller',
      client({ localId: OTHER_ID }),
      server(),
      /AUTHENTICATION-FAILED/,
      /calls itself other\.example, and no connection/,
    ],
    [
      'other algorithms',
      client({ ikeProposals: [{ encryption: '3des', integrity: 'md5', prf: 'md5', group: 'modp1024' }] }),
      server(),
      /accepts no IKE proposal/,
      /no common IKE proposal/,
    ],
    ['another method', client(byCertificate('client')), server(), /accepts no IKE proposal/, /by RSA signature/],
  ] as const)('because of %s says so on both sides', (_what, own, their, here, there) => {
    const pair = connect({ client: own, server: their });
    pair.network.run(60_000);
    expect(pair.client.all('ike-down').map(({ failure }) => failure.reason)).toEqual([expect.stringMatching(here)]);
    expect(pair.server.all('ike-down').map(({ failure }) => failure.reason)).toEqual([expect.stringMatching(there)]);
    expect([pair.client.endpoint.idle, pair.server.endpoint.idle]).toEqual([true, true]);
    expect([pair.client.all('ike-up'), pair.server.all('ike-up')]).toEqual([[], []]);
  });

  it('because of a certificate of the caller says so on both sides', () => {
    const believed = byCertificate('server', ['client'], EXPIRED);
    const pair = connect({ client: client(byCertificate('client')), server: server(believed) });
    pair.network.run(60_000);
    expect(pair.server.last('ike-down')?.failure.reason).toBe(EXPIRED.reason);
    // For the caller the ISAKMP SA stood when message 3 went out.
    expect(pair.client.last('ike-down')?.failure.reason).toMatch(/message 3: .* does not believe the certificate/);
    expect(pair.server.all('ike-up')).toEqual([]);
  });

  it('does not end by a forged answer that came first', () => {
    const pair = makePair({ client: client(), server: server() });
    const liar = connect({ client: client(psk('liar')), server: server(psk('liar')) });
    const answer = liar.network.sent.find(({ from }) => from === liar.server)?.datagram ?? new Uint8Array();
    initiate(pair);
    const { header } = decodeMessage(pair.network.sent[0]?.datagram ?? new Uint8Array());
    const forged = Uint8Array.from(answer);
    forged.set(header.cookieI);
    pair.network.inject(pair.client, forged, pair.client.to(SERVER));
    pair.network.run(5000);
    expect(pair.client.endpoint.counters.authenticationFailed).toBe(1);
    expect(pair.client.all('child-up')).toHaveLength(1);
  });
});

it('Aggressive Mode shows who calls, and Main Mode does not', () => {
  const shown = (aggressive: boolean) => {
    const pair = connect({
      client: client({ aggressive, localSelectors: [range('10.1.0.0', '10.1.0.255')] }),
      server: server(),
    });
    return pair.network.sent.some(({ datagram }) => Buffer.from(datagram).includes('branch.example'));
  };
  expect([shown(true), shown(false)]).toEqual([true, false]);
  const transport = connect({ client: l2tpClient({ aggressive: true }), server: l2tpServer({ aggressive: true }) });
  expect(transport.server.last('ike-up')?.peer.identity).toEqual({ kind: 'ipv4', value: CLIENT });
  expect(PayloadType.identification).toBe(5);
});
