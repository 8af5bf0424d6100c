import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { addresses } from '../../scripts/lab/branch-network.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { expectAgreement } from './decode-agrees.ts';
import { Recording } from './recording.ts';
import { ping, SitePair, waitForState } from './site-pair.ts';

let pair: SitePair | undefined;
const recording = new Recording();
afterAll(() => recording.remove());
afterEach(async () => {
  await recording.stop();
  await pair?.remove();
  pair = undefined;
});

const OFFICE_SECONDS = 20_000;

describe('a branch that dials a Culvert at head office', () => {
  it('reaches the other LAN, without masquerading, and shows how in its status', async () => {
    pair = await SitePair.build();
    await recording.start(pair.network.internet, 'br0', 'udp');
    await pair.office.start();
    await pair.branch.start();
    await pair.up();
    await pair.pingThrough();
    const { network, branch, office } = pair;
    expect(await ping(network.officeHost, addresses.branchHost)).toBe(true);
    const status = await branch.status();
    expect(status.l2tp).toMatchObject([
      { name: 'hq', role: 'client', state: 'up', peer: '10.20.0.2:1701', sessions: [{ interface: 'l2tp-hq' }] },
    ]);
    expect(status.ppp).toMatchObject([
      {
        name: 'hq',
        state: 'up',
        interface: 'l2tp-hq',
        localAddress: '10.98.0.10',
        peerAddress: '10.98.0.1',
        dns: ['10.98.0.1'],
        authentication: 'mschapv2',
      },
    ]);
    const server = (await office.status()).l2tp[0];
    expect(server).toMatchObject({ name: 'office', role: 'server', state: 'up', sessions: [{ name: 'alice' }] });
    expect(server?.sessions[0]?.packetsReceived).toBeGreaterThan(0);
  });

  it('carries packets up to the MTU of the tunnel unfragmented, and clamps TCP to it', async () => {
    pair = await SitePair.start();
    await pair.up();
    await pair.pingThrough();
    const { branchHost } = pair.network;
    expect(await ping(branchHost, addresses.officeHost, '-M', 'do', '-s', '1372')).toBe(true);
    expect(await ping(branchHost, addresses.officeHost, '-M', 'do', '-s', '1373')).toBe(false);
  });

  it('is back within 20 seconds after the server was killed and started again', async () => {
    pair = await SitePair.start();
    await pair.up();
    await pair.office.end('SIGKILL');
    await pair.office.start();
    const startedAgain = performance.now();
    await pair.branch.l2tp('hq');
    await pair.pingThrough(OFFICE_SECONDS);
    expect(performance.now() - startedAgain).toBeLessThan(OFFICE_SECONDS);
    await pair.up();
  });

  it('comes up when a third of the datagrams is lost on the way', async () => {
    pair = await SitePair.build({ start: 'manual' });
    const { internet } = pair.network;
    await recording.start(internet, 'br0', 'udp');
    await internet.run('nft', 'add table bridge loss');
    await internet.run('nft', 'add chain bridge loss forward { type filter hook forward priority 0; }');
    await internet.run('nft', 'add rule bridge loss forward numgen random mod 100 < 30 drop');
    await pair.office.start();
    await pair.branch.start();
    await pair.branch.client.connect('hq').catch(() => undefined);
    await pair.up(150_000);
  });

  it('tells the peer when it is told to disconnect, and dials again when told to connect', async () => {
    pair = await SitePair.start();
    await pair.up();
    const { branch, office } = pair;
    expect(await branch.culvert('disconnect', 'hq')).toMatchObject({ code: 0 });
    expect(await branch.l2tp('hq')).toMatchObject({ state: 'down', tunnelId: 0 });
    await waitFor('the end of the tunnel at head office', async () => (await office.l2tp('office'))?.tunnelId === 0);
    expect(await branch.culvert('connect', 'hq')).toMatchObject({ code: 0 });
    await pair.pingThrough();
  });

  it('lets the newest login of a user with networks of its own win, and keeps the user to its networks', async () => {
    pair = await SitePair.start();
    await pair.up();
    await pair.pingThrough();
    const { network, branch, office } = pair;
    // A host that is not in any network of the user speaks into the tunnel.
    await network.branchHost.ip('address', 'add', '192.168.77.7/32', 'dev', 'eth0');
    await network.branch.ip('route', 'add', '192.168.77.7/32', 'dev', 'lan0');
    expect(await ping(network.branchHost, addresses.officeHost, '-I', '192.168.77.7')).toBe(false);
    const session = (await office.l2tp('office'))?.sessions[0];
    expect(session?.drops?.['wrongSource']).toBeGreaterThan(0);
    // Power cut and return: the server still has the old session when the new one comes.
    await branch.end('SIGKILL');
    await branch.start();
    await pair.up();
    await pair.pingThrough();
    await waitFor('one session being left', async () => {
      const tunnels = (await office.status()).l2tp.filter((entry) => entry.sessions.length > 0);
      return tunnels.length === 1;
    });
  });

  it('goes to the configuration that is applied, and keeps what is the same', async () => {
    pair = await SitePair.start();
    await pair.up();
    const before = await pair.branch.l2tp('hq');
    const configuration = (await pair.branch.configurations.running()) as Record<string, unknown>;
    const text = JSON.stringify(configuration).replaceAll('"********"', '"alice-pw"');
    const renamed = text.replace('"routes":[]', '"routes":[{"prefix":"10.55.0.0/16","gateway":"10.20.0.1"}]');
    expect(renamed).not.toBe(text);
    expect(await pair.branch.commit(renamed, 'new.json')).toMatchObject({ ok: true });
    expect(await pair.network.branch.ip('route', 'show', '10.55.0.0/16')).toContain('via 10.20.0.1');
    expect(await pair.branch.l2tp('hq')).toMatchObject({ state: 'up', tunnelId: before?.tunnelId });
    const wrong = await pair.branch.commit(text.replace('"server"', '"sever"'), 'wrong.json');
    expect(wrong).toMatchObject({ ok: false, problems: [{ path: 'l2tp.clients.hq.sever', suggestion: 'server' }] });
    expect(await pair.branch.l2tp('hq')).toMatchObject({ state: 'up', tunnelId: before?.tunnelId });
  });
});

