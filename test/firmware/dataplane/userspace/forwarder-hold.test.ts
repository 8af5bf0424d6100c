/** Packets that wait on an interface for a session: a connection that is dialled on demand. */
import { describe, expect, it } from 'vitest';
import { dataMessage, ForwarderBench, NETWORK, pppFrame, SESSION } from './forwarder-bench.ts';
import { ipv4Packet, ipv6Packet } from './packets.ts';

const ON_DEMAND = 7;
const HOLD = { packets: 3, milliseconds: 1000 };
const packetTo = (last: number): Uint8Array => ipv4Packet({ source: '192.168.1.2', destination: `10.99.0.${last}` });

function armed(): ForwarderBench {
  const bench = new ForwarderBench();
  bench.forwarder.table.removeSession(SESSION.key);
  bench.forwarder.table.addInterface({ id: ON_DEMAND, hold: HOLD });
  return bench;
}

/** The session comes up. */
function up(bench: ForwarderBench): void {
  bench.forwarder.putSession({ ...SESSION, network: { ...NETWORK, interface: ON_DEMAND } }, bench.now);
}

const message = (packet: Uint8Array): Uint8Array =>
  dataMessage(pppFrame([0xff, 0x03, 0x00, 0x21], packet), { tunnelId: 30, sessionId: 40 });

describe('packets on an interface that holds them', () => {
  it('are told of once, and go in their order when a session takes them', () => {
    const bench = armed();
    for (const last of [1, 2, 3]) bench.packet(packetTo(last), ON_DEMAND);
    expect(bench.events).toEqual([{ kind: 'traffic', interface: ON_DEMAND }]);
    expect(bench.sent).toEqual([]);
    up(bench);
    expect(bench.sent.map(({ bytes }) => bytes)).toEqual([1, 2, 3].map((last) => message(packetTo(last))));
    expect(bench.forwarder.counters().sessions[0]).toMatchObject({ packetsSent: 3 });
    expect(bench.drops()).toEqual({});
    expect(bench.forwarder.nextDeadline()).toBeUndefined();
  });

  it('give way to newer ones when there are too many', () => {
    const bench = armed();
    for (const last of [1, 2, 3, 4]) bench.packet(packetTo(last), ON_DEMAND);
    up(bench);
    expect(bench.sent.map(({ bytes }) => bytes)).toEqual([2, 3, 4].map((last) => message(packetTo(last))));
    expect(bench.drops()).toEqual({ heldTooMany: 1 });
  });

  it('wait for so long and no longer, and the next one is told of again', () => {
    const bench = armed();
    bench.packet(packetTo(1), ON_DEMAND);
    expect(bench.forwarder.nextDeadline()).toBe(1000);
    bench.forwarder.tick(999);
    expect(bench.drops()).toEqual({});
    bench.forwarder.tick(1000);
    expect(bench.drops()).toEqual({ heldTooLong: 1 });
    bench.packet(packetTo(2), ON_DEMAND);
    expect(bench.events).toHaveLength(2);
  });

  it('are told of later when the control thread has no room', () => {
    const bench = armed();
    bench.room = 0;
    bench.packet(packetTo(1), ON_DEMAND);
    bench.room = 1;
    bench.packet(packetTo(2), ON_DEMAND);
    expect(bench.events).toHaveLength(1);
  });

  it('do not wait when they are for a group or for the link alone', () => {
    const bench = armed();
    bench.packet(ipv4Packet({ destination: '224.0.0.22' }), ON_DEMAND);
    bench.packet(ipv4Packet({ destination: '255.255.255.255' }), ON_DEMAND);
    bench.packet(ipv6Packet(58, new Uint8Array(8), { destination: 'ff02::2' }), ON_DEMAND);
    expect(bench.events).toEqual([]);
    expect(bench.drops()).toEqual({ noRoute: 3 });
  });

  it('wait on, once, when the session that came does not take them', () => {
    const bench = armed();
    bench.packet(ipv4Packet({ destination: '172.16.0.1' }), ON_DEMAND);
    up(bench);
    expect(bench.sent).toEqual([]);
    expect(bench.forwarder.nextDeadline()).toBe(1000);
  });

  it('do not wait on other interfaces', () => {
    const bench = armed();
    bench.packet(packetTo(1));
    expect(bench.drops()).toEqual({ noRoute: 1 });
  });
});
