import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SCENARIO = join(import.meta.dirname, 'namespace-scenario.ts');
const allowed = spawnSync('unshare', ['-n', 'true']).status === 0 && spawnSync('nft', ['--version']).status === 0;

/** Network namespaces, each kept alive by a process that waits for the end of its input: the router's, and the rest. */
let router: ChildProcessWithoutNullStreams;
let outside: ChildProcessWithoutNullStreams;
let state: string;

async function namespace(): Promise<ChildProcessWithoutNullStreams> {
  const keeper = spawn('unshare', ['-n', 'sh', '-c', 'echo ready; exec cat']);
  await new Promise<void>((resolve) => {
    keeper.stdout.once('data', () => resolve());
  });
  return keeper;
}

function run(where: ChildProcessWithoutNullStreams, script: string): string {
  const args = ['-t', String(where.pid), '-n', 'sh', '-ec', script];
  return execFileSync('nsenter', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

beforeEach(async () => {
  if (!allowed) return;
  state = await mkdtemp(join(tmpdir(), 'culvert-guard-'));
  [router, outside] = [await namespace(), await namespace()];
  // Two ways in: the WAN in clear, and something that is called as the tunnel's TUN is.
  run(
    router,
    `ip link set lo up
    sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
    ip link add eth0 type veth peer name wan netns ${outside.pid}
    ip link add ipsec-plant address 02:00:00:00:00:01 type veth peer name inner netns ${outside.pid}
    ip link add lan0 type veth peer name lan netns ${outside.pid}
    sysctl -qw net.ipv6.conf.eth0.accept_dad=0
    ip link set eth0 up; ip link set ipsec-plant up`,
  );
  run(
    outside,
    `ip link set lo up; ip link set wan up; ip link set inner up
    ip address add 10.20.0.2/24 dev wan
    for inside in 10.88.0.5 10.99.0.7; do ip address add $inside/32 dev lo; done
    ip address add fd00:20::2/64 dev wan nodad; ip address add fd00:99::7/128 dev lo nodad
    ip route add 192.168.12.1 dev inner
    ip neighbour add 192.168.12.1 lladdr 02:00:00:00:00:01 dev inner`,
  );
  const args = ['-t', String(router.pid), '-n', process.execPath, SCENARIO, 'protect', state];
  expect(JSON.parse(execFileSync('nsenter', args, { encoding: 'utf8' })).failures).toEqual([]);
});

afterEach(async () => {
  if (!allowed) return;
  for (const keeper of [router, outside]) {
    const gone = new Promise<void>((resolve) => keeper.once('exit', () => resolve()));
    keeper.stdin.end();
    await gone;
  }
  await rm(state, { recursive: true, force: true });
});

/** Echo requests that have come as far as the router's IP layer; whether they can be answered is another matter. */
function echoes(): number {
  return counter('Icmp', 'InEchos');
}

function counter(protocol: string, name: string): number {
  const lines = run(router, 'cat /proc/net/snmp').split('\n');
  const [names = [], values = []] = lines
    .filter((line) => line.startsWith(`${protocol}: `))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf(name)]);
}

function ping(source: string, destination: string): void {
  run(outside, `ping -q -c 1 -W 1 -I ${source} ${destination} || true`);
}

function datagram(source: string, port: number): void {
  const script = `const socket = require('node:dgram').createSocket('udp4');
    socket.bind(0, '${source}', () => socket.send('x', ${port}, '10.20.0.9', () => socket.close()));`;
  const args = ['-t', String(outside.pid), '-n', process.execPath, '-e', script];
  execFileSync('nsenter', args, { encoding: 'utf8' });
}

/** What was dropped because it did not come by this device. */
function dropped(device: string): number {
  return Number(/counter packets (\d+)/.exec(run(router, `nft list chain inet culvert only-${device}`))?.[1]);
}

describe.skipIf(!allowed)('the packet filter in a network namespace', () => {
  it('drops and counts what comes in clear from behind a protected tunnel, though that is down', () => {
    const before = echoes();
    ping('10.88.0.5', '10.20.0.9');
    ping('10.99.0.7', '10.20.0.9');
    expect(echoes()).toBe(before);
    expect([dropped('ipsec-plant'), dropped('l2tp-hq')]).toEqual([1, 1]);
  });

  it('takes the same from its own TUN, and not from the TUN of another tunnel', () => {
    const before = echoes();
    ping('10.88.0.5', '192.168.12.1');
    expect(echoes()).toBe(before + 1);
    ping('10.99.0.7', '192.168.12.1');
    expect(echoes()).toBe(before + 1);
    expect([dropped('ipsec-plant'), dropped('l2tp-hq')]).toEqual([0, 1]);
  });

  it('takes what comes from connected networks', () => {
    const before = echoes();
    ping('10.20.0.2', '10.20.0.9');
    expect(echoes()).toBe(before + 1);
  });

  it('does the same for IPv6, and lets neighbours find each other', () => {
    const heard = (): number => Number(/Icmp6InEchos\s+(\d+)/.exec(run(router, 'cat /proc/net/snmp6'))?.[1]);
    const before = heard();
    ping('fd00:20::2', 'fd00:20::9');
    expect(heard()).toBe(before + 1);
    ping('fd00:99::7', 'fd00:20::9');
    expect(heard()).toBe(before + 1);
    expect(dropped('l2tp-hq')).toBe(1);
  });

  it('lets IKE in from a peer inside such a network, and nothing else', () => {
    const before = counter('Udp', 'NoPorts');
    datagram('10.88.0.5', 1701);
    datagram('10.88.0.5', 53);
    expect(counter('Udp', 'NoPorts')).toBe(before);
    datagram('10.88.0.5', 500);
    datagram('10.88.0.5', 4500);
    expect(counter('Udp', 'NoPorts')).toBe(before + 2);
    expect(dropped('ipsec-plant')).toBe(2);
  });
});
