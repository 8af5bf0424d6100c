import { describe, expect, it } from 'vitest';
import type { UplinkStatus } from '../../../firmware/api/router-control.ts';
import { EMPTY_CONFIGURATION } from '../../../firmware/config/empty.ts';
import type { Configuration } from '../../../firmware/config/schema.ts';
import type { ConnectionSet } from '../../../firmware/router/connection-set.ts';
import { routerCondition } from '../../../firmware/router/router-condition.ts';

type Connections = Pick<ConnectionSet, 'configuration' | 'clients' | 'ipsecConnections'>;

function connections(
  interfaces: Configuration['interfaces'],
  clients: Readonly<Record<string, { state: string; failure?: unknown }>> = {},
): Connections {
  return {
    configuration: { ...EMPTY_CONFIGURATION, interfaces },
    clients: new Map(Object.entries(clients)),
    ipsecConnections: [],
  } as unknown as Connections;
}

const PORTS: Configuration['interfaces'] = {
  wan: { device: 'eth0', zone: 'wan' },
  lan: { device: 'eth1', zone: 'lan' },
};

it('without uplinks the ports of the zone wan tell by their links how the WAN is', () => {
  const at = (links: readonly string[]) => routerCondition(connections(PORTS), [], (device) => links.includes(device));
  expect(at(['eth0']).wan).toEqual({ state: 'up', why: 'wan is up' });
  expect(at(['eth1']).wan).toEqual({ state: 'off', why: 'wan has failed: eth0 has no link' });
  expect(at([]).lanDevice).toBe('eth1');
});

const UPLINK: UplinkStatus = {
  name: 'dsl',
  state: 'up',
  type: 'pppoe',
  dns: [],
  carrying: true,
  verdict: 'well',
  why: '',
  since: 0,
  doing: '',
  priority: 10,
  weight: 1,
  metered: false,
  standby: 'warm',
  health: { results: [], silentTargets: [] },
};
const LTE: UplinkStatus = { ...UPLINK, name: 'lte', type: 'modem', priority: 20, carrying: false };

describe('with uplinks', () => {
  const of = (...uplinks: readonly UplinkStatus[]) => routerCondition(connections(PORTS), uplinks, () => true);

  it('they tell how the WAN is, the best first', () => {
    expect(of(LTE, UPLINK).wan).toEqual({ state: 'up', why: 'dsl is up' });
    const failed: UplinkStatus = { ...UPLINK, state: 'failed', reason: 'probes: nobody answers', verdict: 'failed' };
    expect(of(LTE, failed).wan).toEqual({
      state: 'degraded',
      why: 'lte is up, but dsl has failed: probes: nobody answers',
    });
    expect(of({ ...UPLINK, verdict: 'degraded', why: '40 % of the probes are lost' }).wan).toEqual({
      state: 'degraded',
      why: 'dsl is up, but 40 % of the probes are lost',
    });
    expect(of({ ...UPLINK, state: 'connecting', verdict: 'down' }).wan.state).toBe('dialling');
  });

  it('a modem tells how it is', () => {
    expect(of(UPLINK).lte).toEqual({ state: 'none', why: 'there is no modem' });
    expect(of(LTE).lte).toEqual({ state: 'registered', why: 'lte is connected' });
    const why = 'the signal of lte has 3 of 5 bars';
    expect(of({ ...LTE, signalBars: 3 }).lte).toEqual({ state: 'registered', bars: 3, why });
    const idle: UplinkStatus = { ...LTE, state: 'down', signalBars: 0 };
    expect(of(idle).lte).toMatchObject({ state: 'registered', bars: 0, why: expect.stringContaining('not connected') });
    expect(of({ ...LTE, state: 'connecting', doing: 'waiting for the network' }).lte).toEqual({
      state: 'searching',
      why: 'lte is not connected: waiting for the network',
    });
    expect(of({ ...LTE, state: 'down' }).lte).toEqual({ state: 'none', why: 'lte is not connected: it waits' });
  });
});

it('the clients tell how the VPN is', () => {
  const failure = { step: 'SCCRQ', reason: 'nobody answered', remedy: 'check the server' };
  const { vpn } = routerCondition(connections({}, { hq: { state: 'failed', failure } }), [], () => false);
  expect(vpn).toEqual({ state: 'failed', stage: 6, why: 'hq fails at L2TP tunnel: SCCRQ: nobody answered' });
});
