import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ABSOLUTE_MS, IDLE_MS, MAX_SESSIONS } from '../../../firmware/accounts/session-table.ts';
import { AccountsBench, ADDRESS, PASSWORDS } from './accounts-bench.ts';

let bench: AccountsBench;
beforeEach(async () => {
  bench = new AccountsBench();
  await bench.start();
});
afterEach(() => bench.end());

const WRONG = 'the name, the password or the code is wrong: try again';

const wrong = (user: string, from = ADDRESS) => bench.accounts.login({ user, password: 'wrong', from });

describe('a new router', () => {
  it('has the user admin with a password of its own, which has to be changed and then is forgotten', async () => {
    const password = bench.accounts.initialPassword() ?? '';
    expect(password).toMatch(/^([a-km-np-z2-9]{4}-){3}[a-km-np-z2-9]{4}$/);
    const result = await bench.accounts.login({ user: 'admin', password, from: 'console' });
    if (!result.ok) throw new Error(JSON.stringify(result));
    const { token } = result.session;
    expect(result.session).toMatchObject({ user: 'admin', role: 'admin', mustChangePassword: true });
    expect(bench.accounts.authenticate(token)).toMatchObject({ via: 'console', mustChangePassword: true });
    expect(await bench.accounts.changePassword(token, password, 'too short')).toMatch(/less than 10 characters/);
    expect(await bench.accounts.changePassword(token, password, PASSWORDS.alice)).toBeUndefined();
    expect(bench.accounts.initialPassword()).toBeUndefined();
    expect(bench.accounts.authenticate(token)).toMatchObject({ role: 'admin', mustChangePassword: false });
    expect(await bench.accounts.login({ user: 'admin', password, from: ADDRESS })).toEqual({
      ok: false,
      reason: WRONG,
    });
    await bench.restart();
    expect(bench.accounts.initialPassword()).toBeUndefined();
    // Nobody is on the console of a router that starts.
    expect(bench.accounts.sessions()).toEqual([]);
    expect(bench.accounts.authenticate(token)).toBeUndefined();
    expect(bench.log.join('\n')).not.toContain(password);
  });

  it('has another initial password than the next one, and none while there is somebody', async () => {
    const first = bench.accounts.initialPassword();
    await bench.twoUsers();
    expect(bench.accounts.initialPassword()).toBeUndefined();
    expect((await wrong('admin')).ok).toBe(false);
    await bench.users({});
    expect(bench.accounts.initialPassword()).not.toBe(first);
    expect(bench.accounts.initialPassword()).toBeDefined();
  });
});

describe('a login', () => {
  beforeEach(() => bench.twoUsers());

  it('gives the role of the configuration, and a token that stands in no file', async () => {
    const { token, role, mustChangePassword } = await bench.login('bob');
    expect({ role, mustChangePassword }).toEqual({ role: 'operator', mustChangePassword: false });
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(bench.accounts.authenticate(token)).toMatchObject({
      user: 'bob',
      kind: 'session',
      via: 'web',
      from: ADDRESS,
    });
    const files = readdirSync(bench.store.directory).filter((name) => name.startsWith('accounts.db'));
    const text = files.map((name) => readFileSync(bench.store.path(name), 'latin1')).join('');
    expect(text).toContain('bob');
    expect(text).not.toContain(token);
  });

  it('is refused in the same words, with the same work, whoever is asked for', async () => {
    await bench.users({ alice: { role: 'admin' }, bob: { role: 'viewer', disabled: true } });
    const times: number[] = [];
    for (const user of ['alice', 'bob', 'nobody', 'constructor', 'x'.repeat(300)]) {
      const before = performance.now();
      expect(await wrong(user), user).toEqual({ ok: false, reason: WRONG });
      times.push(performance.now() - before);
    }
    // One computation of the hash each, some 50 ms; without one it would be less than 1 ms.
    const [known = 0, ...others] = times;
    for (const time of others) expect(time, times.join(' ')).toBeGreaterThan(known / 8);
    expect(await bench.accounts.login({ user: 'bob', password: PASSWORDS.bob, from: ADDRESS })).toEqual({
      ok: false,
      reason: WRONG,
    });
  });

  it('has to wait longer after each failure, also when many are tried at once, and not on the console', async () => {
    await Promise.all(Array.from({ length: 4 }, () => wrong('alice')));
    const right = { user: 'alice', password: PASSWORDS.alice, from: ADDRESS };
    expect(await bench.accounts.login(right)).toMatchObject({ ok: false, retryAfterSeconds: 1 });
    bench.store.clock.advance(1000);
    await wrong('alice', '198.51.100.1');
    expect(await bench.accounts.login(right)).toMatchObject({ ok: false, retryAfterSeconds: 2 });
    expect((await bench.accounts.login({ ...right, from: 'console' })).ok).toBe(true);
    bench.store.clock.advance(2000);
    expect((await bench.accounts.login(right)).ok).toBe(true);
    expect(await wrong('alice')).toEqual({ ok: false, reason: WRONG });
  });

  it('has to wait by address, too, however many names are tried from it, and IPv6 counts by network', async () => {
    const from = (last: number) => `2001:db8::${last}`;
    for (let count = 0; count < 10; count += 1) await wrong(`name${count}`, from(count + 1));
    expect(await wrong('other', from(77))).toMatchObject({ ok: false, retryAfterSeconds: 1 });
    expect(await wrong('other', '2001:db8:0:1::1')).toEqual({ ok: false, reason: WRONG });
  });

  it('leaves traces of a name only where somebody has it: it may be a password', async () => {
    await wrong('my secret password');
    await wrong('alice');
    const entries = await bench.accounts.audit(10);
    expect(entries.slice(0, 2)).toMatchObject([
      { kind: 'login', who: 'alice', from: ADDRESS, result: 'refused' },
      { who: '-' },
    ]);
    expect(JSON.stringify([entries, bench.log])).not.toContain('my secret');
  });
});

