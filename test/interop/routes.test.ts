import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { addresses } from '../../scripts/lab/branch-network.ts';
import { startCapture } from '../../scripts/lab/capture.ts';
import { tryRun } from '../../scripts/lab/shell.ts';
import { createStateFolder } from '../../scripts/lab/state-folder.ts';
import { ping, SitePair, waitForState } from './site-pair.ts';

let pair: SitePair | undefined;
afterEach(async () => {
  await pair?.remove();
  pair = undefined;
});

describe('where packets go', { timeout: 90_000 }, () => {
  it('through the tunnel for everything, while the server itself lies in the routed prefix', async () => {
    pair = await SitePair.start({ routes: ['0.0.0.0/0'] });
    await pair.up();
    await pair.pingThrough();
    const { branch, branchHost } = pair.network;
    expect(await branch.ip('route', 'get', '203.0.113.9')).toContain('dev l2tp-hq');
    expect(await branch.ip('route', 'get', addresses.officeWan)).toContain('dev eth0');
    expect(await ping(branchHost, addresses.branchLan)).toBe(true);
    const { tunnelId } = (await pair.branch.l2tp('hq')) ?? {};
    expect(await ping(branchHost, addresses.officeHost)).toBe(true);
    expect((await pair.branch.l2tp('hq'))?.tunnelId).toBe(tunnelId);
  });

  it('nowhere while the tunnel is down: inner traffic never takes the default route', async () => {
    pair = await SitePair.build();
    await pair.branch.start();
    const { branchHost, internet } = pair.network;
    const folder = createStateFolder('capture');
    const file = join(folder.path, 'internet.pcap');
    const filter = `host ${addresses.officeHost}`;
    const capture = await startCapture({ namespace: internet, device: 'br0', file, filter });
    const result = await tryRun(branchHost.command('ping', '-n', '-c', '2', '-W', '1', addresses.officeHost));
    expect(result.stdout).toMatch(/Unreachable|unreachable|prohibited/);
    await capture.stop();
    // A pcap file without a single packet is its header alone.
    expect(readFileSync(file).length).toBe(24);
    folder.remove();
  });

  it('never into the tunnel for the name of the server, and /etc/resolv.conf stays as it was', async () => {
    const before = readFileSync('/etc/resolv.conf', 'utf8');
    pair = await SitePair.start();
    await pair.up();
    expect(readFileSync(`${pair.branch.stateDir}/dns/hq.conf`, 'utf8')).toContain('nameserver 10.98.0.1');
    expect(readFileSync('/etc/resolv.conf', 'utf8')).toBe(before);
    await pair.branch.culvert('disconnect', 'hq');
    expect(() => readFileSync(`${pair?.branch.stateDir}/dns/hq.conf`)).toThrow(/ENOENT/);
  });

  it('is refused in words when the server assigns an address of the branch LAN', async () => {
    pair = await SitePair.start({}, { pool: '192.168.12.100-192.168.12.110' });
    await waitForState(pair.branch, 'hq', 'failed');
    const entry = await pair.branch.l2tp('hq');
    expect(entry?.reason).toMatch(/192\.168\.12\.10\d.*"lan"/);
  });
});
