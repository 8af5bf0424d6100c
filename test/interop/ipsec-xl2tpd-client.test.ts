import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addresses,
  type BranchNetwork,
  createBranchNetwork,
  officeConfiguration,
} from '../../scripts/lab/branch-network.ts';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { type Guest, startGuest } from '../../scripts/lab/guest.ts';
import { addTap } from '../../scripts/lab/namespaces.ts';
import { l2tpConnection, StrongswanGuest } from '../../scripts/lab/strongswan-guest.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { dialWithXl2tpd } from '../../scripts/lab/xl2tpd-lac.ts';
import { answering, expectNoneLost, PSK, pingSteadilyInGuest, withLogOf } from './ipsec-support.ts';
import { matrixIt } from './matrix.ts';
import { CASES, ESP_NAMES, IKE, PEER, SHORT_LIVES, USER, Witness } from './xl2tpd-cases.ts';

const CALLER = '10.20.0.30';

describe('strongSwan and xl2tpd as the client', () => {
  let network: BranchNetwork;
  let guest: Guest;
  let strongswan: StrongswanGuest;
  let office: LabCulvert | undefined;
  const witness = new Witness();

  const connectionName = (version: 1 | 2, encapsulation: 'native' | 'udp', esp: string) =>
    `v${version}-${encapsulation}-${esp}`;

  beforeAll(async () => {
    network = await createBranchNetwork('namespace');
    await addTap({ namespace: network.internet, device: 'caller', bridge: 'br0' });
    guest = await startGuest({
      name: 'caller',
      namespace: network.internet,
      gateway: addresses.internet,
      cards: [{ tap: 'caller', addresses: [`${CALLER}/24`] }],
    });
    strongswan = new StrongswanGuest(guest, []);
    await witness.start(network);
  }, 120_000);

  const matrixConnections = () =>
    CASES.map(({ version, encapsulation, esp }) =>
      l2tpConnection('client', {
        name: connectionName(version, encapsulation, esp),
        version,
        localAddress: CALLER,
        remoteAddress: addresses.officeWan,
        psk: PSK,
        ike: [IKE[version]],
        esp: [esp],
        encapsulation: encapsulation === 'udp' ? 'always' : 'auto',
      }),
    );

  afterAll(async () => {
    await office?.remove();
    await guest?.stop();
    await witness.stop();
    network?.delete();
  });

  /** A server takes callers by one version of IKE. */
  async function officeWith(version: 1 | 2, overlay: Readonly<Record<string, unknown>> = {}): Promise<LabCulvert> {
    await office?.remove();
    office = new LabCulvert({
      name: 'office',
      namespace: network.office,
      configuration: officeConfiguration({ ipsec: 'branches' }, { ipsec: answering(version, overlay) }),
    });
    await office.start();
    return office;
  }

  async function dial(name?: string) {
    await withLogOf(office, strongswan.control.initiate(name));
    const caller = await dialWithXl2tpd(guest, {
      server: addresses.officeWan,
      user: USER.name,
      password: USER.password,
    });
    await guest.exec(`ip route replace ${addresses.officeNetwork} dev ${caller.device}`);
    await waitFor('an answer through us', async () => {
      return (await guest.tryExec(`ping -n -c 1 -W 1 ${addresses.officeHost}`)).code === 0;
    });
    await witness.keep(office);
    return caller;
  }

  for (const version of [1, 2] as const) {
    describe(`by IKEv${version}`, () => {
      beforeAll(async () => {
        await strongswan.kill();
        await strongswan.start(matrixConnections());
        // What old clients propose is not among what is accepted by itself.
        await officeWith(version, { ike: [IKE[version]], esp: Object.keys(ESP_NAMES) });
      });

      for (const { encapsulation, esp } of CASES.filter((candidate) => candidate.version === version)) {
        const algorithms = `${IKE[version]} / ${esp}`;
        matrixIt({ ...PEER, role: 'server', version, encapsulation, algorithms }, async (measure) => {
          const name = connectionName(version, encapsulation, esp);
          const caller = await measure(() => dial(name));
          const encapsulated = encapsulation === 'udp';
          expect(await strongswan.control.installed()).toMatchObject([
            { name, mode: 'transport', encapsulated, algorithms: ESP_NAMES[esp] },
          ]);
          expect(await office?.ppp('alice')).toMatchObject({ state: 'up' });
          await caller.stop();
          await strongswan.control.terminate(name);
        });
      }

      it('keeps every packet while keys of both kinds are renewed, by either side', async () => {
        await officeWith(version, SHORT_LIVES);
        // With several connections our new IKE SA would be taken for another of them.
        await strongswan.kill();
        const dialled = { localAddress: CALLER, remoteAddress: addresses.officeWan, psk: PSK };
        await strongswan.start([l2tpConnection('client', { ...dialled, version, esp: ['aes128gcm16'] })]);
        const caller = await dial();
        const pings = await pingSteadilyInGuest(guest, addresses.officeHost);
        await pings.more(5);
        await strongswan.control.rekey('child');
        await pings.more(20);
        await strongswan.control.rekey('ike');
        const children = new Set<number>();
        const renewed = async () => {
          await witness.keep(office);
          for (const { id } of await strongswan.control.installed()) children.add(id);
          return children.size >= 3;
        };
        await waitFor('new keys', renewed, { timeoutMs: 40_000, intervalMs: 500 });
        await expectNoneLost(pings);
        await witness.keep(office);
        await caller.stop();
        await strongswan.control.terminate();
      });
    });
  }
});
