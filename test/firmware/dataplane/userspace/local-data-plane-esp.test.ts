/** The whole engine with IPsec, from the control plane's verbs to the datagrams of two simulated machines. */
import { describe, expect, it } from 'vitest';
import type { SaSpec } from '../../../../firmware/dataplane/data-plane.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { LEFT, LEFT_INNER, type Machine, Pair, RIGHT, RIGHT_INNER } from './machine-bench.ts';
import { ipv4Packet } from './packets.ts';

const THERE = ipv4Packet({ source: LEFT_INNER, destination: RIGHT_INNER });
const BACK = ipv4Packet({ source: RIGHT_INNER, destination: LEFT_INNER });
const CONTROL = Uint8Array.from([0xc8, 0x02, 0, 12, 0, 10, 0, 0, 0, 0, 0, 0]);

async function protectedPair(options: ConstructorParameters<typeof Pair>[0] = {}): Promise<Pair> {
  const pair = new Pair(options);
  await pair.connectProtected();
  return pair;
}

describe('two data planes with IPsec between them', () => {
  it('carry packets from TUN to TUN both ways, of which the network sees ESP only', async () => {
    const pair = await protectedPair();
    const seen: { readonly port: number; readonly bytes: Uint8Array }[] = [];
    pair.network.filter = ({ bytes, sourcePort }) => {
      seen.push({ port: sourcePort, bytes: bytes.slice() });
      return 'deliver';
    };
    pair.left.tun.inject(THERE);
    pair.right.tun.inject(BACK);
    pair.settle();
    expect(pair.right.tun.taken()).toEqual([THERE]);
    expect(pair.left.tun.taken()).toEqual([BACK]);
    expect(seen.map(({ port, bytes }) => [port, Buffer.from(bytes).readUInt32BE(0)])).toEqual([
      [4500, 0x1001],
      [4500, 0x2001],
    ]);
    const counters = await pair.left.dataPlane.counters();
    expect(counters.sas).toMatchObject([{ key: 1, packetsSent: 1, packetsReceived: 1 }]);
    expect(counters.policies).toMatchObject([{ key: 1, drops: { noSa: 0 } }]);
    expect(pair.left.events).toEqual([{ kind: 'sa-received', sa: 1 }]);
  });

  it('hand control messages up with their bearer', async () => {
    const pair = await protectedPair();
    pair.left.dataPlane.sendDatagram(1, { ...pair.left.pathTo(RIGHT), bearer: 1 }, CONTROL);
    pair.settle();
    expect(pair.right.events[1]).toMatchObject({ kind: 'datagram', socket: 1, path: { bearer: 1 }, bytes: CONTROL });
  });

  it('send IKE and keepalives by the same port', async () => {
    const pair = await protectedPair();
    const path = pair.left.sa(RIGHT).path;
    pair.left.dataPlane.sendNatKeepalive(2, path);
    const message = new Uint8Array(28).fill(5);
    pair.left.dataPlane.sendDatagram(2, path, message);
    pair.settle();
    expect(pair.right.events).toMatchObject([{ kind: 'datagram', socket: 2, bytes: message }]);
  });

  it('stop when the pair is removed, and there is no way round', async () => {
    const pair = await protectedPair();
    let seen = 0;
    pair.network.filter = () => {
      seen += 1;
      return 'deliver';
    };
    pair.left.dataPlane.removeSa(1);
    pair.left.tun.inject(THERE);
    pair.left.dataPlane.removePolicy(1);
    pair.left.dataPlane.sendDatagram(1, { ...pair.left.pathTo(RIGHT), bearer: 1 }, CONTROL);
    pair.settle();
    expect(seen).toBe(0);
    expect((await pair.left.dataPlane.counters()).drops['noSa']).toBe(2);
  });

  it('find out the path MTU: the first packet is lost, the sender of the next is told', async () => {
    const pair = await protectedPair({ mtu: 1000 });
    const big = ipv4Packet({
      source: LEFT_INNER,
      destination: RIGHT_INNER,
      fragment: 0x4000,
      payload: new Uint8Array(1300),
    });
    pair.left.tun.inject(big);
    pair.settle();
    expect(pair.left.tun.taken()).toEqual([]);
    expect((await pair.left.dataPlane.counters()).sas[0]?.drops['sendFailed']).toBe(1);
    pair.left.tun.inject(big);
    pair.settle();
    const [error] = pair.left.tun.taken();
    const mtu = Buffer.from(error ?? []).readUInt16BE(26);
    const fitting = ipv4Packet({
      source: LEFT_INNER,
      destination: RIGHT_INNER,
      fragment: 0x4000,
      payload: new Uint8Array(mtu - 20),
    });
    pair.left.tun.inject(fitting);
    pair.settle();
    expect(pair.right.tun.taken()).toEqual([fitting]);
    // That is in order, and no error of the path.
    expect(pair.left.events).toEqual([]);
    // What may be fragmented goes through whole.
    const divisible = big.slice();
    divisible[6] = 0;
    pair.left.tun.inject(divisible);
    pair.settle();
    expect(pair.right.tun.taken()).toHaveLength(2);
  });

  it('send IKE in fragments where it is too big for its path, and tell of what is too big for any', async () => {
    const pair = await protectedPair({ mtu: 1000 });
    const { path } = pair.left.sa(RIGHT);
    pair.left.dataPlane.sendDatagram(2, path, new Uint8Array(1200));
    pair.settle();
    expect(pair.right.events).toMatchObject([{ kind: 'datagram', socket: 2, bytes: { length: 1200 } }]);
    expect(pair.left.events).toEqual([]);
    pair.left.dataPlane.sendDatagram(2, path, new Uint8Array(65_530));
    pair.settle();
    expect(pair.left.events).toEqual([{ kind: 'path-error', socket: 2, remote: path.remote, code: 'EMSGSIZE' }]);
  });

  it('count what an SA sends by a socket that is closed', async () => {
    const pair = await protectedPair();
    await pair.left.dataPlane.closeSocket(2);
    pair.left.tun.inject(THERE);
    pair.settle();
    expect((await pair.left.dataPlane.counters()).sas[0]).toMatchObject({ packetsSent: 0, drops: { sendFailed: 1 } });
  });
});

