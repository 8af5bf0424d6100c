import { describe, expect, it } from 'vitest';
import { connectionLogger, createLogger } from '../../../firmware/log/logger.ts';
import { LogRing } from '../../../firmware/log/ring.ts';
import { isAtLeast, levelOf, lostLines, syslogLine } from '../../../firmware/monitoring/syslog-line.ts';
import { parseSyslog } from '../../support/syslog-parser.ts';

const source = { facility: 'daemon', hostName: 'branch-12', processId: '77', maximum: 2048 } as const;

function said(write: (ring: ReturnType<typeof createLogger>) => void, ...secrets: string[]) {
  const ring = new LogRing();
  const logger = createLogger({
    ring,
    secrets: () => secrets,
    wall: () => Date.UTC(2026, 10, 27, 4, 5, 6, 7),
    level: 'debug',
    destination: { write: () => undefined },
  });
  write(logger);
  return ring.lines().map((line) => parseSyslog(syslogLine(line, source)));
}

describe('a line of the log as a message of syslog', () => {
  it('keeps time, level, message and connection', () => {
    expect(said((log) => connectionLogger(log, 'hq').warn({ sessionId: 3 }, 'failed: no answer'))).toEqual([
      {
        priority: 28,
        timestamp: '2026-11-27T04:05:06.007Z',
        hostName: 'branch-12',
        appName: 'culvert',
        processId: '77',
        messageId: 'connection',
        data: { 'culvert@32473': { connection: ['hq'], sessionId: ['3'] } },
        text: 'failed: no answer',
        byteOrderMark: false,
      },
    ]);
  });

  it.each([
    ['debug', 7],
    ['info', 6],
    ['warn', 4],
    ['error', 3],
    ['fatal', 2],
  ] as const)('has the severity of %s', (level, severity) => {
    const [message] = said((log) => log[level]('x'));
    expect(message).toMatchObject({ priority: 24 + severity, messageId: 'router', data: {} });
  });

  it('gives fields of fields names of their own, down to a bound', () => {
    const [message] = said((log) => log.info({ a: { b: { c: { d: 1 } } }, list: [1, 'x'], on: true, none: null }, 'm'));
    expect(message?.data).toEqual({
      'culvert@32473': { 'a.b.c': ['{"d":1}'], list: ['[1,"x"]'], on: ['true'], none: ['null'] },
    });
  });

  it('is one line, though an error has a stack, and no character in it is invisible', () => {
    const [message] = said((log) => log.error({ err: new Error('a\u001b[2J\u0000b') }, 'c\u202ed\ne'));
    const shown = JSON.stringify(message);
    expect(JSON.parse(shown).text).toBe('c\\u202ed\\ne');
    const octets = JSON.stringify([message?.text, message?.data]);
    expect(octets).toContain('u001b[2J');
    expect(message?.data['culvert@32473']?.['err.stack']?.[0]).not.toMatch(/\p{Cc}/u);
  });

  it('bounds the number of its parameters and the length of each', () => {
    const fields = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`f${index}`, 'x']));
    const [many] = said((log) => log.info(fields, 'm'));
    expect(Object.keys(many?.data['culvert@32473'] ?? {})).toHaveLength(32);
    const [long] = said((log) => log.info({ long: 'x'.repeat(1500) }, 'm'));
    expect(long?.data['culvert@32473']?.['long']?.[0]).toHaveLength(1024);
  });

  it('that is no JSON is a message all the same', () => {
    const message = parseSyslog(syslogLine('not json', source));
    expect(message).toMatchObject({ priority: 30, timestamp: '-', text: 'not json', data: {} });
  });

  it('has no secret in it, wherever one was logged', () => {
    const messages = said((log) => {
      log.info('said hunter22');
      log.info({ a: { b: 'hunter22' }, password: 'pw' }, 'x');
      log.info({ users: { hunter22: 1 } }, 'x');
      log.error({ err: new Error('hunter22 is wrong') }, 'x');
    }, 'hunter22');
    expect(messages).toHaveLength(4);
    expect(JSON.stringify(messages)).not.toMatch(/hunter22|"pw"/);
    expect(JSON.stringify(messages)).toContain('[secret]');
  });
});

describe('the note of lines that were dropped', () => {
  it('has the time of the line behind it', () => {
    const next = JSON.stringify({ level: 'info', time: '2026-11-27T04:05:06.007Z', msg: 'x' });
    expect(parseSyslog(lostLines(12, next, source))).toMatchObject({
      priority: 28,
      timestamp: '2026-11-27T04:05:06.007Z',
      messageId: 'dropped',
      data: { 'culvert@32473': { dropped: ['12'] } },
      text: expect.stringMatching(/^12 log lines were dropped here/),
    });
  });
});

describe('levels', () => {
  it('are compared by how grave they are', () => {
    const atLeast = (['info', 'warn', 'error'] as const).map((least) =>
      ['debug', 'info', 'warn', 'error', 'fatal'].filter((level) => isAtLeast(level, least)),
    );
    expect(atLeast).toEqual([
      ['info', 'warn', 'error', 'fatal'],
      ['warn', 'error', 'fatal'],
      ['error', 'fatal'],
    ]);
  });

  it('are those of the line, and info where it has none that is known', () => {
    expect(levelOf('{"level":"error"}')).toBe('error');
    for (const line of ['{"level":"constructor"}', '{"level":3}', '[]', 'x']) expect(levelOf(line)).toBe('info');
  });
});
