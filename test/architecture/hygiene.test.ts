import { describe, expect, it } from 'vitest';
import { checkoutFiles } from './checkout.ts';
import { checkHygiene, MAX_LINES } from './hygiene.ts';

describe('the checkout', () => {
  it('keeps the rules for text files', () => {
    const violations = checkoutFiles().flatMap(({ path, text }) => checkHygiene(path, text));
    expect(violations.join('\n')).toBe('');
  });

  it('is looked at as a whole', () => {
    const paths = checkoutFiles().map(({ path }) => path);
    for (const path of ['package-lock.json', 'firmware/api/server.ts', 'test/architecture/hygiene.ts', 'tsconfig.json'])
      expect(paths).toContain(path);
    expect(paths.filter((path) => path.includes('node_modules/'))).toEqual([]);
  });
});

describe('the check of text files', () => {
  const line = 'export const a = 1;\n';
  const focus = ['on', 'ly'].join('');
  const folder = (name: string) => ['', name, ''].join('/');

  it.each([
    ['a.ts', line.repeat(MAX_LINES + 1), `has ${MAX_LINES + 1} lines`],
    ['a.ts', 'export const a: any = 1;', 'a.ts:1 uses the type any'],
    ['a.ts', 'export function f(\n  a: Map<string, any>) {}', 'a.ts:2 uses the type any'],
    ['test/a.test.ts', `it.${focus}('x', () => {});`, 'focuses one test'],
    ['test/a.test.ts', `describe.concurrent.${focus}('x', () => {});`, 'focuses one test'],
    ['a.sh', `cd ${folder('home')}me`, 'a folder of one machine'],
    ['README.md', `see ${folder('root')}x`, 'a folder of one machine'],
    ['package-lock.json', '{ "resolved": "https://example.net/x.tgz" }', 'names the registry'],
    ['scripts/runtime/package-lock.json', '{\n"resolved": "https://example.net/x.tgz" }', 'package-lock.json:2 names'],
  ])('finds in %s what breaks a rule', (path, text, sentence) => {
    expect(checkHygiene(path, text).join('\n')).toContain(sentence);
  });

  it.each([
    ['a.ts', line.repeat(MAX_LINES)],
    ['a.ts', 'export const any = "any";'],
    ['a.ts', 'export const read = { only: 1 }.only;'],
    ['a.ts', `export const place = "state${folder('home')}x";`],
    ['package-lock.json', '{ "integrity": "sha512-x" }'],
  ])('finds nothing in %s that keeps them', (path, text) => {
    expect(checkHygiene(path, text)).toEqual([]);
  });
});