describe('keys', () => {
  it('stay as they are with the caller, who may wipe them at once', async () => {
    const pair = await protectedPair();
    const { left, right } = pair;
    const [there, back] = [new SeededRandom(5).bytes(20), new SeededRandom(6).bytes(20)];
    const spec = { ...left.sa(RIGHT), key: 2, inbound: keysOf(0x3001, back), outbound: keysOf(0x4001, there) };
    left.dataPlane.putSa(spec);
    expect([spec.outbound.encryptionKey, spec.inbound.encryptionKey]).toEqual([there, back]);
    for (const { encryptionKey } of [spec.inbound, spec.outbound]) encryptionKey.fill(0);
    left.protect(2);
    right.dataPlane.putSa({
      ...right.sa(LEFT),
      key: 2,
      inbound: keysOf(0x4001, there),
      outbound: keysOf(0x3001, back),
    });
    right.protect(2);
    left.tun.inject(THERE);
    right.tun.inject(BACK);
    pair.settle();
    expect(right.tun.taken()).toEqual([THERE]);
    expect(left.tun.taken()).toEqual([BACK]);
    expect((await left.dataPlane.counters()).sas[1]).toMatchObject({ key: 2, packetsSent: 1, packetsReceived: 1 });
  });
});

/** With a copy of the key. */
function keysOf(spi: number, encryptionKey: Uint8Array) {
  return { spi, encryption: 'aes128gcm16', encryptionKey: encryptionKey.slice() };
}

describe('mistakes of the caller', () => {
  const put = (change: (spec: SaSpec) => unknown) => (machine: Machine) =>
    machine.dataPlane.putSa(
      change({ ...machine.sa(RIGHT), key: 2, inbound: keysOf(0x7777, new Uint8Array(20)) }) as SaSpec,
    );

  it.each<[string, (machine: Machine) => unknown, RegExp]>([
    ['an unknown policy', put((spec) => ({ ...spec, policy: 9 })), /no policy 9/],
    ['an unknown socket', put((spec) => ({ ...spec, socket: 9 })), /no socket 9/],
    ['a socket that is not for ESP', put((spec) => ({ ...spec, socket: 1 })), /not for ESP/],
    ['an unknown cipher', put((spec) => ({ ...spec, inbound: { ...spec.inbound, encryption: 'rot13' } })), /rot13/],
    [
      'a key of a wrong length',
      put((spec) => ({ ...spec, outbound: { ...spec.outbound, encryptionKey: new Uint8Array(19) } })),
      /19 octets, but 20/,
    ],
    [
      'an integrity key that is missing',
      put((spec) => ({ ...spec, outbound: { spi: 256, encryption: 'aes128', encryptionKey: new Uint8Array(16) } })),
      /none/,
    ],
    ['an SPI that is none', put((spec) => ({ ...spec, inbound: { ...spec.inbound, spi: 255 } })), /255 is no SPI/],
    ['an SPI that is taken', put((spec) => ({ ...spec, inbound: { ...spec.inbound, spi: 0x2001 } })), /there already/],
    ['a window that is none', put((spec) => ({ ...spec, replayWindow: 33 })), /replay window/],
    ['a lifetime that is none', put((spec) => ({ ...spec, lifetimes: { octets: { soft: 2, hard: 1 } } })), /lifetime/],
    ['no selectors', put((spec) => ({ ...spec, localSelectors: [] })), /no selectors/],
    ['tunnel mode for L2TP', put((spec) => ({ ...spec, mode: 'tunnel' })), /tunnel mode/],
    [
      'another SPI for a pair',
      (machine) => machine.dataPlane.putSa({ ...machine.sa(RIGHT), inbound: keysOf(0x9999, new Uint8Array(20)) }),
      /keeps its policy and its SPI/,
    ],
    ['a policy with an unknown pair', (machine) => machine.protect(9), /no SA of this policy 9/],
    [
      'a policy for a socket in clear',
      (machine) => machine.dataPlane.putPolicy({ key: 2, inside: { kind: 'l2tp', socket: 2 } }),
      /not protected/,
    ],
    ['a session without bearer', (machine) => machine.dataPlane.putSession(machine.session(RIGHT, [])), /bearer/],
    [
      'a keepalive by an unknown socket',
      (machine) => machine.dataPlane.sendNatKeepalive(9, machine.pathTo(RIGHT)),
      /no socket/,
    ],
    [
      'a protected socket without a port',
      ({ dataPlane }) =>
        dataPlane.openSocket({ id: 5, purpose: 'protected-l2tp', family: 4, address: '0.0.0.0', port: 0, mark: 0 }),
      /no port/,
    ],
  ])('are refused where they are made: %s', async (_, mistake, words) => {
    const { left } = await protectedPair();
    await expect((async () => mistake(left))()).rejects.toThrow(words);
    const { sas, policies } = await left.dataPlane.counters();
    expect([sas.length, policies.length]).toEqual([1, 1]);
  });
});
