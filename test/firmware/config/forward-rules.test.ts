import { describe, expect, it } from 'vitest';
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import { CONFIGURATION_RULES } from '../../../firmware/config/rules.ts';
import { exampleDocument, withValue } from './example.ts';

const AT = 'l2tp.servers.office.forward';
const plant = { server: '10.20.0.40', realms: ['plant.example'] };

function findings(forward: unknown, ...changes: readonly (readonly [string, unknown])[]) {
  let document: unknown = withValue(exampleDocument(), AT, forward);
  for (const [path, value] of changes) document = withValue(document, path, value);
  const result = parseConfiguration(JSON.stringify(document), 'x.json');
  return (result.ok ? result.warnings : result.problems).filter(({ rule }) => rule?.startsWith('forward-'));
}

type Case = readonly [rule: string, forward: unknown, path: string, found: RegExp, change?: readonly [string, unknown]];

const CASES: readonly Case[] = [
  ['forward-in-clear', { plant }, `${AT}.plant`, /inside IPsec/, ['l2tp.servers.office.ipsec', 'branches']],
  ['forward-to-itself', { plant: { ...plant, server: '10.20.0.9' } }, `${AT}.plant.server`, /this server/],
  ['forward-twice', { plant, site: { ...plant, realms: ['PLANT.example'] } }, `${AT}.site`, /which plant takes/],
  [
    'forward-twice',
    { plant: { ...plant, users: ['a@b', 'c'] }, site: { ...plant, realms: [], users: ['c'] } },
    `${AT}.site`,
    /the user c/,
  ],
  ['forward-nobody', { plant: { server: '10.20.0.40' } }, `${AT}.plant`, /neither/],
  ['forward-eap', { plant }, `${AT}.plant`, /EAP/, ['l2tp.servers.office.authentication', ['eap', 'chap']]],
];

describe('the rules about callers that are handed on', () => {
  for (const [rule, forward, path, found, change] of CASES) {
    it(`have ${rule}: ${found.source}`, () => {
      const matching = findings(forward, ...(change ? [change] : [])).filter((one) => one.rule === rule);
      expect(matching).toMatchObject([{ path, found: expect.stringMatching(found) }]);
    });
  }

  it('each have a case here, and leave a good configuration alone', () => {
    const rules = CONFIGURATION_RULES.map(({ name }) => name).filter((name) => name.startsWith('forward-'));
    expect(rules.filter((name) => !CASES.some(([rule]) => rule === name))).toEqual([]);
    expect(findings({ plant })).toEqual([]);
  });
});
