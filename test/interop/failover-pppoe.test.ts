/** A branch with ADSL, before rp-pppoe's access concentrator in a guest, and a second line: the VPN moves and comes back. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { type Guest, startGuest } from '../../scripts/lab/guest.ts';
import { type PppoeServer, startPppoeServer } from '../../scripts/lab/pppoe-server.ts';
import { branchUplinks, CONCENTRATOR, officeSite, places, TwoUplinks } from '../../scripts/lab/two-uplinks.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { PSK, pingSteadily, waitForIpsec } from './ipsec-support.ts';
import { ping } from './site-pair.ts';

const USER = { name: 'alice', password: 'alice password' };
const PING_EVERY_MS = 50;
const MAX_GAP_MS = 15_000;
const IDS = { branch: 'branch.example', office: 'office.example' } as const;

function branchConfiguration(): Record<string, unknown> {
  const base = branchUplinks({ health: { holdSeconds: 2 } });
  const { interfaces, uplinks } = base as Record<string, Record<string, object>>;
  const dsl = { ...uplinks?.['dsl'], type: 'pppoe', user: USER.name, password: USER.password };
  return {
    ...base,
    interfaces: { ...interfaces, dsl: { device: 'eth0', zone: 'wan' } },
    uplinks: { ...uplinks, dsl },
    ipsec: {
      connections: {
        hq: {
          version: 2,
          remote: places.office,
          psk: PSK,
          mode: 'tunnel',
          localId: IDS.branch,
          remoteId: IDS.office,
          localSubnets: [places.branchNetwork],
          remoteSubnets: [places.officeNetwork],
          start: 'boot',
        },
      },
    },
  };
}

function officeConfiguration(): Record<string, unknown> {
  const branches = {
    version: 2,
    remote: 'any',
    psk: PSK,
    mode: 'tunnel',
    localId: IDS.office,
    remoteId: IDS.branch,
    localSubnets: [places.officeNetwork],
    remoteSubnets: [places.branchNetwork],
  };
  return { ...officeSite(), ipsec: { connections: { branches } } };
}

describe('a branch with ADSL and a second line', () => {
  let lab: TwoUplinks;
  let guest: Guest;
  let server: PppoeServer;
  let branch: LabCulvert;
  let office: LabCulvert;

  beforeAll(async () => {
    lab = await TwoUplinks.create(true);
    const { line, up, address, gateway } = CONCENTRATOR;
    guest = await startGuest({
      name: 'carrier',
      namespace: lab.internet,
      cards: [{ tap: line }, { tap: up, addresses: [`${address}/24`] }],
      gateway,
    });
    await guest.exec('sysctl -qw net.ipv4.ip_forward=1');
    server = await startPppoeServer(guest, { users: [USER] });
    office = new LabCulvert({ name: 'office', namespace: lab.office, configuration: officeConfiguration() });
    await office.start();
  }, 120_000);

  afterEach(async () => {
    await lab.plug('dsl', true);
    await lab.interrupt(false);
    await branch?.remove();
  });

  afterAll(async () => {
    await office?.remove();
    await server?.kill();
    await guest?.stop();
    lab?.delete();
  });

  async function carries(name: string, timeoutMs = 90_000): Promise<void> {
    let last = '';
    const carrying = async (): Promise<boolean> => {
      const { uplinks } = await branch.status();
      last = JSON.stringify(uplinks);
      return uplinks.some((uplink) => uplink.name === name && uplink.carrying && uplink.verdict === 'well');
    };
    await waitFor(`${name} carrying the traffic`, carrying, { timeoutMs, intervalMs: 50 }).catch((error: unknown) => {
      throw new Error(
        `${error instanceof Error ? error.message : error}; last: ${last}\n${branch.log()}\n${server.log()}`,
      );
    });
  }

  async function gapDuring(task: () => Promise<void>): Promise<number> {
    const pings = pingSteadily(lab.branchHost, places.officeHost);
    await pings.more(20);
    await task();
    await pings.more(40);
    const { lost } = await pings.stop();
    return lost.length * PING_EVERY_MS;
  }

  it.each(['interrupted', 'unplugged'] as const)('the line is %s: to the other one, and back', async (what) => {
    branch = new LabCulvert({ name: 'branch', namespace: lab.branch, configuration: branchConfiguration() });
    await branch.start();
    await carries('dsl');
    const { uplinks } = await branch.status();
    expect(uplinks[0]).toMatchObject({ name: 'dsl', type: 'pppoe', interface: 'ppp-dsl', dns: [server.insideAddress] });
    await waitForIpsec(branch, 'hq', 'up');
    await waitFor('an answer through the tunnel', () => ping(lab.branchHost, places.officeHost), { timeoutMs: 20_000 });
    const trouble = (there: boolean) => (what === 'interrupted' ? lab.interrupt(there) : lab.plug('dsl', !there));
    const to = await gapDuring(async () => {
      await trouble(true);
      await carries('lte');
    });
    const back = await gapDuring(async () => {
      await trouble(false);
      await carries('dsl');
    });
    console.log(`PPPoE, ${what}: ${to} ms of pings lost on the way to lte, ${back} ms on the way back`);
    expect(to).toBeLessThan(MAX_GAP_MS);
    expect(back).toBeLessThan(MAX_GAP_MS);
    const { stdout } = await branch.culvert('show', 'uplinks');
    expect(stdout).toMatch(/dsl \*/);
    expect(stdout).toContain('dsl carries the traffic; well for');
    console.log(stdout);
  });
});