describe('a session', () => {
  beforeEach(() => bench.twoUsers());

  it('ends when it is not used, and when its time is over, and tells whoever waits', async () => {
    const { clock } = bench.store;
    const [idle, used] = [await bench.login('alice'), await bench.login('bob')];
    const identity = bench.accounts.authenticate(idle.token);
    const ended = vi.fn();
    if (identity !== undefined) bench.accounts.onEnd(identity, ended);
    clock.advance(IDLE_MS - 1);
    expect(bench.accounts.authenticate(used.token)).toBeDefined();
    expect(ended).not.toHaveBeenCalled();
    clock.advance(1);
    expect(ended).toHaveBeenCalledTimes(1);
    expect(bench.accounts.authenticate(idle.token)).toBeUndefined();
    for (let past = IDLE_MS; past < ABSOLUTE_MS; past += IDLE_MS / 2) {
      expect(bench.accounts.authenticate(used.token), `${past}`).toBeDefined();
      clock.advance(IDLE_MS / 2);
    }
    expect(bench.accounts.authenticate(used.token)).toBeUndefined();
    expect(bench.accounts.sessions()).toEqual([]);
  });

  it('on the console ends when its time is over, and not before: idle time is the business of the console', async () => {
    const result = await bench.accounts.login({ user: 'alice', password: PASSWORDS.alice, from: 'console' });
    if (!result.ok) throw new Error(JSON.stringify(result));
    const identity = bench.accounts.authenticate(result.session.token);
    const ended = vi.fn();
    if (identity !== undefined) bench.accounts.onEnd(identity, ended);
    bench.store.clock.advance(ABSOLUTE_MS - 1);
    expect(ended).not.toHaveBeenCalled();
    bench.store.clock.advance(1);
    expect(ended).toHaveBeenCalledTimes(1);
  });

  it('survives the end of the program, as long as it was used not long ago', async () => {
    const { token } = await bench.login('alice');
    bench.store.clock.advance(IDLE_MS - 1000);
    await bench.restart();
    expect(bench.accounts.sessions()).toMatchObject([{ user: 'alice', idleSeconds: 1799 }]);
    bench.store.clock.advance(1000);
    expect(bench.accounts.authenticate(token)).toBeUndefined();
  });

  it('has the role of the configuration in force, and ends with its user and with its password', async () => {
    const { token } = await bench.login('bob');
    const identity = bench.accounts.authenticate(token);
    const changed = vi.fn();
    if (identity !== undefined) bench.accounts.onEnd(identity, changed);
    await bench.users({ alice: { role: 'admin' }, bob: { role: 'viewer' } });
    expect(bench.accounts.authenticate(token)?.role).toBe('viewer');
    expect(changed).toHaveBeenCalledTimes(1);
    await bench.users({ alice: { role: 'admin' }, bob: { role: 'viewer', password: 'another one of his' } });
    expect(bench.accounts.authenticate(token)).toBeUndefined();
    await bench.twoUsers();
    expect(bench.accounts.authenticate(token)).toBeUndefined();
  });

  it('goes on when its user changes the password by it, and all others of that user end', async () => {
    const [first, second, other] = [await bench.login('bob'), await bench.login('bob'), await bench.login('alice')];
    expect(await bench.accounts.changePassword(first.token, 'wrong', 'eight red lamps')).toContain('wrong');
    expect(await bench.accounts.changePassword(first.token, PASSWORDS.bob, 'eight red lamps')).toBeUndefined();
    expect(bench.accounts.authenticate(first.token)).toBeDefined();
    expect(bench.accounts.authenticate(second.token)).toBeUndefined();
    expect(bench.accounts.authenticate(other.token)).toBeDefined();
    const { revisions } = await bench.store.store.history();
    expect(revisions[0]).toMatchObject({ who: 'bob', via: 'web', comment: 'password of bob' });
    const [entry] = (await bench.accounts.audit(9)).filter(({ kind }) => kind === 'change');
    expect(entry).toMatchObject({ who: 'bob', what: 'change the password', result: 'done' });
  });

  it('is refused another password while a configuration waits for its confirmation', async () => {
    const { token } = await bench.login('bob');
    await bench.store.commit(JSON.stringify({ ...bench.store.desk.inForce, routes: [], system: { hostname: 'b' } }), {
      confirmWithin: 60,
    });
    expect(await bench.accounts.changePassword(token, PASSWORDS.bob, 'eight red lamps')).toMatch(
      /waits for its confirm/,
    );
    expect(bench.accounts.authenticate(token)).toBeDefined();
  });

  it('gives way to newer ones of the same user, can be ended by others, and by its own user', async () => {
    const tokens: string[] = [];
    for (let count = 0; count <= MAX_SESSIONS; count += 1) {
      tokens.push((await bench.login('alice')).token);
      bench.store.clock.advance(1);
    }
    const alive = () => tokens.filter((token) => bench.accounts.authenticate(token) !== undefined).length;
    expect(bench.accounts.authenticate(tokens[0] ?? '')).toBeUndefined();
    expect(alive()).toBe(MAX_SESSIONS);
    await bench.accounts.logout(tokens[1] ?? '');
    await bench.accounts.logout(tokens[1] ?? '');
    expect(await bench.accounts.endSession(bench.accounts.sessions()[0]?.id ?? '')).toBe(true);
    expect(await bench.accounts.endSession('0'.repeat(16))).toBe(false);
    expect(alive()).toBe(MAX_SESSIONS - 2);
    await bench.restart();
    expect(alive()).toBe(MAX_SESSIONS - 2);
  });
});

