import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { IpsecKeys } from '../../firmware/api/router-control.ts';
import {
  addresses,
  type BranchNetwork,
  createBranchNetwork,
  officeConfiguration,
} from '../../scripts/lab/branch-network.ts';
import { startCapture } from '../../scripts/lab/capture.ts';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { type Guest, startGuest } from '../../scripts/lab/guest.ts';
import { countTraffic } from '../../scripts/lab/l2tp-in-clear.ts';
import { createNat, type Nat } from '../../scripts/lab/nat.ts';
import { createStateFolder } from '../../scripts/lab/state-folder.ts';
import { l2tpConnection, startStrongswanInGuest } from '../../scripts/lab/strongswan-guest.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { dialWithXl2tpd, type Xl2tpdLac } from '../../scripts/lab/xl2tpd-lac.ts';
import { answering, PSK, pingSteadilyInGuest, withLogOf } from './ipsec-support.ts';
import { expectTsharkToAgree } from './tshark-ike.ts';

/** A minute when it is asked for; the machine that runs all tests has others to run. */
const SECONDS = process.env['CULVERT_LONG_TESTS'] === undefined ? 10 : 60;
/** Several times within the time. */
const REKEY_SECONDS = SECONDS === 10 ? 4 : 10;

const USERS = ['alice', 'bob'] as const;

describe('two clients behind one NAT, both from port 1701', { timeout: 60_000 + 2000 * SECONDS }, () => {
  let network: BranchNetwork;
  let nat: Nat;
  let guests: readonly Guest[] = [];
  let office: LabCulvert | undefined;
  const folder = createStateFolder('nat');

  beforeAll(async () => {
    network = await createBranchNetwork('namespace');
    nat = await createNat({ internet: network.internet, address: '10.20.0.7/24' });
    const taps = [await nat.addTap(2), await nat.addTap(3)];
    guests = await Promise.all(
      taps.map((tap, index) => {
        const cards = [{ tap, addresses: [nat.hostAddress(index + 2)] }];
        return startGuest({ name: `laptop${index}`, namespace: nat.namespace, gateway: nat.gateway, cards });
      }),
    );
  }, 120_000);

  afterEach(async () => {
    await office?.remove();
    office = undefined;
  });

  afterAll(async () => {
    await Promise.all(guests.map((guest) => guest.stop()));
    nat?.delete();
    network?.delete();
    folder.remove();
  });

  for (const version of [1, 2] as const) {
    it(`both pass traffic at the same time, by IKEv${version}, and renew their keys`, async () => {
      const users = Object.fromEntries(USERS.map((name) => [name, { password: `${name}-pw` }]));
      office = new LabCulvert({
        name: 'office',
        namespace: network.office,
        configuration: officeConfiguration({ ipsec: 'branches', users }, { ipsec: answering(version) }),
      });
      await office.start();
      const file = join(folder.path, `v${version}.pcap`);
      const capture = await startCapture({ namespace: network.internet, device: 'br0', file });

      const clients = await Promise.all(
        guests.map(async (guest, index) => {
          const strongswan = await startStrongswanInGuest(guest, [
            l2tpConnection('client', {
              version,
              localAddress: nat.hostAddress(index + 2).replace('/24', ''),
              remoteAddress: addresses.officeWan,
              psk: PSK,
              rekeySeconds: REKEY_SECONDS,
              ikeRekeySeconds: REKEY_SECONDS + 3,
            }),
          ]);
          return { guest, strongswan, user: USERS[index] ?? 'alice' };
        }),
      );
      const links: Xl2tpdLac[] = [];
      const keys: IpsecKeys[number][] = [];
      for (const { guest, strongswan, user } of clients) {
        await withLogOf(office, strongswan.control.initiate());
        const link = await dialWithXl2tpd(guest, { server: addresses.officeWan, user, password: `${user}-pw` });
        await guest.exec(`ip route replace ${addresses.officeNetwork} dev ${link.device}`);
        await waitFor(`an answer for ${user}`, async () => {
          return (await guest.tryExec(`ping -n -c 1 -W 1 ${addresses.officeHost}`)).code === 0;
        });
        links.push(link);
        keys.push(...(await office.client.ipsecKeys()));
      }
      const before = await Promise.all(clients.map(({ strongswan }) => strongswan.control.installed()));
      const pings = await Promise.all(guests.map((guest) => pingSteadilyInGuest(guest, addresses.officeHost)));
      await delay(SECONDS * 1000);
      keys.push(...(await office.client.ipsecKeys()));
      const results = await Promise.all(pings.map((ping) => ping.stop()));
      const after = await Promise.all(clients.map(({ strongswan }) => strongswan.control.installed()));

      expect(results.map(({ lost }) => lost)).toEqual([[], []]);
      for (const { received } of results) expect(received).toBeGreaterThan(SECONDS * 10);
      for (const [index, children] of after.entries()) {
        expect(children[0]?.id).toBeGreaterThan(before[index]?.[0]?.id ?? 0);
        expect(children[0]?.encapsulated).toBe(true);
      }
      expect(new Set(links.map(({ localAddress }) => localAddress)).size).toBe(2);
      const tunnels = (await office.status()).l2tp.filter(({ sessions }) => sessions.length > 0);
      expect(tunnels.flatMap(({ sessions }) => sessions.map(({ name }) => name)).sort()).toEqual(['alice', 'bob']);

      for (const link of links) await link.stop();
      for (const { strongswan } of clients) await strongswan.stop();
      await capture.stop();
      expect(countTraffic(file)).toMatchObject({ clearL2tp: 0, esp: 0 });
      // Of what was decrypted it is but a part: keys live so shortly that those in between are gone.
      const { ike, icvGood } = await expectTsharkToAgree(file, keys);
      expect(ike).toBeGreaterThanOrEqual(8);
      expect(icvGood).toBeGreaterThan(10);
    });
  }
});
