import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseSyslog } from '../../support/syslog-parser.ts';
import { DAY, Workshop } from '../certificates/test-authority.ts';
import { MARK, SyslogBench, SyslogListener } from './syslog-bench.ts';

let bench: SyslogBench;
const listeners: SyslogListener[] = [];
const workshop = new Workshop();
afterAll(() => workshop.remove());

beforeEach(() => {
  bench = new SyslogBench();
});

afterEach(async () => {
  await bench.end();
  for (const listener of listeners.splice(0)) await listener.stop();
});

async function listen(...tls: ConstructorParameters<typeof SyslogListener>): Promise<SyslogListener> {
  const listener = await new SyslogListener(...tls).start();
  listeners.push(listener);
  return listener;
}

const tcp = (listener: SyslogListener) => ({ address: '127.0.0.1', port: listener.port, transport: 'tcp' });

describe('a syslog server by TCP', () => {
  it('gets the lines since the start of the router, then all others, in order and once', async () => {
    bench.logger.info('early boot');
    bench.logger.warn({ connection: 'hq' }, 'no uplink');
    const server = await listen();
    bench.follow({ office: { ...tcp(server), facility: 'local3' } });
    await bench.until('the boot', () => server.messages.length >= 2);
    for (let index = 0; index < 100; index += 1) bench.logger.info(`line ${index}`);
    await bench.until('all lines', () => server.texts.includes('line 99'));
    expect(server.texts.filter((text) => !text.startsWith('log lines reach'))).toEqual([
      'early boot',
      'no uplink',
      ...Array.from({ length: 100 }, (_, index) => `line ${index}`),
    ]);
    expect(server.messages[1]).toMatchObject({
      priority: 19 * 8 + 4,
      hostName: 'branch-12',
      appName: 'culvert',
      processId: '77',
      messageId: 'connection',
      timestamp: '2026-01-01T00:00:00.000Z',
    });
    expect(server.connections).toBe(1);
    expect(bench.desk.servers).toMatchObject([{ name: 'office', up: true, queued: 0, dropped: 0 }]);
    expect(bench.asked).toEqual([{ address: '127.0.0.1', port: server.port, mark: MARK }]);
  });

  it('is found again after it was away, and gets what was said meanwhile', async () => {
    const server = await listen();
    bench.follow({ office: tcp(server) });
    await bench.until('the first line', () => bench.desk.servers[0]?.up === true);
    await server.stop();
    await bench.until('the complaint', () => bench.desk.warnings.length > 0);
    expect(bench.desk.warnings[0]).toMatch(
      /^no log lines reach the syslog server "office" \(127\.0\.0\.1 port \d+, TCP\): (connect|send): .*; .*/,
    );
    for (let index = 0; index < 20; index += 1) bench.logger.info(`meanwhile ${index}`);
    await bench.pass(30_000);
    await server.start();
    await bench.until('the lines', () => server.texts.includes('meanwhile 19'));
    const meanwhile = server.texts.filter((text) => text.startsWith('meanwhile'));
    expect(meanwhile).toEqual(Array.from({ length: 20 }, (_, index) => `meanwhile ${index}`));
    expect(bench.desk.warnings).toEqual([]);
    await bench.until('the relief', () => server.texts.includes('log lines reach the syslog server "office" again'));
  });

  it('is told how many lines are missing, where they are', async () => {
    const server = await listen();
    await server.stop();
    bench.follow({ office: tcp(server) });
    for (let index = 0; index < 3_000; index += 1) bench.logger.info(`line ${index}`);
    await server.start();
    await bench.until('the end', () => server.texts.includes('line 2999'));
    const [note, first] = server.messages;
    const dropped = Number(note?.data['culvert@32473']?.['dropped']?.[0]);
    expect(note).toMatchObject({ messageId: 'dropped', timestamp: first?.timestamp });
    expect(dropped).toBeGreaterThan(1_000);
    const numbers = server.texts.flatMap((text) => /^line (\d+)$/.exec(text)?.[1] ?? []).map(Number);
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => 3_000 - numbers.length + index));
    expect(bench.desk.servers[0]?.dropped).toBe(dropped);
  });

  it('that ends each connection at once does not fill the log with itself', async () => {
    const server = await listen();
    server.hostile = true;
    bench.follow({ office: tcp(server) });
    await bench.pass(120_000);
    expect(server.connections).toBeGreaterThan(10);
    expect(server.connections).toBeLessThan(60);
    expect(bench.said.filter((line) => line.includes('syslog server')).length).toBeLessThan(4);
  });

  it('gets the last lines when the router ends', async () => {
    const server = await listen();
    bench.follow({ office: tcp(server) });
    await bench.until('the connection', () => bench.desk.servers[0]?.up === true);
    bench.logger.info('the router ends');
    await bench.end();
    await bench.until('the last line', () => server.texts.includes('the router ends'));
    expect(bench.clock.nextTimer).toBeUndefined();
  });

  it('gets no secret, wherever one was logged', async () => {
    bench.secrets.push('hunter22');
    const server = await listen();
    bench.follow({ office: tcp(server) });
    bench.logger.info({ note: 'hunter22', deep: { a: ['hunter22'] }, password: 'pw' }, 'said %s', 'hunter22');
    bench.logger.error({ err: new Error('hunter22 is wrong') }, 'the end');
    await bench.until('the lines', () => server.texts.includes('the end'));
    const all = JSON.stringify(server.messages);
    expect(all).not.toMatch(/hunter22|"pw"/);
    expect(all).toContain('[secret]');
  });
});

