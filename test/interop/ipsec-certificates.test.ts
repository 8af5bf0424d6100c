/** Two Culverts that get their certificates by command alone, and one of them loses its certificate again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKOUT, type LabCulvert } from '../../scripts/lab/culvert.ts';
import { run } from '../../scripts/lab/shell.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { eachReachesEach, networksOf, type Site, Sites, wanOf } from './ipsec-sites.ts';
import { ipsecStatus, type Overlay, waitForIpsec } from './ipsec-support.ts';

let folder: string;
let sites: Sites;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'culvert-certificates-'));
  sites = await Sites.create();
});

afterAll(async () => {
  await sites.remove();
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string): string {
  return join(folder, name);
}

/** `culvert certificate ...words`, without a router. */
async function certificate(...words: readonly string[]): Promise<void> {
  await run([join(CHECKOUT, 'scripts/culvert'), 'certificate', ...words]);
}

/** `culvert ...words` for the router; it has to do what it is told. @returns stdout. */
async function culvert(router: LabCulvert, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await router.culvert(...words);
  expect({ code, stderr, words }).toMatchObject({ code: 0 });
  return stdout;
}

/** Changes what is in force as people do: shown with stars, edited, applied. */
async function connectTo({ router, number }: Site, other: number, overlay: Overlay): Promise<void> {
  const shown = JSON.parse(await culvert(router, 'show', 'config'));
  const connection = {
    remote: wanOf(other),
    certificate: 'own',
    authorities: ['acme'],
    localSubnets: networksOf(number),
    remoteSubnets: networksOf(other),
    ...overlay,
  };
  writeFileSync(
    file('changed.json'),
    JSON.stringify({ ...shown, ipsec: { ...shown.ipsec, connections: { peer: connection } } }),
  );
  await culvert(router, 'apply', file('changed.json'));
}

/** Waits for words like these in the status of the connection. */
async function said({ router }: Site, words: RegExp): Promise<void> {
  let last = '';
  const probe = async () => {
    const { reason = '', remedy = '' } = (await ipsecStatus(router, 'peer')) ?? {};
    last = `${reason}; ${remedy}`;
    return words.test(last);
  };
  await waitFor(`words like ${words}`, probe, { timeoutMs: 60_000 }).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : error}; said was: ${last}\n${router.log()}`);
  });
}

describe('two Culverts with certificates of an authority of their own', () => {
  it('reach each other, until one of the certificates is revoked, which both sides tell', async () => {
    const one = await sites.add(1, {});
    const two = await sites.add(2, {});
    await Promise.all([one.router.start(), two.router.start()]);

    await certificate('create-ca', file('acme'), '--subject', 'O=Acme, CN=Acme CA');
    await certificate('issue', file('one.example'), '--ca', file('acme'));
    await certificate('request', file('two'), '--names', 'two.example', '--subject', 'O=Acme, CN=two');
    await certificate('sign', file('two.csr'), '--ca', file('acme'));
    for (const [{ router }, name] of [
      [one, 'one.example'],
      [two, 'two'],
    ] as const) {
      await culvert(router, 'certificate', 'import', 'acme', file('acme.crt'));
      await culvert(router, 'certificate', 'import', 'own', file(`${name}.crt`), file(`${name}.key`));
    }
    await connectTo(one, 2, { remoteId: 'O=Acme, CN=two' });
    await connectTo(two, 1, { remoteId: 'one.example', localId: 'O=Acme, CN=two' });
    await eachReachesEach(one, two);
    expect((await waitForIpsec(one.router, 'peer', 'up')).peerIdentity).toBe('O=Acme, CN=two');
    expect((await waitForIpsec(two.router, 'peer', 'up')).peerIdentity).toBe('one.example');
    expect((await one.router.status()).warnings).toEqual([]);

    await certificate('revoke', file('two.crt'), '--ca', file('acme'), '--reason', 'key-compromise');
    await culvert(one.router, 'certificate', 'import', 'acme', file('acme.crt'), file('acme.crl'));
    await said(one, /"O=Acme, CN=two" was revoked by "O=Acme, CN=Acme CA" on .* because its key is in the wrong hands/);
    await said(two, /does not accept our identity O=Acme, CN=two with our certificate/);
  });
});
