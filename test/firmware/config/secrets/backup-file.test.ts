import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { EMPTY_CONFIGURATION } from '../../../../firmware/config/empty.ts';
import { collectSecrets } from '../../../../firmware/config/redact.ts';
import { type ReadBackup, readBackup, writeBackup } from '../../../../firmware/config/secrets/backup-file.ts';
import { keyFromPassphrase, newPassphraseCost } from '../../../../firmware/config/secrets/passphrase-key.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { parsed, protectedDocument, withValue } from '../example.ts';

const PASSPHRASE = 'correct horse battery';
const AT = Date.UTC(2026, 6, 1, 12, 0, 0, 5);
const configuration = parsed(protectedDocument());
const content = { configuration, hostname: 'branch-12', version: '0.1.0', at: AT, versions: { l2tp: 1, ipsec: 2 } };

const write = (passphrase = PASSPHRASE, seed = 1) => writeBackup(content, passphrase, new SeededRandom(seed));
/** On another device: with another random source and nothing else. */
const read = (text: string, passphrase = PASSPHRASE) => readBackup(text, passphrase, new SeededRandom(99));

let backup: string;
beforeAll(async () => {
  backup = await write();
});

/** The backup with other values in it, named by their path. */
function changed(values: Readonly<Record<string, unknown>>): string {
  let document: unknown = JSON.parse(backup);
  for (const [path, value] of Object.entries(values)) document = withValue(document, path, value);
  return JSON.stringify(document, undefined, 2);
}

/** The same with the checksum made to fit, as somebody who means harm would. */
function forged(values: Readonly<Record<string, unknown>>): string {
  const file = JSON.parse(changed(values));
  const fields = ['kind', 'format', 'hostname', 'at', 'version', 'versions', 'document', 'scrypt', 'key'];
  const text = JSON.stringify(fields.map((name) => file[name]));
  return JSON.stringify({ ...file, sha256: createHash('sha256').update(text).digest('base64url') });
}

function reasonOf(result: ReadBackup): string {
  return result.ok ? 'it was taken' : result.reason;
}

