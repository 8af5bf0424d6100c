import { describe, expect, it } from 'vitest';
import { decodeControlMessage } from '../../../../firmware/protocol/l2tp/control-message.ts';
import { Harness } from './harness.ts';

const SECRET = 'branch secret';

describe('tunnel authentication', () => {
  it('succeeds where both ends have the same secret, each challenging the other', () => {
    const harness = new Harness({ server: { accept: { secret: SECRET } } });
    harness.connect({ secret: SECRET });
    expect(harness.live('client')).toMatchObject([{ state: 'established' }]);
    const [sccrq] = harness.sentBy('client', 'SCCRQ');
    const [sccrp] = harness.sentBy('server', 'SCCRP');
    const [scccn] = harness.sentBy('client', 'SCCCN');
    expect(sccrq?.message.body?.fields.challenge).toHaveLength(16);
    expect(sccrp?.message.body?.fields.challenge).toHaveLength(16);
    expect(sccrp?.message.body?.fields.challengeResponse).toHaveLength(16);
    expect(scccn?.message.body?.fields.challengeResponse).toHaveLength(16);
  });

  it('shows the client at once that its server has another secret', () => {
    const harness = new Harness({ server: { accept: { secret: 'other' } } });
    harness.openTunnel({ secret: SECRET });
    harness.run(200);
    const down = harness.last('client', 'tunnel-down');
    expect(down?.failure).toEqual({
      step: 'SCCRQ',
      reason: '192.0.2.2:1701 has another tunnel secret than we',
      remedy: 'set the same tunnel secret on both ends',
    });
    expect(harness.client.counters.authenticationFailed).toBe(1);
    expect(harness.sentBy('client', 'StopCCN')[0]?.message.body?.fields.resultCode?.resultCode).toBe(4);
    expect(harness.last('server', 'tunnel-down')?.failure).toMatchObject({
      step: 'SCCRP',
      reason: expect.stringContaining('probably for another tunnel secret'),
      remedy: 'set the same tunnel secret on both ends',
    });
    expect(harness.last('client', 'tunnel-up')).toBeUndefined();
    expect(harness.last('server', 'tunnel-up')).toBeUndefined();
  });

  it('shows a client without a secret that the server wants one', () => {
    const harness = new Harness({ server: { accept: { secret: SECRET } } });
    harness.openTunnel();
    harness.run(200);
    expect(harness.last('client', 'tunnel-down')?.failure).toMatchObject({
      step: 'SCCCN',
      reason: '192.0.2.2:1701 asks for a tunnel secret, and none is configured here',
    });
  });

  it('turns a client with a secret away where the server has none, without keeping anything', () => {
    const harness = new Harness();
    harness.openTunnel({ secret: SECRET });
    harness.run(200);
    expect(harness.server.tunnels()).toEqual([]);
    expect(harness.server.counters.authenticationFailed).toBe(1);
    const down = harness.last('client', 'tunnel-down');
    expect(down?.byPeer).toBe(true);
    expect(down?.failure.step).toBe('SCCRQ');
    expect(down?.failure.reason).toContain('not authorized');
    expect(down?.failure.remedy).toContain('secret');
  });

  it('refuses a client whose Challenge Response is wrong, and says so on both sides', () => {
    const harness = new Harness({ server: { accept: { secret: SECRET } } });
    harness.openTunnel({ secret: SECRET });
    harness.runUntil(() => harness.sentBy('client', 'SCCCN').length > 0, 200);
    // The SCCCN on its way is replaced by one with another response.
    const scccn = harness.sentBy('client', 'SCCCN')[0]?.datagram.slice() ?? new Uint8Array();
    scccn[scccn.length - 1] = (scccn.at(-1) ?? 0) ^ 1;
    harness.toServer(scccn);
    expect(harness.last('server', 'tunnel-up')).toBeUndefined();
    expect(harness.last('server', 'tunnel-down')).toMatchObject({
      byPeer: false,
      failure: { step: 'SCCCN', remedy: 'set the same tunnel secret on both ends' },
    });
    expect(harness.server.counters.authenticationFailed).toBe(1);
    harness.run(200);
    expect(harness.last('client', 'tunnel-down')).toMatchObject({
      byPeer: true,
      failure: { step: 'SCCCN', remedy: 'set the same tunnel secret on both ends' },
    });
  });

  it('guesses the secret when the server goes silent at the SCCCN, as some do', () => {
    const harness = new Harness({ server: { accept: { secret: SECRET } } });
    harness.openTunnel({ secret: SECRET });
    harness.runUntil(() => harness.last('client', 'tunnel-up') !== undefined, 200);
    harness.mute.server = true;
    harness.run(60_000);
    expect(harness.last('client', 'tunnel-down')?.failure).toEqual({
      step: 'SCCCN',
      reason:
        '192.0.2.2:1701 answered the SCCRQ but went silent at the SCCCN: probably its tunnel secret is another one',
      remedy: 'set the same tunnel secret on both ends',
    });
  });

  it('never writes the secret on the wire or into an event', () => {
    const harness = new Harness({ server: { accept: { secret: SECRET } } });
    harness.connect({ secret: SECRET });
    for (const { datagram } of harness.sent) expect(Buffer.from(datagram).includes(SECRET)).toBe(false);
    expect(JSON.stringify(harness.events)).not.toContain(SECRET);
  });
});

describe('hiding of AVPs', () => {
  it('begins once the tunnel is authenticated, when it is asked for', () => {
    const harness = new Harness({ server: { accept: { secret: SECRET } } });
    const tunnelId = harness.openTunnel({ secret: SECRET, hideAvps: true });
    harness.client.openSession(harness.now, tunnelId, { callingNumber: '0301234' });
    harness.run(500);
    expect(harness.last('server', 'session-up')?.callingNumber).toBe('0301234');
    const hidden = harness.sent
      .map(({ datagram }) => decodeControlMessage(datagram).body)
      .filter((body) => body?.avps.some((avp) => avp.hidden))
      .map((body) => body?.name);
    expect(hidden).toEqual(['ICRQ']);
  });

  it('is not done by default', () => {
    const harness = new Harness({ server: { accept: { secret: SECRET } } });
    const tunnelId = harness.openTunnel({ secret: SECRET });
    harness.client.openSession(harness.now, tunnelId, { callingNumber: '0301234' });
    harness.run(500);
    for (const { message } of harness.sent) expect(message.body?.avps.some((avp) => avp.hidden) ?? false).toBe(false);
  });
});
