/** The log and the metrics of a router, as Debian's rsyslog and a client of HTTP get them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LabAuthority } from '../../scripts/lab/certificates.ts';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { connect, createNamespace, type Namespace } from '../../scripts/lab/namespaces.ts';
import { Rsyslog, type RsyslogMessage } from '../../scripts/lab/rsyslog.ts';
import { run } from '../../scripts/lab/shell.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { parseExposition } from '../support/exposition-parser.ts';

const ROUTER = '10.20.0.9';
const COLLECTOR = '10.20.0.5';
const TOKEN = 'scrape me if you can';
const WAYS = ['udp', 'tcp', 'tls'] as const;

let authority: LabAuthority;
let branch: Namespace;
let centre: Namespace;
let router: LabCulvert;
let rsyslog: Rsyslog;

const document = (more: object = {}) => ({
  system: {
    hostname: 'branch-12',
    syslog: {
      one: { address: COLLECTOR, transport: 'udp', facility: 'local1' },
      two: { address: COLLECTOR, transport: 'tcp' },
      three: { address: COLLECTOR, transport: 'tls', ca: authority.pem, serverName: 'log.example' },
    },
    metrics: { listen: '127.0.0.1', token: TOKEN },
    ...more,
  },
  interfaces: { wan: { device: 'eth0', zone: 'wan', ipv4: { method: 'static', address: `${ROUTER}/24` } } },
  l2tp: {
    clients: { zurich: { server: '10.20.0.77', user: 'alice', password: 'a secret of alice', start: 'manual' } },
  },
});

beforeAll(async () => {
  authority = await LabAuthority.create('Log authority');
  const certificate = await authority.issue({ kind: 'ecdsa', name: 'log.example' });
  [branch, centre] = await Promise.all([createNamespace('branch'), createNamespace('centre')]);
  await connect(
    { namespace: branch, device: 'eth0' },
    { namespace: centre, device: 'eth0', addresses: [`${COLLECTOR}/24`] },
  );
  router = new LabCulvert({ name: 'branch', namespace: branch, configuration: document() });
  rsyslog = new Rsyslog({ namespace: centre, address: COLLECTOR, authority: authority.pem, certificate });
  // The router is there first: nobody listens when its first lines are made.
  await router.start();
}, 60_000);

afterAll(async () => {
  await Promise.all([router?.remove(), rsyslog?.remove()]);
  authority?.remove();
});

function received(way: string, text: RegExp): readonly RsyslogMessage[] {
  return rsyslog.messages.filter(({ inputname, msg }) => inputname === way && text.test(msg));
}

async function waitForAll(text: RegExp, count = 1): Promise<void> {
  await waitFor(
    `${count} of ${text} by UDP, TCP and TLS`,
    () => WAYS.every((way) => received(way, text).length >= count),
    {
      timeoutMs: 60_000,
    },
  );
}

async function scrape(): Promise<ReturnType<typeof parseExposition>> {
  const fetched = `const answer = await fetch('http://127.0.0.1:9190/metrics', { headers: { authorization: process.argv[1] } });
    if (!answer.ok) throw new Error(String(answer.status)); process.stdout.write(await answer.text())`;
  return parseExposition(
    await run(branch.command(process.execPath, '--input-type=module', '-e', fetched, `Bearer ${TOKEN}`)),
  );
}

describe('rsyslog', () => {
  it('gets the lines of the early boot by UDP, TCP and TLS, though it was not there then, each once', async () => {
    await waitFor('the complaints', async () => (await router.status()).warnings.length === 3);
    await rsyslog.start();
    await waitForAll(/the router runs/);
    const status = await router.status();
    for (const way of WAYS) {
      const [line, more] = received(way, /the router runs/);
      expect(more).toBeUndefined();
      expect(line).toMatchObject({
        hostname: 'branch-12',
        'app-name': 'culvert',
        procid: String(router.pid),
        msgid: 'router',
        pri: way === 'udp' ? String(17 * 8 + 6) : String(3 * 8 + 6),
        'structured-data': `[culvert@32473 version="${status.version}" board="simulated"]`,
      });
      expect(Date.parse(line?.timereported ?? '')).toBeGreaterThan(Date.now() - 600_000);
    }
  });

  it('gets what is said while it is away, when it is back', async () => {
    await waitFor('all ways', async () => (await router.status()).warnings.length === 0, { timeoutMs: 60_000 });
    await rsyslog.stop();
    // A connection that fails says so in several lines.
    await router.culvert('connect', 'zurich');
    await rsyslog.start();
    for (const way of ['tcp', 'tls']) {
      await waitFor(`the failure by ${way}`, () => received(way, /^failed: SCCRQ/).length === 1, { timeoutMs: 60_000 });
    }
    const [line] = received('tcp', /^failed: SCCRQ/);
    expect(line).toMatchObject({ msgid: 'connection', pri: String(3 * 8 + 4) });
    expect(line?.['structured-data']).toContain('connection="zurich"');
  });

  it('gets the boot of a router that was killed and comes back', async () => {
    await router.end('SIGKILL');
    await router.start();
    await waitForAll(/the router runs/, 2);
    for (const way of WAYS) expect(received(way, /the router runs/).at(-1)?.procid).toBe(String(router.pid));
  });

  it('gets the last lines of a router that ends, and no secret at any time', async () => {
    await waitFor('all ways', async () => (await router.status()).warnings.length === 0, { timeoutMs: 60_000 });
    const families = await scrape();
    expect(families.get('culvert_syslog_up')?.samples.map(({ value }) => value)).toEqual([1, 1, 1]);
    const wan = families
      .get('culvert_network_transmit_bytes_total')
      ?.samples.find(({ labels }) => labels['name'] === 'wan');
    expect(wan?.value).toBeGreaterThan(1_000);
    await router.end();
    await waitForAll(/the router ends/);
    const all = JSON.stringify(rsyslog.messages);
    expect(all).not.toContain('a secret of alice');
    expect(all).not.toContain(TOKEN);
  });
});
