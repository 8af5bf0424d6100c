/** Nothing that the configuration's store, its commits and its backups write holds a secret in clear: all octets are searched. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { collectSecrets } from '../../../../firmware/config/redact.ts';
import { readBackup, writeBackup } from '../../../../firmware/config/secrets/backup-file.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { parsed, protectedDocument, withValue } from '../example.ts';
import { ALICE, StoreBench } from '../store/store-bench.ts';

/** Long enough to stand nowhere by chance, with characters that JSON, Base64 and people write in several ways. */
const word = (name: string) => `"${name}" \\ \u00fcber/Stra\u00dfe +++ 0123456789`;

/** Every secret of the example is another one in each document. */
function document(name: string): unknown {
  const paths = [
    'l2tp.clients.hq.password',
    'l2tp.clients.hq.secret',
    'l2tp.servers.office.users.bob.password',
    'ipsec.connections.hq.psk',
    'ipsec.connections.plant.psk',
  ];
  const secret = (path: string) => word(`${name} ${path}`);
  const changed = paths.reduce((at, path) => withValue(at, path, secret(path)), protectedDocument());
  return withValue(changed, 'system.hostname', name);
}

/** How a secret might stand in a file. Pages of SQLite may begin in the middle of one: halves are looked for as well. */
function spellings(secret: string): readonly Buffer[] {
  const texts = [secret, JSON.stringify(secret).slice(1, -1)];
  const halves = texts.flatMap((text) => [text.slice(0, text.length / 2), text.slice(text.length / 2)]);
  return [...texts, ...halves].flatMap((text) => [
    Buffer.from(text, 'utf8'),
    Buffer.from(text, 'utf16le'),
    Buffer.from(Buffer.from(text, 'utf8').toString('hex')),
    // Three beginnings, as Base64 depends on what stands before; without the ends, which depend on it, too.
    ...[0, 1, 2].flatMap((skip) =>
      (['base64', 'base64url'] as const).map((encoding) =>
        Buffer.from(Buffer.from(text, 'utf8').subarray(skip).toString(encoding).slice(0, -4)),
      ),
    ),
  ]);
}

let bench: StoreBench;
beforeEach(async () => {
  bench = new StoreBench();
  await bench.start();
});
afterEach(() => bench.end());

/** @returns the files in which any of the secrets stands. */
function filesWith(secrets: readonly string[]): string[] {
  const files = readdirSync(bench.directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  expect(files.length).toBeGreaterThan(2);
  const sought = secrets.flatMap(spellings);
  return files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => {
      const octets = readFileSync(path);
      return sought.some((spelling) => octets.includes(spelling));
    });
}

it('no secret stands in clear in any file: of commits, trials, reverts, drafts, exports, damaged copies and backups', async () => {
  const names = ['first', 'trial', 'draft', 'refused', 'second'];
  const secrets = names.flatMap((name) => collectSecrets(parsed(document(name))));
  expect(new Set(secrets).size).toBe(25);
  const text = (name: string) => JSON.stringify(document(name));

  await bench.commit(text('first'));
  expect(filesWith(secrets)).toEqual([]);
  await bench.commit(text('trial'), { confirmWithin: 60 });
  expect(filesWith(secrets)).toEqual([]);
  await bench.restart();
  expect(bench.desk.inForce.system.hostname).toBe('first');
  await bench.store.editCandidate({ text: text('draft'), fileName: 'x.json', takeover: false }, ALICE, 1, 0);
  expect(filesWith(secrets)).toEqual([]);
  const refused = withValue(document('refused'), 'l2tp.clients.hq.server', 'no server!');
  expect(await bench.commit(JSON.stringify(refused))).toMatchObject({ ok: false });
  await bench.commit(text('second'), { comment: 'the second' });
  expect(filesWith(secrets)).toEqual([]);

  const configuration = bench.desk.inForce;
  const made = { configuration, hostname: 'second', version: '0.1.0', at: 0, versions: {} };
  const backup = await writeBackup(made, 'a good passphrase', new SeededRandom(1));
  writeFileSync(bench.path('backup.json'), backup);
  expect(filesWith([...secrets, 'a good passphrase'])).toEqual([]);

  await bench.desk.close();
  expect(filesWith(secrets)).toEqual([]);
  const database = readFileSync(bench.path('configuration.db'));
  database.fill(0xa5, 4096, 8192);
  writeFileSync(bench.path('configuration.db'), database);
  await bench.restart();
  expect(bench.desk.state().state).toBe('recovered');
  expect(readdirSync(bench.directory).some((name) => name.includes('.damaged-'))).toBe(true);
  expect(filesWith(secrets)).toEqual([]);
  // And yet they are all there.
  expect(collectSecrets(bench.desk.inForce)).toEqual(collectSecrets(configuration));
  expect(collectSecrets(configuration)).toHaveLength(5);
  expect(await readBackup(backup, 'a good passphrase', new SeededRandom(2))).toMatchObject({ ok: true });
  expect(bench.log.join('\n')).not.toContain('Stra\u00dfe');
}, 60_000);

it('the search finds a secret where one stands, however it is written', async () => {
  const secret = word('found');
  for (const spelling of spellings(secret)) {
    writeFileSync(bench.path('leak'), Buffer.concat([Buffer.from('before '), spelling, Buffer.from(' after')]));
    expect(filesWith([secret])).toEqual([bench.path('leak')]);
  }
  rmSync(bench.path('leak'));
  expect(filesWith([secret])).toEqual([]);
});
