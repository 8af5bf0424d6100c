import { describe, expect, it } from 'vitest';
import { type Candidate, choose, isWanted, sharers } from '../../../firmware/uplink/chooser.ts';

function candidate(name: string, overlay: Partial<Candidate> = {}): Candidate {
  return { name, priority: 10, weight: 1, cold: false, verdict: 'well', hungUp: false, ...overlay };
}

const dsl = (overlay: Partial<Candidate> = {}) => candidate('dsl', { priority: 1, ...overlay });
const lte = (overlay: Partial<Candidate> = {}) => candidate('lte', { priority: 2, ...overlay });

describe('the choice of the uplink that carries the traffic', () => {
  it.each<[string, readonly Candidate[], string | undefined, string | undefined]>([
    ['none without a link', [dsl({ verdict: 'down' })], 'dsl', undefined],
    ['the best priority of those that are well', [lte(), dsl()], undefined, 'dsl'],
    ['another one when it fails', [dsl({ verdict: 'failed' }), lte()], 'dsl', 'lte'],
    ['another one when it is degraded', [dsl({ verdict: 'degraded' }), lte()], 'dsl', 'lte'],
    ['another one when it is doubted', [dsl({ doubt: 'a peer is silent' }), lte()], 'dsl', 'lte'],
    ['not one that only recovers', [dsl({ verdict: 'recovering' }), lte()], 'lte', 'lte'],
    [
      'not even when the other is degraded',
      [dsl({ verdict: 'recovering' }), lte({ verdict: 'degraded' })],
      'lte',
      'lte',
    ],
    ['the first when both are degraded', [dsl({ verdict: 'degraded' }), lte({ verdict: 'degraded' })], 'lte', 'dsl'],
    ['back to the first when it is well', [dsl(), lte()], 'lte', 'dsl'],
    ['the same as before when all are silent', [dsl({ verdict: 'failed' }), lte({ verdict: 'failed' })], 'lte', 'lte'],
    [
      'the same as before while neither has proved itself',
      [dsl({ verdict: 'recovering' }), lte({ verdict: 'recovering' })],
      'lte',
      'lte',
    ],
    ['a silent one rather than none', [dsl({ verdict: 'failed' }), lte({ verdict: 'down' })], 'dsl', 'dsl'],
    [
      'one that recovers rather than a silent one',
      [dsl({ verdict: 'failed' }), lte({ verdict: 'recovering' })],
      'dsl',
      'lte',
    ],
    ['none that was hung up by hand', [dsl({ hungUp: true }), lte()], 'dsl', 'lte'],
    ['the same one among equals', [candidate('a'), candidate('b')], 'b', 'b'],
    ['the heavier one among equals', [candidate('a'), candidate('b', { weight: 3 })], 'a', 'b'],
  ])('is %s', (_what, candidates, carrying, expected) => {
    expect(choose(candidates, carrying)).toBe(expected);
  });
});

describe('whether an uplink is connected', () => {
  const cold = lte({ cold: true, verdict: 'down' });
  it.each<[string, boolean, Candidate, readonly Candidate[], string | undefined, number]>([
    ['a warm one always', true, lte(), [dsl()], 'dsl', 0],
    ['a cold one not while a better one is well', false, cold, [dsl()], 'dsl', 0],
    ['a cold one when the better one is degraded', true, cold, [dsl({ verdict: 'degraded' })], 'dsl', 0],
    ['a cold one when the better one recovers only', true, cold, [dsl({ verdict: 'recovering' })], 'dsl', 0],
    ['a cold one when the better one was hung up', true, cold, [dsl({ hungUp: true })], undefined, 0],
    [
      'a cold one not while a better one is on its way up',
      false,
      cold,
      [dsl({ verdict: 'down', startingSince: 0 })],
      undefined,
      14_999,
    ],
    [
      'a cold one when that takes too long',
      true,
      cold,
      [dsl({ verdict: 'down', startingSince: 0 })],
      undefined,
      15_000,
    ],
    ['a cold one that carries the traffic stays', true, { ...cold, verdict: 'well' }, [dsl()], 'lte', 0],
    ['one that was hung up never', false, lte({ hungUp: true }), [], undefined, 0],
  ])('%s: %s', (_what, wanted, one, others, carrying, now) => {
    expect(isWanted(one, [one, ...others], carrying, now)).toBe(wanted);
  });
});

describe('who shares new connections', () => {
  const a = (overlay: Partial<Candidate> = {}) => candidate('a', overlay);
  const b = (overlay: Partial<Candidate> = {}) => candidate('b', { weight: 3, ...overlay });
  it.each<[string, readonly Candidate[], string | undefined, string]>([
    ['nobody while none carries the traffic', [a(), b()], undefined, ''],
    ['equals that are well, in their order', [a(), b()], 'b', 'a b'],
    ['no other priority', [dsl(), lte()], 'dsl', 'dsl'],
    ['none that is degraded', [a({ verdict: 'degraded' }), b()], 'b', 'b'],
    ['none that recovers', [a(), b({ verdict: 'recovering' })], 'a', 'a'],
    ['none that is doubted', [a({ doubt: 'a peer is silent' }), b()], 'b', 'b'],
    ['none that was hung up', [a({ hungUp: true }), b()], 'b', 'b'],
    ['none that is cold', [a({ cold: true }), b()], 'b', 'b'],
    ['one alone where it is not well itself', [a({ verdict: 'degraded' }), b({ verdict: 'failed' })], 'a', 'a'],
  ])('is %s', (_what, candidates, carrying, expected) => {
    expect(
      sharers(candidates, carrying)
        .map(({ name }) => name)
        .join(' '),
    ).toBe(expected);
  });
});
