import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../../firmware/protocol/machine.ts';
import { AttemptPlan, type AttemptPlanOptions } from '../../../../firmware/vpn/ipsec/attempt-plan.ts';
import type { WorkingOffer } from '../../../../firmware/vpn/ipsec/ipsec-types.ts';

const AUTO: AttemptPlanOptions = { profile: 'auto', explicitProposals: false, encapsulation: 'auto' };

function failure(cause?: Failure['cause']): Failure {
  return { step: 'test', reason: 'for a test', remedy: 'none', ...(cause === undefined ? {} : { cause }) };
}

/** The attempts that follow when each one fails so. */
function attempts(plan: AttemptPlan, cause: Failure['cause'], count: number, ephemeral = false): string[] {
  return Array.from({ length: count }, () => {
    const attempt = plan.next(ephemeral);
    plan.failed(attempt, failure(cause));
    return words(attempt);
  });
}

function words({ offer, port, udpEncapsulation }: WorkingOffer): string {
  return `${offer} ${port}${udpEncapsulation ? ' udp' : ''}`;
}

describe('the plan of attempts', () => {
  it('tries port 4500 after silence on 500, and the other offer after both', () => {
    expect(attempts(new AttemptPlan(AUTO), 'silence', 5)).toEqual([
      'modern 500',
      'modern 4500 udp',
      'legacy 500',
      'legacy 4500 udp',
      'modern 500',
    ]);
  });

  it('offers the other list after a refusal of the proposals, on the same port', () => {
    expect(attempts(new AttemptPlan(AUTO), 'no-proposal', 3)).toEqual(['modern 500', 'legacy 500', 'modern 500']);
  });

  it('repeats itself after any other failure', () => {
    expect(attempts(new AttemptPlan(AUTO), 'refused', 2)).toEqual(['modern 500', 'modern 500']);
    expect(attempts(new AttemptPlan(AUTO), undefined, 2)).toEqual(['modern 500', 'modern 500']);
  });

  it('stays with the offer of the profile, or with explicit proposals', () => {
    expect(attempts(new AttemptPlan({ ...AUTO, profile: 'legacy' }), 'no-proposal', 2)).toEqual([
      'legacy 500',
      'legacy 500',
    ]);
    expect(attempts(new AttemptPlan({ ...AUTO, explicitProposals: true }), 'no-proposal', 2)).toEqual([
      'modern 500',
      'modern 500',
    ]);
  });

  it('calls port 4500 alone from an ephemeral port', () => {
    expect(attempts(new AttemptPlan(AUTO), 'silence', 3, true)).toEqual([
      'modern 4500 udp',
      'legacy 4500 udp',
      'modern 4500 udp',
    ]);
  });

  it('puts ESP in UDP after a mute channel, and goes back when that is mute, too', () => {
    const plan = new AttemptPlan(AUTO);
    plan.mute(plan.next(false), false);
    const forced = plan.next(false);
    expect(words(forced)).toBe('modern 500 udp');
    plan.mute(forced, true);
    expect(words(plan.next(false))).toBe('modern 500');
  });

  it('has no choice where a NAT puts ESP in UDP anyway, or the configuration does', () => {
    const plan = new AttemptPlan(AUTO);
    plan.mute(plan.next(false), true);
    expect(words(plan.next(false))).toBe('modern 500');
    const always = new AttemptPlan({ ...AUTO, encapsulation: 'always' });
    always.mute(always.next(false), true);
    expect(words(always.next(false))).toBe('modern 500 udp');
  });

  it('begins with what worked, and says only what is new', () => {
    const remembered = { offer: 'legacy', port: 4500, udpEncapsulation: true } as const;
    const plan = new AttemptPlan({ ...AUTO, remembered });
    const first = plan.next(false);
    expect(first).toEqual(remembered);
    expect(plan.worked(first)).toBeUndefined();
    plan.failed(first, failure('silence'));
    const second = plan.next(false);
    expect(words(second)).toBe('legacy 500 udp');
    expect(plan.worked(second)).toEqual(second);
  });

  it('forgets the encapsulation that worked once, when the peer refuses every offer with it', () => {
    const remembered = { offer: 'legacy', port: 4500, udpEncapsulation: true } as const;
    expect(attempts(new AttemptPlan({ ...AUTO, remembered }), 'no-proposal', 4)).toEqual([
      'legacy 4500 udp',
      'modern 4500 udp',
      'legacy 500',
      'modern 500',
    ]);
  });

  it('forgets an offer that the profile does not have any more', () => {
    const remembered = { offer: 'legacy', port: 500, udpEncapsulation: false } as const;
    expect(words(new AttemptPlan({ ...AUTO, profile: 'modern', remembered }).next(false))).toBe('modern 500');
  });
});
