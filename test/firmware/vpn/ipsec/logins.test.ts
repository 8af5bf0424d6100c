import { describe, expect, it } from 'vitest';
import { BRANCH, dial, OFFICE, servedSettings, settings, TestNetwork, TestSite } from './two-sites.ts';

const ALICE = { user: 'alice', password: 'wonder land' };

/** A branch calls the office and logs in by XAUTH. */
function call(
  login: typeof ALICE | undefined,
  logins: Readonly<Record<string, string>> | undefined,
  aggressive = false,
) {
  const sites = { branch: new TestSite(BRANCH, 1), office: new TestSite(OFFICE, 2) };
  const network = new TestNetwork(sites.branch, sites.office);
  const mode = aggressive ? { aggressive } : {};
  sites.branch.machine.setConnections(network.now, [settings(1, { ...mode, ...(login && { login }) })]);
  sites.office.machine.setConnections(network.now, [servedSettings(1, { ...mode, ...(logins && { logins }) })]);
  sites.office.machine.serve(network.now, 'callers');
  const channel = dial(network, sites.branch);
  network.run(60);
  const [mine] = sites.branch.machine.views(network.now, 0);
  const [theirs] = sites.office.machine.views(network.now, 0);
  return { ...sites, network, channel, mine, theirs };
}

describe('a user who logs in by XAUTH', () => {
  it.each([false, true])('is shown by name where he was asked (Aggressive Mode: %s)', (aggressive) => {
    const { branch, channel, mine, theirs, office } = call(ALICE, { alice: 'wonder land' }, aggressive);
    expect(branch.up.has(channel)).toBe(true);
    expect(theirs?.ikeSas.map(({ peerUser, state }) => [peerUser, state])).toEqual([['alice', 'up']]);
    expect(mine?.ikeSas.map(({ peerUser }) => peerUser)).toEqual([undefined]);
    const steps = office.all('step').map(({ step }) => `${step.step} ${step.detail ?? ''}`.trim());
    expect(steps).toEqual(expect.arrayContaining(['XAUTH REPLY user alice', 'XAUTH SET OK, user alice']));
    expect(JSON.stringify([office.outputs, branch.outputs])).not.toContain('wonder land');
  });

  it('is turned away with a wrong password, in words at both ends, and not called again at once', () => {
    const { branch, channel, mine, theirs, office } = call({ ...ALICE, password: 'guess' }, { alice: 'wonder land' });
    expect(branch.up.has(channel)).toBe(false);
    expect(mine?.failure).toMatchObject({ step: 'XAUTH', reason: 'the peer refused the login of user alice' });
    expect(theirs).toMatchObject({
      state: 'up',
      failure: { step: 'XAUTH', reason: 'the caller gave no good password for user alice' },
    });
    const steps = office.all('step').map(({ step }) => step.step);
    expect(steps.filter((step) => step === 'XAUTH REQUEST')).toHaveLength(1);
  });

  it.each(['constructor', '__proto__', 'toString'])('is nobody whom only JavaScript knows: %s', (user) => {
    const { theirs } = call({ user, password: 'x' }, { alice: 'wonder land' });
    expect(theirs?.failure?.reason).toBe(`the caller gave no good password for user ${user}`);
  });

  it('is not needed where none is configured, and has to be there where one is', () => {
    expect(call(ALICE, undefined).mine?.failure?.reason).toBeDefined();
    const without = call(undefined, { alice: 'wonder land' });
    expect(without.branch.up.size).toBe(0);
    expect(without.theirs?.failure?.reason).toMatch(/with pre-shared key and login \(XAUTH\)|login \(XAUTH\)/);
  });
});