describe('a change of the configuration', () => {
  it('leaves a server that is the same alone, and has what waits sent by the new settings', async () => {
    const [kept, gone, fresh] = [await listen(), await listen(), await listen()];
    await gone.stop();
    bench.follow({ kept: tcp(kept), moved: tcp(gone) });
    bench.logger.info('for both');
    await bench.until('the kept one', () => kept.texts.includes('for both'));
    bench.follow({ kept: tcp(kept), moved: { ...tcp(fresh), facility: 'local7' } });
    bench.logger.info('afterwards');
    await bench.until('the lines', () => fresh.texts.includes('afterwards') && kept.texts.includes('afterwards'));
    expect(fresh.texts.indexOf('for both')).toBeGreaterThanOrEqual(0);
    expect(fresh.messages.every(({ priority }) => priority >> 3 === 23)).toBe(true);
    expect(kept.connections).toBe(1);
    expect(kept.texts.filter((text) => text === 'for both')).toHaveLength(1);
  });

  it('ends what is not wanted any more, and nothing of it comes back', async () => {
    const server = await listen();
    bench.follow({ office: tcp(server) });
    await bench.until('the connection', () => bench.desk.servers[0]?.up === true);
    bench.follow({});
    bench.logger.info('for nobody');
    await bench.pass(10_000);
    expect(server.texts).not.toContain('for nobody');
    expect(bench.desk.servers).toEqual([]);
    expect(bench.clock.nextTimer).toBeUndefined();
  });

  it('has each server get the level that it wants, and the host name that holds', async () => {
    const [all, grave] = [await listen(), await listen()];
    const servers = { all: tcp(all), grave: { ...tcp(grave), level: 'error' } };
    bench.logger.info('a');
    bench.logger.error('b');
    bench.follow(servers);
    bench.logger.warn('c');
    bench.logger.fatal('d');
    await bench.until('the lines', () => all.texts.includes('d') && grave.texts.includes('d'));
    expect(grave.texts).toEqual(['b', 'd']);
    bench.follow(servers, 'branch-13');
    bench.logger.error('e');
    await bench.until('the lines', () => grave.texts.includes('e'));
    expect(grave.messages.at(-1)?.hostName).toBe('branch-13');
  });
});

describe('a syslog server by UDP', () => {
  const messages = () => bench.dataPlane.sent.map(({ bytes }) => parseSyslog(bytes));

  it('is sent a message in each datagram, by a marked socket of the data plane', async () => {
    bench.logger.info('early boot');
    bench.follow({ office: { address: '192.0.2.5' } });
    bench.logger.info('Zürich');
    await bench.until('the lines', () => messages().length >= 2);
    expect([...bench.dataPlane.sockets.values()]).toMatchObject([
      { purpose: 'datagram', family: 4, port: 0, mark: MARK },
    ]);
    expect(bench.dataPlane.sent[0]?.path).toEqual({
      remote: { address: '192.0.2.5', port: 514 },
      local: { address: '0.0.0.0', port: 0 },
    });
    expect(messages().map(({ text }) => text)).toEqual(['early boot', 'Zürich']);
    expect(messages()[1]?.byteOrderMark).toBe(true);
  });

  it('behind a tunnel is reached by all routes', async () => {
    bench.logger.info('x');
    bench.addresses = ['fd00:99::5'];
    bench.follow({ office: { address: 'fd00:99::5', route: 'tunnels' } });
    await bench.until('the line', () => messages().length > 0);
    expect([...bench.dataPlane.sockets.values()]).toMatchObject([{ family: 6, address: '::', mark: 0 }]);
  });

  it('is sent nothing but a try now and then while the network says that it is not there', async () => {
    bench.logger.info('early boot');
    bench.follow({ office: { address: '192.0.2.5' } });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const tried = messages().length;
      await bench.until('a try', () => messages().length > tried);
      const [socket] = [...bench.dataPlane.sockets.keys()];
      const remote = { address: '192.0.2.5', port: 514 };
      bench.dataPlane.listener({ kind: 'path-error', socket: socket ?? 0, remote, code: 'ENETUNREACH' });
    }
    expect(new Set(messages().map(({ text }) => text))).toEqual(new Set(['early boot']));
    expect(bench.desk.warnings).toEqual([
      expect.stringMatching(/UDP\): send: there is no route to it; check the uplink/),
    ]);
    bench.logger.info('later');
    await bench.until('the lines', () => messages().some(({ text }) => text === 'later'));
    await bench.pass(1_000);
    expect(bench.desk.warnings).toEqual([]);
    expect(bench.dataPlane.sockets.size).toBe(1);
  });

  it('costs nothing but an attempt when the data plane has lost its socket', async () => {
    bench.follow({ office: { address: '192.0.2.5' } });
    await bench.until('the socket', () => bench.dataPlane.sockets.size > 0);
    bench.dataPlane.sockets.clear();
    bench.logger.info('early boot');
    await bench.until('the line', () => messages().some(({ text }) => text === 'early boot'));
    expect(bench.said.filter((line) => /no log lines reach .* send: there is no socket/.test(line))).toHaveLength(1);
  });

  it('keeps its lines while its name has no address', async () => {
    const remedy = 'check the DNS servers';
    bench.addresses = { step: 'resolve', reason: 'no DNS server answered', remedy };
    bench.logger.info('early boot');
    bench.follow({ office: { address: 'log.example' } });
    await bench.pass(30_000);
    expect(bench.desk.warnings).toEqual([expect.stringMatching(/resolve: no DNS server answered; check the DNS/)]);
    bench.addresses = ['192.0.2.7', '192.0.2.8'];
    await bench.until('the line', () => messages().length > 0);
    expect(messages()[0]?.text).toBe('early boot');
    expect(bench.resolved.length).toBeLessThan(20);
  });
});

