import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SCENARIO = join(import.meta.dirname, 'namespace-scenario.ts');
const allowed = spawnSync('unshare', ['-n', 'true']).status === 0 && spawnSync('nft', ['--version']).status === 0;

/** A network namespace, kept alive by a process that waits for the end of its input. */
let keeper: ChildProcessWithoutNullStreams;
let state: string;

beforeEach(async () => {
  if (!allowed) return;
  state = await mkdtemp(join(tmpdir(), 'culvert-namespace-'));
  keeper = spawn('unshare', ['-n', 'sh', '-c', 'echo ready; exec cat']);
  await new Promise<void>((resolve) => {
    keeper.stdout.once('data', () => resolve());
  });
  // A machine that is in use: the WAN is up with an address, and somebody's routes are there.
  run(`ip link set lo up
    ip link add eth0 type veth peer name eth0-peer
    ip link add lan0 type veth peer name lan0-peer
    ip link set eth0-peer up; ip link set lan0-peer up
    ip link set eth0 up; ip address add 10.20.0.200/24 dev eth0
    ip route add 10.77.0.0/16 via 10.20.0.1
    ip route add default via 10.20.0.1 dev eth0 metric 100
    ip route add default via 10.20.0.77 dev eth0 proto static
    ip rule add from 10.66.0.0/16 lookup 77 priority 700
    sysctl -qw net.ipv6.conf.all.forwarding=0 net.ipv6.conf.eth0.accept_ra=1
    ip address add 2001:db8:20::200/64 dev eth0 nodad
    ip -6 route add default via 2001:db8:20::1 dev eth0
    sysctl -qw net.ipv4.conf.all.accept_redirects=0
    # The first time up gives a link its queueing discipline, for good.
    ip link set lan0 up; ip link set lan0 down`);
});

afterEach(async () => {
  if (!allowed) return;
  keeper.stdin.end();
  await new Promise<void>((resolve) => {
    if (keeper.exitCode === null) keeper.once('exit', () => resolve());
    else resolve();
  });
  await rm(state, { recursive: true, force: true });
});

