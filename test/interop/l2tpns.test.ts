import { afterAll, afterEach, describe, expect, it } from 'vitest';
import {
  addresses,
  type BranchNetwork,
  branchConfiguration,
  createBranchNetwork,
} from '../../scripts/lab/branch-network.ts';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { type L2tpns, startL2tpns } from '../../scripts/lab/l2tpns.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { expectAgreement } from './decode-agrees.ts';
import { Recording } from './recording.ts';
import { expectFailure, ping, waitForState } from './site-pair.ts';

let network: BranchNetwork | undefined;
let server: L2tpns | undefined;
let branch: LabCulvert | undefined;
const recording = new Recording();
afterAll(() => recording.remove());
afterEach(async () => {
  await branch?.remove();
  await server?.stop();
  await recording.stop();
  network?.delete();
  branch = undefined;
  server = undefined;
  network = undefined;
});

const users = [{ name: 'alice', password: 'alice-pw' }];

async function start(authentication: 'pap' | 'chap', client: object): Promise<LabCulvert> {
  network = await createBranchNetwork('namespace');
  await recording.start(network.internet, 'br0', 'udp');
  const { office } = network;
  await office.ip('address', 'add', `${addresses.officeWan}/24`, 'dev', 'eth0');
  await office.ip('address', 'add', `${addresses.officeLan}/24`, 'dev', 'lan0');
  await office.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  server = await startL2tpns({
    namespace: office,
    address: addresses.officeWan,
    users,
    authentication: [authentication],
    secret: 'tunnel secret',
  });
  branch = new LabCulvert({
    name: 'branch',
    namespace: network.branch,
    configuration: branchConfiguration({ masquerade: true, secret: 'tunnel secret', ...client }),
  });
  await branch.start();
  return branch;
}

describe('dialling l2tpns', () => {
  for (const method of ['pap', 'chap'] as const) {
    it(`comes up with ${method.toUpperCase()} and a tunnel secret, and reaches the LAN behind it`, async () => {
      // It has no IPv6, and says so to whoever asks: that costs IPv4 nothing.
      const router = await start(method, { ipv6: method === 'pap' });
      await waitForState(router, 'hq', 'up');
      expect(await router.ppp('hq')).toMatchObject({ authentication: method, dns: expect.any(Array) });
      const host = network?.branchHost;
      await waitFor('an answer through l2tpns', async () => host && (await ping(host, addresses.officeHost)));
      expect((await router.ppp('hq'))?.ipv6).toBeUndefined();
    });
  }

  it('says which methods each side wants when there is none in common', async () => {
    const router = await start('pap', { authentication: ['mschapv2'] });
    await expectFailure(router, 'hq', /pap/i, /./);
  });

  it('says that the tunnel secret is wrong', async () => {
    const router = await start('chap', { secret: 'wrong secret' });
    await expectFailure(router, 'hq', /secret/, /secret/);
  });

  it('says that the password is wrong', async () => {
    const router = await start('chap', { password: 'wrong-pw' });
    await expectFailure(router, 'hq', /^authentication: /, /password/);
  });
});

describe('what l2tpns and Culvert said to each other', () => {
  it('is decoded as tshark decodes it', async () => {
    const names = ['SCCRQ', 'SCCRP', 'SCCCN', 'ICRQ', 'ICRP', 'ICCN', 'StopCCN', 'ZLB'].map((name) => `l2tp ${name}`);
    await expectAgreement(recording, [...names, 'ppp-lcp Configure-Reject', 'ppp-pap Authenticate-Request']);
  });
});
