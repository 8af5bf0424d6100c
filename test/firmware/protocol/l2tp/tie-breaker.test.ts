import { describe, expect, it } from 'vitest';
import { breakTie } from '../../../../firmware/protocol/l2tp/admission.ts';
import { L2tpEndpoint } from '../../../../firmware/protocol/l2tp/endpoint.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { CLIENT_END, CLIENT_PATH, Harness, SERVER_END } from './harness.ts';
import { INTRODUCTION, ScriptedPeer } from './scripted-peer.ts';

describe('the tie breaker', () => {
  it.each([
    [undefined, undefined, 'both'],
    [5n, undefined, 'ours'],
    [undefined, 5n, 'theirs'],
    [4n, 5n, 'ours'],
    [5n, 4n, 'theirs'],
    [5n, 5n, 'neither'],
    [0x8000000000000000n, 1n, 'theirs'],
  ])('ours %s against theirs %s: %s stay', (ours, theirs, result) => {
    expect(breakTie(ours, theirs)).toBe(result);
  });

  it('leaves one tunnel where two routers dial each other at the same moment', () => {
    for (let seed = 0; seed < 20; seed++) {
      const harness = new Harness({ seed, client: { accept: {} } });
      harness.openTunnel();
      harness.server.openTunnel(harness.now, { path: { remote: CLIENT_END, local: SERVER_END } });
      harness.run(3000);
      expect([seed, harness.live('client').length, harness.live('server').length]).toEqual([seed, 1, 1]);
      expect(harness.live('client')[0]?.state).toBe('established');
      const losers = [...harness.all('client', 'tunnel-down'), ...harness.all('server', 'tunnel-down')];
      expect(losers).toHaveLength(1);
      expect(losers[0]?.failure.reason).toContain('tie breaker');
    }
  });

  function dialling(tieBreaker: boolean): ScriptedPeer {
    const endpoint = new L2tpEndpoint({ hostName: 'us', accept: {} }, new SeededRandom(9));
    const peer = new ScriptedPeer(endpoint, CLIENT_PATH);
    endpoint.openTunnel(peer.now, { path: CLIENT_PATH, tieBreaker });
    peer.drain();
    peer.tunnelId = 0;
    return peer;
  }

  it('is in the SCCRQ of an endpoint that also accepts, unless it is switched off', () => {
    expect(dialling(true).last('SCCRQ')?.body?.fields.tieBreaker).toBeTypeOf('bigint');
    expect(dialling(false).last('SCCRQ')?.body?.fields.tieBreaker).toBeUndefined();
  });

  it('that wins makes the SCCRQ of the peer be dropped', () => {
    const peer = dialling(true);
    expect(peer.send('SCCRQ', { ...INTRODUCTION, tieBreaker: 0xffffffffffffffffn })).toEqual([]);
    expect(peer.send('SCCRQ', INTRODUCTION)).toEqual([]);
    expect(peer.endpoint.tunnels()).toMatchObject([{ state: 'wait-reply' }]);
  });

  it('that loses makes our tunnel be dropped without a word', () => {
    const peer = dialling(true);
    expect(peer.send('SCCRQ', { ...INTRODUCTION, tieBreaker: 0n })).toEqual(['SCCRP']);
    expect(peer.endpoint.tunnels()).toMatchObject([{ state: 'wait-connect', incoming: true }]);
    expect(peer.event('tunnel-down')?.byPeer).toBe(true);
  });

  it('that is equal makes both be dropped', () => {
    const peer = dialling(true);
    const tieBreaker = peer.last('SCCRQ')?.body?.fields.tieBreaker ?? 0n;
    expect(peer.send('SCCRQ', { ...INTRODUCTION, tieBreaker })).toEqual([]);
    expect(peer.endpoint.tunnels()).toEqual([]);
  });

  it('that nobody sends leaves two tunnels', () => {
    const peer = dialling(false);
    expect(peer.send('SCCRQ', INTRODUCTION)).toEqual(['SCCRP']);
    expect(peer.endpoint.tunnels()).toHaveLength(2);
  });
});