describe('an API token', () => {
  beforeEach(() => bench.twoUsers());
  const request = { user: 'bob', name: 'backup', role: 'viewer', days: 30 } as const;

  it('is good for its role until it ends, is revoked, or its user has another password', async () => {
    const made = await bench.accounts.createToken(request, { password: PASSWORDS.bob, from: ADDRESS });
    if (!made.ok) throw new Error(made.reason);
    expect(bench.accounts.authenticate(made.token)).toMatchObject({
      user: 'bob',
      role: 'viewer',
      from: 'token backup',
    });
    await bench.restart();
    expect(bench.accounts.authenticate(made.token)?.kind).toBe('token');
    expect(await bench.accounts.revokeToken(made.info.id, 'alice')).toBe(false);
    bench.store.clock.advance(30 * 86_400_000 - 1);
    expect(bench.accounts.authenticate(made.token)).toBeDefined();
    bench.store.clock.advance(1);
    expect(bench.accounts.authenticate(made.token)).toBeUndefined();
    const again = await bench.accounts.createToken(request);
    if (!again.ok) throw new Error(again.reason);
    expect(await bench.accounts.revokeToken(again.info.id, 'bob')).toBe(true);
    expect(bench.accounts.authenticate(again.token)).toBeUndefined();
    const third = await bench.accounts.createToken(request);
    if (!third.ok) throw new Error(third.reason);
    await bench.users({ alice: { role: 'admin' }, bob: { role: 'operator', password: 'another one of his' } });
    expect(bench.accounts.authenticate(third.token)).toBeUndefined();
    expect(bench.accounts.tokens()).toEqual([]);
  });

  it('never gives more than its user has, now or later', async () => {
    expect(await bench.accounts.createToken({ ...request, role: 'admin' })).toMatchObject({ ok: false });
    const made = await bench.accounts.createToken({ ...request, role: 'operator' });
    if (!made.ok) throw new Error(made.reason);
    expect(await bench.accounts.createToken(request)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('name'),
    });
    await bench.users({ alice: { role: 'admin' }, bob: { role: 'viewer' } });
    expect(bench.accounts.authenticate(made.token)?.role).toBe('viewer');
  });

  it('is not made with a wrong password, for nobody, nor while the initial password is in use', async () => {
    expect(await bench.accounts.createToken(request, { password: 'wrong', from: ADDRESS })).toMatchObject({
      ok: false,
    });
    expect(await bench.accounts.createToken({ ...request, user: 'eve' })).toMatchObject({ ok: false });
    await bench.users({});
    expect(await bench.accounts.createToken({ ...request, user: 'admin' })).toMatchObject({ ok: false });
  });
});

