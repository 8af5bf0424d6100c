import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../../firmware/diagnosis/catalogue/catalogue.ts';
import { CAPTURE_CASES } from './capture-cases.ts';
import { FAILURE_CASES } from './failure-cases.ts';
import { IKE_CASES } from './ike-cases.ts';
import { LIVE_CASES } from './live-cases.ts';
import { REPLAY_CASES } from './replay-cases.ts';

const CASES = [FAILURE_CASES, LIVE_CASES, REPLAY_CASES, IKE_CASES].flatMap((cases) => cases.map(([id]) => id));
const COVERED = new Set([...CASES, ...CAPTURE_CASES.map(([, id]) => id)]);

describe('the tests of the diagnosis', () => {
  it('have a case of every known failure', () => {
    expect(CATALOGUE.map(({ id }) => id).filter((id) => !COVERED.has(id))).toEqual([]);
  });

  it('tell at least 40 of them by replay', () => {
    const replayed = new Set([...REPLAY_CASES, ...IKE_CASES].map(([id]) => id));
    expect(replayed.size).toBeGreaterThanOrEqual(40);
  });
});
