import { describe, expect, it } from 'vitest';
import type { BackupContent } from '../../../../firmware/config/secrets/backup-file.ts';
import { makeBackup, openBackup } from '../../../../firmware/config/secrets/backup-thread.ts';
import { parsed, protectedDocument } from '../example.ts';

const PASSPHRASE = 'correct horse battery';
const configuration = parsed(protectedDocument());
const content = (hostname: string): BackupContent => {
  return { configuration, hostname, version: '0.1.0', at: 0, versions: { l2tp: 1 } };
};

describe('a thread for backups', () => {
  it('makes them and reads them, as many as are asked for at once, each for its own', async () => {
    const names = ['a', 'b', 'c'];
    const texts = await Promise.all(names.map((name) => makeBackup(content(name), `${PASSPHRASE} ${name}`)));
    const read = await Promise.all(texts.map((text, index) => openBackup(text, `${PASSPHRASE} ${names[index]}`)));
    expect(read.map((result) => result.ok && result.hostname)).toEqual(names);
    for (const result of read) expect(result).toMatchObject({ document: configuration, versions: { l2tp: 1 }, at: 0 });
    expect(await openBackup(texts[0] ?? '', `${PASSPHRASE} b`)).toMatchObject({ reason: 'the passphrase is wrong' });
  });

  it('says what was wrong with the passphrase, and goes on', async () => {
    await expect(makeBackup(content('a'), 'short')).rejects.toThrow(/^the passphrase is too short.*\.$/);
    expect(await makeBackup(content('a'), PASSPHRASE)).toContain('culvert-backup');
  });

  it('refuses a file that would become hundreds of megabytes of objects, and goes on', async () => {
    const text = `{"kind":"culvert-backup","format":1,"document":[${'{},'.repeat(5_500_000)}0]}`;
    const refused = await openBackup(text, PASSPHRASE);
    expect(refused).toMatchObject({ ok: false, remedy: expect.stringMatching(/right file/) });
    expect(refused.ok ? '' : refused.reason).toBe('the file has more values than any backup, 500000');
    expect(await openBackup('{}', PASSPHRASE)).toMatchObject({ reason: 'this is no backup of Culvert' });
  });
});
