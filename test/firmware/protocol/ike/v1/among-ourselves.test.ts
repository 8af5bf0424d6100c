import { describe, expect, it } from 'vitest';
import type { IkeV1Options } from '../../../../../firmware/protocol/ike/v1/endpoint-types.ts';
import { connect, l2tpClient, l2tpServer, OUTSIDE, type Pair, type PairOptions, SERVER } from './setup.ts';

const OURSELVES: Partial<IkeV1Options> = { encapsulateAmongOurselves: true };
const BOTH: PairOptions = { clientOptions: OURSELVES, serverOptions: OURSELVES };

/** Of both ends: why ESP goes in UDP, whether there is a NAT, the child's encapsulation and the remote port. */
function seen({ client, server }: Pair) {
  return [client, server].map((host) => {
    const peer = host.last('ike-up')?.peer;
    const child = host.last('child-up')?.child;
    return [peer?.encapsulation, peer?.natLocal, peer?.natRemote, child?.udpEncapsulation, child?.path.remote.port];
  });
}

describe('two of us (IKEv1)', () => {
  it('wrap ESP in UDP by agreement, and see no NAT where there is none', () => {
    const pair = connect(BOTH);
    expect(seen(pair)).toEqual([
      ['agreement', false, false, true, 4500],
      ['agreement', false, false, true, 4500],
    ]);
    expect(pair.server.last('ike-up')?.peer.implementation).toBe('Culvert');
    expect(pair.client.last('ike-up')?.peer.implementation).toBe('Culvert');
    pair.network.sendEsp(pair.client, { address: SERVER, port: 4500 });
    pair.network.run(100);
    expect(pair.server.espReceived).toBe(1);
  });

  it('see the NAT where there is one', () => {
    const [client, server] = seen(connect({ ...BOTH, clientBehindNat: true }));
    expect(client?.slice(0, 3)).toEqual(['nat', true, false]);
    expect(server?.slice(0, 3)).toEqual(['nat', false, true]);
  });

  it('need no pretended NAT where one of them is set to encapsulate', () => {
    for (const pair of [
      connect({ ...BOTH, client: l2tpClient({ forceEncapsulation: true }) }),
      connect({ ...BOTH, server: l2tpServer({ forceEncapsulation: true }) }),
    ]) {
      expect(seen(pair).map((end) => end.slice(0, 4))).toEqual([
        ['agreement', false, false, true],
        ['agreement', false, false, true],
      ]);
    }
  });

  it.each([
    ['the caller', { clientOptions: OURSELVES }],
    ['the called', { serverOptions: OURSELVES }],
  ])('do not where only %s wants it', (_, options) => {
    expect(seen(connect(options))).toEqual([
      [undefined, false, false, false, 500],
      [undefined, false, false, false, 500],
    ]);
  });

  it('do not where one of them does not say who it is', () => {
    const pair = connect({ ...BOTH, serverOptions: { ...OURSELVES, vendorId: false } });
    expect(seen(pair).map(([why]) => why)).toEqual([undefined, undefined]);
    expect(pair.client.last('ike-up')?.peer.implementation).toBe('');
  });

  it('keep it over rekeys', () => {
    const pair = connect(BOTH);
    pair.client.endpoint.rekeyIke(pair.network.now, pair.ikeId);
    pair.network.run(20_000);
    const child = pair.server.last('child-up')?.child.id ?? 0;
    pair.server.endpoint.rekeyChild(pair.network.now, child);
    pair.network.run(20_000);
    expect(pair.server.all('ike-up')).toHaveLength(2);
    expect(pair.client.all('child-up')).toHaveLength(2);
    expect(seen(pair).map(([why]) => why)).toEqual(['agreement', 'agreement']);
  });
});

describe('an SPI for inbound ESP (IKEv1)', () => {
  it('is drawn again while somebody else has it', () => {
    const plain = connect();
    const taken = plain.client.last('child-up')?.child.inboundSpi ?? 0;
    const asked: number[] = [];
    const spiInUse = (spi: number): boolean => {
      asked.push(spi);
      return spi === taken;
    };
    const spi = connect({ clientOptions: { spiInUse } }).client.last('child-up')?.child.inboundSpi;
    expect(asked).toEqual([taken, spi]);
    expect(spi).not.toBe(taken);
  });
});

describe('ESP from elsewhere (IKEv1)', () => {
  const elsewhere = { local: { address: SERVER, port: 4500 }, remote: { address: OUTSIDE, port: 31_000 }, bearer: 7 };

  it('moves the peer that is behind a NAT, and IKE goes there', () => {
    const { network, server } = connect({ clientBehindNat: true });
    const child = server.last('child-up')?.child;
    server.endpoint.peerMoved(network.now, child?.id ?? 0, elsewhere);
    network.drain();
    const path = { local: elsewhere.local, remote: elsewhere.remote };
    expect(server.all('path')).toEqual([{ kind: 'path', ikeId: child?.ikeId, path }]);
    server.endpoint.rekeyChild(network.now, child?.id ?? 0);
    network.drain();
    expect(network.sent.at(-1)?.path).toEqual(path);
  });

  it('says nothing of a peer without a NAT, of the NAT before this side, and of a child that is not there', () => {
    const plain = connect();
    plain.server.endpoint.peerMoved(plain.network.now, plain.server.last('child-up')?.child.id ?? 0, elsewhere);
    const behind = connect({ clientBehindNat: true });
    const here = { local: behind.client.last('ike-up')?.path.local ?? elsewhere.local, remote: elsewhere.remote };
    behind.client.endpoint.peerMoved(behind.network.now, behind.client.last('child-up')?.child.id ?? 0, here);
    behind.server.endpoint.peerMoved(behind.network.now, 99, elsewhere);
    for (const { network } of [plain, behind]) network.drain();
    expect([plain.server, behind.client, behind.server].flatMap((host) => host.all('path'))).toEqual([]);
  });
});
