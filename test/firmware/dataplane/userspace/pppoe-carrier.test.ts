import { describe, expect, it } from 'vitest';
import { LINE, LinesBench, PEER, PEER_MAC, SESSION } from './lines-bench.ts';
import { ipv4Packet, tcpSegment } from './packets.ts';

const CARRIER = { kind: 'pppoe', device: 'eth0', peerMac: PEER, sessionId: 0x1234 } as const;
const PACKET = ipv4Packet({ source: '10.99.0.1', destination: '203.0.113.5' });
const ANSWER = ipv4Packet({ source: '203.0.113.5', destination: '10.99.0.1' });

/** A session frame: VER, TYPE, CODE, SESSION_ID, LENGTH, PPP, padding. */
function frame(ppp: readonly number[], { sessionId = 0x1234, padding = 0 } = {}): Uint8Array {
  return Uint8Array.of(
    ...[0x11, 0, sessionId >> 8, sessionId & 0xff, ppp.length >> 8, ppp.length & 0xff, ...ppp],
    ...new Array<number>(padding).fill(0),
  );
}

async function opened(): Promise<LinesBench> {
  const bench = new LinesBench();
  await bench.open(CARRIER);
  return bench;
}

describe('PPP in PPPoE', () => {
  it('carries a packet of the TUN in a session frame to the peer, without Address and Control', async () => {
    const bench = await opened();
    bench.tun.inject(PACKET);
    await bench.settle();
    expect(bench.sent).toEqual([
      expect.objectContaining({
        destinationMac: PEER_MAC,
        etherType: 0x8864,
        payload: frame([0x00, 0x21, ...PACKET]),
      }),
    ]);
  });

  it('brings a packet of the peer to the TUN, without what Ethernet padded', async () => {
    const bench = await opened();
    bench.hear(frame([0x00, 0x21, ...ANSWER], { padding: 14 }));
    bench.hear(frame([0xff, 0x03, 0x21, ...ANSWER]));
    await bench.settle();
    expect(bench.tun.taken()).toEqual([ANSWER, ANSWER]);
    expect((await bench.dataPlane.counters()).sessions[0]).toMatchObject({ packetsReceived: 2 });
  });

  it('hands control frames up bare and sends them so, and keeps user packets from the control plane', async () => {
    const bench = await opened();
    bench.hear(frame([0xc0, 0x21, 1, 9, 0, 4]));
    bench.hear(frame([0x00, 0x21, ...ANSWER]));
    await bench.settle();
    expect(bench.events).toEqual([
      { kind: 'ppp-frame', session: SESSION, frame: Uint8Array.of(0xc0, 0x21, 1, 9, 0, 4) },
    ]);
    bench.dataPlane.sendPppFrame(SESSION, Uint8Array.of(0xc0, 0x21, 2, 9, 0, 4));
    expect(bench.sent.at(-1)?.payload).toEqual(frame([0xc0, 0x21, 2, 9, 0, 4]));
  });

  it('takes nothing from another station, of another version, or that is cut', async () => {
    const bench = await opened();
    bench.hear(frame([0x00, 0x21, ...ANSWER]), '02:00:00:00:00:bb');
    bench.hear(Uint8Array.of(0x12, ...frame([0x00, 0x21, ...ANSWER]).subarray(1)));
    bench.hear(frame([0x00, 0x21, ...ANSWER]).subarray(0, 20));
    await bench.settle();
    expect(bench.tun.taken()).toEqual([]);
    expect(await bench.drops()).toEqual({ wrongPeer: 1, malformed: 2 });
  });

  it('tells of a session that this side has lost, now and then, and not of one on another line', async () => {
    const bench = await opened();
    await bench.dataPlane.openLine({ id: 2, carrier: { ...CARRIER, sessionId: 7 } });
    bench.dataPlane.putSession({ key: 2, line: 2 });
    bench.hear(frame([0xc0, 0x21, 9, 1, 0, 4], { sessionId: 7 }));
    bench.hear(frame([0xc0, 0x21, 9, 1, 0, 4]));
    for (let count = 0; count < 20; count += 1) bench.hear(frame([0xc0, 0x21, 9, 1, 0, 4], { sessionId: 99 }));
    await bench.settle();
    const strays = bench.events.filter((event) => event.kind === 'stray-session');
    expect(strays).toContainEqual({ kind: 'stray-session', line: LINE, sessionId: 99 });
    expect(strays.filter((event) => event.line === LINE)).toHaveLength(3);
    expect(strays.some(({ sessionId }) => sessionId === 7 || sessionId === 0x1234)).toBe(false);
    expect(bench.events).toContainEqual(expect.objectContaining({ kind: 'ppp-frame', session: 2 }));
  });

  it('clamps the MSS, cuts what may be cut, and tells whoever may not', async () => {
    const bench = await opened();
    const syn = tcpSegment(0x02, [2, 4, 0x05, 0xb4]);
    bench.tun.inject(ipv4Packet({ source: '10.99.0.1', destination: '203.0.113.5', protocol: 6, payload: syn }));
    const big = new Uint8Array(1480);
    bench.tun.inject(ipv4Packet({ source: '10.99.0.1', destination: '203.0.113.5', payload: big }));
    bench.tun.inject(ipv4Packet({ source: '10.99.0.9', destination: '203.0.113.5', payload: big, fragment: 0x4000 }));
    await bench.settle();
    const [first, ...fragments] = bench.sent;
    expect([...(first?.payload.subarray(6 + 2 + 40, 6 + 2 + 44) ?? [])]).toEqual([2, 4, 0x05, 0xac]);
    expect(fragments.map(({ payload }) => payload.length - 8)).toEqual([1492, 28]);
    expect(bench.tun.taken()).toHaveLength(1);
    expect(await bench.drops()).toEqual({ tooBig: 1 });
  });

  it('sends and takes nothing once it is closed', async () => {
    const bench = await opened();
    await bench.dataPlane.closeLine(LINE);
    bench.tun.inject(PACKET);
    bench.hear(frame([0x00, 0x21, ...ANSWER]));
    await bench.settle();
    expect(bench.sent).toEqual([]);
    expect(bench.tun.taken()).toEqual([]);
    expect((await bench.dataPlane.counters()).sessions).toEqual([]);
  });

  it('says that the device is gone', async () => {
    const bench = await opened();
    bench.packets.removeDevice('eth0');
    await bench.settle();
    expect(bench.events).toEqual([{ kind: 'carrier-lost', line: LINE, reason: 'the network device eth0 was removed' }]);
  });

  it('refuses a device that is not there, a number that is none, and a second session', async () => {
    const bench = await opened();
    const { dataPlane } = bench;
    await expect(dataPlane.openLine({ id: 3, carrier: { ...CARRIER, device: 'eth9' } })).rejects.toThrow(
      /no network device eth9/,
    );
    await expect(dataPlane.openLine({ id: 3, carrier: { ...CARRIER, sessionId: 0 } })).rejects.toThrow(
      /no PPPoE session id/,
    );
    expect(() => dataPlane.putSession({ key: 9, line: LINE })).toThrow(/is there already/);
    expect(() => dataPlane.putSession({ key: 9, line: 77 })).toThrow(/there is no line 77/);
  });
});
