/** PPP frames that go on from one session to another: a call that is switched into another tunnel. */
import { describe, expect, it } from 'vitest';
import type { SessionSpec } from '../../../../firmware/dataplane/data-plane.ts';
import { dataMessage, ForwarderBench, PEER, pppFrame, SESSION, SOCKET } from './forwarder-bench.ts';

const OTHER_PEER = '198.51.100.8';
const { network: _, ...BARE } = SESSION;
const CALLER: SessionSpec = { ...BARE, relay: 2 };
const CALLED: SessionSpec = {
  ...BARE,
  key: 2,
  path: { remote: { address: OTHER_PEER, port: 1701 }, local: SESSION.path.local },
  localTunnelId: 11,
  localSessionId: 21,
  peerTunnelId: 31,
  peerSessionId: 41,
  relay: 1,
};
const LCP = pppFrame([0xff, 0x03, 0xc0, 0x21], Uint8Array.of(9, 1, 0, 8, 1, 2, 3, 4));
const PACKET = pppFrame([0x21], new Uint8Array(40).fill(0x45));

function switched(called: Partial<SessionSpec> = {}): ForwarderBench {
  const bench = new ForwarderBench();
  bench.forwarder.table.putSession(CALLER);
  bench.forwarder.table.putSession({ ...CALLED, ...called });
  return bench;
}

describe('a session that is relayed to another', () => {
  it('hands every frame on as it is, to the ids and the address of the other, and neither to TUN nor control plane', () => {
    const bench = switched();
    bench.datagram(dataMessage(LCP));
    bench.datagram(dataMessage(PACKET, { length: true, ns: 3, offset: 4 }));
    bench.datagram(dataMessage(PACKET, { tunnelId: 11, sessionId: 21 }), { remoteAddress: OTHER_PEER });
    expect(bench.sent.map(({ socket, remote }) => [socket, remote.address])).toEqual([
      [SOCKET, OTHER_PEER],
      [SOCKET, OTHER_PEER],
      [SOCKET, PEER],
    ]);
    expect(bench.sent[0]?.bytes).toEqual(dataMessage(LCP, { tunnelId: 31, sessionId: 41 }));
    expect(bench.sent[1]?.bytes).toEqual(dataMessage(PACKET, { tunnelId: 31, sessionId: 41 }));
    expect(bench.delivered).toEqual([]);
    expect(bench.events).toEqual([]);
    expect(bench.forwarder.counters().sessions).toMatchObject([
      { key: 1, packetsReceived: 2, octetsReceived: LCP.length + PACKET.length, packetsSent: 1 },
      { key: 2, packetsReceived: 1, packetsSent: 2 },
    ]);
  });

  it('gives control frames full headers, without which Linux drops the shortest of them', () => {
    const bench = switched();
    const success = Uint8Array.of(3, 1, 0, 4);
    bench.datagram(dataMessage(pppFrame([0xc2, 0x23], success)));
    const full = pppFrame([0xff, 0x03, 0xc2, 0x23], success);
    expect(bench.sent[0]?.bytes).toEqual(dataMessage(full, { tunnelId: 31, sessionId: 41 }));
    expect(bench.sent[0]?.bytes.length).toBe(14);
    bench.datagram(dataMessage(new Uint8Array(0)));
    expect(bench.sessionDrops()).toEqual({ malformed: 1 });
  });

  it('numbers the messages of the other anew', () => {
    const bench = switched({ sequencing: true, lengthField: true });
    for (const ns of [700, 701]) bench.datagram(dataMessage(LCP, { ns }));
    expect(bench.sent.map(({ bytes }) => [...bytes.subarray(8, 10)])).toEqual([
      [0, 0],
      [0, 1],
    ]);
  });

  it('drops what comes while the other is not there, or from somebody else', () => {
    const bench = switched();
    bench.forwarder.table.removeSession(2);
    bench.datagram(dataMessage(LCP));
    bench.datagram(dataMessage(LCP), { remoteAddress: '203.0.113.9' });
    expect(bench.sent).toEqual([]);
    expect(bench.sessionDrops()).toEqual({ networkClosed: 1 });
    expect(bench.drops()).toEqual({ wrongPeer: 1 });
  });

  it('carries a frame of the largest size', () => {
    const bench = switched({ sequencing: true, lengthField: true });
    const frame = pppFrame([0x21], new Uint8Array(65_000).fill(7));
    bench.datagram(dataMessage(frame));
    expect(bench.sent[0]?.bytes.subarray(12)).toEqual(frame);
  });
});
