import { describe, expect, it } from 'vitest';
import {
  CURRENT_VERSIONS,
  type KnownMigrations,
  migrateDocument,
} from '../../../../firmware/config/migrations/migrate.ts';
import { MIGRATIONS, type Migration } from '../../../../firmware/config/migrations/migration.ts';
import { CONFIGURATION_SCHEMA } from '../../../../firmware/config/schema.ts';
import { isObject, schemaNode } from '../../../../firmware/config/schema-node.ts';

const STORED = { system: { hostname: 'old' }, ipsec: { psk: 'plain' }, l2tp: { seen: [] as string[] } };
const ALL_ONE = { system: 1, ipsec: 1, l2tp: 1 };

/** Puts its own name, and what it saw of the other module, at the end of a list. */
function noting(module: 'l2tp' | 'ipsec', from: number): Migration {
  return {
    module,
    from,
    to: from + 1,
    words: 'it notes what it saw',
    migrate: (before, whole) => {
      const seen = isObject(before) && Array.isArray(before['seen']) ? before['seen'] : [];
      const other = JSON.stringify(whole[module === 'l2tp' ? 'ipsec' : 'l2tp']);
      return { seen: [...seen, `${module} ${from}: ${other}`] };
    },
  };
}

const KNOWN: KnownMigrations = {
  current: { system: 1, ipsec: 2, l2tp: 3, routes: 1 },
  migrations: [noting('l2tp', 1), noting('ipsec', 1), noting('l2tp', 2)],
};

