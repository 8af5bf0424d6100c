import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { addresses, branchConfiguration } from '../../scripts/lab/branch-network.ts';
import { startCapture } from '../../scripts/lab/capture.ts';
import { type Daemon, startDaemon } from '../../scripts/lab/daemon.ts';
import { tryRun } from '../../scripts/lab/shell.ts';
import { createStateFolder } from '../../scripts/lab/state-folder.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { ping, SitePair, waitForState } from './site-pair.ts';

let pair: SitePair | undefined;
afterEach(async () => {
  await pair?.remove();
  pair = undefined;
});

describe('where packets go', () => {
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
    const { branch, branchHost, internet } = pair.network;
    await waitFor('the configuration in force', async () => (await branch.ip('rule')).includes('5000'));
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

describe('the name of the server', () => {
  const wan = {
    device: 'eth0',
    zone: 'wan',
    ipv4: {
      method: 'static',
      address: `${addresses.branchWan}/24`,
      gateway: addresses.internet,
      dns: [addresses.internet],
    },
  };

  async function startDns(site: SitePair): Promise<Daemon> {
    const folder = createStateFolder('dns');
    const { internet } = site.network;
    const program = fileURLToPath(new URL('../../scripts/lab/dns-server.ts', import.meta.url));
    const daemon = await startDaemon({
      name: 'the DNS server',
      namespace: internet.name,
      command: [process.execPath, program, addresses.internet, `office.example=${addresses.officeWan}`],
      logFile: join(folder.path, 'log'),
    });
    await waitFor('the start of the DNS server', () => daemon.log().includes('ready'));
    return daemon;
  }

  it('is resolved through the uplink although everything is routed into the tunnel, and remembered', async () => {
    pair = await SitePair.build();
    const configuration = branchConfiguration({ server: 'office.example', routes: ['0.0.0.0/0'] });
    const { lan } = configuration['interfaces'] as Record<string, unknown>;
    pair.branch.writeConfiguration({ ...configuration, interfaces: { wan, lan } });
    const dns = await startDns(pair);
    await pair.office.start();
    await pair.branch.start();
    await pair.up();
    expect(dns.log()).toContain(`A office.example for ${addresses.branchWan}`);
    await dns.stop();
    // Without DNS, and in a new life, the address of last time serves.
    await pair.branch.end('SIGKILL');
    await pair.branch.start();
    await pair.up(60_000);
    await pair.pingThrough();
  });
});

describe('an outer network of IPv6', () => {
  it('carries the tunnel as IPv4 does', async () => {
    pair = await SitePair.build({ server: 'fd00:20::2' }, { listen: 'fd00:20::2' });
    const { branch, office } = pair.network;
    await office.ip('address', 'add', 'fd00:20::2/64', 'dev', 'eth0', 'nodad');
    await branch.ip('address', 'add', 'fd00:20::9/64', 'dev', 'eth0', 'nodad');
    await pair.office.start();
    await pair.branch.start();
    await pair.up();
    await pair.pingThrough();
    expect((await pair.branch.l2tp('hq'))?.peer).toBe('[fd00:20::2]:1701');
  });
});
