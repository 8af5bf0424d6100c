import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeSyslogMessage,
  LEAST_MAXIMUM,
  type SyslogMessage,
} from '../../../../firmware/protocol/syslog/message.ts';
import { octetCounted } from '../../../../firmware/protocol/syslog/octet-counting.ts';
import { parseSyslog } from '../../../support/syslog-parser.ts';

const plain: SyslogMessage = {
  facility: 'local4',
  severity: 'informational',
  timestamp: '2026-11-27T22:14:15.003Z',
  hostName: 'branch-12',
  appName: 'culvert',
  processId: '8710',
  messageId: 'connection',
  text: 'the tunnel is up',
};

const encode = (message: Partial<SyslogMessage> = {}, maximum = 2048): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
    encodeSyslogMessage({ ...plain, ...message }, maximum),
  );
const data = (...parameters: [string, string][]) => ({ data: { id: 'culvert@32473', parameters } });

describe('a message of syslog', () => {
  it('has the header of RFC 5424 section 6', () => {
    expect(encode()).toBe('<166>1 2026-11-27T22:14:15.003Z branch-12 culvert 8710 connection - the tunnel is up');
  });

  it.each([
    ['daemon', 'error', 27],
    ['user', 'debug', 15],
    ['local7', 'critical', 186],
    ['authpriv', 'warning', 84],
  ] as const)('has the priority of %s and %s', (facility, severity, number) => {
    expect(encode({ facility, severity })).toMatch(new RegExp(`^<${number}>1 `));
  });

  it('has a hyphen for what is not known, and no time that is none', () => {
    const { facility, severity } = plain;
    const bare = encodeSyslogMessage({ facility, severity, text: '' }, 2048);
    expect(Buffer.from(bare).toString()).toBe('<166>1 - - - - - -');
    expect(encode({ timestamp: '2026-11-27 22:14' })).toMatch(/^<166>1 - branch-12 /);
    expect(encode({ timestamp: '2026-11-27T22:14:15.1234567Z' })).toMatch(/^<166>1 - branch-12 /);
    expect(encode({ timestamp: '2026-11-27T22:14:15.003+01:00' })).toContain(' 2026-11-27T22:14:15.003+01:00 ');
  });

  it('has structured data, with three characters behind a backslash and no others', () => {
    const text = encode(data(['connection', 'hq'], ['detail', 'a "b" \\c] [d\'']));
    expect(text).toContain(' [culvert@32473 connection="hq" detail="a \\"b\\" \\\\c\\] [d\'"] the tunnel is up');
  });

  it('has names of parameters that are names, and values in UTF-8', () => {
    expect(encode(data(['a b="]', 'Zürich 東京'], ['', 'x'], ['n'.repeat(40), 'y']))).toContain(
      ` [culvert@32473 a_b___="Zürich 東京" _="x" ${'n'.repeat(32)}="y"] `,
    );
  });

  it('has a byte order mark before text that is more than ASCII, and only there', () => {
    expect(encode({ text: 'Zürich' })).toMatch(/ - \ufeffZürich$/);
    expect(encode({ text: 'Zurich' })).toMatch(/ - Zurich$/);
    expect(encode({ text: 'half \ud800' })).toMatch(/ - \ufeffhalf \ufffd$/);
  });

  it('takes no space and nothing beyond ASCII into the header', () => {
    expect(encode({ hostName: 'bränch 12', messageId: 'm'.repeat(40) })).toContain(
      ` br_nch_12 culvert 8710 ${'m'.repeat(32)} `,
    );
  });

  it('is cut between two characters, and says so', () => {
    const text = encode({ text: '東'.repeat(1000) }, LEAST_MAXIMUM);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(LEAST_MAXIMUM);
    expect(Buffer.byteLength(text)).toBeGreaterThan(LEAST_MAXIMUM - 3);
    expect(text).toMatch(/ - \ufeff東+\.\.\.$/);
  });

  it('leaves out whole parameters that do not fit, and half of the room for the text', () => {
    const parameters = Array.from({ length: 50 }, (_, index): [string, string] => [`p${index}`, 'v'.repeat(20)]);
    const text = encode({ ...data(...parameters), text: 't'.repeat(2000) }, 1000);
    expect(Buffer.byteLength(text)).toBe(1000);
    const parsed = parseSyslog(Buffer.from(text));
    const names = Object.keys(parsed.data['culvert@32473'] ?? {});
    expect(names).toEqual(parameters.slice(0, names.length).map(([name]) => name));
    expect(names.length).toBeGreaterThan(10);
    expect(parsed.text.length).toBeGreaterThan(400);
  });

  it('is never longer than was asked for, nor malformed, and says what was put in when there is room', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 });
    const message = fc.record({
      hostName: text,
      appName: text,
      processId: text,
      messageId: text,
      text,
      data: fc.record({ id: text, parameters: fc.array(fc.tuple(text, text), { maxLength: 8 }) }),
    });
    fc.assert(
      fc.property(message, fc.integer({ min: LEAST_MAXIMUM, max: 20_000 }), (parts, maximum) => {
        const octets = encodeSyslogMessage({ ...plain, ...parts }, maximum);
        expect(octets.length).toBeLessThanOrEqual(maximum);
        const parsed = parseSyslog(octets);
        if (maximum < 15_000) return;
        expect(parsed.text).toBe(parts.text.toWellFormed());
        const values = Object.values(parsed.data).flatMap((entries) => Object.values(entries).flat());
        expect(values.sort()).toEqual(parts.data.parameters.map(([, value]) => value.toWellFormed()).sort());
      }),
    );
  });
});

describe('a message in a stream', () => {
  it('has its octets told before it (RFC 6587 section 3.4.1)', () => {
    expect(Buffer.from(octetCounted(Buffer.from('Zürich'))).toString()).toBe('7 Zürich');
  });
});
