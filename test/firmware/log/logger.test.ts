import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeInvisible } from '../../../firmware/log/escape-invisible.ts';
import { connectionLogger, createLogger, type Logger } from '../../../firmware/log/logger.ts';
import { MIN_SEARCHED_SECRET, redactLine, SECRET_MARK } from '../../../firmware/log/redact-line.ts';
import { LOG_RING_LINES, LogRing } from '../../../firmware/log/ring.ts';
import { printable } from '../../../firmware/protocol/printable.ts';

function capture(...secrets: string[]): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const logger = createLogger({ secrets: () => secrets, destination: { write: (line) => lines.push(line) } });
  return { logger, lines };
}

describe('the log', () => {
  it('is one JSON object per line with level, time and message', () => {
    const { logger, lines } = capture();
    logger.info({ tunnelId: 7 }, 'the tunnel is up');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', tunnelId: 7, msg: 'the tunnel is up' });
    expect(JSON.parse(lines[0] ?? '').time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('takes its time from whoever knows better than a board without a battery', () => {
    const lines: string[] = [];
    let now = Date.UTC(2026, 10, 21, 4, 5, 6, 7);
    const logger = createLogger({
      secrets: () => [],
      wall: () => now,
      destination: { write: (line) => lines.push(line) },
    });
    logger.info('one');
    now = Date.UTC(2027, 0, 1);
    connectionLogger(logger, 'hq').info('two');
    expect(lines.map((line) => JSON.parse(line).time)).toEqual([
      '2026-11-21T04:05:06.007Z',
      '2027-01-01T00:00:00.000Z',
    ]);
  });

  it('names the connection in every line of it', () => {
    const { logger, lines } = capture();
    const hq = connectionLogger(logger, 'hq');
    hq.info('one');
    hq.child({ sessionId: 3 }).warn('two');
    expect(lines.map((line) => JSON.parse(line).connection)).toEqual(['hq', 'hq']);
  });

  it('keeps every line in the ring too, behind the same filter', () => {
    const ring = new LogRing();
    const logger = createLogger({ secrets: () => ['hunter22'], ring, destination: { write: () => undefined } });
    logger.info('said hunter22');
    expect(ring.lines()).toHaveLength(1);
    expect(JSON.parse(ring.lines()[0] ?? '').msg).toBe(`said ${SECRET_MARK}`);
  });

  it('leaves out what is below its level', () => {
    const { logger, lines } = capture();
    logger.debug('detail');
    expect(lines).toEqual([]);
  });
});

describe('secrets in the log', () => {
  it.each([
    ['in a message', (log: Logger) => log.info('said tunnel-pw')],
    ['in a format argument', (log: Logger) => log.info('said %s', 'tunnel-pw')],
    ['in a field', (log: Logger) => log.info({ note: 'tunnel-pw' })],
    ['deep in a field', (log: Logger) => log.info({ a: { b: [{ c: ['tunnel-pw'] }] } })],
    ['in a key', (log: Logger) => log.info({ users: { 'tunnel-pw': 1 } })],
    ['in an error and its stack', (log: Logger) => log.error({ err: new Error('tunnel-pw is wrong') })],
    ['in the cause of an error', (log: Logger) => log.error(new Error('x', { cause: new Error('tunnel-pw') }))],
    ['in the bindings of a child', (log: Logger) => log.child({ peer: 'tunnel-pw' }).info('x')],
    ['in the name of a connection', (log: Logger) => connectionLogger(log, 'tunnel-pw').info('x')],
    ['inside JSON inside a string', (log: Logger) => log.info(JSON.stringify({ text: 'tunnel-pw' }))],
  ])('are replaced %s', (_where, write) => {
    const { logger, lines } = capture('tunnel-pw');
    write(logger);
    expect(lines.join('')).not.toContain('tunnel-pw');
    expect(lines.join('')).toContain(SECRET_MARK);
    expect(() => JSON.parse(lines[0] ?? '')).not.toThrow();
  });

  it('are redacted by the name of their key, however short and even when not configured', () => {
    const { logger, lines } = capture();
    logger.info({ password: 'pw1', a: { secret: 'pw2', b: { psk: 'pw3', c: { password: 'pw4' } } } }, 'x');
    logger.child({ psk: 'pw5' }).info('x');
    expect(lines.join('')).not.toMatch(/pw[1-5]/);
  });

  it('are found when they became configured after the logger was made', () => {
    const secrets: string[] = [];
    const { logger, lines } = capture();
    const late = createLogger({ secrets: () => secrets, destination: { write: (line) => lines.push(line) } });
    secrets.push('hunter22');
    late.info('hunter22');
    logger.info('other');
    expect(lines[0]).not.toContain('hunter22');
  });

  it('leave no tail when one secret begins like another', () => {
    expect(redactLine('{"msg":"alice-pw-long"}', ['alice-pw', 'alice-pw-long'])).toBe(`{"msg":"${SECRET_MARK}"}`);
  });

  it('of three characters or less do not make the log unreadable', () => {
    expect(MIN_SEARCHED_SECRET).toBe(4);
    expect(redactLine('{"msg":"abc"}', ['abc', ''])).toBe('{"msg":"abc"}');
  });

  it('made of digits spare the time of the line and find the number', () => {
    const line = '{"level":"info","time":"2025-01-31T00:00:00.000Z","port":2025,"msg":"x"}\n';
    expect(redactLine(line, ['2025'])).toBe(
      `{"level":"info","time":"2025-01-31T00:00:00.000Z","port":"${SECRET_MARK}","msg":"x"}\n`,
    );
  });

  it('are replaced in a line that is no JSON', () => {
    expect(redactLine('hunter22 not json', ['hunter22'])).toBe(`${SECRET_MARK} not json`);
  });

  it('never get through, whatever characters they have and wherever they stand', () => {
    // The mark and JSON's own punctuation could form by chance what the secret is made of.
    const secret = fc
      .string({ unit: 'binary', minLength: MIN_SEARCHED_SECRET, maxLength: 20 })
      .map((text) => `#${text}`)
      .filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(secret, fc.string({ unit: 'binary' }), fc.string(), (hidden, before, after) => {
        const { logger, lines } = capture(hidden);
        logger.info({ field: before + hidden + after, [hidden]: [hidden] }, '%s', `${before}${hidden}${after}`);
        logger.info({ shown: printable(hidden) });
        const values = lines.map((line) => JSON.stringify(JSON.parse(line), (_key, value) => value)).join('');
        const text = lines.map((line) => flat(JSON.parse(line))).join('\n');
        return !values.includes(hidden) && !text.includes(hidden);
      }),
    );
  });
});

/** Every key and string of a value, below each other. */
function flat(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([key, item]) => `${key}\n${flat(item)}`)
    .join('\n');
}

describe('invisible characters', () => {
  it('become escapes that leave the meaning of a JSON line as it is', () => {
    const { logger, lines } = capture();
    const text = 'a\u202eb\u0007c\u009bd\u{e0041}e\u2028f\ufeff';
    logger.info({ text }, 'x');
    expect(lines[0]).toMatch(/^[\x20-\x7e]+\n$/);
    expect(JSON.parse(lines[0] ?? '').text).toBe(text);
  });

  it('spare letters of every language, emoji and line feeds', () => {
    const text = 'Zürich 東京 😀\nشبكة';
    expect(escapeInvisible(text)).toBe(text);
  });
});

describe('the ring', () => {
  it(`keeps the last ${LOG_RING_LINES} lines, oldest first`, () => {
    const ring = new LogRing();
    for (let line = 0; line < 2 * LOG_RING_LINES + 5; line++) ring.push(`${line}\n`);
    const lines = ring.lines();
    expect(lines).toHaveLength(LOG_RING_LINES);
    expect([lines[0], lines.at(-1)]).toEqual([`${LOG_RING_LINES + 5}`, `${2 * LOG_RING_LINES + 4}`]);
  });

  it('gives the lines in order before it is full', () => {
    const ring = new LogRing(3);
    ring.push('a');
    ring.push('b');
    expect(ring.lines()).toEqual(['a', 'b']);
  });

  it('keeps the beginning of a huge line as a JSON object', () => {
    const ring = new LogRing();
    ring.push(JSON.stringify({ msg: 'x'.repeat(100_000) }));
    expect(JSON.parse(ring.lines()[0] ?? '')).toMatchObject({ level: 'warn' });
    expect(ring.lines()[0]?.length).toBeLessThan(1000);
  });
});
