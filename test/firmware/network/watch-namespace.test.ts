import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../../scripts/lab/wait.ts';

const SCENARIO = join(import.meta.dirname, 'watch-scenario.ts');
const allowed = spawnSync('unshare', ['-n', 'true']).status === 0 && spawnSync('nft', ['--version']).status === 0;

/** Some five times what it takes on a machine that has nothing else to do. */
const REPAIRED_WITHIN_MS = 5000;

let subject: ChildProcessWithoutNullStreams;
let output: string;
let state: string;

beforeEach(async () => {
  if (!allowed) return;
  state = await mkdtemp(join(tmpdir(), 'culvert-watch-'));
  const script = `ip link set lo up
    ip link add eth0 type veth peer name eth0-peer; ip link set eth0-peer up
    ip link add lan0 type veth peer name lan0-peer; ip link set lan0-peer up
    exec "$0" "$@"`;
  subject = spawn('unshare', ['-n', 'sh', '-ec', script, process.execPath, SCENARIO, state]);
  output = '';
  subject.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await waitFor('the network that is watched', () => output.includes('ready\n'));
});

afterEach(async () => {
  if (!allowed) return;
  subject.stdin.end();
  if (subject.exitCode === null) await once(subject, 'exit');
  await rm(state, { recursive: true, force: true });
});

function run(script: string): string {
  const args = ['-t', String(subject.pid), '-n', 'sh', '-ec', script];
  return execFileSync('nsenter', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What the damage is done to. */
const network = (): string =>
  run(`ip -o link show lan0; ip -o -4 address show; ip route show; ip route show table 5000; ip rule
    nft -s list table inet culvert || true; sysctl net.ipv4.ip_forward`).replace(
    /NO-CARRIER,|,LOWER_UP| state [A-Z]+/g,
    '',
  );

describe.skipIf(!allowed)('what somebody else does to the network', () => {
  it.each<[string, string]>([
    ['ip route del unreachable 10.99.0.0/16 table 5000', 'route to 10.99.0.0/16 in the tunnel table was removed'],
    ['ip route replace default via 10.20.0.77', 'route to 0.0.0.0/0 via 10.20.0.1 on eth0 was changed'],
    ['ip address del 192.168.12.1/24 dev lan0', 'address 192.168.12.1/24 was removed from lan0'],
    ['ip link set lan0 down', 'lan0 was set down'],
    ['ip link set lan0 mtu 1300', 'MTU of lan0 was changed to 1300'],
    ['ip rule del priority 5000', 'rule of priority 5000 for table 5000 was removed'],
    ['nft delete table inet culvert', 'packet filter table culvert was removed'],
    ['nft flush table inet culvert', 'packet filter table culvert was changed'],
    ['nft flush ruleset', 'packet filter table culvert was removed'],
    ['sysctl -qw net.ipv4.ip_forward=0', 'forwarding was switched off'],
  ])('is put right and told: %s', async (damage, told) => {
    const before = network();
    run(damage);
    expect(network()).not.toBe(before);
    await waitFor('the repair', () => output.includes(`${told} by somebody else`) && network() === before, {
      timeoutMs: REPAIRED_WITHIN_MS,
      intervalMs: 100,
    });
  });

  it('is nothing any more after the end: the watch neither repairs nor leaves a process behind', async () => {
    subject.stdin.end();
    await once(subject, 'exit');
    expect(subject.exitCode).toBe(0);
    expect(output).toBe('ready\n');
  });
});
