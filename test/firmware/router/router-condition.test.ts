import { expect, it } from 'vitest';
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

it('with uplinks they do', () => {
  const { wan } = routerCondition(connections(PORTS), [{ name: 'dsl', state: 'connecting' }], () => true);
  expect(wan).toEqual({ state: 'dialling', why: 'dsl is being connected' });
});

it('the clients tell how the VPN is', () => {
  const failure = { step: 'SCCRQ', reason: 'nobody answered', remedy: 'check the server' };
  const { vpn } = routerCondition(connections({}, { hq: { state: 'failed', failure } }), [], () => false);
  expect(vpn).toEqual({ state: 'failed', stage: 6, why: 'hq fails at L2TP tunnel: SCCRQ: nobody answered' });
});
