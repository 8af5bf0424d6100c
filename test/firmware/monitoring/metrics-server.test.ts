import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type MetricsListener, MetricsServer } from '../../../firmware/monitoring/metrics-server.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';

const clock = new SimulatedClock();
const closing: (() => unknown)[] = [];
const said: string[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  said.length = 0;
});

async function serve(
  listener: Partial<MetricsListener> = {},
  page = async () => 'culvert_up 1\n',
): Promise<MetricsServer> {
  // Any port, which no configuration can ask for.
  const server = new MetricsServer(
    { listen: '127.0.0.1', port: 0, ...listener },
    { clock, page, log: (level, line) => said.push(`${level}: ${line}`) },
  );
  closing.push(() => server.stop());
  await server.start();
  return server;
}

async function ask(server: MetricsServer, options: RequestOptions = {}, body = '') {
  const sent = request({ host: '127.0.0.1', port: server.port, path: '/metrics', agent: false, ...options });
  sent.on('error', () => undefined);
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, headers: response.headers, text };
}

async function raw(server: MetricsServer, octets: string): Promise<{ socket: Socket; closed: Promise<string> }> {
  const socket = connect({ host: '127.0.0.1', port: server.port ?? 0 });
  closing.push(() => socket.destroy());
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(octets);
  return { socket, closed: once(socket, 'close').then(() => text) };
}

describe('the listener for Prometheus', () => {
  it('serves one page, to GET and HEAD', async () => {
    const server = await serve();
    expect(await ask(server)).toMatchObject({
      status: 200,
      text: 'culvert_up 1\n',
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'content-length': '13' },
    });
    expect(await ask(server, { path: '/metrics?name[]=x' })).toMatchObject({ status: 200 });
    expect(await ask(server, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    expect(await ask(server, { path: '/' })).toMatchObject({
      status: 404,
      text: 'there is nothing but /metrics here\n',
    });
    expect(await ask(server, { method: 'POST' }, 'x')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect(Object.fromEntries(server.refused)).toEqual({ 'not-found': 1, method: 1 });
  });

  it.each([
    [undefined, 401],
    ['Bearer wrong', 401],
    ['Bearer ', 401],
    ['Basic c2NyYXBlIG1l', 401],
    ['Bearer scrape-me', 200],
    ['bearer  scrape-me', 200],
    [`Bearer scrape-me${'x'.repeat(1000)}`, 401],
  ])('with a token answers %s with %i', async (authorization, status) => {
    const server = await serve({ token: 'scrape-me' });
    const headers = authorization === undefined ? {} : { authorization };
    for (const path of ['/metrics', '/other']) {
      // Who has no token learns nothing of what there is.
      const expected = status === 200 && path === '/other' ? 404 : status;
      const answer = await ask(server, { path, headers });
      expect(answer.status).toBe(expected);
      if (status === 401) expect(answer.headers['www-authenticate']).toBe('Bearer');
      expect(answer.text).not.toContain('scrape-me');
    }
  });

  it('takes a token beyond ASCII as Prometheus sends it', async () => {
    const server = await serve({ token: 'Zürich-東京' });
    const authorization = Buffer.from('Bearer Zürich-東京', 'utf8').toString('latin1');
    expect(await ask(server, { headers: { authorization } })).toMatchObject({ status: 200 });
  });

  it('makes one page for all who wait for it, and refuses more than it has places for', async () => {
    const gate = Promise.withResolvers<string>();
    let made = 0;
    const server = await serve({}, () => {
      made += 1;
      return gate.promise;
    });
    const answers = Array.from({ length: 6 }, () => ask(server));
    while (server.refused.get('busy') !== 2) await new Promise((done) => setImmediate(done));
    expect(await Promise.any(answers)).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    gate.resolve('page\n');
    const all = await Promise.all(answers);
    expect(all.filter(({ status, text }) => status === 200 && text === 'page\n')).toHaveLength(4);
    expect(made).toBe(1);
    expect(await ask(server)).toMatchObject({ status: 200 });
  });

  it('says so when the page cannot be made, and goes on', async () => {
    let broken = true;
    const server = await serve({}, async () => {
      if (broken) throw new Error('no status');
      return 'page\n';
    });
    expect(await ask(server)).toMatchObject({ status: 500 });
    expect(said).toEqual(['error: the metrics could not be gathered: no status']);
    broken = false;
    expect(await ask(server)).toMatchObject({ status: 200 });
  });

  it('refuses a header that is too large, and what is no HTTP', async () => {
    const server = await serve();
    const large = await raw(server, `GET /metrics HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(8_192)}\r\n\r\n`);
    expect(await large.closed).toMatch(/^HTTP\/1\.1 431 /);
    const other = await raw(server, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n');
    expect(await other.closed).toMatch(/^HTTP\/1\.1 400 /);
    expect(await ask(server)).toMatchObject({ status: 200 });
  });

  it('ends a connection on which no request arrives', { timeout: 30_000 }, async () => {
    const server = await serve();
    const [silent, slow] = [await raw(server, ''), await raw(server, 'GET /metrics HTTP/1.1\r\nHost: ')];
    const begun = performance.now();
    await Promise.all([silent.closed, slow.closed]);
    expect(performance.now() - begun).toBeLessThan(20_000);
  });

  it('takes only so many connections at a time', async () => {
    const server = await serve();
    const connections: { socket: Socket; closed: Promise<string> }[] = [];
    for (let count = 0; count < 16; count += 1) connections.push(await raw(server, 'GET /metrics HTTP/1.1\r\n'));
    const more = await raw(server, '');
    await more.closed;
    expect(connections.every(({ socket }) => !socket.destroyed)).toBe(true);
    for (const { socket } of connections) socket.destroy();
  });

  it('tries again when its address or port is not to be had, and says why once', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const server = await serve({ port });
    expect(server.failure).toBe(
      `metrics cannot be served on 127.0.0.1 port ${port}: another program has this port: stop it, or choose another one`,
    );
    clock.advance(10_000);
    other.close();
    await once(other, 'close');
    for (let turn = 0; server.failure !== undefined && turn < 10_000; turn += 1) {
      await new Promise((done) => setImmediate(done));
      if (turn % 10 === 9) clock.advance(1_000);
    }
    expect(await ask(server)).toMatchObject({ status: 200 });
    expect(said).toEqual([
      expect.stringMatching(/^warn: .* another program has this port/),
      `info: metrics are served on 127.0.0.1 port ${port}`,
    ]);
    await server.stop();
    expect(clock.nextTimer).toBeUndefined();
  });

  it('waits for an address that this machine does not have', async () => {
    const server = await serve({ listen: '192.0.2.77' });
    expect(server.failure).toMatch(
      /on 192\.0\.2\.77 port 0: this router does not have the address now: check the interface/,
    );
    await server.stop();
    expect(clock.nextTimer).toBeUndefined();
  });
});
