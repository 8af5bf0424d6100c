import { describe, expect, it } from 'vitest';
import { CATALOGUE, findingOf, inOrder, known, recognise } from '../../../../firmware/diagnosis/catalogue/catalogue.ts';
import { FAILURE_CASES } from '../failure-cases.ts';

describe('the catalogue of known failures', () => {
  it('has at least 40, each with an id, a heading and a cause of its own', () => {
    expect(CATALOGUE.length).toBeGreaterThanOrEqual(40);
    for (const words of [
      CATALOGUE.map(({ id }) => id),
      CATALOGUE.map(({ title }) => title),
      CATALOGUE.map(({ cause }) => cause),
    ]) {
      expect(new Set(words).size).toBe(words.length);
    }
  });

  it.each(CATALOGUE)('says $id in sentences that need no full stop', ({ title, cause, remedy = '' }) => {
    for (const words of [title, cause, remedy]) expect(words).not.toMatch(/\.$|\n| {2}/);
  });

  it.each(CATALOGUE.filter(({ words }) => words === undefined))('can tell what to do about $id', ({ remedy }) => {
    expect(remedy).toMatch(/\w/);
  });
});

describe('a failure in the words of who made it', () => {
  it.each(FAILURE_CASES)('is %s', (id, failure) => {
    expect(recognise(failure)?.id).toBe(id);
  });

  it('keeps its own words and gets the likely cause', () => {
    const failure = { step: 'authentication', reason: 'the server refused user a (PAP)', remedy: 'check it' };
    expect(findingOf(failure)).toEqual({
      id: 'pap-refused',
      step: 'ppp-authentication',
      seen: 'authentication: the server refused user a (PAP)',
      cause: known('pap-refused').cause,
      remedy: 'check it',
    });
  });

  it('is told at its step even when nobody knows it', () => {
    expect(findingOf({ step: 'IPCP', reason: 'something new', remedy: 'read' })).toMatchObject({
      id: 'unknown',
      step: 'ipcp',
    });
  });

  it('is said once, in the order of the steps', () => {
    const late = findingOf({ step: 'IPCP', reason: 'every address of the pool is in use', remedy: '' });
    const early = findingOf({ step: 'SCCRQ', reason: '10.0.0.1:1701 did not answer the SCCRQ within 5 s', remedy: '' });
    const again = findingOf({ step: 'SCCRQ', reason: '10.0.0.1:1701 did not answer the SCCRQ within 9 s', remedy: '' });
    expect(inOrder([late, early, again])).toEqual([early, late]);
  });
});
