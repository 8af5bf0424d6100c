import { describe, expect, it } from 'vitest';
import { L2tpEndpoint } from '../../../../firmware/protocol/l2tp/endpoint.ts';
import type { AccessLine } from '../../../../firmware/protocol/l2tp/endpoint-types.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { ScriptedPeer } from './scripted-peer.ts';

/** The fields of the ICRQ as the server decodes them. */
function told(accessLine?: AccessLine): Readonly<Record<string, unknown>> {
  const endpoint = new L2tpEndpoint({ hostName: 'us', accept: {} }, new SeededRandom(6));
  const peer = ScriptedPeer.server(endpoint);
  const [{ tunnelId } = { tunnelId: 0 }] = endpoint.tunnels();
  endpoint.openSession(peer.now, tunnelId, accessLine === undefined ? {} : { accessLine });
  peer.drain();
  const fields = { ...peer.last('ICRQ')?.body?.fields } as Record<string, unknown>;
  for (const other of ['assignedSessionId', 'callSerialNumber', 'bearerType']) delete fields[other];
  return fields;
}

describe('what a server is told of the access line of a call (RFC 5515)', () => {
  it('are its names, its rates each way and its kind', () => {
    const line: AccessLine = {
      circuitId: 'dslam7 eth 1/12:7',
      remoteId: 'branch 12',
      down: { actual: 31_829_000, attainable: 38_904_000, minimum: 1_000_000, maximum: 50_000_000 },
      up: { actual: 5_517_000, attainable: 7_215_000, minimum: 64_000, maximum: 10_000_000 },
      type: 5,
    };
    expect(told(line)).toEqual({
      agentCircuitId: 'dslam7 eth 1/12:7',
      agentRemoteId: 'branch 12',
      actualDataRateUpstream: 5_517_000n,
      actualDataRateDownstream: 31_829_000n,
      minimumDataRateUpstream: 64_000n,
      minimumDataRateDownstream: 1_000_000n,
      attainableDataRateUpstream: 7_215_000n,
      attainableDataRateDownstream: 38_904_000n,
      maximumDataRateUpstream: 10_000_000n,
      maximumDataRateDownstream: 50_000_000n,
      ancpAccessLineType: 0x05000000,
    });
  });

  it('is nothing where nothing is known, or asked for', () => {
    expect(told({ down: {}, up: {} })).toEqual({});
    expect(told()).toEqual({});
  });

  it('has nothing that its AVP cannot hold', () => {
    const line: AccessLine = {
      circuitId: 'x',
      remoteId: 'ü'.repeat(32),
      down: { actual: -1, attainable: Number.NaN },
      up: { actual: Number.POSITIVE_INFINITY },
      type: 9,
    };
    expect(told(line)).toEqual({});
  });
});
