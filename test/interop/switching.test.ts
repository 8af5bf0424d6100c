/** Calls that are handed on into a tunnel to another server: xl2tpd calls Culvert, which hands on to l2tpns or Culvert. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  addresses,
  type BranchNetwork,
  branchConfiguration,
  createBranchNetwork,
  officeConfiguration,
} from '../../scripts/lab/branch-network.ts';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { type Guest, startGuest } from '../../scripts/lab/guest.ts';
import { type L2tpns, startL2tpns } from '../../scripts/lab/l2tpns.ts';
import { addTap, connect, createNamespace, type Namespace } from '../../scripts/lab/namespaces.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { dialWithXl2tpd } from '../../scripts/lab/xl2tpd-lac.ts';
import { expectAgreement } from './decode-agrees.ts';
import { Recording } from './recording.ts';
import { expectFailure, ping, waitForState } from './site-pair.ts';

const PLANT = '10.20.0.40';
const USER = 'bob@plant.example';
const FORWARD = { plant: { server: PLANT, realms: ['Plant.Example'], secret: 'tunnel secret' } };
/** l2tpns has 1701 and 1702. */
const PLANT_PORT = 1703;
const recording = new Recording();

function plantConfiguration(server: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const wan = { device: 'eth0', zone: 'wan', ipv4: { method: 'static', address: `${PLANT}/24` } };
  const plant = {
    ...{ listen: PLANT, port: PLANT_PORT, localAddress: '10.96.0.1', pool: '10.96.0.10-10.96.0.20' },
    ...{ users: { [USER]: { password: 'bob-pw' } }, authentication: ['chap'], secret: FORWARD.plant.secret },
    ...server,
  };
  return { system: { hostname: 'plant' }, interfaces: { wan }, l2tp: { servers: { plant } } };
}

function count(log: string, words: string): number {
  return log.split(words).length - 1;
}

describe('a server that hands callers on', () => {
  let network: BranchNetwork;
  let plant: Namespace;
  let guest: Guest;
  let l2tpns: L2tpns;
  const routers: LabCulvert[] = [];

  beforeAll(async () => {
    network = await createBranchNetwork('namespace');
    plant = await createNamespace('plant');
    await connect(
      { namespace: network.internet, device: 'vplant', bridge: 'br0' },
      { namespace: plant, device: 'eth0' },
    );
    await plant.ip('address', 'add', `${PLANT}/24`, 'dev', 'eth0');
    l2tpns = await startL2tpns({
      namespace: plant,
      address: PLANT,
      users: [
        { name: USER, password: 'bob-pw' },
        { name: 'carol@plant.example', password: 'carol-pw' },
      ],
      secret: 'tunnel secret',
    });
    await addTap({ namespace: network.internet, device: 'caller', bridge: 'br0' });
    guest = await startGuest({
      name: 'caller',
      namespace: network.internet,
      gateway: addresses.internet,
      cards: [{ tap: 'caller', addresses: ['10.20.0.30/24'] }],
    });
    await recording.start(network.internet, 'br0', 'udp');
  }, 120_000);
  afterEach(async () => {
    for (const router of routers.splice(0)) await router.remove();
  });
  afterAll(async () => {
    await recording.remove();
    await guest?.stop();
    await l2tpns?.stop();
    plant?.delete();
    network?.delete();
  });

  async function start(
    name: string,
    namespace: Namespace,
    configuration: Record<string, unknown>,
  ): Promise<LabCulvert> {
    const router = new LabCulvert({ name, namespace, configuration });
    routers.push(router);
    await router.start();
    return router;
  }

  it('connects xl2tpd through to l2tpns, two callers in one tunnel, until either side hangs up', async () => {
    const office = await start(
      'office',
      network.office,
      officeConfiguration({ authentication: ['chap'], forward: FORWARD }),
    );
    const call = { server: addresses.officeWan, user: USER, password: 'bob-pw' };
    const caller = await dialWithXl2tpd(guest, call);
    expect(caller.peerAddress).toBe(l2tpns.insideAddress);
    await waitFor('an answer from l2tpns', async () => {
      return (await guest.tryExec(`ping -n -c 1 -W 1 ${caller.peerAddress}`)).code === 0;
    });
    const client = { user: 'carol@plant.example', password: 'carol-pw', routes: ['10.97.0.0/24'] };
    const branch = await start('branch', network.branch, branchConfiguration({ masquerade: true, ...client }));
    await waitForState(branch, 'hq', 'up');
    await waitFor('an answer to the branch', () => ping(network.branchHost, '10.97.0.1'));
    const status = (await office.status()).l2tp;
    expect(status.filter(({ name }) => name === 'plant')).toMatchObject([
      {
        role: 'client',
        state: 'up',
        peer: `${PLANT}:1701`,
        sessions: [{ name: USER }, { name: 'carol@plant.example' }],
      },
    ]);
    expect(l2tpns.radiusLog()).toContain(`"${USER}" accepted`);
    await branch.culvert('disconnect', 'hq');
    await waitFor('the end of one call', async () => (await office.l2tp('plant'))?.sessions.length === 1);
    expect((await guest.tryExec(`ping -n -c 1 -W 1 ${caller.peerAddress}`)).code).toBe(0);
    await caller.stop();
    await waitFor('the end of the other', async () => (await office.l2tp('plant'))?.sessions.length === 0);
  });

  it('hands a caller on to Culvert, which goes on with its LCP and its proof: there is one Challenge', async () => {
    const server = await start('plant', plant, plantConfiguration({ proxyAuthentication: 'full' }));
    await start(
      'office',
      network.office,
      officeConfiguration({ authentication: ['chap'], forward: { plant: { ...FORWARD.plant, port: PLANT_PORT } } }),
    );
    const branch = await start('branch', network.branch, branchConfiguration({ user: USER, password: 'bob-pw' }));
    await waitForState(branch, 'hq', 'up');
    expect(await server.ppp(USER)).toMatchObject({ state: 'up', peerAddress: '10.96.0.10' });
    expect(server.log()).toContain('proxy LCP');
    expect(count(server.log(), 'sent LCP Configure-Request')).toBe(0);
    expect(count(server.log(), 'sent CHAP Challenge')).toBe(0);
    expect(count(branch.log(), 'received CHAP Challenge')).toBe(1);
    expect(count(branch.log(), 'received CHAP Success')).toBe(1);
    expect(count(branch.log(), 'received LCP Configure-Request')).toBe(1);
  });

  it('tells a caller why it cannot be connected, and serves its own users all the same', async () => {
    const office = await start(
      'office',
      network.office,
      officeConfiguration({
        authentication: ['chap'],
        forward: { plant: { ...FORWARD.plant, secret: 'another secret' } },
      }),
    );
    const branch = await start('branch', network.branch, branchConfiguration({ user: USER, password: 'bob-pw' }));
    await expectFailure(branch, 'hq', /forward to plant, .*another tunnel secret/, /./);
    await branch.remove(); // the office goes on
    const own = await start('branch', network.branch, branchConfiguration({}));
    await waitForState(own, 'hq', 'up');
    expect(await office.ppp('alice')).toMatchObject({ state: 'up' });
  });

  it('is decoded as tshark decodes it, proxy AVPs too', async () => {
    await expectAgreement(recording, ['l2tp ICCN', 'ppp-chap Success']);
  });
});