describe('a second factor', () => {
  beforeEach(() => bench.twoUsers());

  it('is set up with the password and a code, asked for at each login, takes no code twice, and can be ended', async () => {
    const { accounts, store } = bench;
    const { token } = await bench.login('bob');
    expect(await accounts.beginTotp(token, 'wrong')).toMatchObject({ ok: false });
    const begun = await accounts.beginTotp(token, PASSWORDS.bob);
    if (!begun.ok) throw new Error(begun.reason);
    expect(begun.uri).toBe(
      `otpauth://totp/culvert:bob?secret=${begun.secret}&issuer=culvert&algorithm=SHA1&digits=6&period=30`,
    );
    expect(await accounts.confirmTotp(token, '000000')).toMatchObject({ ok: false });
    expect(await accounts.confirmTotp(token, bench.code(begun.secret))).toEqual({ ok: true });
    expect(accounts.authenticate(token)).toBeDefined();
    const attempt = { user: 'bob', password: PASSWORDS.bob, from: ADDRESS };
    expect(await accounts.login(attempt)).toEqual({ ok: false, needs: 'code' });
    expect(await accounts.login({ ...attempt, password: 'wrong' })).toEqual({ ok: false, reason: WRONG });
    // The code that set it up was used by that.
    expect((await accounts.login({ ...attempt, code: bench.code(begun.secret) })).ok).toBe(false);
    store.clock.advance(30_000);
    const code = bench.code(begun.secret);
    expect((await accounts.login({ ...attempt, code })).ok).toBe(true);
    expect(await accounts.login({ ...attempt, code })).toEqual({ ok: false, reason: WRONG });
    await bench.restart();
    expect((await bench.accounts.login({ ...attempt, code })).ok).toBe(false);
    store.clock.advance(30_000);
    const { secret } = begun;
    const next = await bench.accounts.login({ ...attempt, code: bench.code(secret) });
    if (!next.ok) throw new Error(JSON.stringify(next));
    expect(await bench.accounts.endTotp(next.session.token, PASSWORDS.bob)).toEqual({ ok: true });
    expect((await bench.accounts.login(attempt)).ok).toBe(true);
  });

  it('is set up on the router, too, for those who may log in', async () => {
    const begun = bench.accounts.beginTotpFor('bob');
    if (!begun.ok) throw new Error(begun.reason);
    const author = { who: 'root', via: 'cli' } as const;
    expect(await bench.accounts.confirmTotpFor('alice', bench.code(begun.secret), author)).toMatchObject({ ok: false });
    bench.store.clock.advance(10 * 60_000 - 1);
    expect(await bench.accounts.confirmTotpFor('bob', bench.code(begun.secret), author)).toEqual({ ok: true });
    expect((await bench.store.store.history()).revisions[0]).toMatchObject({
      ...author,
      comment: 'second factor of bob',
    });
    const attempt = { user: 'bob', password: PASSWORDS.bob, from: ADDRESS };
    expect(await bench.accounts.login(attempt)).toEqual({ ok: false, needs: 'code' });
    const late = bench.accounts.beginTotpFor('alice');
    if (!late.ok) throw new Error(late.reason);
    bench.store.clock.advance(10 * 60_000);
    expect(await bench.accounts.confirmTotpFor('alice', bench.code(late.secret), author)).toMatchObject({ ok: false });
    expect(bench.accounts.beginTotpFor('eve')).toMatchObject({ ok: false });
    await bench.users({});
    expect(bench.accounts.beginTotpFor('admin')).toMatchObject({ ok: false });
  });

  it('is guessed no faster than a password', async () => {
    const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    await bench.users({ alice: { role: 'admin', totp: secret } });
    const attempt = { user: 'alice', password: PASSWORDS.alice, from: ADDRESS };
    const given = new Set([-1, 0, 1].map((later) => bench.code(secret, later)));
    const bad = ['000000', '111111', '222222', '333333', '444444', '555555'].filter((code) => !given.has(code));
    for (const code of bad.slice(0, 4)) {
      expect(await bench.accounts.login({ ...attempt, code })).toEqual({ ok: false, reason: WRONG });
    }
    expect(await bench.accounts.login(attempt)).toMatchObject({ ok: false, retryAfterSeconds: 1 });
  });
});
