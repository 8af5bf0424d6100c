import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { addresses } from '../../scripts/lab/branch-network.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { describeWithGuests } from '../lab/needs.ts';
import { ipsecStatus, pingSteadily, waitForIpsec } from './ipsec-support.ts';
import { LibreswanLab } from './libreswan-lab.ts';
import { type MatrixRow, matrixIt } from './matrix.ts';

const ROW = { peer: 'Libreswan 4.10', proof: 'PSK', mode: 'tunnel', encapsulation: 'native' } as const;

/** Ours, in seconds: none of it is over in a test. */
const LONG = { lifetimeSeconds: 3600, ikeLifetimeSeconds: 14_400 };

/**
 * Pings, at 50 ms. Libreswan that reauthenticates deletes what stands before it calls again, and where it was called its call
 * wants no child SA: we call again.
 */
const BREAK_BEFORE_MAKE = 60;

/** What Libreswan is told, its words when it begins what it has to do, and how many pings that may cost. */
const RENEWALS = [
  {
    version: 1,
    renewal: 'rekeyed by the peer',
    there: { rekeySeconds: 15, ikeSeconds: 20 },
    words: [/initiating Quick Mode .* to replace #/, /initiating IKEv1 Main Mode connection to replace #/],
    lost: 0,
  },
  {
    version: 2,
    renewal: 'rekeyed by the peer',
    there: { rekeySeconds: 15, ikeSeconds: 20 },
    words: [/initiator rekeyed Child SA #/, /initiator rekeyed IKE SA #/],
    lost: 0,
  },
  {
    version: 2,
    renewal: 'reauthenticated by the peer',
    there: { ikeSeconds: 20, reauthenticates: true },
    words: [/initiate reauthentication of IKE SA/],
    lost: BREAK_BEFORE_MAKE,
  },
] as const;

describeWithGuests('Libreswan in a guest, which renews what stands when it likes', () => {
  let lab: LibreswanLab;

  beforeAll(async () => {
    lab = await LibreswanLab.create();
  });

  afterEach(async () => {
    await lab.endTest();
  });

  afterAll(async () => {
    await lab?.remove();
  });

  for (const { version, renewal, there, words, lost } of RENEWALS) {
    for (const role of ['initiator', 'responder'] as const) {
      const row = { ...ROW, version, role, algorithms: `default offers, ${renewal}` } satisfies MatrixRow;
      matrixIt(row, async (measure) => {
        const libreswan = await lab.startPeer({ version, ...there });
        const router = await measure(async () => {
          const started = await lab.startBranch({
            version,
            ...LONG,
            ...(role === 'responder' ? { remote: 'any' } : {}),
          });
          if (role === 'responder') await libreswan.initiate();
          await lab.pingThrough();
          return started;
        });
        expect(await waitForIpsec(router, 'plant', 'up')).toMatchObject({ role });
        const pings = pingSteadily(lab.network.branchHost, addresses.officeHost);
        for (const said of words) {
          const wanted = `${said} in the log of libreswan`;
          await lab.telling(waitFor(wanted, () => said.test(libreswan.log()), { timeoutMs: 40_000 }));
        }
        await pings.more(20);
        expect((await pings.stop()).lost.length).toBeLessThanOrEqual(lost);
        expect(await ipsecStatus(router, 'plant')).toMatchObject({ state: 'up' });
        expect(router.log()).not.toMatch(/sent CREATE_CHILD_SA request/);
      });
    }
  }
});