function inside(...command: readonly string[]): string {
  const args = ['-t', String(keeper.pid), '-n', ...command];
  return execFileSync('nsenter', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function run(script: string): string {
  return inside('sh', '-ec', script);
}

function scenario(step: string) {
  return JSON.parse(inside(process.execPath, SCENARIO, step, state));
}

/** What a person compares before and after; but the kernel tells a link's carrier when it has time for it. */
function snapshot(): string {
  const text = run(`ip -d link; ip -4 address; ip route show; ip route show table 5000 || true; ip rule
    ip -6 address show scope global; ip -6 route show table 5000 || true; ip -6 rule
    ip -6 route show default; sysctl net.ipv6.conf.all.forwarding net.ipv6.conf.eth0.accept_ra
    nft list ruleset; sysctl net.ipv4.ip_forward net.ipv4.conf.all.accept_redirects net.ipv4.conf.all.src_valid_mark`);
  return text.replace(/NO-CARRIER,|,LOWER_UP|,M-DOWN| state [A-Z]+/g, '');
}

describe.skipIf(!allowed)('the reconciler in a network namespace', () => {
  it('is done after one run, guards the remote prefixes, and can be taken back to the letter', () => {
    const before = snapshot();
    const { first, second } = scenario('reconcile');
    expect(first.failures).toEqual([]);
    expect(second).toEqual({ changes: [], failures: [] });
    expect(run('ip -4 -o address show dev eth0')).toContain('10.20.0.9/24');
    expect(run('ip -o link show lan0')).toContain('mtu 1400');
    expect(run('sysctl -n net.ipv4.ip_forward')).toBe('1\n');
    expect(run('nft list table inet culvert')).toContain('oifname "l2tp-hq" masquerade');

    // The tunnel is down: inner packets are refused, outer ones leave, connected and static networks are where they
    // were.
    expect(() => run('ip route get 10.99.0.1')).toThrow(/No route to host/);
    expect(() => run('ip route get 198.51.100.1')).toThrow(/No route to host/);
    expect(run('ip route get 198.51.100.1 mark 0xc1')).toContain('via 10.20.0.1 dev eth0');
    expect(run('ip route get 10.20.0.2')).toContain('dev eth0');
    expect(run('ip route get 192.168.12.7')).toContain('dev lan0');
    expect(run('ip route get 10.50.1.1')).toContain('via 192.168.12.2 dev lan0');
    for (const inner of ['fd00:99::1', '2001:db8:9::1']) {
      expect(() => run(`ip route get ${inner}`)).toThrow(/No route to host/);
      expect(run(`ip route get ${inner} mark 0xc1`)).toContain('via 2001:db8:20::1 dev eth0');
    }
    expect(run('ip route get 2001:db8:20::7')).toContain('dev eth0');
    expect(run('ip route get fd00:12::7')).toContain('dev lan0');
    expect(run('sysctl -n net.ipv6.conf.all.forwarding net.ipv6.conf.eth0.accept_ra')).toBe('1\n2\n');

    expect(scenario('restore').failures).toEqual([]);
    expect(snapshot()).toBe(before);
  });

  it('leads inner packets into a standing tunnel and outer ones past it, whoever the peer says it is', () => {
    run('ip tuntap add l2tp-hq mode tun; ip link set l2tp-hq up');
    const before = snapshot();
    const { first, second } = scenario('reconcile-up');
    expect(first.failures).toEqual([]);
    expect(second).toEqual({ changes: [], failures: [] });
    for (const inner of ['10.99.0.1', '198.51.100.1']) {
      expect(run(`ip route get ${inner}`)).toMatch(/dev l2tp-hq .*src 10\.98\.7\.10/);
      expect(run(`ip route get ${inner} mark 0xc1`)).toContain('dev eth0');
    }
    for (const inner of ['fd00:99::1', '2001:db8:9::1']) {
      expect(run(`ip route get ${inner}`)).toMatch(/dev l2tp-hq .*src fd00:98:0:7::7/);
      expect(run(`ip route get ${inner} mark 0xc1`)).toContain('dev eth0');
    }
    expect(run('ip route get fe80::1 oif l2tp-hq')).toContain('src fe80::7');
    expect(run('ip -6 -o address show dev l2tp-hq').trim().split('\n')).toHaveLength(2);
    // The peer calls itself by the server's outer address: the way to the server stays outside.
    expect(run('ip route get 10.20.0.2 mark 0xc1')).toContain('dev eth0');
    expect(run('ip route get 192.168.12.7')).toContain('dev lan0');
    run('ip link del l2tp-hq; ip tuntap add l2tp-hq mode tun; ip link set l2tp-hq up');
    expect(() => run('ip route get 10.99.0.1')).toThrow(/No route to host/);
    scenario('restore');
    const index = /^\d+: (?=l2tp-hq)/gm;
    expect(snapshot().replace(index, '')).toBe(before.replace(index, ''));
  });

  it('is taken back by the next start after it was killed', async () => {
    const before = snapshot();
    const killed = spawnSync('nsenter', ['-t', String(keeper.pid), '-n', process.execPath, SCENARIO, 'crash', state]);
    expect(killed.signal).toBe('SIGKILL');
    expect(snapshot()).not.toBe(before);
    expect(await readdir(state)).toEqual(['network-journal.json']);
    expect(scenario('restore').failures).toEqual([]);
    expect(snapshot()).toBe(before);
    expect(await readdir(state)).toEqual([]);
  });

  it('leaves nothing behind when it ends in order, and finds nothing to take back at a clean start', () => {
    const before = snapshot();
    const { restored, run: report, closed } = scenario('cycle');
    expect(restored).toEqual({ changes: [], failures: [] });
    expect(report.changes.length).toBeGreaterThan(8);
    expect(closed.failures).toEqual([]);
    expect(snapshot()).toBe(before);
  });

  it('gives replies to outer sockets their mark where the kernel filters by reverse path', () => {
    run('sysctl -qw net.ipv4.conf.eth0.rp_filter=2');
    const before = snapshot();
    const { first, second } = scenario('reconcile');
    expect(first.failures).toEqual([]);
    expect(second).toEqual({ changes: [], failures: [] });
    expect(run('nft list table inet culvert')).toContain('socket mark 0x000000c1');
    expect(run('sysctl -n net.ipv4.conf.all.src_valid_mark')).toBe('1\n');
    scenario('restore');
    expect(snapshot()).toBe(before);
  });
});
