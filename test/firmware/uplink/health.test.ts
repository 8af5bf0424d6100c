import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Health, type HealthSettings } from '../../../firmware/uplink/health.ts';

const SETTINGS: HealthSettings = { fall: 3, rise: 5, lossPercent: 20, latencyMs: 100, holdMs: 10_000 };
const EVERY = 500;

/** A health that is asked every half second. */
class Patient {
  now = 0;
  readonly health: Health;

  constructor(settings: Partial<HealthSettings> = {}) {
    this.health = new Health({ ...SETTINGS, ...settings }, 0);
  }

  up(): this {
    this.health.linkUp(this.now);
    return this;
  }

  answers(count: number, ms = 20): this {
    for (let index = 0; index < count; index += 1) {
      this.now += EVERY;
      this.health.answered(this.now, ms);
    }
    return this;
  }

  losses(count: number): this {
    for (let index = 0; index < count; index += 1) {
      this.now += EVERY;
      this.health.lost(this.now, 'icmp 192.0.2.1');
    }
    return this;
  }

  get verdict() {
    return this.health.view().verdict;
  }

  get why() {
    return this.health.view().why;
  }

  /** Answers until it is well. @returns how long that took, ms. */
  recovery(): number {
    const from = this.now;
    for (let count = 0; this.verdict !== 'well' && count < 10_000; count += 1) this.answers(1);
    return this.now - from;
  }
}

describe('the health of an uplink', () => {
  it('begins without a link, is unknown at first, and well with the first answer', () => {
    const patient = new Patient();
    expect(patient.verdict).toBe('down');
    expect(patient.up().verdict).toBe('recovering');
    expect(patient.why).toBe('no answer yet');
    expect(patient.answers(1).verdict).toBe('well');
    expect(patient.why).toBe('');
  });

  it('fails with so many losses in a row, and says which', () => {
    const patient = new Patient().up().answers(20);
    expect(patient.losses(2).verdict).toBe('well');
    expect(patient.losses(1).verdict).toBe('failed');
    expect(patient.why).toBe('3 answers lost one after the other (icmp 192.0.2.1)');
  });

  it('is not failed by losses with answers in between', () => {
    const patient = new Patient({ lossPercent: 100 }).up().answers(20);
    for (let round = 0; round < 20; round += 1) expect(patient.losses(2).answers(1).verdict).toBe('well');
  });

  it('comes back when it has been well for its holding time, not earlier', () => {
    const patient = new Patient().up().answers(20).losses(3);
    expect(patient.answers(5).verdict).toBe('recovering');
    expect(patient.why).toContain('must be well for 10 s');
    // The holding time begins with the first answer of the row.
    expect(patient.recovery()).toBe(10_000 - 4 * EVERY);
  });

  it('begins to count again when it falls silent while it recovers', () => {
    const patient = new Patient().up().answers(20).losses(3).answers(18);
    expect(patient.verdict).toBe('recovering');
    expect(patient.losses(3).verdict).toBe('failed');
    expect(patient.recovery()).toBeGreaterThanOrEqual(10_000);
  });

  it('is not kept away for ever by a single loss now and then', () => {
    const patient = new Patient({ holdMs: 60_000 }).up().answers(20).losses(3);
    let rounds = 0;
    while (patient.verdict !== 'well' && rounds < 100) {
      patient.answers(19).losses(1);
      rounds += 1;
    }
    expect(rounds * 20 * EVERY).toBeLessThanOrEqual(70_000);
  });

  it('doubles its holding time when it flaps, up to sixteen times, and forgets that when it was well for long', () => {
    const patient = new Patient().up().answers(20);
    const holds = [];
    for (let round = 0; round < 7; round += 1) {
      patient.losses(3);
      holds.push(patient.health.view().holdMs / 1000);
      patient.recovery();
    }
    expect(holds).toEqual([10, 20, 40, 80, 160, 160, 160]);
    patient.answers(2 * 60 * 20);
    patient.losses(3);
    expect(patient.health.view().holdMs).toBe(10_000);
  });

  it('is degraded by loss, and well again only when that has been over for the holding time', () => {
    const patient = new Patient().up().answers(20);
    for (let round = 0; round < 3; round += 1) patient.losses(1).answers(1);
    expect(patient.verdict).toBe('well');
    patient.losses(1).answers(1).losses(1);
    expect(patient.verdict).toBe('degraded');
    expect(patient.why).toBe('25 % of the last 20 answers lost, more than 20 %');
    const clean = patient.recovery();
    expect(clean).toBeGreaterThan(10_000);
    expect(clean).toBeLessThan(25_000);
  });

  it('is degraded by slowness: the median counts, not one answer', () => {
    const patient = new Patient().up().answers(15).answers(1, 5_000);
    expect(patient.verdict).toBe('well');
    expect(patient.answers(15, 150).verdict).toBe('degraded');
    expect(patient.why).toBe('answers take 150 ms, more than 100 ms');
  });

  it('judges loss by ten results at least', () => {
    expect(new Patient().up().answers(1).losses(1).answers(1).verdict).toBe('well');
  });

  it('that was not wanted for a while has nothing to make up for', () => {
    const patient = new Patient().up().answers(20).losses(3);
    patient.health.rest(patient.now, 'it waits until it is needed');
    expect(patient.verdict).toBe('down');
    expect(patient.up().answers(1).verdict).toBe('well');
  });

  it('without questions is what its link is, and holds as well', () => {
    const health = new Health(SETTINGS, 0);
    health.linkUp(0);
    health.unprobed(0);
    expect(health.view().verdict).toBe('well');
    health.linkDown(1000, 'no carrier on eth0');
    expect(health.view()).toMatchObject({ verdict: 'down', why: 'no carrier on eth0' });
    health.linkUp(2000);
    health.unprobed(2000);
    expect(health.view().verdict).toBe('recovering');
    expect(health.nextDeadline()).toBe(12_000);
    health.tick(12_000);
    expect(health.view().verdict).toBe('well');
  });

  it('whatever comes: never well within the holding time after a fall, and never failed while it answers', () => {
    const events = fc.array(fc.constantFrom('answer', 'loss', 'down', 'up'), { maxLength: 300 });
    fc.assert(
      fc.property(events, (story) => {
        const patient = new Patient().up();
        let leftAt = Number.NEGATIVE_INFINITY;
        let before = patient.verdict;
        for (const event of story) {
          if (event === 'answer') patient.answers(1);
          else if (event === 'loss') patient.losses(1);
          else if (event === 'up') patient.up();
          else patient.health.linkDown(patient.now, 'the link ended');
          const { verdict } = patient;
          if (event === 'answer') expect(verdict).not.toBe('failed');
          if (before === 'well' && (verdict === 'failed' || verdict === 'down')) leftAt = patient.now;
          if (before !== 'well' && before !== 'degraded' && verdict === 'well') {
            expect(patient.now - leftAt).toBeGreaterThanOrEqual(SETTINGS.holdMs);
          }
          before = verdict;
        }
      }),
    );
  });
});
