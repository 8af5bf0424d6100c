import { describe, expect, it } from 'vitest';
import { VpnLiveness } from '../../../firmware/uplink/vpn-liveness.ts';

describe('what VPNs say of uplinks', () => {
  it('a peer that stood by an uplink and falls silent makes it doubted, for a while', () => {
    const liveness = new VpnLiveness();
    liveness.up('hq', 'dsl');
    liveness.silent(1000, 'hq', 'dsl');
    expect(liveness.doubt(1000, 'dsl')).toBe('the peer of hq is silent by it, although its probes are answered');
    expect(liveness.nextDeadline(1000)).toBe(61_000);
    expect(liveness.doubt(61_000, 'dsl')).toBeUndefined();
    expect(liveness.nextDeadline(61_000)).toBeUndefined();
  });

  it('is taken back when the peer is silent by the other one as well, and that peer is not believed again', () => {
    const liveness = new VpnLiveness();
    liveness.up('hq', 'dsl');
    liveness.silent(1000, 'hq', 'dsl');
    liveness.silent(9000, 'hq', 'lte');
    expect(liveness.doubt(9000, 'dsl')).toBeUndefined();
    expect(liveness.doubt(9000, 'lte')).toBeUndefined();
    for (let at = 10_000; at < 100_000; at += 8_000) liveness.silent(at, 'hq', 'dsl');
    expect(liveness.doubt(100_000, 'dsl')).toBeUndefined();
  });

  it('says nothing while another peer stands by the same uplink', () => {
    const liveness = new VpnLiveness();
    liveness.up('hq', 'dsl');
    liveness.up('plant', 'dsl');
    liveness.silent(1000, 'hq', 'dsl');
    expect(liveness.doubt(1000, 'dsl')).toBeUndefined();
  });

  it('a peer that never stood counts from the second call on', () => {
    const liveness = new VpnLiveness();
    liveness.silent(1000, 'hq', 'dsl');
    expect(liveness.doubt(1000, 'dsl')).toBeUndefined();
    liveness.silent(9000, 'hq', 'dsl');
    expect(liveness.doubt(9000, 'dsl')).toBeDefined();
  });

  it('doubts longer each time it has to doubt again soon, up to sixteen minutes', () => {
    const liveness = new VpnLiveness();
    const lengths: number[] = [];
    let now = 0;
    for (let round = 0; round < 7; round += 1) {
      liveness.up('hq', 'dsl');
      liveness.silent(now, 'hq', 'dsl');
      const until = liveness.nextDeadline(now) ?? 0;
      lengths.push((until - now) / 60_000);
      now = until + 20_000;
    }
    expect(lengths).toEqual([1, 2, 4, 8, 16, 16, 16]);
    now += 16 * 60_000 * 5;
    liveness.up('hq', 'dsl');
    liveness.silent(now, 'hq', 'dsl');
    expect((liveness.nextDeadline(now) ?? 0) - now).toBe(60_000);
  });

  it('says nothing any more of an uplink whose probes have failed since', () => {
    const liveness = new VpnLiveness();
    liveness.up('hq', 'dsl');
    liveness.silent(1000, 'hq', 'dsl');
    liveness.explained('dsl');
    expect(liveness.doubt(1000, 'dsl')).toBeUndefined();
  });

  it('a connection that ended otherwise says nothing', () => {
    const liveness = new VpnLiveness();
    liveness.up('hq', 'dsl');
    liveness.down('hq');
    liveness.silent(1000, 'hq', 'dsl');
    expect(liveness.doubt(1000, 'dsl')).toBeUndefined();
  });
});
