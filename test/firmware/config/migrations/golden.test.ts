/**
 * Documents as they were stored once (`golden/NAME.stored-N.json`, never edited again, and each with everything that its
 * module had), and the configuration that each must be today, as somebody would write it now (`golden/NAME.json`).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { migrateDocument } from '../../../../firmware/config/migrations/migrate.ts';
import { MIGRATIONS } from '../../../../firmware/config/migrations/migration.ts';
import { checkConfiguration } from '../../../../firmware/config/parse.ts';
import { parsed } from '../example.ts';

interface Stored {
  readonly versions: Readonly<Record<string, number>>;
  readonly document: unknown;
}

const FOLDER = new URL('../golden/', import.meta.url);

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'));
}

function stored(name: string): Stored {
  return read(name) as Stored;
}

const NAMES = readdirSync(FOLDER).filter((name) => /\.stored-\d+\.json$/.test(name));

describe('configurations of earlier versions', () => {
  it.each(NAMES)('%s becomes what it must be today', (name) => {
    const { versions, document } = stored(name);
    const migrated = migrateDocument(document, versions);
    if (!migrated.ok) throw new Error(migrated.reason);
    const result = checkConfiguration(migrated.document);
    if (!result.ok) throw new Error(JSON.stringify(result.problems, undefined, 1));
    expect(result.configuration).toEqual(parsed(read(name.replace(/\.stored-\d+/, ''))));
  });

  it('are several, and every migration there is has one that it changes', () => {
    expect(NAMES.length).toBeGreaterThanOrEqual(4);
    const steps = NAMES.flatMap((name) => {
      const { versions, document } = stored(name);
      const migrated = migrateDocument(document, versions);
      return migrated.ok ? migrated.steps : [];
    });
    const without = MIGRATIONS.filter(
      ({ module, from }) => !steps.some((step) => step.startsWith(`${module} ${from} `)),
    );
    expect(without).toEqual([]);
  });
});
