import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseExposition } from '../../support/exposition-parser.ts';
import { parseSyslog } from '../../support/syslog-parser.ts';
import { RouterBench } from './router-bench.ts';

let bench: RouterBench;
beforeEach(async () => {
  bench = new RouterBench();
  await bench.network.recover();
  await bench.during(bench.desk.start());
});
afterEach(() => bench.end());

/** A port that nobody has at the moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function scrape(port: number, token?: string): Promise<{ status: number | undefined; text: string }> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const sent = get({ host: '127.0.0.1', port, path: '/metrics', agent: false, headers });
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, text };
}

const file = (system: object) => {
  const whole = JSON.parse(bench.file({}));
  return JSON.stringify({ ...whole, system: { ...whole.system, ...system } });
};
const datagrams = () => bench.dataPlane.sent.map(({ path, bytes }) => ({ path, ...parseSyslog(bytes) }));

describe('metrics of a running router', () => {
  it('come and go with the configuration in force', async () => {
    const port = await freePort();
    expect(bench.monitoring.metricsPort).toBeUndefined();
    expect(await bench.commit(file({ metrics: { listen: '127.0.0.1', port } }))).toMatchObject({
      ok: true,
      failures: [],
    });
    const { status, text } = await scrape(port);
    expect(status).toBe(200);
    const families = parseExposition(text);
    expect(families.get('culvert_connection_up')?.samples).toEqual([
      { name: 'culvert_connection_up', labels: { kind: 'interface', name: 'wan' }, value: 1 },
    ]);
    const token = 'scrape me if you can';
    await bench.commit(file({ metrics: { listen: '127.0.0.1', port, token } }));
    expect((await scrape(port)).status).toBe(401);
    expect((await scrape(port, token)).status).toBe(200);
    expect(bench.ring.lines().join('\n')).not.toContain(token);
    await bench.commit(file({}));
    await expect(scrape(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('that cannot be served are told with the commit and in the status', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const outcome = await bench.commit(file({ metrics: { listen: '127.0.0.1', port } }));
    const words = expect.stringMatching(
      /^metrics cannot be served on 127\.0\.0\.1 port \d+: another program has this port/,
    );
    expect(outcome).toMatchObject({ ok: true, failures: [words] });
    expect((await bench.router.status()).warnings).toEqual([words]);
    other.close();
  });
});

describe('remote syslog of a running router', () => {
  it('follows a commit without a restart, and has the secrets of no configuration in it', async () => {
    const metrics = { listen: '127.0.0.1', port: await freePort(), token: 'token-of-metrics' };
    await bench.commit(file({ metrics, syslog: { office: { address: '192.0.2.5' } } }));
    await bench.during(until(() => datagrams().length > 0));
    expect(bench.monitoring.warnings).toEqual([]);
    await bench.commit(file({ metrics, syslog: { office: { address: '192.0.2.6', facility: 'local1' } } }));
    bench.logger.warn({ note: 'token-of-metrics' }, 'after the commit');
    await bench.during(until(() => datagrams().some(({ text }) => text === 'after the commit')));
    const last = datagrams().find(({ text }) => text === 'after the commit');
    expect(last).toMatchObject({ priority: 17 * 8 + 4, hostName: 'bench' });
    expect(last?.path.remote).toEqual({ address: '192.0.2.6', port: 514 });
    expect(JSON.stringify(datagrams())).not.toContain('token-of-metrics');
  });

  it('leaves no socket and no timer when the router ends', async () => {
    await bench.commit(
      file({ syslog: { office: { address: '192.0.2.5' }, other: { address: '192.0.2.5', transport: 'tcp' } } }),
    );
    await bench.during(until(() => datagrams().length > 0));
    expect((await bench.router.status()).warnings).toEqual([
      expect.stringMatching(
        /^no log lines reach the syslog server "other" \(192\.0\.2\.5 port 601, TCP\): connect: nothing/,
      ),
    ]);
    await bench.during(bench.router.stop());
    expect(bench.dataPlane.leftovers).toBe(0);
    expect(bench.clock.nextTimer).toBeUndefined();
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((done) => setImmediate(done));
}
