import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../../firmware/protocol/machine.ts';
import { ChannelBench, NAT } from './channel-bench.ts';

const DEAD: Failure = { step: 'DPD', reason: 'the IKE peer is silent', remedy: 'check the path' };

describe('a server machine whose callers come through channels', () => {
  it('has sessions of two callers at once who agree in address, port, tunnel id and session id', () => {
    const bench = new ChannelBench();
    const callers = [bench.caller(), bench.caller()];
    for (const caller of callers) bench.connect(caller);
    expect(callers.map(({ machine }) => machine.state)).toEqual(['up', 'up']);
    const [first, second] = [...bench.shapes.values()];
    expect(first).toMatchObject({ path: { remote: NAT, bearer: callers[0]?.bearer } });
    expect(second).toMatchObject({ path: { remote: NAT, bearer: callers[1]?.bearer } });
    expect([first?.peerTunnelId, first?.peerSessionId]).toEqual([second?.peerTunnelId, second?.peerSessionId]);
    expect(first?.localTunnelId).not.toBe(second?.localTunnelId);
    expect(first?.network?.sources).not.toEqual(second?.network?.sources);
  });

  it('ends everything of one channel, with its failure, and nothing of the other', () => {
    const bench = new ChannelBench();
    const [gone, stays] = [bench.caller(), bench.caller()];
    for (const caller of [gone, stays]) bench.connect(caller);
    bench.outputs.length = 0;
    gone.cut = true;
    bench.server.bearerGone(bench.now, gone.bearer ?? 0, DEAD);
    bench.exchange();
    const kinds = bench.outputs.map(({ kind }) => kind).filter((kind) => kind !== 'step');
    expect(kinds).toEqual(['user-down', 'remove-session', 'session-ended', 'tunnel-ended']);
    for (const output of bench.outputs) if ('failure' in output) expect(output.failure).toEqual(DEAD);
    bench.wait(60);
    expect([...bench.shapes.values()].map(({ path }) => path.bearer)).toEqual([stays.bearer]);
    expect(stays.failures).toEqual([]);
    expect(stays.machine.state).toBe('up');
  });

  it('gives the address back, so that the caller may come again through another channel', () => {
    const bench = new ChannelBench({ pool: '10.98.0.10-10.98.0.10' });
    const caller = bench.caller();
    for (let round = 0; round < 5; round += 1) {
      bench.connect(caller);
      expect(caller.machine.state).toBe('up');
      bench.server.bearerGone(bench.now, caller.bearer ?? 0, DEAD);
      bench.channelDown(caller, DEAD);
    }
    expect(bench.outputs.filter(({ kind }) => kind === 'user-up')).toHaveLength(5);
  });
});
