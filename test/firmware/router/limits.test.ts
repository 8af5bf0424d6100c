import { afterEach, describe, expect, it } from 'vitest';
import { ControlClient } from '../../../firmware/api/client.ts';
import { type ControlApi, startControlApi } from '../../../firmware/api/server.ts';
import { controlSocketPath } from '../../../firmware/api/socket-path.ts';
import { limitsText } from '../../../firmware/cli/limits-text.ts';
import { captureLimits } from '../../../firmware/diagnosis/capture/capture-limits.ts';
import { createLogger } from '../../../firmware/log/logger.ts';
import { limitsStatus } from '../../../firmware/router/limits.ts';
import { KERNEL_FEATURES, type KernelReport } from '../../../hal/kernel-features.ts';
import { FakeConfiguration } from '../api/fake-configuration.ts';
import { FakeRouter, makeStateDir } from '../api/fake-router.ts';
import { RouterBench } from './router-bench.ts';

const NOW = { l2tpTunnels: 2, l2tpSessions: 3, ikeV1Sas: 0, ikeV2Sas: 1, logLines: 7, captures: 0, reaches: 0 };

function kernel(state: KernelReport['features'][number]['state']): KernelReport {
  return { release: '6.1.0', features: KERNEL_FEATURES.map((name) => ({ name, state, evidence: 'so it says' })) };
}

const limits = (state: Parameters<typeof kernel>[0] = 'present', cipherEngine = 'evp') =>
  limitsStatus({ kernel: kernel(state), cipherEngine, now: NOW });

describe('show limits', () => {
  it('says why packets go through user space, and what the kernel lacks for anything else', () => {
    expect(limits().dataPlane).toMatchObject({
      engine: 'userspace',
      reason: expect.stringMatching(/whatever the kernel has$/),
    });
    expect(limits('absent').dataPlane.reason).toMatch(/the kernel lacks XFRM, ESP, L2TP, PPP$/);
    expect(limits('unknown').dataPlane.reason).toMatch(/whatever the kernel has$/);
  });

  it('says what encrypts, and what the slow one costs', () => {
    expect(limits().cipher).toMatchObject({ engine: 'evp', reason: expect.stringMatching(/exports OpenSSL/) });
    const slow = limits('present', 'node:crypto').cipher;
    expect(slow).toMatchObject({ engine: 'node:crypto', reason: expect.stringMatching(/does not export/) });
    expect(slow.cost).toMatch(/slower/);
  });

  it('says of each feature whether this version uses it, and what follows where it is missing', () => {
    const of = (state: 'present' | 'absent', name: string) =>
      limits(state).kernel.features.find((feature) => feature.name === name);
    expect(of('absent', 'tun')).toMatchObject({ use: 'needed', meaning: 'no tunnel can come up' });
    expect(of('absent', 'packet-sockets')?.meaning).toMatch(/capture.* does not work/);
    expect(of('present', 'packet-sockets')?.meaning).not.toMatch(/not/);
    expect(of('absent', 'esp')).toMatchObject({ use: 'unused', meaning: expect.stringMatching(/by itself/) });
  });

  it('has sentences without a full stop, and no table twice', () => {
    for (const state of ['present', 'absent'] as const) {
      const { dataPlane, cipher, offloads, kernel: found, tables } = limits(state);
      const words = [dataPlane, cipher, ...offloads].flatMap(({ reason, cost }) => [reason, cost]);
      words.push(
        ...found.features.map(({ meaning }) => meaning),
        ...tables.flatMap(({ what, whenFull }) => [what, whenFull]),
      );
      for (const sentence of words) expect(sentence).toMatch(/^["\w].*[^.]$/);
      expect(new Set(tables.map(({ name }) => name)).size).toBe(tables.length);
      for (const { most, inUse = 0 } of tables) expect(inUse).toBeLessThanOrEqual(most);
    }
  });

  it('in words names every feature and every table', () => {
    const text = limitsText(limits('absent')).join('\n');
    for (const name of KERNEL_FEATURES) expect(text).toContain(`\n${name} `);
    expect(text).toMatch(/data plane: userspace, for .*lacks XFRM/);
    expect(text).toMatch(/UDP GSO: not used/);
    expect(text).toMatch(/kernel 6\.1\.0: something that this version uses may be missing/);
    expect(text).toMatch(/^1024 +2 +L2TP tunnels of each server +it is refused/m);
    expect(text).toMatch(/^100 +- +revisions/m);
    expect(limitsText(limits()).join('\n')).toMatch(/it has all that this version uses/);
  });
});

describe('by the control API', () => {
  const stateDir = makeStateDir();
  let api: ControlApi | undefined;
  afterEach(async () => {
    await api?.close();
    stateDir.remove();
  });

  it('nothing of it is left out on the way', async () => {
    const router = new FakeRouter();
    router.limits = async () => limits();
    const logger = createLogger({ secrets: () => [], destination: { write: () => undefined } });
    const socketPath = controlSocketPath(stateDir.path);
    api = await startControlApi({ socketPath, control: router, config: new FakeConfiguration(), logger });
    expect(await new ControlClient(stateDir.path).limits()).toEqual(limits());
  });
});

describe('a router', () => {
  let bench: RouterBench | undefined;
  afterEach(() => bench?.end());

  it('counts what it has at the moment', async () => {
    bench = new RouterBench();
    await bench.network.recover();
    bench.links.addLink({ name: 'eth7', up: true });
    bench.captures.addDevice('eth7', 'ethernet');
    bench.kernel.states.set('tun', 'present');
    const inUse = async (name: string) =>
      (await bench?.router.limits())?.tables.find((one) => one.name === name)?.inUse;
    expect(await inUse('captures')).toBe(0);
    const result = await bench.router.capture({ name: 'eth7', outside: false, limits: captureLimits({}) });
    if (!result.ok) throw new Error(result.reason);
    expect(await inUse('captures')).toBe(1);
    const run = result.begin({ backlog: 0, write: () => undefined, end: () => undefined });
    expect(await inUse('captures')).toBe(1);
    run.stop();
    expect(await inUse('captures')).toBe(0);
    const { kernel: found } = await bench.router.limits();
    expect(found.features.find(({ name }) => name === 'tun')?.state).toBe('present');
  });
});
