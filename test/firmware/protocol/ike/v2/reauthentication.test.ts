import { describe, expect, it } from 'vitest';
import { Harness, type HarnessOptions, problems, type Side } from './harness.ts';

const AFTER = 600;

/** Time passes, and both sides send all the while. @returns who sent what the other one could not open. */
function runWithTraffic(harness: Harness, ms: number): readonly Side[] {
  const lost: Side[] = [];
  for (let at = 0; at < ms; at += 500) {
    harness.run(500, () => lost.push(...harness.traffic()));
  }
  return lost;
}

function connected(left: number, right: number, more: HarnessOptions = {}): Harness {
  return new Harness({ ...more, left: { reauthSeconds: left }, right: { reauthSeconds: right } }).connect();
}

describe('reauthentication', () => {
  it.each([
    ['by the wish of the side that called', AFTER, 0],
    ['by the wish of the one that was called (AUTH_LIFETIME)', 0, AFTER],
    ['by the sooner of both', AFTER * 2, AFTER],
  ])('%s is done before the old SA goes, and no packet is lost', (_whose, left, right) => {
    const harness = connected(left, right);
    const [before] = harness.live('left');
    expect(runWithTraffic(harness, AFTER * 1000)).toEqual([]);
    const [after] = harness.live('left');
    expect(after?.spiI).not.toEqual(before?.spiI);
    expect(harness.last('left', 'ike-up')).toMatchObject({ replaces: before?.ikeId, initiator: true });
    expect(harness.log.filter((line) => line.includes('IKE_AUTH request'))).toHaveLength(2);
    expect(problems(harness)).toEqual([]);
    // And so on.
    expect(runWithTraffic(harness, AFTER * 4000)).toEqual([]);
    expect(problems(harness)).toEqual([]);
    for (const side of ['left', 'right'] as const) expect(harness.live(side)).toHaveLength(1);
  });

  it('never happens where nobody asks for it', () => {
    const harness = connected(0, 0);
    harness.run(3_000_000);
    expect(harness.log.filter((line) => line.includes('IKE_AUTH request'))).toHaveLength(1);
  });

  it('has the called one send by the new SA when it is used, or the old one goes, or after two seconds at the latest', () => {
    const harness = connected(AFTER, 0);
    harness.runUntil(
      () => harness.log.filter((line) => line === 'left: IKE_AUTH request 1').length === 2,
      AFTER * 1000,
    );
    harness.pass('left', 'IKE_AUTH');
    const { sending, children } = harness.tables.right;
    expect(children.size).toBe(2);
    expect([...children.keys()][0]).toBe(sending);
    harness.take('right', 'IKE_AUTH');
    harness.now += 2000;
    harness.right.tick(harness.now);
    harness.drain();
    expect([...children.keys()][1]).toBe(harness.tables.right.sending);
  });

  it('is asked for again where the peer does not answer, and the old SA goes on meanwhile', () => {
    const harness = connected(AFTER, 0);
    const [before] = harness.live('left');
    harness.runUntil(
      () => harness.log.filter((line) => line === 'left: IKE_SA_INIT request 0').length === 2,
      AFTER * 1000,
    );
    harness.faults = { loss: 1 };
    harness.flying = [];
    harness.run(40_000);
    harness.faults = {};
    expect(harness.live('left')[0]?.ikeId).toBe(before?.ikeId);
    expect(harness.all('left', 'ike-down')).toEqual([]);
    harness.run(120_000);
    expect(harness.live('left')[0]?.ikeId).not.toBe(before?.ikeId);
    expect(problems(harness)).toEqual([]);
  });

  it('is due: a peer that was told and does not do it loses its IKE SA, in words', () => {
    const harness = connected(0, AFTER);
    // It begins, and its first message never arrives.
    const stop = () => {
      const begun = harness.log.filter((line) => line === 'left: IKE_SA_INIT request 0').length >= 2;
      if (begun) harness.flying = harness.flying.filter(({ name }) => !name.includes('IKE_SA_INIT'));
    };
    const over = harness.runUntil(() => harness.all('right', 'ike-down').length > 0, AFTER * 1000 + 1000, stop);
    expect(over).toBe(true);
    expect(harness.last('right', 'ike-down').failure.reason).toContain('did not prove again who it is');
  });

  it('survives a rekey of the old SA meanwhile, begun by either side', () => {
    for (const side of ['left', 'right'] as const) {
      const harness = connected(AFTER, 0);
      harness.runUntil(
        () => harness.log.filter((line) => line === 'left: IKE_AUTH request 1').length === 2,
        AFTER * 1000,
      );
      const old = harness.live(side)[0]?.ikeId ?? 0;
      harness[side].rekeyIke(harness.now, old);
      harness.drain();
      harness.deliverAll();
      harness.run(60_000);
      expect(problems(harness), side).toEqual([]);
    }
  });

  it('goes on through a network that loses a fifth, doubles and reorders, rekeying besides', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const patient = { limits: { retransmitTries: 12, halfOpenMs: 120_000 } };
      const lives = { reauthSeconds: 300, childLifetime: 200, ikeLifetime: 250 };
      const harness = new Harness({
        seed,
        left: lives,
        right: lives,
        leftOptions: patient,
        rightOptions: patient,
      }).connect();
      harness.faults = { loss: 0.2, duplicate: 0.2, jitterMs: 500 };
      harness.run(3_000_000, () => void harness.traffic());
      harness.faults = {};
      harness.run(100_000);
      expect(problems(harness), `seed ${seed}`).toEqual([]);
      expect(
        harness.all('left', 'ike-down').filter(({ failure }) => failure.step !== 'rekey'),
        `seed ${seed}`,
      ).toEqual([]);
    }
  });
});
