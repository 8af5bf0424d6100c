import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../../../../../firmware/protocol/ike/v1/header.ts';
import { isakmpNotification } from '../../../../../firmware/protocol/ike/v1/notification.ts';
import { HeaderFlag, NotifyType, PayloadType } from '../../../../../firmware/protocol/ike/v1/numbers.ts';
import { plainMessage } from '../../../../../firmware/protocol/ike/v1/phase1.ts';
import {
  BRANCH,
  branch,
  CLIENT,
  connect,
  headOffice,
  initiate,
  l2tpClient,
  l2tpServer,
  makePair,
  psk,
  range,
  SERVER,
} from './setup.ts';

describe('a wrong pre-shared key', () => {
  it('is named by the initiator after message 5 was not answered', () => {
    const pair = connect({ client: l2tpClient(psk('wrong')) });
    pair.network.run(30_000);
    const [down] = pair.client.all('ike-down');
    expect(down?.failure.step).toBe('Main Mode 5');
    expect(down?.failure.reason).toContain('pre-shared key is another one');
    expect(down?.failure.remedy).toContain('pre-shared key on both ends');
    expect(pair.client.endpoint.idle).toBe(true);
  });

  it('is named by the responder, which forgets the stranger', () => {
    const pair = connect({ client: l2tpClient(psk('wrong')) });
    pair.network.run(30_000);
    const [down, ...more] = pair.server.all('ike-down');
    expect(more).toEqual([]);
    expect(down).toMatchObject({ connection: 'server', failure: { step: 'Main Mode 5' } });
    expect(down?.failure.reason).toContain('does not decrypt or verify');
    expect(pair.server.all('ike-up')).toEqual([]);
    expect(pair.server.endpoint.idle).toBe(true);
  });

  it('answers every reason with the same notification', () => {
    const wanted = { kind: 'fqdn', value: 'branch.example' } as const;
    const refusals = [l2tpServer(psk('other')), l2tpServer({ remoteId: wanted })].map((server) => {
      const pair = connect({ server });
      const [sent] = pair.network.sent.filter(({ from, datagram }) => from === pair.server && datagram.length < 60);
      return decodeMessage(sent?.datagram ?? new Uint8Array()).body;
    });
    expect(refusals[0]).toEqual(refusals[1]);
  });

  it('names an identity that is not the wanted one', () => {
    const server = l2tpServer({ remoteId: { kind: 'fqdn', value: 'branch.example' } });
    const pair = connect({ server });
    pair.network.run(10_000);
    expect(pair.server.last('ike-down')?.failure.reason).toContain(`calls itself ${CLIENT}`);
    const other = connect({ client: l2tpClient({ remoteId: { kind: 'fqdn', value: 'head.example' } }) });
    expect(other.client.last('ike-down')?.failure).toMatchObject({ step: 'Main Mode 6' });
  });
});

describe('several pre-shared keys at the responder', () => {
  it('finds the one that fits message 5, by address first and then among the wildcards', () => {
    const connections = [
      l2tpServer({ name: 'first', ...psk('one') }),
      l2tpServer({ name: 'second', ...psk('two') }),
      l2tpServer({ name: 'by address', remote: CLIENT, ...psk('three') }),
    ];
    for (const [key, name] of [
      ['one', 'first'],
      ['two', 'second'],
      ['three', 'by address'],
    ] as const) {
      const pair = connect({ client: l2tpClient(psk(key)), server: connections });
      expect(pair.server.last('ike-up')?.connection).toBe(name);
      expect(pair.client.all('child-up')).toHaveLength(1);
    }
  });

  it('tells two connections with one key apart by the identity', () => {
    const identity = (value: string) => ({ kind: 'fqdn', value }) as const;
    const server = [
      l2tpServer({ name: 'a', remoteId: identity('a.example') }),
      l2tpServer({ name: 'b', remoteId: identity('b.example') }),
    ];
    const pair = connect({ client: l2tpClient({ localId: identity('B.example') }), server });
    expect(pair.server.last('ike-up')?.connection).toBe('b');
  });

  it('tries no more than eight', () => {
    const server = Array.from({ length: 9 }, (_, index) => l2tpServer({ name: `${index}`, ...psk(`key ${index}`) }));
    expect(connect({ client: l2tpClient(psk('key 7')), server }).client.all('ike-up')).toHaveLength(1);
    expect(connect({ client: l2tpClient(psk('key 8')), server }).client.all('ike-up')).toHaveLength(0);
  });
});

