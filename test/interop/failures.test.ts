import { afterEach, describe, expect, it } from 'vitest';
import { addresses } from '../../scripts/lab/branch-network.ts';
import { expectDiagnosis, expectFailure, ping, SitePair, waitForState } from './site-pair.ts';

let pair: SitePair | undefined;
afterEach(async () => {
  await pair?.remove();
  pair = undefined;
});

describe('what show status says when the uplink does not come up', () => {
  it('a wrong password', async () => {
    pair = await SitePair.start({ password: 'not-alice-pw' });
    await expectFailure(pair.branch, 'hq', /^authentication: .*alice/, /password/);
    await expectDiagnosis(pair.branch, 'hq', 'auth-691');
    expect(pair.branch.log()).not.toContain('not-alice-pw');
  });

  it('a wrong tunnel secret', async () => {
    pair = await SitePair.start({ secret: 'one secret' }, { secret: 'another secret' });
    await expectFailure(pair.branch, 'hq', /secret/, /secret/);
    for (const router of [pair.branch, pair.office]) expect(router.log()).not.toMatch(/one secret|another secret/);
  });

  it('a secret that only the server has', async () => {
    pair = await SitePair.start({}, { secret: 'another secret' });
    await expectFailure(pair.branch, 'hq', /secret/, /secret/);
  });

  it('a server that is not there', async () => {
    pair = await SitePair.build();
    await pair.branch.start();
    await expectFailure(pair.branch, 'hq', /^SCCRQ: .*10\.20\.0\.2/, /address|reach|server/);
  });

  it('a server where nobody listens', async () => {
    pair = await SitePair.build();
    await pair.network.office.ip('address', 'add', `${addresses.officeWan}/24`, 'dev', 'eth0');
    await pair.branch.start();
    await expectFailure(pair.branch, 'hq', /^SCCRQ: .*(refused|port)/, /server|port/);
    await expectDiagnosis(pair.branch, 'hq', 'l2tp-port-closed');
  });

  it('a server that refuses, with the result code in words', async () => {
    pair = await SitePair.start(
      {},
      { pool: '10.98.0.10-10.98.0.10', limits: { tunnels: 1 }, hello: { idleSeconds: 60 } },
    );
    await pair.up();
    const text = JSON.stringify(await pair.branch.configurations.running()).replaceAll('"********"', '"alice-pw"');
    const configuration = JSON.parse(text) as { l2tp: { clients: Record<string, Record<string, unknown>> } };
    const hq = configuration.l2tp.clients['hq'] ?? {};
    configuration.l2tp.clients['second'] = { ...hq, user: 'bob', routes: [] };
    expect(await pair.branch.commit(JSON.stringify(configuration), 'two.json')).toMatchObject({ ok: true });
    await expectFailure(pair.branch, 'second', /too many tunnels/, /./);
  });

  it('a server that goes silent', async () => {
    pair = await SitePair.start();
    await pair.up();
    await pair.network.internet.ip('link', 'set', 'voffice', 'down');
    await expectFailure(pair.branch, 'hq', /^hello: /, /./);
    await expectDiagnosis(pair.branch, 'hq', 'hello-lost');
  });

  it('a name that cannot be resolved', async () => {
    pair = await SitePair.build({ server: 'office.example' });
    await pair.branch.start();
    await expectFailure(pair.branch, 'hq', /^resolve: .*office\.example/, /DNS|name|address/);
    await expectDiagnosis(pair.branch, 'hq', 'dns-silent');
  });

  it('a head office that has no way back: packets go into the tunnel, and none come out', async () => {
    pair = await SitePair.start();
    await pair.up();
    await pair.network.officeHost.ip('route', 'delete', 'default');
    const { branchHost } = pair.network;
    for (let times = 0; times < 4; times += 1) expect(await ping(branchHost, addresses.officeHost)).toBe(false);
    await expectDiagnosis(pair.branch, 'hq', 'one-way-traffic');
  });

  it('culvert connect says it in one line and exits with 1', async () => {
    pair = await SitePair.start({ password: 'not-alice-pw', start: 'manual' });
    await waitForState(pair.branch, 'hq', 'down');
    const result = await pair.branch.culvert('connect', 'hq');
    expect(result.code).toBe(1);
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
    expect(result.stderr).toMatch(/authentication/);
  });
});
