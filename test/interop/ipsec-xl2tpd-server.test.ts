import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  addresses,
  type BranchNetwork,
  branchConfiguration,
  createBranchNetwork,
  officeTaps,
} from '../../scripts/lab/branch-network.ts';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { type Guest, startGuest } from '../../scripts/lab/guest.ts';
import { blockEsp, impair } from '../../scripts/lab/impairments.ts';
import { addDefaultRoute, connect, createNamespace, type Namespace } from '../../scripts/lab/namespaces.ts';
import { createNat, type Nat } from '../../scripts/lab/nat.ts';
import { l2tpConnection, type StrongswanGuest, startStrongswanInGuest } from '../../scripts/lab/strongswan-guest.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { startXl2tpdLns } from '../../scripts/lab/xl2tpd-lns.ts';
import { dialling, expectNoneLost, ipsecStatus, PSK, pingSteadily } from './ipsec-support.ts';
import { matrixIt } from './matrix.ts';
import { expectFailure, ping, waitForState } from './site-pair.ts';
import { CASES, ESP_NAMES, IKE, PEER, SHORT_LIVES, USER, Witness } from './xl2tpd-cases.ts';

describe('strongSwan and xl2tpd as the server', () => {
  let network: BranchNetwork;
  let guest: Guest;
  let strongswan: StrongswanGuest;
  let branch: LabCulvert | undefined;
  let nat: Nat | undefined;
  const natSite: Namespace[] = [];
  const witness = new Witness();

  beforeAll(async () => {
    network = await createBranchNetwork('guest');
    guest = await startGuest({
      name: 'office',
      namespace: network.internet,
      gateway: addresses.internet,
      cards: [
        { tap: officeTaps.wan, addresses: [`${addresses.officeWan}/24`] },
        { tap: officeTaps.lan, addresses: [`${addresses.officeLan}/24`] },
      ],
    });
    await guest.exec('sysctl -qw net.ipv4.ip_forward=1');
    const common = { localAddress: addresses.officeWan, psk: PSK };
    strongswan = await startStrongswanInGuest(guest, [
      l2tpConnection('server', { ...common, name: 'v1', version: 1 }),
      l2tpConnection('server', { ...common, name: 'v2', version: 2 }),
    ]);
    await startXl2tpdLns(guest, { users: [USER], pool: '10.98.0.10-10.98.0.60', insideAddress: '10.98.0.1' });
    await witness.start(network);
  }, 120_000);

  afterEach(async () => {
    await witness.keep(branch);
    await branch?.remove();
    branch = undefined;
    for (const namespace of natSite.splice(0)) namespace.delete();
  });

  afterAll(async () => {
    await guest?.stop();
    await witness.stop();
    nat?.delete();
    network?.delete();
  });

  /** The branch behind a NAT, beside the other: not both at a time. @returns it and a host in its LAN */
  async function behindNat(): Promise<Readonly<Record<'branch' | 'branchHost', Namespace>>> {
    nat ??= await createNat({ internet: network.internet, address: '10.20.0.7/24' });
    const [site, host] = [await createNamespace('natbranch'), await createNamespace('nathost')];
    natSite.push(site, host);
    await nat.join(site, 9);
    const hostEnd = { namespace: host, device: 'eth0', addresses: [`${addresses.branchHost}/24`] };
    await connect({ namespace: site, device: 'lan0' }, hostEnd);
    await addDefaultRoute(host, addresses.branchLan);
    return { branch: site, branchHost: host };
  }

  async function dial(ipsec: Readonly<Record<string, unknown>>, isBehindNat = false): Promise<LabCulvert> {
    const site = isBehindNat ? await behindNat() : network;
    branch = new LabCulvert({
      name: 'branch',
      namespace: site.branch,
      configuration: branchConfiguration({ masquerade: true, ipsec: 'hq' }, { ipsec, behindNat: isBehindNat }),
    });
    await branch.start();
    await waitForState(branch, 'hq', 'up');
    await waitFor('an answer through xl2tpd', () => ping(site.branchHost, addresses.officeHost));
    return branch;
  }

  for (const { version, encapsulation, esp } of CASES) {
    matrixIt(
      { ...PEER, role: 'client', version, encapsulation, algorithms: `${IKE[version]} / ${esp}` },
      async (measure) => {
        const forced = encapsulation === 'udp' ? 'always' : 'auto';
        const offer = { ike: [IKE[version]], esp: [esp], encapsulation: forced };
        await measure(() => dial(dialling(version, offer)));
        const encapsulated = encapsulation === 'udp';
        expect(await strongswan.control.installed()).toMatchObject([
          { name: `v${version}`, mode: 'transport', encapsulated, algorithms: ESP_NAMES[esp] },
        ]);
      },
    );
  }

  for (const version of [1, 2] as const) {
    it(`is reached by IKEv${version} with ESP in UDP where ESP is blocked, and the reason was said`, async () => {
      const open = await impair(network.internet, blockEsp);
      try {
        branch = new LabCulvert({
          name: 'branch',
          namespace: network.branch,
          configuration: branchConfiguration({ masquerade: true, ipsec: 'hq' }, { ipsec: dialling(version) }),
        });
        await branch.start();
        await expectFailure(branch, 'hq', /^ESP: .*protocol 50/, /protocol 50|encapsulation/);
        await waitForState(branch, 'hq', 'up', 40_000);
        expect(await ipsecStatus(branch, 'hq')).toMatchObject({ state: 'up', encapsulation: 'udp' });
        await waitFor('an answer through xl2tpd', () => ping(network.branchHost, addresses.officeHost));
      } finally {
        await open();
      }
    });
  }

  for (const version of [1, 2] as const) {
    const esp = 'aes128gcm16';
    const row = {
      ...PEER,
      role: 'client',
      version,
      encapsulation: 'nat',
      algorithms: `${IKE[version]} / ${esp}`,
    } as const;
    matrixIt(row, async (measure) => {
      const router = await measure(() => dial(dialling(version, { ike: [IKE[version]], esp: [esp] }), true));
      expect(await strongswan.control.installed()).toMatchObject([{ mode: 'transport', encapsulated: true }]);
      expect(await ipsecStatus(router, 'hq')).toMatchObject({ nat: 'here', encapsulation: 'udp' });
    });
  }

  for (const version of [1, 2] as const) {
    it(`keeps every packet while keys of both kinds are renewed by IKEv${version}, by either side`, async () => {
      await dial(dialling(version, SHORT_LIVES));
      const [first] = await strongswan.control.listSas();
      const pings = pingSteadily(network.branchHost, addresses.officeHost);
      await pings.more(5);
      await strongswan.control.rekey('child', `v${version}`);
      await pings.more(20);
      await strongswan.control.rekey('ike', `v${version}`);
      const children = new Set<number>();
      const ikes = new Set<number>();
      const renewed = async () => {
        await witness.keep(branch);
        for (const sa of await strongswan.control.listSas()) {
          if (sa.state === 'ESTABLISHED') ikes.add(sa.id);
          for (const { id, state } of sa.children) if (state === 'INSTALLED') children.add(id);
        }
        return ikes.size >= 2 && children.size >= 3 && ![...ikes].every((id) => id === first?.id);
      };
      await waitFor('new keys', renewed, { timeoutMs: 40_000, intervalMs: 500 });
      await expectNoneLost(pings);
    });
  }
});
