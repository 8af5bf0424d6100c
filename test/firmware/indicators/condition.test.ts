import { describe, expect, it } from 'vitest';
import { LADDER } from '../../../firmware/diagnosis/ladder.ts';
import { STAGES, stageOf, vpnCondition, type WanView, wanCondition } from '../../../firmware/indicators/condition.ts';

describe('how the WAN is', () => {
  const up: WanView = { name: 'dsl', state: 'up' };
  const lte: WanView = { name: 'lte', state: 'up' };
  const failed: WanView = { name: 'dsl', state: 'failed', reason: 'eth0 has no link' };
  it.each([
    ['off', [], 'there is no way to the internet in the configuration'],
    ['up', [up], 'dsl is up'],
    ['up', [up, { name: 'lte', state: 'down' }], 'dsl is up'],
    ['up', [up, { name: 'lte', state: 'failed' }], 'dsl is up'],
    ['degraded', [{ ...up, trouble: 'it loses 40 %' }], 'dsl is up, but it loses 40 %'],
    ['degraded', [failed, lte], 'lte is up, but dsl has failed: eth0 has no link'],
    ['degraded', [{ name: 'dsl', state: 'connecting' }, lte], 'lte is up, but dsl is being connected'],
    // Somebody took it down.
    ['up', [{ name: 'dsl', state: 'down' }, lte], 'lte is up'],
    ['dialling', [failed, { name: 'lte', state: 'connecting' }], 'lte is being connected'],
    ['off', [failed], 'dsl has failed: eth0 has no link'],
    ['off', [{ name: 'dsl', state: 'down' }, failed], 'dsl has failed: eth0 has no link'],
    ['off', [{ name: 'dsl', state: 'down' }], 'dsl is down'],
  ] as const)('%s, of %j', (state, ways, why) => {
    expect(wanCondition(ways)).toEqual({ state, why });
  });
});

describe('how the VPN is', () => {
  const failure = { step: 'authentication', reason: 'the server refused the password', remedy: 'correct it' };
  it.each([
    [{ state: 'off' }, []],
    [{ state: 'off' }, [{ name: 'hq', state: 'down' }]],
    [{ state: 'negotiating' }, [{ name: 'hq', state: 'connecting' }]],
    [
      { state: 'up', why: 'hq, plant are up' },
      [
        { name: 'hq', state: 'up' },
        { name: 'plant', state: 'up' },
      ],
    ],
    [
      { state: 'negotiating' },
      [
        { name: 'hq', state: 'up' },
        { name: 'plant', state: 'connecting' },
      ],
    ],
    [{ state: 'failed', stage: 7 }, [{ name: 'hq', state: 'failed', failure }]],
    // It is tried again, and does not work all the same.
    [{ state: 'failed', stage: 7 }, [{ name: 'hq', state: 'connecting', failure }]],
    [{ state: 'up' }, [{ name: 'hq', state: 'up', failure }]],
  ] as const)('%j, of %j', (condition, tunnels) => {
    expect(vpnCondition(tunnels)).toMatchObject(condition);
  });

  it('says where it failed, and in the words of the failure', () => {
    expect(vpnCondition([{ name: 'hq', state: 'failed', failure }]).why).toBe(
      'hq fails at PPP authentication: authentication: the server refused the password',
    );
  });

  it('gives each step of the ladder a number, never a smaller one than the step before', () => {
    const stages = LADDER.map(stageOf);
    expect(Math.min(...stages)).toBe(1);
    expect(Math.max(...stages)).toBe(STAGES);
    for (const step of ['ike', 'ike-authentication', 'l2tp-tunnel', 'lcp', 'traffic'] as const)
      expect(stageOf(step)).toBeGreaterThan(stageOf('link'));
    expect(new Set(stages).size).toBe(STAGES);
  });
});
