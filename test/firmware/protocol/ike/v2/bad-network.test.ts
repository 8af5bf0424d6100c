import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { Harness, problems } from './harness.ts';

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);
const BAD = { loss: 0.25, duplicate: 0.2, jitterMs: 1500 };
const PATIENT = { limits: { retransmitTries: 30, halfOpenMs: 300_000 } };

describe('a network that loses 25 %, doubles 20 % and lets datagrams overtake each other', () => {
  it('lets SAs come up, be rekeyed at random without a packet lost, and be closed', () => {
    for (const seed of SEEDS) {
      const random = new SeededRandom(seed + 77);
      const harness = new Harness({
        seed,
        leftOptions: PATIENT,
        rightOptions: { limits: { ...PATIENT.limits, fragmentOctets: 200 } },
        faults: BAD,
      });
      harness.initiate();
      const up = (): boolean => harness.live('left').length === 1 && harness.live('right').length === 1;
      expect([seed, harness.runUntil(up, 400_000)]).toEqual([seed, true]);
      let lost = 0;
      const watch = (): void => {
        lost += harness.traffic().length;
      };
      for (let round = 0; round < 6; round += 1) {
        for (const side of ['left', 'right'] as const) {
          if (random.int(2) === 0) {
            for (const id of harness.tables[side].children.keys()) harness[side].rekeyChild(harness.now, id);
          }
          if (random.int(3) === 0) {
            for (const { ikeId } of harness.live(side)) harness[side].rekeyIke(harness.now, ikeId);
          }
        }
        harness.run(random.int(4000), watch);
      }
      harness.runUntil(() => false, 400_000, watch);
      expect([seed, lost]).toEqual([seed, 0]);
      expect([seed, problems(harness)]).toEqual([seed, []]);
      harness.left.close(harness.now, harness.ikeId('left'));
      harness.run(400_000);
      expect([seed, harness.left.views().length, harness.right.views().length]).toEqual([seed, 0, 0]);
      expect(harness.left.idle && harness.right.idle).toBe(true);
      for (const side of ['left', 'right'] as const) {
        expect(harness.tables[side].children.size).toBe(0);
        expect(harness.all(side, 'ike-up').length).toBe(harness.all(side, 'ike-down').length);
      }
    }
  });
});
