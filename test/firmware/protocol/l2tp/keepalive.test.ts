import { describe, expect, it } from 'vitest';
import { Keepalive } from '../../../../firmware/protocol/l2tp/keepalive.ts';

const POLICY = { idleMs: 4000, probeMs: 1000, probes: 3 };

describe('the keepalive', () => {
  it('asks for a probe after idleMs of silence, then every probeMs, and gives up after as many as allowed', () => {
    const keepalive = new Keepalive(POLICY, 0);
    const log: string[] = [];
    while (log.at(-1) !== '7000 dead') {
      const now = keepalive.deadline;
      const due = keepalive.due(now);
      log.push(`${now} ${due}`);
      if (due === 'probe') keepalive.probed(now);
      expect(log.length).toBeLessThan(10);
    }
    expect(log).toEqual(['4000 probe', '5000 probe', '6000 probe', '7000 dead']);
  });

  it('begins anew with everything that is heard', () => {
    const keepalive = new Keepalive(POLICY, 0);
    keepalive.probed(4000);
    keepalive.probed(5000);
    keepalive.heard(5500);
    expect(keepalive.probing).toBe(false);
    expect(keepalive.due(9499)).toBe('nothing');
    expect(keepalive.due(9500)).toBe('probe');
  });

  it('counts probes that were sent, not time that went by: a machine that slept kills nothing', () => {
    const keepalive = new Keepalive(POLICY, 0);
    expect(keepalive.due(1_000_000)).toBe('probe');
    keepalive.probed(1_000_000);
    expect(keepalive.due(1_000_999)).toBe('nothing');
  });
});
