import { describe, expect, it } from 'vitest';
import type { DslStatus } from '../../../../firmware/protocol/dsl/dsl-status.ts';
import { SyncHistory } from '../../../../firmware/protocol/dsl/sync-history.ts';

const up = (upSeconds?: number, more: Partial<DslStatus> = {}): DslStatus => ({
  state: 'showtime',
  stateWords: 'Showtime',
  down: { rateKbps: 31829 },
  up: { rateKbps: 5517 },
  ...(upSeconds !== undefined && { upSeconds }),
  ...more,
});
const training: DslStatus = { state: 'training', stateWords: 'G.993 Started', down: {}, up: {} };

describe('the history of syncs', () => {
  it('tells when the line came up, by the modem, and why it went down', () => {
    const history = new SyncHistory();
    expect(history.see(up(60), 100_000)).toEqual(['the line is up, 31.8 Mbit/s down and 5.5 Mbit/s up']);
    expect(history.see(up(90), 130_000)).toEqual([]);
    expect(history.see({ ...training, retrainReason: '8000' }, 160_000)).toEqual([
      'the line went down: retrain reason 8000',
    ]);
    expect(history.see(training, 190_000)).toEqual([]);
    expect(history.syncs).toEqual([
      { upAt: 40_000, downAt: 160_000, downKbps: 31829, upKbps: 5517, reason: 'retrain reason 8000' },
    ]);
  });

  it('sees a sync that was lost and found between two looks', () => {
    const history = new SyncHistory();
    history.see(up(600), 600_000);
    expect(history.see(up(25), 700_000)).toHaveLength(2);
    expect(history.syncs.map(({ upAt, downAt }) => [upAt, downAt])).toEqual([
      [0, 675_000],
      [675_000, undefined],
    ]);
  });

  it('takes clocks that go differently for no loss, over weeks', () => {
    const history = new SyncHistory();
    for (let look = 0; look < 20_000; look++) history.see(up(Math.floor(look * 30 * 0.9995)), look * 30_000);
    expect(history.syncs).toHaveLength(1);
  });

  it('keeps the last ones', () => {
    const history = new SyncHistory();
    for (let round = 0; round < 100; round++) {
      history.see(up(0), round * 10_000);
      history.see(training, round * 10_000 + 5_000);
    }
    expect(history.syncs).toHaveLength(32);
    expect(history.syncs.at(-1)?.upAt).toBe(990_000);
  });

  it('says that a line is not up when that is the first that is seen of it', () => {
    expect(new SyncHistory().see(training, 0)).toEqual(['the line is not up: training']);
  });
});
