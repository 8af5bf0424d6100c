import { describe, expect, it } from 'vitest';
import { documentText, formatOfName } from '../../../../firmware/config/derived/document-text.ts';
import { readDocument } from '../../../../firmware/config/parse.ts';
import { contractDocument } from '../example.ts';

const AWKWARD = {
  text: { yes: 'yes', no: 'no', null: 'null', tilde: '~', number: '12', octal: '0o17', date: '2026-01-01', empty: '' },
  marks: {
    colon: 'a: b',
    hash: 'a #b',
    dash: '- a',
    star: '*a',
    brace: '{a',
    quote: `"a'`,
    lead: ' a',
    tail: 'a ',
    tab: '\t',
  },
  lines: 'one\ntwo\n\nthree',
  long: 'x'.repeat(400),
  list: [[], {}, [1, [2]], { a: [true, false, null] }],
  same: [{ a: 1 }, { a: 1 }],
  'a key: with #': 1.5,
};

describe.each(['json', 'yaml'] as const)('a configuration as %s', (format) => {
  it('is read as what it was', () => {
    for (const document of [contractDocument(), AWKWARD, {}, Object.assign(Object.create(null), { a: 1 })]) {
      const text = documentText(document, format);
      expect(text).toMatch(/[^\n]\n$/);
      const read = readDocument(text, `x.${format}`, 1_000_000);
      expect(read.problems).toEqual([]);
      expect(read.value).toEqual(JSON.parse(JSON.stringify(document)));
    }
  });
});

it('the ending of a name says which', () => {
  expect(['a.json', 'b.YAML', 'c.yml', 'd.txt', 'json'].map(formatOfName)).toEqual([
    ...['json', 'yaml', 'yaml'],
    ...[undefined, undefined],
  ]);
});
