import { describe, expect, it } from 'vitest';
import { type OutgoingCall, OutgoingDesk } from '../../../../firmware/vpn/l2tp/outgoing-desk.ts';
import { Harness } from '../../protocol/l2tp/harness.ts';

/** A desk at the server of two endpoints, whose client answers the number 12. */
class Bench {
  readonly harness: Harness;
  readonly desk: OutgoingDesk;
  readonly states: string[] = [];
  #seen = 0;

  constructor(call: Partial<OutgoingCall> = {}) {
    this.harness = new Harness({
      client: {
        outgoingCalls: ({ calledNumber }) =>
          calledNumber === '12' ? undefined : { resultCode: 6, message: 'no such number' },
      },
    });
    this.desk = new OutgoingDesk([{ name: 'branch', host: 'lac.example', number: '12', always: false, ...call }], {
      endpoint: this.harness.server,
      callState: (name, state, failure) =>
        this.states.push(failure ? `${name} ${state}: ${failure.reason}` : `${name} ${state}`),
    });
  }

  /** Lets time pass; the client answers what it is asked. */
  run(ms: number): void {
    const { harness, desk } = this;
    const end = harness.now + ms;
    while (harness.now < end) {
      harness.run(Math.min(100, end - harness.now));
      for (const event of harness.events.server.slice(this.#seen)) desk.onL2tp(harness.now, event);
      this.#seen = harness.events.server.length;
      desk.tick(harness.now);
      harness.drain();
      const request = harness.events.client.findLast((event) => event.kind === 'call-requested');
      if (request?.kind === 'call-requested')
        harness.client.answerCall(harness.now, request.tunnelId, request.sessionId);
    }
  }

  get sessions(): number {
    return this.harness.live('server').flatMap(({ sessions }) => sessions).length;
  }

  /** The network of the session that is there stands. */
  up(): void {
    const { tunnelId, sessionId } = this.harness.last('server', 'session-up') ?? { tunnelId: 0, sessionId: 0 };
    this.desk.network(tunnelId, sessionId, true);
  }
}

describe('a server that calls a branch', () => {
  it('waits to be told, calls, and hangs up when told', () => {
    const bench = new Bench();
    bench.harness.openTunnel();
    bench.run(1000);
    expect(bench.sessions).toBe(0);
    expect(bench.desk.awaits(bench.harness.live('server')[0]?.tunnelId ?? 0)).toBe(true);
    bench.desk.connect(bench.harness.now, 'branch');
    bench.run(1000);
    bench.up();
    bench.desk.disconnect(bench.harness.now, 'branch');
    bench.run(20_000);
    expect(bench.states).toEqual(['branch connecting', 'branch up', 'branch down']);
    expect(bench.sessions).toBe(0);
    expect(bench.harness.live('client')).toHaveLength(1);
  });

  it('calls by itself when the tunnel comes, and again some time after the call has ended', () => {
    const bench = new Bench({ always: true });
    bench.harness.openTunnel();
    bench.run(1000);
    bench.up();
    const { tunnelId, sessionId } = bench.harness.last('client', 'session-up') ?? { tunnelId: 0, sessionId: 0 };
    bench.harness.client.closeSession(bench.harness.now, tunnelId, sessionId, { resultCode: 3 });
    bench.run(4000);
    expect(bench.sessions).toBe(0);
    bench.run(3000);
    expect(bench.sessions).toBe(1);
    expect(bench.states.map((state) => state.split(':')[0])).toEqual([
      'branch connecting',
      'branch up',
      'branch failed',
      'branch connecting',
    ]);
  });

  it('says that there is no such number, and that no branch is there', () => {
    const wrong = new Bench({ number: '13', always: true });
    wrong.harness.openTunnel();
    wrong.run(1000);
    expect(wrong.states[1]).toMatch(/branch failed: .*no such number/);
    const absent = new Bench({ host: 'other.example' });
    absent.harness.openTunnel();
    absent.run(1000);
    absent.desk.connect(absent.harness.now, 'branch');
    expect(absent.desk.view('branch')).toMatchObject({ state: 'failed', failure: { step: 'OCRQ' } });
    expect(absent.desk.view('nobody')).toBeUndefined();
  });

  it('is told why a tunnel is gone, and calls through the next one', () => {
    const bench = new Bench({ always: true });
    const tunnelId = bench.harness.openTunnel();
    bench.run(1000);
    bench.up();
    bench.harness.client.closeTunnel(bench.harness.now, tunnelId, { resultCode: 6 });
    bench.run(1000);
    expect(bench.desk.view('branch')?.state).toBe('failed');
    bench.harness.openTunnel();
    bench.run(1000);
    expect(bench.sessions).toBe(1);
  });
});