describe('no common proposal', () => {
  const ikeProposals = [{ encryption: '3des', integrity: 'md5', prf: 'md5', group: 'modp1024' }];

  it('of phase 1 is told with what was offered and what would have matched', () => {
    const pair = connect({ client: l2tpClient({ ikeProposals }) });
    pair.network.run(30_000);
    const offered = pair.client.last('ike-down')?.failure;
    expect(offered?.step).toBe('Main Mode 1');
    expect(offered?.reason).toContain('3des-md5-modp1024');
    const seen = pair.server.last('ike-down')?.failure;
    expect(seen?.reason).toContain('the peer offered 3des-md5-modp1024');
    expect(seen?.reason).toContain('aes128-sha256-ecp256');
    expect(pair.server.endpoint.idle).toBe(true);
  });

  it('of phase 2 ends both at once, each with its own words', () => {
    const espProposals = [{ encryption: '3des', integrity: 'md5', esn: false }];
    const pair = connect({ client: l2tpClient({ espProposals }) });
    expect(pair.client.last('ike-down')?.failure.reason).toContain('3des-md5');
    expect(pair.server.last('ike-down')?.failure.reason).toContain('the peer offered 3des-md5');
    expect([pair.client.all('child-up'), pair.server.all('child-up')]).toEqual([[], []]);
  });

  it('is told to a stranger no more often than a few times a second', () => {
    const { network, client, server } = makePair({ client: l2tpClient({ ikeProposals }) });
    for (let i = 0; i < 100; i += 1) client.endpoint.initiate(network.now, 'client', client.to(SERVER));
    network.run(500);
    expect(network.sent.filter(({ from }) => from === server).length).toBe(5);
    expect(server.endpoint.counters.refused).toBe(100);
  });
});

describe('traffic selectors', () => {
  it('that do not mirror each other are refused in words', () => {
    const client = branch({ localSelectors: [range('10.9.0.0', '10.9.255.255')] });
    const pair = connect({ client, server: headOffice() });
    expect(pair.client.last('ike-down')?.failure).toMatchObject({ step: 'Quick Mode' });
    expect(pair.client.last('ike-down')?.failure.remedy).toContain('mirror');
    const words = pair.server.last('ike-down')?.failure.reason;
    expect(words).toContain('10.9.0.0-10.9.255.255');
    expect(words).toContain(`${BRANCH.firstAddress}-${BRANCH.lastAddress}`);
  });

  it('may be a part of what is configured', () => {
    const client = branch({ localSelectors: [range('10.1.0.16', '10.1.0.31')] });
    const pair = connect({ client, server: headOffice() });
    expect(pair.server.all('child-up')).toHaveLength(1);
  });

  it('of another mode are refused in words', () => {
    const pair = connect({ client: branch(), server: l2tpServer() });
    expect(pair.client.last('ike-down')?.failure.step).toBe('Quick Mode');
    expect(pair.server.all('child-up')).toEqual([]);
  });

  it('of another port are refused', () => {
    const client = l2tpClient({ transportPorts: { protocol: 17, local: 1701, remote: 1702 } });
    const pair = connect({ client });
    expect(pair.server.all('child-up')).toEqual([]);
    expect(pair.server.last('ike-down')?.failure.reason).toContain('protocol 17/1702');
  });
});