/** Every object in it frozen: whoever writes to it throws. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) frozen(member);
    Object.freeze(value);
  }
  return value;
}

function refusal(document: unknown, versions: Readonly<Record<string, number>>, known = KNOWN) {
  const result = migrateDocument(document, versions, known);
  if (result.ok) throw new Error('it was migrated');
  return result;
}

describe('the migrations of this program', () => {
  it('know the version of every module that the schema has', () => {
    expect(Object.keys(CURRENT_VERSIONS)).toEqual(Object.keys(schemaNode(CONFIGURATION_SCHEMA).properties ?? {}));
  });

  it('lead from every version to the next one, up to the current one, in order', () => {
    for (const [module, current] of Object.entries(CURRENT_VERSIONS)) {
      const steps = MIGRATIONS.filter((migration) => migration.module === module).map(({ from, to }) => [from, to]);
      expect(steps).toEqual(Array.from({ length: current - 1 }, (_, index) => [index + 1, index + 2]));
    }
  });
});

describe('migrateDocument', () => {
  it('gives a document of the current version back as it is', () => {
    const result = migrateDocument(STORED, ALL_ONE);
    expect(result).toEqual({ ok: true, document: STORED, versions: CURRENT_VERSIONS, steps: [] });
    expect(result.ok && result.document).toBe(STORED);
  });

  it('runs migrations in the order in which they were written, each on the whole document of its time', () => {
    expect(migrateDocument(STORED, ALL_ONE, KNOWN)).toEqual({
      ok: true,
      document: {
        system: { hostname: 'old' },
        ipsec: { seen: ['ipsec 1: {"seen":["l2tp 1: {\\"psk\\":\\"plain\\"}"]}'] },
        l2tp: {
          seen: [expect.stringMatching(/^l2tp 1: {"psk"/), expect.stringMatching(/^l2tp 2: {"seen":\["ipsec 1/)],
        },
      },
      versions: KNOWN.current,
      steps: [
        'l2tp 1 to 2: it notes what it saw',
        'ipsec 1 to 2: it notes what it saw',
        'l2tp 2 to 3: it notes what it saw',
      ],
    });
  });

  it('runs only what a document of a version between has not seen yet', () => {
    const result = migrateDocument(STORED, { system: 1, ipsec: 2, l2tp: 2 }, KNOWN);
    expect(result.ok && result.steps).toEqual(['l2tp 2 to 3: it notes what it saw']);
  });

  it('makes no part that was not there, and removes one that a migration gives up', () => {
    const giveUp: Migration = { module: 'l2tp', from: 1, to: 2, words: 'it is gone', migrate: () => undefined };
    const known = { current: { system: 1, l2tp: 2, ipsec: 1, routes: 1 }, migrations: [giveUp] };
    const result = migrateDocument(STORED, ALL_ONE, known);
    expect(result.ok && Object.keys(result.document ?? {})).toEqual(['system', 'ipsec']);
    const without = migrateDocument({ system: {} }, { system: 1 }, KNOWN);
    expect(without).toMatchObject({ ok: true, document: { system: {} }, versions: KNOWN.current, steps: [] });
  });

  it('does not change what it was given, not even when a migration does', () => {
    const writing: Migration = {
      module: 'l2tp',
      from: 1,
      to: 2,
      words: 'it writes where it should not',
      migrate: (before, whole) => {
        if (isObject(before)) Reflect.set(before, 'seen', 'spoilt');
        if (isObject(whole['ipsec'])) Reflect.set(whole['ipsec'], 'psk', 'spoilt');
        return before;
      },
    };
    const document = frozen(structuredClone(STORED));
    const versions = frozen({ ...ALL_ONE });
    const known = { current: { system: 1, l2tp: 2, ipsec: 1 }, migrations: [writing] };
    expect(migrateDocument(document, versions, known)).toMatchObject({
      ok: true,
      document: { l2tp: { seen: 'spoilt' } },
    });
    expect(document).toEqual(STORED);
    expect(migrateDocument(document, versions, KNOWN)).toEqual(migrateDocument(document, versions, KNOWN));
    expect(document).toEqual(STORED);
  });

  it('refuses a document of a newer program, in words', () => {
    expect(refusal(STORED, { ...ALL_ONE, l2tp: 4 })).toEqual({
      ok: false,
      reason:
        'the stored configuration is from a newer program: it has version 4 of the part "l2tp", and this program knows 3 at most',
      remedy: 'start the newer program again, or apply a configuration from a file or a backup',
    });
    expect(refusal(STORED, { ...ALL_ONE, firewall: 1 }).reason).toMatch(
      /a part "firewall", which this program does not/,
    );
    expect(refusal(STORED, { ...ALL_ONE, constructor: 1 }).reason).toMatch(/a part "constructor"/);
  });

  it.each([
    ['a document that is none', 'text', ALL_ONE, /not an object/],
    ['a list', [], {}, /not an object/],
    ['a document without versions', STORED, JSON.parse('null'), /versions are missing/],
    ['a version that is no number', STORED, { ...ALL_ONE, l2tp: Number.NaN }, /"l2tp" has no version/],
    ['a version of nought', STORED, { ...ALL_ONE, l2tp: 0 }, /"l2tp" has no version/],
    ['a part without a version', STORED, { system: 1, ipsec: 1 }, /"l2tp" has no version/],
  ])('calls %s damaged', (_, document, versions, reason) => {
    expect(refusal(document, versions).reason).toMatch(/^the stored configuration is damaged: /);
    expect(refusal(document, versions).reason).toMatch(reason);
  });

  it('says which step failed and why, and lets nothing half migrated out', () => {
    const failing: Migration = {
      module: 'ipsec',
      from: 1,
      to: 2,
      words: 'it fails',
      migrate: () => {
        throw new Error('connection "hq" has two peers');
      },
    };
    const known = { current: KNOWN.current, migrations: [noting('l2tp', 1), failing, noting('l2tp', 2)] };
    expect(refusal(STORED, ALL_ONE, known)).toEqual({
      ok: false,
      reason:
        'the part "ipsec" of the stored configuration cannot be brought from version 1 to 2: connection "hq" has two peers',
      remedy: 'apply a configuration from a file in the form of this version; the stored one is left as it is',
    });
  });

  it('refuses where a migration is missing', () => {
    const known = { current: KNOWN.current, migrations: [noting('ipsec', 1), noting('l2tp', 2)] };
    expect(refusal(STORED, ALL_ONE, known).reason).toMatch(/"l2tp".* from version 1 to 3: .*lost the way/);
  });
});
