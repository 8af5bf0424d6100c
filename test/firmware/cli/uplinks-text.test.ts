import { describe, expect, it } from 'vitest';
import type { UplinkStatus } from '../../../firmware/api/router-control.ts';
import { uplinksText } from '../../../firmware/cli/uplinks-text.ts';

const DSL: UplinkStatus = {
  name: 'dsl',
  state: 'failed',
  reason: 'probes: 3 answers lost one after the other (icmp 192.0.2.1)',
  remedy: 'nothing needs to be done',
  type: 'pppoe',
  interface: 'ppp-dsl',
  address: '198.51.100.7/32',
  dns: ['192.0.2.53'],
  carrying: false,
  verdict: 'failed',
  why: '3 answers lost one after the other (icmp 192.0.2.1)',
  since: 0,
  doing: '',
  priority: 1,
  weight: 1,
  metered: false,
  standby: 'warm',
  health: { lossPercent: 40, results: [-1], silentTargets: ['dns 192.0.2.53'] },
};
const LTE: UplinkStatus = {
  ...{
    name: 'lte',
    state: 'up',
    type: 'modem',
    dns: [],
    carrying: true,
    verdict: 'well',
    why: '',
    since: 0,
    doing: '',
  },
  ...{
    priority: 2,
    weight: 1,
    metered: true,
    standby: 'cold',
    health: { latencyMilliseconds: 42, results: [], silentTargets: [] },
  },
};

describe('the uplinks as people see them', () => {
  it('are a table, and a sentence for each: what it is there for, how well it does and why', () => {
    const lines = uplinksText([DSL, LTE], 61_000);
    expect(lines.map((line) => line.replace(/ +/g, ' ').trim())).toEqual([
      'NAME TYPE STATE DEVICE ADDRESS GATEWAY DNS RANK LATENCY LOSS',
      'dsl pppoe failed ppp-dsl 198.51.100.7/32 - 192.0.2.53 1 - 40 %',
      'lte * modem up - - - - 2 42 ms -',
      '',
      'dsl stands by; failed for 1 min 1 s: 3 answers lost one after the other (icmp 192.0.2.1); nothing needs to be done; ' +
        'dns 192.0.2.53 does not answer, although others do, and does not count',
      'lte carries the traffic; well for 1 min 1 s; metered',
    ]);
  });

  it('that share the traffic are marked, each with its weight', () => {
    const lines = uplinksText([{ ...LTE, name: 'cable', weight: 2 }, LTE], 61_000);
    expect(lines.slice(1, 3).map((line) => line.split(' modem')[0]?.trim())).toEqual(['cable *', 'lte *']);
    expect(lines.at(-2)).toBe('cable shares the traffic (weight 2); well for 1 min 1 s; metered');
    expect(lines.at(-1)).toBe('lte shares the traffic (weight 1); well for 1 min 1 s; metered');
  });

  it('may be none', () => {
    expect(uplinksText([])).toEqual(['no uplinks are configured']);
  });
});
