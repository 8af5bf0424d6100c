import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CommitRequest, CommitResult } from '../../../firmware/api/configuration-control.ts';
import { sealBundle } from '../../../firmware/protocol/provisioning/bundle.ts';
import { privateKeyFrom } from '../../../firmware/protocol/provisioning/bundle-keys.ts';
import { ProvisioningDesk } from '../../../firmware/serial/provisioning-desk.ts';
import { FakeAccounts } from '../../support/fake-accounts.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

const random = new SeededRandom(3);
const privateKey = privateKeyFrom(random.bytes(32));
const enrolment = generateKeyPairSync('ed25519');
const CONTENT = { configuration: '{"system":{"hostname":"branch-12"}}', fileName: 'branch.json' };
const COMMITTED = {
  ok: true,
  revision: 1,
  diff: [],
  connections: [],
  network: [],
  warnings: [],
  failures: [],
} as const;
const ADMIN = { token: 't', user: 'alice', role: 'admin', mustChangePassword: false } as const;

let accounts: FakeAccounts;
let committed: { readonly text: string; readonly fileName: string; readonly request: CommitRequest }[];
let answer: CommitResult;
let fresh: boolean;
let log: string[];
let fates: boolean[];
let desk: ProvisioningDesk;

beforeEach(() => {
  accounts = new FakeAccounts({ admin: { password: 'printed-once', role: 'admin', initial: true } });
  committed = [];
  answer = COMMITTED;
  fresh = true;
  log = [];
  fates = [];
  desk = new ProvisioningDesk({
    privateKey,
    enrolmentKey: enrolment.publicKey,
    random,
    accounts,
    isFresh: () => fresh,
    commit: async (text, fileName, request) => {
      committed.push({ text, fileName, request });
      return answer;
    },
    onBundle: (accepted) => fates.push(accepted),
    log: (line) => log.push(line),
  });
});

const byCode = (code = desk.code ?? '', content: Parameters<typeof sealBundle>[0] = CONTENT) =>
  Buffer.from(sealBundle(content, desk.device, { code }, random));
const byKey = () => Buffer.from(sealBundle(CONTENT, desk.device, { enrolmentKey: enrolment.privateKey }, random));

describe('a router without a configuration', () => {
  it('takes a bundle with its code, once', async () => {
    const bundle = byCode();
    expect(await desk.take(bundle, undefined)).toEqual({ ok: true, lines: ['revision 1 is in force'] });
    const request = { who: 'provisioning', via: 'provisioning', comment: '' };
    expect(committed).toEqual([{ text: CONTENT.configuration, fileName: 'branch.json', request }]);
    expect(desk.code).toBeUndefined();
    expect(await desk.take(bundle, undefined)).toMatchObject({ ok: false });
    expect(fates).toEqual([true, false]);
    expect(committed).toHaveLength(1);
  });

  it('takes a bundle that the enrolment key has signed, and keeps the code', async () => {
    expect(await desk.take(byKey(), undefined)).toMatchObject({ ok: true });
    expect(desk.code).toBeDefined();
  });

  it('has no code any more after three wrong ones', async () => {
    const right = byCode();
    const wrong = byCode('0000-0000');
    expect((await desk.take(wrong, undefined)).lines[0]).toContain('twice more');
    expect((await desk.take(wrong, undefined)).lines[0]).toContain('once more');
    expect((await desk.take(wrong, undefined)).lines[0]).toContain('start the router anew');
    expect(await desk.take(right, undefined)).toMatchObject({ ok: false });
    expect(desk.words()[1]).toContain('code none');
    expect(committed).toEqual([]);
    // Who signs needs none.
    expect(await desk.take(byKey(), undefined)).toMatchObject({ ok: true });
  });

  it('counts no try for what is no guess', async () => {
    for (let time = 0; time < 5; time += 1) await desk.take(Buffer.from('rubbish'), undefined);
    expect(desk.code).toBeDefined();
  });

  it('tells every problem of a configuration, and the code stays good for a better one', async () => {
    const problem = { severity: 'error', rule: 'type', path: 'system.hostname', found: '5', allowed: 'text' } as const;
    answer = { ok: false, problems: [problem] };
    expect(await desk.take(byCode(), undefined)).toEqual({
      ok: false,
      lines: ['the configuration is refused, and nothing was changed', 'system.hostname: found 5; allowed: text'],
    });
    answer = { ok: false, reason: 'another commit waits', remedy: 'confirm it' };
    expect((await desk.take(byCode(), undefined)).lines).toEqual(['another commit waits; confirm it']);
    answer = COMMITTED;
    expect(await desk.take(byCode(), undefined)).toMatchObject({ ok: true });
  });

  it('says in the log why it could not, and to nobody else', async () => {
    const failing = new ProvisioningDesk({
      privateKey,
      enrolmentKey: enrolment.publicKey,
      random,
      accounts,
      isFresh: () => true,
      commit: () => Promise.reject(new Error('the disk is full')),
      log: (line) => log.push(line),
    });
    expect(await failing.take(byKey(), undefined)).toMatchObject({ ok: false });
    expect(log.join('\n')).toContain('the disk is full');
  });

  it('gets the password of admin with it, in place of the initial one', async () => {
    const content = { ...CONTENT, adminPassword: 'long enough' };
    expect((await desk.take(byCode(desk.code, content), undefined)).lines).toContain('the password of admin is set');
    expect(accounts.accounts['admin']).toMatchObject({ password: 'long enough', initial: false });
    expect(accounts.sessions.size).toBe(0);
  });

  it('leaves a password that was chosen, and one that is refused', async () => {
    const short = byCode(desk.code, { ...CONTENT, adminPassword: 'short' });
    expect((await desk.take(short, undefined)).lines.join()).toMatch(/warning: .*not set: it is shorter/);
    expect(accounts.accounts['admin']?.password).toBe('printed-once');
    if (accounts.accounts['admin'] !== undefined) accounts.accounts['admin'].initial = false;
    const signed = sealBundle(
      { ...CONTENT, adminPassword: 'long enough' },
      desk.device,
      { enrolmentKey: enrolment.privateKey },
      random,
    );
    expect((await desk.take(Buffer.from(signed), undefined)).lines.join()).toMatch(/warning: .*stays/);
    expect(accounts.accounts['admin']?.password).toBe('printed-once');
  });
});

describe('a router with a configuration', () => {
  beforeEach(() => {
    fresh = false;
  });

  it('takes a bundle from an administrator who is logged in, in their name', async () => {
    expect(await desk.take(byKey(), ADMIN)).toMatchObject({ ok: true });
    expect(committed[0]?.request.who).toBe('alice');
  });

  it('takes none from anybody else, whatever is in it', async () => {
    for (const session of [undefined, { ...ADMIN, role: 'operator' }, { ...ADMIN, role: 'viewer' }] as const) {
      expect(await desk.take(byKey(), session)).toMatchObject({ ok: false });
      expect(desk.refusal(session)).toContain('log in');
    }
    expect(committed).toEqual([]);
  });
});

it('neither code nor password gets into the log', async () => {
  const bundle = byCode(desk.code, { ...CONTENT, adminPassword: 'long enough' });
  const { code = '' } = desk;
  await desk.take(byCode('0000-0000'), undefined);
  await desk.take(bundle, undefined);
  expect(log.length).toBeGreaterThan(0);
  for (const secret of [code, 'long enough', 'printed-once']) expect(log.join('\n')).not.toContain(secret);
});
