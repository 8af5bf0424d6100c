import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AccountsDatabase, MAX_AUDIT } from '../../../../firmware/config/accounts/accounts-database.ts';

let directory: string;
let database: AccountsDatabase;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'culvert-accounts-'));
  database = new AccountsDatabase(directory);
});
afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true, force: true });
});

const SESSION = {
  id: '0123456789abcdef',
  hash: 'a'.repeat(64),
  user: 'alice',
  fingerprint: 'f',
  via: 'web',
  from: '192.0.2.7',
  createdAt: 1,
  usedAt: 2,
} as const;

const entry = (kind: 'change' | 'login', what: string) =>
  ({ kind, at: 5, who: 'alice', via: 'web', from: '192.0.2.7', what, result: 'done' }) as const;

function reopened(): AccountsDatabase {
  database.close();
  database = new AccountsDatabase(directory);
  return database;
}

describe('the database of accounts', () => {
  it('gives back what it was given, and nothing that was ended', () => {
    const token = { ...SESSION, id: 'f'.repeat(16), name: 'backup', role: 'viewer', expiresAt: 9 };
    const { via: _, from: __, usedAt: ___, ...bare } = token;
    database.change([
      { kind: 'session', session: SESSION },
      { kind: 'session', session: { ...SESSION, id: 'b'.repeat(16), usedAt: 7 } },
      { kind: 'token', token: bare },
      { kind: 'totp', totp: { user: 'alice', step: 41 } },
      { kind: 'totp', totp: { user: 'alice', step: 42 } },
      { kind: 'end-session', id: 'b'.repeat(16) },
    ]);
    const saved = { sessions: [SESSION], tokens: [bare], totp: [{ user: 'alice', step: 42 }] };
    expect(reopened().load()).toEqual(saved);
    expect(statSync(join(directory, 'accounts.db')).mode & 0o077).toBe(0);
    database.change([{ kind: 'end-token', id: bare.id }]);
    expect(database.load().tokens).toEqual([]);
  });

  it('keeps a bounded number of entries of each kind, so that logins push no change out', () => {
    database.addAudit(entry('change', 'first'));
    for (let count = 0; count < MAX_AUDIT.login + 5; count += 1) database.addAudit(entry('login', `${count}`));
    const all = database.readAudit(10_000);
    expect(all).toHaveLength(MAX_AUDIT.login + 1);
    expect(all[0]).toEqual(entry('login', `${MAX_AUDIT.login + 4}`));
    expect(all.at(-1)?.what).toBe('first');
    expect(database.readAudit(2)).toHaveLength(2);
  });

  it('is begun anew where the file is damaged, which is kept aside and said', () => {
    database.close();
    writeFileSync(join(directory, 'accounts.db'), 'no database'.repeat(500));
    const { note, ...saved } = database.load();
    expect(saved).toEqual({ sessions: [], tokens: [], totp: [] });
    expect(note).toMatch(/audit log are lost: .*accounts\.db was damaged .* kept as .*accounts\.db\.damaged-1/);
    expect(readFileSync(join(directory, 'accounts.db.damaged-1'), 'utf8')).toMatch(/^no database/);
    database.addAudit(entry('change', 'x'));
    expect(reopened().readAudit(1)).toHaveLength(1);
  });
});