describe('several branches at one server', () => {
  it('each have a session and an address of their own', async () => {
    pair = await SitePair.build(
      {},
      {
        users: { alice: { password: 'alice-pw', routes: [addresses.branchNetwork] }, bob: { password: 'bob-pw' } },
      },
    );
    await pair.office.start();
    await pair.branch.start();
    await pair.up();
    const text = JSON.stringify(await pair.branch.configurations.running()).replaceAll('"********"', '"alice-pw"');
    const configuration = JSON.parse(text) as { l2tp: { clients: Record<string, Record<string, unknown>> } };
    const hq = configuration.l2tp.clients['hq'] ?? {};
    configuration.l2tp.clients['second'] = { ...hq, user: 'bob', password: 'bob-pw', routes: ['10.98.0.1/32'] };
    expect(await pair.branch.commit(JSON.stringify(configuration), 'two.json')).toMatchObject({ ok: true });
    await waitForState(pair.branch, 'second', 'up');
    const inner = (await pair.branch.status()).ppp.map((entry) => entry.localAddress);
    expect(new Set(inner).size).toBe(2);
    await pair.pingThrough();
  });
});

describe('what two Culverts said to each other', () => {
  it('is decoded as tshark decodes it', async () => {
    await expectAgreement(recording, [
      'l2tp SCCRQ',
      'l2tp ICCN',
      'l2tp ZLB',
      'ppp-chap Success',
      'ppp-ipcp Configure-Ack',
    ]);
  });
});