describe('a backup', () => {
  it('is restored on another device, whole', async () => {
    const result = await read(backup);
    expect(result).toEqual({
      ok: true,
      document: configuration,
      hostname: 'branch-12',
      version: '0.1.0',
      at: AT,
      versions: { l2tp: 1, ipsec: 2 },
    });
  });

  it('can be read but for its secrets', () => {
    const secrets = [...collectSecrets(configuration), PASSPHRASE];
    for (const secret of secrets) {
      for (const encoding of ['utf8', 'base64', 'base64url', 'hex', 'utf16le'] as const) {
        expect(backup).not.toContain(Buffer.from(secret).toString(encoding));
      }
    }
    const { document, ...rest } = JSON.parse(backup);
    expect(rest).toMatchObject({
      kind: 'culvert-backup',
      format: 1,
      hostname: 'branch-12',
      at: '2026-07-01T12:00:00.005Z',
    });
    expect(document.l2tp.clients.hq).toMatchObject({ user: 'alice', password: { sealed: expect.any(String) } });
  });

  it('is another file each time, under another key', async () => {
    const again = JSON.parse(await write(PASSPHRASE, 2));
    const first = JSON.parse(backup);
    expect(again.scrypt.salt).not.toBe(first.scrypt.salt);
    expect(again.key).not.toBe(first.key);
    expect(again.document.l2tp.clients.hq.password).not.toEqual(first.document.l2tp.clients.hq.password);
  });

  it('needs a passphrase of 8 characters, whatever octets they take', async () => {
    await expect(write('1234567')).rejects.toThrow(/too short: it needs 8 characters or more/);
    await expect(write('\u00e4\u00f6\u00fc')).rejects.toThrow(/too short/);
    // Four letters, each with an accent of its own code point.
    await expect(write('e\u0301e\u0301e\u0301e\u0301')).rejects.toThrow(/too short/);
    await expect(write('a lone \ud800 surrogate')).rejects.toThrow(/no well-formed text/);
  });

  it('takes the passphrase from a keyboard that composes letters otherwise', async () => {
    const text = await write('Gr\u00fc\u00dfe aus K\u00f6ln');
    expect(await read(text, 'Gru\u0308\u00dfe aus Ko\u0308ln')).toMatchObject({ ok: true });
  });

  it('works without any secret in it', async () => {
    const empty = { ...content, configuration: EMPTY_CONFIGURATION };
    const text = await writeBackup(empty, PASSPHRASE, new SeededRandom(3));
    expect(text).not.toContain('sealed');
    expect(await read(text)).toMatchObject({ ok: true, document: EMPTY_CONFIGURATION });
    expect(reasonOf(await read(text, 'another passphrase'))).toBe('the passphrase is wrong');
  });

  it('may be indented otherwise and begin with a byte order mark', async () => {
    expect(await read(`\ufeff${JSON.stringify(JSON.parse(backup))}\r\n`)).toMatchObject({ ok: true });
  });

  it('says that the passphrase is wrong, and from when the backup is', async () => {
    expect(await read(backup, 'correct horse batterz')).toEqual({
      ok: false,
      reason: 'the passphrase is wrong',
      remedy: 'take the one with which this backup was made on 2026-07-01',
    });
  });

  it.each([
    ['a value', { 'document.l2tp.clients.hq.server': '10.6.6.6' }],
    ['a value that was not there', { 'document.l2tp.clients.hq.mtu': 1400 }],
    ['the host name', { hostname: 'branch-13' }],
    ['the time', { at: '2026-07-02T12:00:00.005Z' }],
    ['the version of a module', { 'versions.l2tp': 2 }],
    ['the salt', { 'scrypt.salt': 'A'.repeat(22) }],
    ['the name of the key', { key: '0123456789abcdef' }],
    ['a secret', { 'document.l2tp.clients.hq.password.sealed': `1.${'A'.repeat(60)}` }],
    ['the checksum', { sha256: 'A'.repeat(43) }],
    ['what is missing', { mac: undefined }],
    ['what is too much', { more: 1 }],
    ['a time that is none', { at: '2026-99-99T99:99:99.999Z' }],
  ])('in which %s was changed by accident or hand is damaged, whatever the passphrase', async (_, values) => {
    const reason = 'the backup is damaged, or was changed after it was made';
    expect(await read(changed(values), 'not even that')).toMatchObject({ ok: false, reason });
  });

  it.each([
    ['a value', { 'document.l2tp.clients.hq.server': '10.6.6.6' }],
    ['the version of a module', { 'versions.l2tp': 2 }],
    ['a secret taken away', { 'document.l2tp.clients.hq.secret': undefined }],
    ['a secret in clear', { 'document.l2tp.clients.hq.password': 'known to the forger' }],
  ])('in which %s was changed on purpose, checksum and all, is refused', async (_, values) => {
    expect(reasonOf(await read(forged(values)))).toBe(
      'the backup was changed by somebody who does not know its passphrase',
    );
  });

  it.each([
    ['N of a gigabyte', { 'scrypt.N': 2 ** 20 }],
    ['N that is no power of two', { 'scrypt.N': 2 ** 15 + 2 }],
    ['a large r', { 'scrypt.r': 4096 }],
    ['a large p', { 'scrypt.p': 1_000_000 }],
  ])('that asks for %s is refused before any work is done', async (_, values) => {
    const begin = performance.now();
    expect(reasonOf(await read(forged(values)))).toMatch(/asks for more memory or time/);
    // Deriving any key takes longer than this by far where it is not bounded: a gigabyte, or days.
    expect(performance.now() - begin).toBeLessThan(5000);
  });

  it.each([
    ['nothing', '', /no backup of Culvert, or only a part/],
    ['another text', 'system:\n  hostname: a\n', /no backup of Culvert, or only a part/],
    ['a configuration', JSON.stringify(protectedDocument()), /^this is no backup of Culvert$/],
    ['a list', '[]', /^this is no backup of Culvert$/],
    ['lists without an end', '['.repeat(400_000), /no backup of Culvert, or only a part/],
    ['lists that are too deep', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, /no backup of Culvert/],
    ['more than a router reads', ' '.repeat(16 * 1024 * 1024 + 1), /16777217 octets, and a backup at most 16777216/],
  ])('is not %s, and says so', async (_, text, reason) => {
    const result = await read(text);
    expect(reasonOf(result)).toMatch(reason);
    expect(result).toMatchObject({ ok: false, remedy: expect.stringMatching(/right file/) });
  });

  it('that holds a document nested without end is refused', async () => {
    const deep = `{"kind":"culvert-backup","format":1,"document":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    expect(await read(deep)).toMatchObject({ ok: false });
  });

  it('cut anywhere is refused', async () => {
    for (const part of [0.1, 0.5, 0.9, 0.999]) {
      expect(await read(backup.slice(0, backup.length * part))).toMatchObject({ ok: false });
    }
  });

  it('of a later version says that the router has to be updated', async () => {
    expect(await read(changed({ format: 2 }))).toEqual({
      ok: false,
      reason: 'the backup was made by a later version of Culvert',
      remedy: 'update this router, then restore it',
    });
  });

  it('shows no secret and no passphrase in a refusal', async () => {
    const results = [await read(backup, 'a wrong passphrase'), await read(forged({ hostname: 'x' })), await read('{')];
    const text = JSON.stringify(results);
    for (const secret of [...collectSecrets(configuration), 'a wrong passphrase', PASSPHRASE]) {
      expect(text).not.toContain(secret);
    }
  });
});

describe('keyFromPassphrase', () => {
  it('is scrypt as RFC 7914 has it', async () => {
    // Checked against hashlib.scrypt of Python: salt of 16 octets 00..0f, N 16384, r 8, p 1, 32 octets.
    const salt = Buffer.from([...Array(16).keys()]).toString('base64url');
    const key = await keyFromPassphrase('pleaseletmein', { N: 16_384, r: 8, p: 1, salt });
    expect(Buffer.from(key).toString('hex')).toBe('531604fe738df33ae62cd2b994bfe3f573ed28c0d9e5547f875b6413189ce59a');
  });

  it('does no work that is out of bounds', async () => {
    const cost = { ...newPassphraseCost(new SeededRandom(1)), N: 2 ** 30 };
    await expect(keyFromPassphrase(PASSPHRASE, cost)).rejects.toThrow(/out of bounds/);
  });
});
