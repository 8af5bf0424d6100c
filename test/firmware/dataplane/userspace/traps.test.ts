/** What has gone wrong in other data planes. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_REPLAY_WINDOW } from '../../../../firmware/protocol/esp/replay-window.ts';
import { EspEnd, LEFT, protectedPair, RIGHT, range } from './esp-bench.ts';

const CONTROL = Uint8Array.from([0xc8, 0x02, 0, 12, 0, 10, 0, 0, 0, 0, 0, 0]);

describe.each([32, 64, DEFAULT_REPLAY_WINDOW])('a replay window of %i', (size) => {
  const jumps = [31, 32, 33, 63, 64, 65, size - 1, size, size + 1];

  it.each([...new Set(jumps)])(
    'takes after a jump of %i each packet once that it has not seen, and no older one',
    (jump) => {
      const [left, right] = protectedPair();
      for (const end of [left, right]) end.putSa(end.sa(2, 1, { replayWindow: size }));
      left.protect(1, 2);
      const start = size + 5;
      const top = start + jump;
      for (let count = 0; count < top; count += 1) left.control(left.l2tpPath(1), CONTROL);
      const packets = left.taken().map(({ bytes }) => bytes);
      const seen = new Set<number>();
      const expectTaken = (sequence: number, wanted: boolean): void => {
        const before = right.saCounters(2)?.packetsReceived ?? 0;
        right.receive(packets[sequence - 1] ?? new Uint8Array());
        const taken = (right.saCounters(2)?.packetsReceived ?? 0) - before === 1;
        expect([sequence, taken]).toEqual([sequence, wanted]);
        if (taken) seen.add(sequence);
      };
      for (let sequence = 1; sequence <= start; sequence += 1) if (sequence % 3 !== 0) expectTaken(sequence, true);
      expectTaken(top, true);
      for (let sequence = 1; sequence <= top; sequence += 1) {
        expectTaken(sequence, sequence > top - size && !seen.has(sequence));
      }
      for (let sequence = 1; sequence <= top; sequence += 1) expectTaken(sequence, false);
    },
  );
});

describe('two callers with one private address behind one NAT', () => {
  /** Both call from port 1701 inside; the NAT shows them at two ports. */
  function twoCallers() {
    const server = new EspEnd(RIGHT, LEFT);
    const callers = [1, 2].map((number) => {
      const caller = new EspEnd(LEFT, RIGHT);
      caller.protect(number);
      caller.putSa(caller.sa(number, number));
      caller.protect(number, number);
      const path = { remote: { address: LEFT, port: 10_000 * number }, local: { address: RIGHT, port: 4500 } };
      server.protect(number);
      server.putSa(server.sa(number, number, { path, followPeer: true }));
      server.protect(number, number);
      return caller;
    });
    return { server, callers };
  }

  it('are answered each at its own port, whoever was heard last', () => {
    const { server, callers } = twoCallers();
    for (const [index, caller] of [...callers.entries(), ...callers.entries()]) {
      const number = index + 1;
      caller.control(caller.l2tpPath(number), CONTROL);
      server.receive(caller.taken()[0]?.bytes ?? new Uint8Array(), { remotePort: 10_000 * number });
      for (const to of [1, 2]) {
        server.control(server.l2tpPath(to), CONTROL);
        const [sent] = server.taken();
        expect(sent?.remote).toEqual({ address: LEFT, port: 10_000 * to });
        expect(Buffer.from(sent?.bytes ?? []).readUInt32BE(0)).toBe(0x2000 + to);
      }
    }
    const bearers = server.events.flatMap((event) => (event.kind === 'datagram' ? [event.path.bearer] : []));
    expect(bearers).toEqual([1, 2, 1, 2]);
  });
});

describe('a caller whose inner port is not 1701', () => {
  it('is heard from that port and answered there, and from no other', () => {
    const left = new EspEnd(LEFT, RIGHT);
    const right = new EspEnd(RIGHT, LEFT);
    left.protect(1);
    left.putSa(left.sa(1, 1, { localSelectors: [range(LEFT)], remoteSelectors: [range(RIGHT)] }));
    left.protect(1, 1);
    right.protect(1);
    const remote = { protocol: 17, firstPort: 54_321, lastPort: 54_321 };
    right.putSa(right.sa(1, 1, { remoteSelectors: [range(LEFT, LEFT, remote)] }));
    right.protect(1, 1);
    // What this side's L2TP sends comes from 1701, which the selectors of the other side do not allow.
    left.control(left.l2tpPath(1), CONTROL);
    right.receive(left.taken()[0]?.bytes ?? new Uint8Array());
    expect(right.events.filter(({ kind }) => kind === 'datagram')).toEqual([]);
    expect(right.saCounters(1)?.drops).toMatchObject({ selectors: 1 });
    right.control(right.l2tpPath(1, 54_321), CONTROL);
    expect(right.taken()).toHaveLength(1);
    right.control(right.l2tpPath(1, 1701), CONTROL);
    expect(right.taken()).toEqual([]);
  });
});
