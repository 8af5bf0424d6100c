import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  addresses,
  type BranchNetwork,
  branchConfiguration,
  createBranchNetwork,
  officeTaps,
} from '../../scripts/lab/branch-network.ts';
import { type Capture, startCapture } from '../../scripts/lab/capture.ts';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { startGuest } from '../../scripts/lab/guest.ts';
import { countTraffic } from '../../scripts/lab/l2tp-in-clear.ts';
import { createStateFolder } from '../../scripts/lab/state-folder.ts';
import { l2tpConnection, startStrongswanInGuest } from '../../scripts/lab/strongswan-guest.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { startXl2tpdLns } from '../../scripts/lab/xl2tpd-lns.ts';
import { answering, dialling, PSK } from './ipsec-support.ts';
import { ping, SitePair, waitForState } from './site-pair.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function captureInternet(network: BranchNetwork): Promise<{ readonly capture: Capture; readonly file: string }> {
  const folder = createStateFolder('clear');
  undo.push(() => folder.remove());
  const file = join(folder.path, 'internet.pcap');
  const capture = await startCapture({ namespace: network.internet, device: 'br0', file });
  undo.push(() => capture.stop());
  return { capture, file };
}

function expectNothingInClear(file: string): void {
  const { clearL2tp, esp, espInUdp, ike } = countTraffic(file);
  expect(clearL2tp).toBe(0);
  expect(ike).toBeGreaterThan(0);
  expect(esp + espInUdp).toBeGreaterThan(20);
}

describe('L2TP that is to be protected never crosses the internet in clear', () => {
  it.each([1, 2] as const)('between two Culverts by IKEv%i, whoever of them is killed', async (version) => {
    const life = { lifetimeSeconds: 20, dpdSeconds: 3 };
    const pair = await SitePair.buildWith({
      client: { ipsec: 'hq' },
      server: { ipsec: 'branches' },
      branchIpsec: dialling(version, life),
      officeIpsec: answering(version, life),
    });
    undo.push(() => pair.remove());
    const { capture, file } = await captureInternet(pair.network);
    await pair.branch.start(); // nobody answers yet
    await pair.office.start();
    await pair.up(90_000);
    await pair.pingThrough();
    await pair.office.end('SIGKILL');
    await ping(pair.network.branchHost, addresses.officeHost);
    await pair.office.start();
    await pair.pingThrough(60_000);
    await pair.branch.end('SIGKILL');
    await ping(pair.network.officeHost, addresses.branchHost);
    await pair.branch.start();
    await pair.pingThrough(60_000);
    const spis = async () =>
      (await pair.branch.status()).ipsec.flatMap(({ children }) => children.map(({ inboundSpi }) => inboundSpi));
    const [before] = await spis();
    await waitFor('new keys', async () => !(await spis()).includes(before ?? ''), { timeoutMs: 40_000 });
    await pair.branch.culvert('disconnect', 'hq');
    await pair.office.end('SIGTERM');
    await capture.stop();
    expectNothingInClear(file);
  });

  it('to strongSwan and xl2tpd, whoever is killed', async () => {
    const network = await createBranchNetwork('guest');
    undo.push(() => network.delete());
    const guest = await startGuest({
      name: 'office',
      namespace: network.internet,
      gateway: addresses.internet,
      cards: [
        { tap: officeTaps.wan, addresses: [`${addresses.officeWan}/24`] },
        { tap: officeTaps.lan, addresses: [`${addresses.officeLan}/24`] },
      ],
    });
    undo.push(() => guest.stop());
    await guest.exec('sysctl -qw net.ipv4.ip_forward=1');
    const strongswan = await startStrongswanInGuest(guest, [
      l2tpConnection('server', { version: 2, localAddress: addresses.officeWan, psk: PSK, dpdSeconds: 5 }),
    ]);
    const users = [{ name: 'alice', password: 'alice-pw' }];
    const server = { users, pool: '10.98.0.10-10.98.0.60', insideAddress: '10.98.0.1' };
    let lns = await startXl2tpdLns(guest, server);
    // The guest's kernel gives what comes from the same port to the tunnel of the former life, for a minute and a half.
    const restartXl2tpd = async () => {
      await lns.stop();
      lns = await startXl2tpdLns(guest, server);
    };
    const branch = new LabCulvert({
      name: 'branch',
      namespace: network.branch,
      configuration: branchConfiguration(
        { masquerade: true, ipsec: 'hq', hello: { idleSeconds: 2 } },
        { ipsec: dialling(2, { dpdSeconds: 3 }) },
      ),
    });
    undo.push(() => branch.remove());
    const { capture, file } = await captureInternet(network);
    const pingThrough = () =>
      waitFor('an answer through xl2tpd', () => ping(network.branchHost, addresses.officeHost), { timeoutMs: 90_000 });
    await branch.start();
    await waitForState(branch, 'hq', 'up');
    await pingThrough();
    await strongswan.control.rekey('child');
    await pingThrough();
    await branch.end('SIGKILL');
    await guest.tryExec(`echo x >/dev/udp/${addresses.branchWan}/1701`);
    await restartXl2tpd();
    await branch.start();
    await pingThrough();
    await strongswan.kill();
    await ping(network.branchHost, addresses.officeHost);
    await strongswan.start();
    await restartXl2tpd();
    await pingThrough();
    await capture.stop();
    expectNothingInClear(file);
  });
});