describe('a syslog server by TLS', () => {
  const now = Date.now();
  const authority = workshop.authority('/CN=Log authority', { notBefore: now - DAY, notAfter: now + DAY });
  const issue = (names: string, times: { notBefore?: number; notAfter?: number } = {}) => {
    const issued = authority.issue({
      subject: '/CN=log',
      notBefore: now - DAY,
      notAfter: now + DAY,
      ...times,
      extensions: [`subjectAltName=${names}`, 'extendedKeyUsage=serverAuth'],
    });
    return { cert: issued.pem, key: issued.keyPem };
  };
  const tls = (listener: SyslogListener, more: object = {}) => ({
    ...tcp(listener),
    transport: 'tls',
    ca: authority.own.pem,
    ...more,
  });

  it('gets lines when its certificate has the name, and the authority is known', async () => {
    const server = await listen(issue('DNS:log.example'));
    bench.logger.info('early boot');
    bench.follow({ office: tls(server, { address: 'log.example' }) });
    await bench.until('the line', () => server.texts.includes('early boot'));
    expect(bench.resolved).toContain('log.example');
    await bench.until('the state', () => bench.desk.servers[0]?.up === true);
    await server.stop();
    await server.start();
    bench.logger.info('after its restart');
    await bench.until('the line', () => server.texts.includes('after its restart'));
  });

  it.each([
    ['its address', 'IP:127.0.0.1', {}],
    ['the name that was told', 'DNS:log.example', { serverName: 'log.example' }],
  ])('may be known by %s', async (_, names, more) => {
    const server = await listen(issue(names));
    bench.logger.info('early boot');
    bench.follow({ office: tls(server, more) });
    await bench.until('the line', () => server.texts.includes('early boot'));
  });

  it.each<[string, string, object, { notBefore?: number; notAfter?: number }, RegExp]>([
    ['is for another name', 'DNS:other.example', {}, {}, /TLS: its certificate is for another name; set "serverName"/],
    ['is for another address', 'IP:127.0.0.2', {}, {}, /TLS: its certificate is for another name/],
    [
      'is of an unknown authority',
      'IP:127.0.0.1',
      { ca: undefined },
      {},
      /TLS: .*(authority that is not known here|no known authority).*; set "ca"/,
    ],
    [
      'has expired',
      'IP:127.0.0.1',
      {},
      { notBefore: now - 3 * DAY, notAfter: now - DAY },
      /its certificate has expired/,
    ],
    [
      'is not valid yet',
      'IP:127.0.0.1',
      {},
      { notBefore: now + DAY, notAfter: now + 2 * DAY },
      /is not valid yet; set/,
    ],
  ])('gets nothing when its certificate %s', async (_, names, more, times, words) => {
    const server = await listen(issue(names, times));
    bench.logger.info('early boot');
    bench.follow({ office: tls(server, more) });
    await bench.until('the refusal', () => bench.desk.warnings.length > 0);
    expect(bench.desk.warnings[0]).toMatch(words);
    await bench.pass(20_000);
    expect(server.messages).toEqual([]);
  });

  it('that is none is called so', async () => {
    const server = await listen();
    server.greeting = 'HTTP/1.1 400 Bad Request\r\n\r\n';
    bench.follow({ office: tls(server) });
    await bench.until('the refusal', () => bench.desk.warnings.length > 0);
    expect(bench.desk.warnings[0]).toMatch(/TLS\): TLS: it does not speak TLS there; check the port/);
    expect(server.messages).toEqual([]);
  });
});
