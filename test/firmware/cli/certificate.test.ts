import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigurationClient } from '../../../firmware/api/configuration-client.ts';
import { type ControlApi, startControlApi } from '../../../firmware/api/server.ts';
import { controlSocketPath } from '../../../firmware/api/socket-path.ts';
import { runCommandLine } from '../../../firmware/cli/command-line.ts';
import { createLogger } from '../../../firmware/log/logger.ts';
import { RouterConfiguration } from '../../../firmware/router/router-configuration.ts';
import { bundleProgram } from '../../../scripts/bundler.ts';
import { FakeRouter } from '../api/fake-router.ts';
import { StoreBench } from '../config/store/store-bench.ts';
import type { Finished } from './culvert.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cv-certificate-'));
  writeFileSync(path('passphrase'), 'a long passphrase\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function path(name: string): string {
  return join(folder, name);
}

function openssl(...words: readonly string[]): string {
  return execFileSync('openssl', words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** `culvert certificate ...words`, names of files made whole. */
async function certificate(...words: readonly string[]): Promise<Finished> {
  return await run('certificate', ...words.map((word) => (/^\.\//.test(word) ? path(word.slice(2)) : word)));
}

async function run(...words: readonly string[]): Promise<Finished> {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const stderr = new PassThrough({ encoding: 'utf8' });
  const code = await runCommandLine(words, stdout, stderr, new PassThrough());
  return { code, stdout: stdout.read() ?? '', stderr: stderr.read() ?? '' };
}

async function json(...words: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await certificate(...words, '--json');
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).not.toContain('PRIVATE KEY');
  return JSON.parse(stdout);
}

describe("an authority of one's own", () => {
  it('is made, issues, answers requests and revokes; OpenSSL agrees', async () => {
    const ca = await json('create-ca', './ca', '--subject', 'C=DE, O=Acme, CN=Acme CA');
    expect(ca).toMatchObject({ subject: 'C=DE, O=Acme, CN=Acme CA', authority: true, key: 'ECDSA with P-256' });
    expect(
      await json('issue', './hq.example', '--ca', './ca', '--names', 'hq.example, 192.0.2.1,a@hq.example'),
    ).toMatchObject({
      certificateFile: path('hq.example.crt'),
      keyFile: path('hq.example.key'),
      subject: 'CN=hq.example',
      names: ['hq.example', '192.0.2.1', 'a@hq.example'],
    });
    for (const key of ['ca.key', 'hq.example.key']) expect(statSync(path(key)).mode & 0o777).toBe(0o600);
    expect(
      (await certificate('request', './branch', '--names', 'branch.example', '--key-type', 'rsa-3072')).stdout,
    ).toMatch(/branch\.csr asks for a certificate for branch\.example: .*branch\.key stays here/);
    expect((await certificate('sign', './branch.csr', '--ca', './ca', '--days', '30')).stdout).toMatch(
      /branch\.crt: "CN=branch" for branch\.example, until \d{4}-\d\d-\d\d\n/,
    );
    for (const name of ['hq.example.crt', 'branch.crt'])
      expect(openssl('verify', '-x509_strict', '-CAfile', 'ca.crt', name)).toBe(`${name}: OK\n`);
    expect(await json('revoke', './branch.crt', '--ca', './ca', '--reason', 'superseded')).toMatchObject({
      revoked: 1,
    });
    // Twice is once, and making the list anew forgets nothing.
    expect(await json('revoke', './branch.crt', '--ca', './ca')).toMatchObject({ revoked: 1 });
    expect(await json('revoke', './ca.crl', '--ca', './ca')).toMatchObject({ revoked: 1 });
    expect(openssl('crl', '-in', 'ca.crl', '-noout', '-text')).toMatch(/Superseded/);
    const verify = () => openssl('verify', '-crl_check', '-CAfile', 'ca.crt', '-CRLfile', 'ca.crl', 'branch.crt');
    expect(verify).toThrow(/certificate revoked/);
    expect(await json('export', './hq.example', '--ca', './ca', '--passphrase-file', './passphrase')).toMatchObject({
      file: path('hq.example.p12'),
    });
    expect(statSync(path('hq.example.p12')).mode & 0o777).toBe(0o600);
    const p12 = openssl('pkcs12', '-in', 'hq.example.p12', '-nodes', '-passin', 'file:passphrase');
    expect(p12.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    const shown = await certificate('show', './hq.example.p12', './ca.crl', '--passphrase-file', './passphrase');
    expect(shown.stdout).toMatch(/certificate "CN=hq\.example"\n {2}for +hq\.example, 192\.0\.2\.1/);
    expect(shown.stdout).toMatch(
      /private key: ECDSA with P-256\nrevocation list of "C=DE, O=Acme, CN=Acme CA": 1 revoked/,
    );
  });

  it('keeps what is there, unless it is told not to', async () => {
    await certificate('create-ca', './one');
    const before = readFileSync(path('one.key'), 'utf8');
    const again = await certificate('create-ca', './one');
    expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/one\.crt is there already .*--force/) });
    expect(readFileSync(path('one.key'), 'utf8')).toBe(before);
    expect((await certificate('create-ca', './one', '--force')).code).toBe(0);
    expect(readFileSync(path('one.key'), 'utf8')).not.toBe(before);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it.each([
    [['certificate', 'isue', 'x'], /there is no "culvert certificate isue": choose one of .*did you mean "issue"/],
    [['certificate', 'issue', 'x', 'y', '--ca', 'z'], /"y" is one argument too many/],
    [['certificate', 'issue', 'x.example'], /--ca NAME is needed/],
    [
      ['certificate', 'create-ca', 'x', '--ca', 'y'],
      /"culvert certificate create-ca" has no option --ca: it takes --subject/,
    ],
    [['certificate', 'create-ca', 'x', '--subject', 'Acme'], /--subject needs a distinguished name/],
    [['certificate', 'create-ca', 'x', '--days', '0'], /--days needs whole days/],
    [['certificate', 'create-ca', 'x', '--key-type', 'rsa-1024'], /no key type "rsa-1024": choose one of .*rsa-3072/],
    [['certificate', 'request', 'x'], /the request needs a name .*--names/],
    [['certificate', 'request', 'x', '--names', 'a b'], /"a b" in --names is neither/],
    [['certificate', 'import', 'x'], /write "culvert certificate import NAME FILE/],
    [['certificate', 'import', 'a.b', 'c'], /"a\.b" can be no name of a certificate/],
  ] as const)('%j is wrong usage', async (words, said) => {
    const { code, stderr } = await run(...words);
    expect(stderr).toMatch(said);
    expect(code).toBe(2);
  });

  it('says what is wrong with files', async () => {
    await certificate('create-ca', './two');
    await certificate('issue', './end', '--ca', './two', '--names', 'end.example');
    writeFileSync(path('junk'), 'hello');
    writeFileSync(path('junk.csr'), 'hello');
    const fails = async (...words: string[]) => (await certificate(...words)).stderr;
    expect(await fails('issue', './x.example', '--ca', './end')).toMatch(/end\.crt is no certificate of an authority/);
    expect(await fails('issue', './x.example', '--ca', './none')).toMatch(/none\.crt cannot be read/);
    expect(await fails('sign', './junk.csr', '--ca', './two')).toMatch(/junk\.csr is no request for a certificate/);
    expect(await fails('revoke', './junk', '--ca', './two')).toMatch(/no certificate, key or revocation list in/);
    expect(await fails('show', './junk')).toMatch(/no certificate, key or revocation list in .*PEM, DER or PKCS #12/);
    await certificate('create-ca', './three');
    expect(await fails('revoke', './end.crt', '--ca', './three')).toMatch(/"CN=end" is not of this authority/);
  });
});

describe('certificates of the router', () => {
  let bench: StoreBench;
  let api: ControlApi;

  beforeEach(async () => {
    bench = new StoreBench();
    const config = new RouterConfiguration({
      desk: bench.desk,
      store: bench.store,
      clock: bench.clock,
      version: '0.1.0',
      preview: async () => [],
      ready: Promise.resolve(),
      reset: async () => ({ ok: true }),
    });
    const logger = createLogger({ level: 'silent', secrets: () => [] });
    api = await startControlApi({
      socketPath: controlSocketPath(bench.directory),
      control: new FakeRouter(),
      config,
      logger,
    });
    await bench.start();
    vi.stubEnv('CULVERT_STATE_DIR', bench.directory);
    return async () => {
      vi.unstubAllEnvs();
      await api.close();
      await bench.end();
    };
  });

  it('are imported, shown, kept while the rest is changed by a file with stars, and used', async () => {
    await certificate('create-ca', './acme', '--subject', 'CN=Acme CA');
    await certificate('issue', './b', '--ca', './acme', '--names', 'b.example', '--days', '20');
    await certificate('revoke', './acme.crl', '--ca', './acme');
    const dry = await certificate('import', 'own', './b.crt', './b.key', '--dry-run');
    expect(dry.stdout).toMatch(/\+ ipsec\.certificates\.own\.key \(set\)/);
    const ca = await certificate('import', 'ca', './acme.crt', './acme.crl');
    expect(ca.stderr).toBe('');
    expect(ca.stdout).toMatch(
      /ipsec\.certificates\.ca is "CN=Acme CA", an authority, for "authorities" of a connection/,
    );
    const own = await certificate('import', 'own', './b.crt', './b.key');
    expect(own.stdout).toMatch(/ipsec\.certificates\.own is "CN=b", with its key, for "certificate" of a connection/);
    expect(own.stdout).not.toContain('PRIVATE KEY');

    const shown: Record<string, Record<string, unknown>> = JSON.parse((await run('show', 'config')).stdout);
    const { ipsec } = shown;
    const connections = {
      hq: {
        remote: '192.0.2.2',
        certificate: 'own',
        authorities: ['ca'],
        localSubnets: ['10.1.0.0/16'],
        remoteSubnets: ['10.2.0.0/16'],
      },
    };
    writeFileSync(path('changed.json'), JSON.stringify({ ...shown, ipsec: { ...ipsec, connections } }));
    const applied = await run('apply', path('changed.json'));
    expect(applied.stderr).toBe('');
    expect(applied.code).toBe(0);

    const text = (await run('show', 'certificates')).stdout;
    expect(text).toMatch(
      /^NAME +KIND +SUBJECT +FOR +UNTIL +USED BY\nca +authority +CN=Acme CA +- +\S+ +hq\nown +with key +CN=b +b\.example/,
    );
    expect(text).toMatch(/the certificate "CN=b" \("own"\) expires in (19|20) days, on .*: have it renewed/);
    expect(JSON.parse((await run('show', 'certificates', '--json')).stdout)).toMatchObject([
      { name: 'ca', hasKey: false, authority: true, usedBy: ['hq'], concerns: [], revoked: 0 },
      {
        name: 'own',
        hasKey: true,
        names: ['b.example'],
        usedBy: ['hq'],
        concerns: [expect.stringMatching(/expires in/)],
      },
    ]);
    const stored = bench.desk.inForce.ipsec.certificates['own']?.key;
    expect(stored).toBe(readFileSync(path('b.key'), 'utf8'));
  });

  it('come from PKCS #12 as well, with their authority under a name of its own', async () => {
    await certificate('create-ca', './p', '--subject', 'CN=P CA');
    await certificate('issue', './q', '--ca', './p', '--names', 'q.example');
    await certificate('export', './q', '--ca', './p', '--passphrase-file', './passphrase');
    const needs = await certificate('import', 'q', './q.p12');
    expect(needs).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/q\.p12 is under a passphrase: .*--passphrase-file/),
    });
    const own = await certificate('import', 'q', './q.p12', '--passphrase-file', './passphrase');
    expect(own.stdout).toMatch(/has the authority "CN=P CA" in it as well: .*--authority/);
    const ca = await certificate('import', 'p', './q.p12', '--authority', '--passphrase-file', './passphrase');
    expect(ca.stderr).toBe('');
    expect(ca.stdout).toMatch(/ipsec\.certificates\.p is "CN=P CA", an authority/);
  });

  it('are not imported over a draft of somebody', async () => {
    await certificate('create-ca', './d');
    await new ConfigurationClient(bench.directory).editCandidate('{}', 'x', { who: 'bob', via: 'web' }, false);
    const { code, stderr } = await certificate('import', 'd', './d.crt');
    expect(stderr).toMatch(/nothing was changed: bob works on a draft/);
    expect(code).toBe(1);
  });
});

describe('the command', () => {
  it.each(['from its sources', 'bundled'])('works as a process of its own, %s', async (how) => {
    // In the checkout: native packages are found from there.
    const output = join(ROOT, `build/certificate-test-${process.pid}`);
    const main = how === 'bundled' ? join(output, 'main.mjs') : join(ROOT, 'firmware/cli/main.ts');
    try {
      if (how === 'bundled') await bundleProgram(join(ROOT, 'firmware/cli/main.ts'), output);
      const words = ['certificate', 'create-ca', path('process'), '--key-type', 'ed25519', '--force'];
      const stdout = execFileSync(process.execPath, [main, ...words], { encoding: 'utf8' });
      expect(stdout).toMatch(/process\.crt: "CN=process", until .*; its key is in .*process\.key, for you only/);
    } finally {
      rmSync(output, { recursive: true, force: true });
    }
  });
});
