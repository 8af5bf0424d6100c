/** Outgoing calls between two Culverts: the branch holds a tunnel, and head office has it place the call. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../scripts/lab/wait.ts';
import { expectAgreement } from './decode-agrees.ts';
import { Recording } from './recording.ts';
import { SitePair, waitForState } from './site-pair.ts';

let pair: SitePair | undefined;
const recording = new Recording();
afterAll(() => recording.remove());
afterEach(async () => {
  await recording.stop();
  await pair?.remove();
  pair = undefined;
});

async function start(client: object, call: object): Promise<SitePair> {
  pair = await SitePair.buildWith({
    client: { start: 'called', number: '12', ...client },
    server: { calls: { 'branch-call': { host: 'branch-12', number: '12', ...call } } },
  });
  await recording.start(pair.network.internet, 'br0', 'udp');
  await pair.office.start();
  await pair.branch.start();
  const { office } = pair;
  await waitFor('the tunnel of the branch', async () => (await office.l2tp('office'))?.tunnelId !== 0);
  return pair;
}

describe('head office calls a branch', () => {
  it('when told to, reaches its LAN, hangs up, and calls again', async () => {
    const { office, branch } = await start({}, {});
    expect((await office.l2tp('office'))?.sessions).toEqual([]);
    for (const round of [1, 2]) {
      const { code } = await office.culvert('connect', 'branch-call');
      expect(code, `call ${round}`).toBe(0);
      await waitForState(branch, 'hq', 'up');
      await pair?.pingThrough();
      expect(await office.ppp('alice')).toMatchObject({ state: 'up', peerAddress: expect.any(String) });
      await office.culvert('disconnect', 'branch-call');
      await waitFor('the end of the call', async () => (await branch.l2tp('hq'))?.sessions.length === 0);
      expect((await branch.l2tp('hq'))?.tunnelId).not.toBe(0);
    }
  });

  it('by itself, and again when the branch has hung up or was switched off', async () => {
    const { office, branch } = await start({}, { start: 'boot' });
    await waitForState(branch, 'hq', 'up');
    await pair?.pingThrough();
    await branch.end('SIGKILL');
    await branch.start();
    await waitForState(branch, 'hq', 'up', 40_000);
    await pair?.pingThrough();
    expect((await office.culvert('connect', 'branch-call')).code).toBe(0);
  });

  it('and is told when the number is not there, or the branch is not', async () => {
    const { office, branch } = await start({ number: '13' }, {});
    const wrong = await office.culvert('connect', 'branch-call');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/OCRQ: .*no such number here/);
    await office.culvert('disconnect', 'branch-call');
    await branch.end('SIGTERM');
    await waitFor('the end of the tunnel', async () => (await office.l2tp('office'))?.tunnelId === 0);
    const absent = await office.culvert('connect', 'branch-call');
    expect(absent.stderr).toMatch(/no tunnel of a branch whose host name is branch-12 stands/);
  });
});

describe('what an outgoing call is on the wire', () => {
  it('is decoded as tshark decodes it', async () => {
    await expectAgreement(recording, ['l2tp OCRQ', 'l2tp OCRP', 'l2tp OCCN', 'l2tp CDN', 'ppp-chap Success']);
  });
});
