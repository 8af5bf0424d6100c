import { describe, expect, it } from 'vitest';
import { capabilityAdvice, parseCapabilitySets } from '../../../hal/linux/capabilities.ts';
import { describeOnLinux } from '../contract/run.ts';
import { capabilityCases } from './capability-cases.ts';

describe('parseCapabilitySets', () => {
  it('reads the effective and the ambient set', () => {
    const status = 'Name:\tnode\nCapEff:\t0000000000001000\nCapAmb:\t000001fffeffffff\n';
    expect(parseCapabilitySets(status)).toEqual({ effective: 0x1000n, ambient: 0x1fffeffffffn });
  });

  it('takes missing or malformed lines for empty sets', () => {
    expect(parseCapabilitySets('CapEff:\tnothing\n')).toEqual({ effective: 0n, ambient: 0n });
  });
});

describe('capabilityAdvice', () => {
  it('lists what is missing and tells both ways to grant it to a service', () => {
    const advice = capabilityAdvice(['CAP_NET_ADMIN', 'CAP_NET_RAW']);
    expect(advice).toContain('lacks CAP_NET_ADMIN and CAP_NET_RAW');
    expect(advice).toContain('AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BIND_SERVICE');
    expect(advice).toContain('--ambient-caps +net_admin,+net_raw,+net_bind_service');
  });
});

describeOnLinux(capabilityCases);
