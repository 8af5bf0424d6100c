import { describe, expect, it } from 'vitest';
import {
  deleteEdit,
  type EditResult,
  editPlace,
  secretEdit,
  setEdit,
  withEdit,
} from '../../../../firmware/config/derived/edits.ts';
import { setWords } from '../../../../firmware/config/derived/set-words.ts';
import { secretLeaves } from '../../../../firmware/config/leaves.ts';
import { contractDocument, exampleDocument, parsed } from '../example.ts';

const configuration = exampleDocument();

/** A line as the lexer of the console would split it. */
function words(line: string): string[] {
  return line.split(' ').filter((word) => word !== '');
}

function applied(result: EditResult, to: unknown): unknown {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result)}`);
  return withEdit(to, result.edit);
}

function reason(result: EditResult): string {
  return !result.ok && 'reason' in result ? result.reason : JSON.stringify(result);
}

describe('set', () => {
  it.each([
    ['system hostname branch-13', { path: ['system', 'hostname'], value: 'branch-13' }],
    ['l2tp clients hq mru 1380', { path: ['l2tp', 'clients', 'hq', 'mru'], value: 1380 }],
    ['l2tp clients hq masquerade true', { path: ['l2tp', 'clients', 'hq', 'masquerade'], value: true }],
    ['l2tp clients hq sourcePort ephemeral', { path: ['l2tp', 'clients', 'hq', 'sourcePort'], value: 'ephemeral' }],
    ['l2tp clients hq sourcePort 1701', { path: ['l2tp', 'clients', 'hq', 'sourcePort'], value: 1701 }],
    ['l2tp clients hq password 12345', { path: ['l2tp', 'clients', 'hq', 'password'], value: '12345' }],
    [
      'l2tp clients hq routes 10.98.0.0/16 10.99.0.0/16 10.98.0.0/16',
      { path: ['l2tp', 'clients', 'hq', 'routes'], value: ['10.99.0.0/16', '10.98.0.0/16'] },
    ],
    ['l2tp clients new', { path: ['l2tp', 'clients', 'new'], value: {} }],
    ['routes 0 prefix 10.1.0.0/16', { path: ['routes', 0, 'prefix'], value: '10.1.0.0/16' }],
  ])('%s', (line, edit) => {
    expect(setEdit(words(line), configuration)).toEqual({ ok: true, edit: { kind: 'set', ...edit } });
  });

  it.each([
    ['', 'a path is missing: system, interfaces, modems'],
    ['l2tp clinets', 'there is no "clinets" below l2tp: clients or servers can stand there; did you mean "clients"?'],
    ['l2tp clients a/b server x', '"a/b" is no name below l2tp.clients'],
    ['system hostname', 'a value is missing at system.hostname'],
    [
      'system hostname a b',
      'system.hostname takes one value, and "b" is one too many: put a value with spaces in quotes',
    ],
    ['l2tp clients hq mru 99999', 'l2tp.clients.hq.mru: found 99999; allowed: a whole number from 576 to 9000 octets'],
    ['l2tp clients hq mru much', 'l2tp.clients.hq.mru: found "much"'],
    ['l2tp clients hq start bot', 'did you mean "boot"?'],
    ['routes 1 prefix 10.1.0.0/16', '"1" is no number of an entry below routes'],
    ['routes', 'the number of an entry is missing behind routes'],
    ['l2tp constructor x', 'there is no "constructor" below l2tp'],
    ['interfaces __proto__ device x', '"__proto__" is no name below interfaces'],
  ])('%s is refused in words', (line, words_) => {
    expect(reason(setEdit(words(line), configuration))).toContain(words_);
  });

  it('asks for a secret that is not given, and never says a piece of one', () => {
    const path = ['l2tp', 'clients', 'hq', 'password'];
    expect(setEdit(path, configuration)).toEqual({ ok: false, secret: { path, title: 'Password' } });
    expect(secretEdit(path, 'with spaces', configuration)).toMatchObject({ ok: true, edit: { value: 'with spaces' } });
    const said = [setEdit([...path, 'piece', 'another'], configuration), secretEdit(path, 'x'.repeat(2000), {})];
    expect(said.map(reason).join()).not.toMatch(/another|xxx/);
  });
});

describe('delete', () => {
  it('takes away a key with all below it, items of a list, and the list with its last one', () => {
    const without = applied(deleteEdit(['l2tp', 'clients', 'hq'], configuration), configuration);
    expect(without).toMatchObject({ l2tp: { clients: {}, servers: { office: {} } } });
    const two = applied(setEdit(words('l2tp clients hq routes 10.98.0.0/16'), configuration), configuration);
    const one = applied(deleteEdit(words('l2tp clients hq routes 10.99.0.0/16'), two), two);
    expect(one).toMatchObject({ l2tp: { clients: { hq: { routes: ['10.98.0.0/16'] } } } });
    const none = applied(deleteEdit(words('l2tp clients hq routes 10.98.0.0/16'), one), one);
    expect(setWords(none, ['l2tp', 'clients', 'hq', 'routes'])).toEqual([]);
    const routes = ['routes 0 prefix 10.1.0.0/16', 'routes 1 prefix 10.2.0.0/16'].reduce<unknown>(
      (document, line) => applied(setEdit(words(line), document), document),
      {},
    );
    expect(applied(deleteEdit(words('routes 0'), routes), routes)).toEqual({ routes: [{ prefix: '10.2.0.0/16' }] });
  });

  it.each([
    ['l2tp clients none', 'there is nothing at l2tp.clients.none, so that nothing was deleted'],
    ['l2tp clients hq routes 10.0.0.0/8', 'l2tp.clients.hq.routes has no "10.0.0.0/8"'],
    ['l2tp clients hq server 192.0.2.1', 'nothing stands below l2tp.clients.hq.server'],
    ['', 'a path is missing'],
  ])('%s is refused in words', (line, words_) => {
    expect(reason(deleteEdit(words(line), configuration))).toContain(words_);
  });

  it('leaves the configuration that it was given as it is', () => {
    const before = JSON.stringify(configuration);
    applied(deleteEdit(['l2tp'], configuration), configuration);
    applied(setEdit(words('l2tp clients hq routes 10.1.0.0/16'), configuration), configuration);
    expect(JSON.stringify(configuration)).toBe(before);
  });
});

describe('edit', () => {
  it('leads to what holds others, and to nothing else', () => {
    expect(editPlace(['l2tp', 'clients', 'hq'], configuration)).toMatchObject({ ok: true });
    expect(editPlace(['l2tp', 'clients', 'hq', 'server'], configuration)).toMatchObject({
      reason: 'l2tp.clients.hq.server is a value, below which nothing can stand',
    });
  });
});

describe('a configuration as words', () => {
  it.each([
    ['the example', exampleDocument()],
    ['that of the contract', contractDocument()],
  ])('of %s is written again by set', (_name, document) => {
    const rows = setWords(document, []);
    const secrets = secretLeaves(parsed(document)).map(({ path, value }) => [...path.split('.'), String(value)]);
    const again = [...rows, ...secrets].reduce<unknown>((written, row) => applied(setEdit(row, written), written), {});
    expect(parsed(again)).toEqual(parsed(document));
    expect(rows.length).toBeGreaterThan(15);
  });

  it('has neither defaults nor secrets', () => {
    const rows = setWords(parsed(contractDocument()), ['l2tp', 'clients', 'hq']);
    expect(rows.map((row) => row.slice(3).join(' '))).toEqual([
      'server 10.20.0.2',
      'user alice',
      'ipsec hq',
      'routes 10.99.0.0/16',
    ]);
  });
});
