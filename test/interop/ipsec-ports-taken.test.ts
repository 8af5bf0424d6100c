import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { endingWithUs } from '../../scripts/lab/daemon.ts';
import type { Namespace } from '../../scripts/lab/namespaces.ts';
import { answering, dialling, ipsecStatus, waitForIpsec } from './ipsec-support.ts';
import { SitePair, waitForState } from './site-pair.ts';

/** Another program that speaks IKE, as far as its ports go. */
const HOLDER = `
const { createSocket } = require('node:dgram');
let bound = 0;
for (const port of [500, 4500]) {
  createSocket('udp4').bind(port, '0.0.0.0', () => { bound += 1; if (bound === 2) process.stdout.write('bound\\n'); });
}`;

async function holdPorts(namespace: Namespace): Promise<ChildProcess> {
  const [program, ...args] = endingWithUs(...namespace.command(process.execPath, '-e', HOLDER));
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.stdout) await once(child.stdout, 'data');
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'close');
}

describe('UDP ports 500 and 4500 taken by another process', () => {
  let pair: SitePair | undefined;
  let holder: ChildProcess | undefined;
  afterEach(async () => {
    if (holder?.exitCode === null && holder.signalCode === null) await end(holder);
    await pair?.remove();
  });

  for (const version of [1, 2] as const) {
    it(`do not keep a client from calling with IKEv${version}: it goes from another port`, async () => {
      pair = await SitePair.buildWith({
        client: { ipsec: 'hq' },
        server: { ipsec: 'branches' },
        branchIpsec: dialling(version),
        officeIpsec: answering(version),
      });
      holder = await holdPorts(pair.network.branch);
      await pair.office.start();
      await pair.branch.start();
      await pair.up();
      await pair.pingThrough();
      const peer = (await ipsecStatus(pair.office, 'branches'))?.peer ?? '';
      expect(peer).toMatch(/^10\.20\.0\.9:\d+$/);
      expect(peer).not.toMatch(/:(500|4500)$/);
    });
  }

  it('keep a server from taking calls, which names the process and goes on when they are free', async () => {
    pair = await SitePair.buildWith({
      server: { ipsec: 'branches' },
      officeIpsec: answering(2),
      client: { ipsec: 'hq' },
      branchIpsec: dialling(2),
    });
    holder = await holdPorts(pair.network.office);
    await pair.office.start();
    await waitForState(pair.office, 'office', 'failed');
    const entry = await pair.office.l2tp('office');
    expect(entry?.reason).toMatch(/port 500/);
    expect(entry?.reason).toMatch(/node|Another process/);
    expect(entry?.remedy).toMatch(/./);
    await end(holder);
    await waitForIpsec(pair.office, 'branches', 'up');
    await pair.branch.start();
    await pair.up(60_000);
    await pair.pingThrough();
  });
});