describe('no answer', () => {
  it('names the blocked port after five tries', () => {
    const pair = makePair();
    pair.network.filter = () => false;
    initiate(pair);
    pair.network.run(30_000);
    expect(pair.network.sent).toHaveLength(5);
    expect(new Set(pair.network.sent.map(({ datagram }) => Buffer.from(datagram).toString('hex'))).size).toBe(1);
    const failure = pair.client.last('ike-down')?.failure;
    expect(failure?.reason).toContain(`${SERVER}:500 did not answer within 23 s`);
    expect(failure?.remedy).toContain('UDP port 500 is open');
  });

  it('tells what the network reported', () => {
    const pair = makePair();
    pair.network.filter = () => false;
    initiate(pair);
    pair.client.endpoint.pathError(pair.network.now, { address: SERVER, port: 500 }, 'ECONNREFUSED');
    pair.network.run(30_000);
    expect(pair.client.last('ike-down')?.failure.reason).toContain('nothing listens on that port');
  });

  it('names port 4500 where it is blocked behind a NAT', () => {
    const pair = makePair({ clientBehindNat: true });
    pair.network.filter = ({ path }) => path.remote.port !== 4500;
    initiate(pair);
    pair.network.run(30_000);
    expect(pair.client.last('ike-down')?.failure.reason).toContain('UDP port 4500 is blocked');
  });

  it('names a peer that falls silent after the SA stands', () => {
    const pair = connect();
    pair.network.filter = () => false;
    pair.network.run(25_000);
    for (const host of [pair.client, pair.server]) {
      expect(host.last('ike-down')?.failure).toMatchObject({ step: 'DPD' });
      expect(host.all('child-down')).toHaveLength(1);
      expect(host.endpoint.idle).toBe(true);
    }
  });

  it('does not ask a peer whose ESP keeps coming', () => {
    const pair = connect();
    pair.network.filter = () => false;
    const [up] = pair.client.all('child-up');
    for (let i = 0; i < 20; i += 1) {
      pair.network.run(5000);
      pair.client.endpoint.espReceived(pair.network.now, up?.child.id ?? 0);
    }
    expect(pair.client.all('ike-down')).toEqual([]);
    expect(pair.server.all('ike-down')).toHaveLength(1);
  });
});

describe('what anybody may have sent', () => {
  const notify = (type: number) => [{ type: PayloadType.notification, body: isakmpNotification(type) }];

  it('ends nothing: a forged refusal does not keep the true answer from being taken', () => {
    const pair = makePair();
    initiate(pair);
    const [first] = pair.network.sent;
    const { cookieI } = decodeMessage(first?.datagram ?? new Uint8Array()).header;
    const forged = plainMessage(cookieI, new Uint8Array(8), notify(NotifyType.noProposalChosen), 5);
    pair.network.inject(pair.client, forged, pair.client.to(SERVER));
    pair.network.run(2000);
    expect(pair.client.all('child-up')).toHaveLength(1);
    expect(pair.client.endpoint.counters.unauthenticatedNotify).toBe(1);
  });

  it('neither does an unencrypted or badly hashed Informational under an SA that stands', () => {
    const pair = connect();
    const last = pair.network.sent.at(-1)?.datagram ?? new Uint8Array();
    const { cookieI, cookieR } = decodeMessage(last).header;
    const plain = plainMessage(cookieI, cookieR, notify(NotifyType.authenticationFailed), 5);
    const garbage = Uint8Array.from([...last.slice(0, 18), 5, HeaderFlag.encryption, 9, 9, 9, 9, ...last.slice(24)]);
    for (const forged of [plain, garbage]) pair.network.inject(pair.server, forged, pair.server.to(CLIENT));
    pair.network.run(5000);
    expect([pair.client.all('ike-down'), pair.server.all('ike-down')]).toEqual([[], []]);
  });

  it('gets no Aggressive Mode out of this side', () => {
    const pair = makePair();
    initiate(pair);
    const message = Uint8Array.from(pair.network.sent[0]?.datagram ?? []);
    message[18] = 4;
    pair.network.inject(pair.server, message, pair.server.to(CLIENT));
    expect(pair.server.endpoint.counters.aggressiveMode).toBe(1);
    const reply = pair.network.sent.find(({ from }) => from === pair.server)?.datagram ?? new Uint8Array();
    expect(decodeMessage(reply).header.exchangeType).toBe(5);
    expect(reply.length).toBeLessThan(message.length);
    expect(pair.server.endpoint.views()).toEqual([]);
  });
});
