import { describe, expect, it } from 'vitest';
import { Harness } from './harness.ts';

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);
const BAD = { loss: 0.3, duplicate: 0.2, jitterMs: 600, delayMs: 20 };
/** A Hello policy that does not give up on such a network. */
const PATIENT = { hello: { idleMs: 4000, probeMs: 1000, probes: 20 }, retransmit: { attempts: 12 } };

describe('a network that loses 30 %, doubles 20 % and lets datagrams overtake each other', () => {
  it('cannot keep tunnel and sessions from coming up and from being closed, with any of 200 seeds', () => {
    for (const seed of SEEDS) {
      const harness = new Harness({
        seed,
        faults: BAD,
        client: PATIENT,
        server: { ...PATIENT, accept: { secret: 's', replyAttempts: 12 } },
      });
      const tunnelId = harness.openTunnel({ secret: 's' });
      const sessions = [1, 2, 3].map(() => harness.client.openSession(harness.now, tunnelId));
      const up = (): boolean =>
        harness.all('client', 'session-up').length === 3 && harness.all('server', 'session-up').length === 3;
      expect([seed, harness.runUntil(up, 400_000)]).toEqual([seed, true]);
      expect(harness.all('server', 'tunnel-up')).toHaveLength(1);
      harness.run(30_000);
      expect([seed, harness.live('client').length, harness.live('server').length]).toEqual([seed, 1, 1]);
      for (const sessionId of sessions.slice(1))
        harness.client.closeSession(harness.now, tunnelId, sessionId, { resultCode: 3 });
      const left = (): boolean => harness.all('server', 'session-down').length === 2;
      expect([seed, harness.runUntil(left, 200_000)]).toEqual([seed, true]);
      harness.client.closeTunnel(harness.now, tunnelId, { resultCode: 1 });
      const gone = (): boolean => harness.server.tunnels().length === 0 && harness.client.tunnels().length === 0;
      expect([seed, harness.runUntil(gone, 400_000)]).toEqual([seed, true]);
      expect([seed, harness.all('client', 'tunnel-down').length]).toEqual([seed, 1]);
      expect([seed, harness.all('client', 'session-down').length]).toEqual([seed, 3]);
    }
  });

  it('never lets more control messages be outstanding than the peer has room for', () => {
    const harness = new Harness({ seed: 5, faults: { delayMs: 50 }, server: { receiveWindow: 4 } });
    const tunnelId = harness.openTunnel();
    for (let i = 0; i < 60; i++) harness.client.openSession(harness.now, tunnelId);
    harness.run(20_000);
    let acknowledged = 0;
    let most = 0;
    for (const { from, message } of harness.sent) {
      if (from === 'server') acknowledged = Math.max(acknowledged, message.header.nr);
      else if (message.body) most = Math.max(most, message.header.ns + 1 - acknowledged);
    }
    expect(most).toBeLessThanOrEqual(4);
    expect(harness.all('server', 'session-up')).toHaveLength(60);
  });
});
