import { describe, expect, it } from 'vitest';
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import { CONFIGURATION_RULES } from '../../../firmware/config/rules.ts';
import { exampleDocument, withValue } from './example.ts';

const AT = 'l2tp.servers.office.radius';
const one = { address: '10.0.0.5', secret: 'sixteen letters.' };
const two = { address: '10.0.0.6', secret: 'sixteen letters.' };
const office2 = {
  listen: '10.20.0.9',
  port: 1702,
  localAddress: '10.97.0.1',
  pool: '10.97.0.10-10.97.0.20',
};

function parsed(radius: unknown, ...changes: readonly (readonly [string, unknown])[]) {
  let document: unknown = withValue(exampleDocument(), AT, radius);
  for (const [path, value] of changes) document = withValue(document, path, value);
  return parseConfiguration(JSON.stringify(document), 'x.json');
}

function findings(...parts: Parameters<typeof parsed>) {
  const result = parsed(...parts);
  return (result.ok ? result.warnings : result.problems).filter(({ rule }) => rule?.startsWith('radius-'));
}

type Change = readonly [path: string, value: unknown];
type Case = readonly [rule: string, radius: unknown, path: string, found: RegExp, change?: Change];

const CASES: readonly Case[] = [
  ['radius-server-twice', { servers: [one, one] }, `${AT}.servers[1].address`, /10\.0\.0\.5 port 1812 once more/],
  [
    'radius-server-twice',
    { servers: [one, { ...one, port: 1813, accountingPort: 1814 }] },
    `${AT}.servers[1].address`,
    /port 1813/,
  ],
  [
    'radius-server-twice',
    {
      servers: [
        { ...one, address: 'R.example' },
        { ...one, address: 'r.example' },
      ],
    },
    `${AT}.servers[1].address`,
    /r\.example/,
  ],
  [
    'radius-ports-equal',
    { servers: [{ ...one, accountingPort: 1812 }] },
    `${AT}.servers[0].accountingPort`,
    /1812, which is both/,
  ],
  ['radius-or-users', undefined, 'l2tp.servers.office.users', /no user/, ['l2tp.servers.office.users', {}]],
  ['radius-weak-secret', { servers: [{ ...one, secret: 'testing123' }] }, `${AT}.servers[0].secret`, /short/],
  [
    'radius-forgeable',
    { servers: [one], requireMessageAuthenticator: false },
    `${AT}.requireMessageAuthenticator`,
    /false/,
  ],
  ['radius-patience', { servers: [{ ...one, timeoutSeconds: 4 }] }, `${AT}.servers`, /28 s/],
  [
    'radius-patience',
    {
      servers: [
        { ...one, tries: 5 },
        { ...two, tries: 5 },
      ],
    },
    `${AT}.servers`,
    /30 s/,
  ],
  ['radius-interim', { servers: [one], interimSeconds: 30 }, `${AT}.interimSeconds`, /30/],
  ['radius-interim', { servers: [one], interimSeconds: 90, accounting: false }, `${AT}.interimSeconds`, /without/],
  [
    'radius-nas-identifier',
    { servers: [one] },
    'l2tp.servers.two.radius.nasIdentifier',
    /branch-12, as "office"/,
    ['l2tp.servers.two', { ...office2, radius: { servers: [two] } }],
  ],
];

describe('the rules of RADIUS', () => {
  it.each(CASES.map(([rule, radius, path, found, change]) => ({ rule, radius, path, found, change })))(
    '$rule at $path: $found',
    ({ rule, radius, path, found, change }) => {
      const matching = change ? findings(radius, change) : findings(radius);
      expect(matching).toEqual([expect.objectContaining({ rule, path, found: expect.stringMatching(found) })]);
      expect(matching[0]?.allowed).not.toBe('');
    },
  );

  it('each have a case', () => {
    const covered = new Set(CASES.map(([rule]) => rule));
    const names = CONFIGURATION_RULES.map(({ name }) => name).filter((name) => name.startsWith('radius-'));
    expect(names.filter((name) => !covered.has(name))).toEqual([]);
  });

  it('have nothing to say of two servers with good secrets, and of no users beside them', () => {
    expect(findings({ servers: [one, two] }, ['l2tp.servers.office.users', {}])).toEqual([]);
  });

  it('are not needed for what the schema refuses', () => {
    const result = parsed({ servers: [] });
    expect(result.ok).toBe(false);
    const misspelt = parsed({ servers: [one], acounting: true });
    expect(!misspelt.ok && misspelt.problems.map(({ suggestion }) => suggestion)).toContain('accounting');
  });

  it('do not keep the defaults of the schema from being good ones', () => {
    const result = parsed({ servers: [one] });
    expect(result.ok && result.configuration.l2tp.servers['office']?.radius).toEqual({
      servers: [{ ...one, port: 1812, accountingPort: 1813, timeoutSeconds: 1, tries: 3 }],
      accounting: true,
      deadSeconds: 30,
      requireMessageAuthenticator: true,
    });
  });
});
