import { describe, expect, it } from 'vitest';
import { Harness, type HarnessOptions, problems } from './harness.ts';

const OURSELVES = { encapsulateAmongOurselves: true };
const BOTH: HarnessOptions = { leftOptions: OURSELVES, rightOptions: OURSELVES };
const NAT = '198.51.100.7';

/** Of both ends: why ESP goes in UDP, whether there is a NAT, the child's encapsulation and the remote port. */
function seen(harness: Harness) {
  return (['left', 'right'] as const).map((side) => {
    const { peer } = harness.last(side, 'ike-up');
    const { udpEncapsulation, path } = harness.child(side);
    return [peer.encapsulation, peer.natLocal, peer.natRemote, udpEncapsulation, path.remote.port];
  });
}

describe('two of us (IKEv2)', () => {
  it('wrap ESP in UDP by agreement, and see no NAT where there is none', () => {
    const harness = new Harness(BOTH).connect();
    expect(problems(harness)).toEqual([]);
    expect(seen(harness)).toEqual([
      ['agreement', false, false, true, 4500],
      ['agreement', false, false, true, 4500],
    ]);
    expect(harness.live('right')[0]).toMatchObject({ udpEncapsulation: true, peer: { implementation: 'Culvert' } });
  });

  it('see the NAT where there is one', () => {
    const translate = ({ port }: { port: number }) => ({ address: NAT, port: port + 30_000 });
    const [left, right] = seen(new Harness({ ...BOTH, translate }).connect());
    expect(left?.slice(0, 3)).toEqual(['nat', true, false]);
    expect(right?.slice(0, 3)).toEqual(['nat', false, true]);
  });

  it('need no pretended NAT where the one that is called is set to encapsulate', () => {
    const harness = new Harness({ ...BOTH, right: { forceEncapsulation: true } }).connect();
    expect(seen(harness).map((end) => end.slice(0, 3))).toEqual([
      ['agreement', false, false],
      ['agreement', false, false],
    ]);
  });

  it.each([
    ['the caller', { leftOptions: OURSELVES }],
    ['the called', { rightOptions: OURSELVES }],
  ])('do not where only %s wants it', (_, options) => {
    expect(seen(new Harness(options).connect())).toEqual([
      [undefined, false, false, false, 4500],
      [undefined, false, false, false, 4500],
    ]);
  });

  it('do not where one of them does not say who it is', () => {
    const harness = new Harness({ ...BOTH, rightOptions: { ...OURSELVES, vendorId: false } }).connect();
    expect(seen(harness).map(([why]) => why)).toEqual([undefined, undefined]);
  });

  it('keep it over rekeys', () => {
    const harness = new Harness(BOTH).connect();
    harness.left.rekeyIke(harness.now, harness.ikeId('left'));
    harness.deliverAll();
    harness.right.rekeyChild(harness.now, harness.child('right').id);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
    expect(seen(harness).map((end) => end.slice(0, 4))).toEqual([
      ['agreement', false, false, true],
      ['agreement', false, false, true],
    ]);
  });
});

describe('an SPI for inbound ESP (IKEv2)', () => {
  it('is drawn again while somebody else has it', () => {
    const taken = new Harness().connect().child('right').inboundSpi;
    const asked: number[] = [];
    const spiInUse = (spi: number): boolean => {
      asked.push(spi);
      return spi === taken;
    };
    const spi = new Harness({ rightOptions: { spiInUse } }).connect().child('right').inboundSpi;
    expect(asked).toEqual([taken, spi]);
    expect(spi).not.toBe(taken);
  });
});

describe('ESP from elsewhere (IKEv2)', () => {
  const translate = ({ port }: { port: number }) => ({ address: NAT, port: port + 30_000 });

  it('moves the peer that is behind a NAT, and IKE goes there', () => {
    const harness = new Harness({ translate }).connect();
    const { id, path } = harness.child('right');
    const remote = { address: NAT, port: 31_000 };
    harness.right.peerMoved(harness.now, id, { local: path.local, remote, bearer: 7 });
    harness.drain();
    const moved = { local: path.local, remote };
    expect(harness.all('right', 'path')).toEqual([{ kind: 'path', ikeId: harness.ikeId('right'), path: moved }]);
    harness.right.rekeyChild(harness.now, id);
    harness.drain();
    expect(harness.take('right').path).toEqual(moved);
  });

  it('says nothing of a peer without a NAT, of the NAT before this side, and of a child that is not there', () => {
    const plain = new Harness().connect();
    const elsewhere = { local: plain.child('right').path.local, remote: { address: '203.0.113.9', port: 4500 } };
    plain.right.peerMoved(plain.now, plain.child('right').id, elsewhere);
    const behind = new Harness({ translate }).connect();
    behind.left.peerMoved(behind.now, behind.child('left').id, elsewhere);
    behind.right.peerMoved(behind.now, 99, elsewhere);
    plain.drain();
    behind.drain();
    expect([plain.all('right', 'path'), behind.all('left', 'path'), behind.all('right', 'path')].flat()).toEqual([]);
  });
});
