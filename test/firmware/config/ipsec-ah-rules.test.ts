import { describe, expect, it } from 'vitest';
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import type { Problem } from '../../../firmware/config/problem.ts';
import { CONFIGURATION_RULES } from '../../../firmware/config/rules.ts';
import { protectedDocument, withValue } from './example.ts';

type Change = readonly [path: string, value: unknown];
type Case = readonly [string, Problem['severity'], readonly Change[], string, RegExp, string?];

const CONNECTIONS = 'ipsec.connections';

function findings(...changes: readonly Change[]): readonly Problem[] {
  let document: unknown = protectedDocument();
  for (const [path, value] of changes) document = withValue(document, path, value);
  const result = parseConfiguration(JSON.stringify(document), 'x.json');
  return result.ok ? result.warnings : result.problems;
}

/** Rule, severity, changes to the example, path of the finding, what it says, what it suggests. */
const CASES: readonly Case[] = [
  [
    'ipsec-ah-clear',
    'warning',
    [[`${CONNECTIONS}.plant.protocol`, 'ah']],
    `${CONNECTIONS}.plant.protocol`,
    /everybody on the way can read/,
    'esp',
  ],
  [
    'ipsec-ah-algorithms',
    'error',
    [
      [`${CONNECTIONS}.plant.protocol`, 'ah'],
      [`${CONNECTIONS}.plant.esp`, ['aes256-sha256']],
    ],
    `${CONNECTIONS}.plant.esp`,
    /algorithms of ESP with the protocol "ah"/,
  ],
  [
    'ipsec-ah-algorithms',
    'error',
    [[`${CONNECTIONS}.plant.ah`, ['sha256']]],
    `${CONNECTIONS}.plant.ah`,
    /algorithms of AH with the protocol "esp"/,
  ],
  [
    'ipsec-ah-tunnel',
    'error',
    [[`${CONNECTIONS}.hq.protocol`, 'ah']],
    `${CONNECTIONS}.hq.protocol`,
    /could read what L2TP carries/,
    'esp',
  ],
  [
    'ipsec-ah-nat',
    'error',
    [
      [`${CONNECTIONS}.plant.protocol`, 'ah'],
      [`${CONNECTIONS}.plant.encapsulation`, 'always'],
    ],
    `${CONNECTIONS}.plant.encapsulation`,
    /nobody wraps in UDP/,
    'auto',
  ],
  [
    'ipsec-ah-nat',
    'error',
    [
      [`${CONNECTIONS}.plant.protocol`, 'ah'],
      [`${CONNECTIONS}.plant.remote`, '2001:db8::1'],
    ],
    `${CONNECTIONS}.plant.remote`,
    /goes over IPv4 alone/,
  ],
  [
    'ipsec-algorithms',
    'error',
    [
      [`${CONNECTIONS}.plant.protocol`, 'ah'],
      [`${CONNECTIONS}.plant.ah`, ['aes256-sha256']],
    ],
    `${CONNECTIONS}.plant.ah[0]`,
    /AH encrypts nothing/,
  ],
];

describe('the rules of AH', () => {
  it.each(CASES.map((entry) => ({ entry })))('$entry.0 ($entry.1): $entry.2', ({ entry }) => {
    const [rule, severity, changes, path, found, suggestion] = entry;
    const [finding, ...others] = findings(...changes).filter(
      (problem) => problem.rule === rule && problem.path === path,
    );
    expect(others).toEqual([]);
    expect(finding?.severity).toBe(severity);
    expect(finding?.found).toMatch(found);
    expect(finding?.suggestion).toBe(suggestion);
  });

  it('each have a case here', () => {
    const covered = new Set(CASES.map(([rule]) => rule));
    const names = CONFIGURATION_RULES.map(({ name }) => name).filter((name) => name.startsWith('ipsec-ah-'));
    expect(names.filter((name) => !covered.has(name))).toEqual([]);
  });

  it('say nothing but the warning of a connection that is as it should be', () => {
    const changes: Change[] = [
      [`${CONNECTIONS}.plant.protocol`, 'ah'],
      [`${CONNECTIONS}.plant.ah`, ['sha256-modp2048', 'sha512']],
    ];
    expect(
      findings(...changes)
        .filter(({ rule }) => rule?.startsWith('ipsec-a'))
        .map(({ rule }) => rule),
    ).toEqual(['ipsec-ah-clear']);
  });
});
