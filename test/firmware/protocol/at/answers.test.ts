/** What modems say, as their manuals and their users have it, and what is read out of it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AtEngine } from '../../../../firmware/protocol/at/engine.ts';
import { fields } from '../../../../firmware/protocol/at/fields.ts';
import { AtLineReader } from '../../../../firmware/protocol/at/line-reader.ts';
import { ALL_OPERATORS, operatorOf } from '../../../../firmware/protocol/at/operators.ts';
import { GENERIC, quirksOf, quirksOfUsb } from '../../../../firmware/protocol/at/quirks.ts';
import { parseRegistration } from '../../../../firmware/protocol/at/registration.ts';
import { type AtReply, finalResult } from '../../../../firmware/protocol/at/results.ts';
import { bars, CESQ, CPSI, CSQ, GSTATUS, HCSQ, QCSQ } from '../../../../firmware/protocol/at/signal.ts';

const octets = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

function linesOf(text: string): string[] {
  return new AtLineReader().push(octets(text)).map((token) => (token.kind === 'line' ? token.text : '>'));
}

describe('lines', () => {
  it.each([
    ['\r\nOK\r\n', ['OK']],
    ['AT\r\r\nOK\r\n', ['AT', 'OK']],
    ['\0\0\0\r\n\xff\xfeOK\r\n', ['OK']],
    ['^RSSI:19\r+\n^MODE:7\r\r\n', ['^RSSI:19', '^MODE:7']],
    ['\n\nOK\n', ['OK']],
    ['\r\n+COPS: 0,0,"T\xe9l\xe9",7\r\n', ['+COPS: 0,0,"T\xe9l\xe9",7']],
  ])('of %j are %j', (text, expected) => {
    expect(linesOf(text)).toEqual(expected);
  });

  it('are the same however the octets are cut, and end at a bound', () => {
    const line = fc.stringMatching(/^[A-Z+:,0-9 ]{1,40}$/);
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(9), { minLength: 1 }), (all, cuts) => {
        const text = octets(all.map((one) => `\r\n${one}\r\n`).join(''));
        const reader = new AtLineReader();
        const seen: string[] = [];
        for (let at = 0, cut = 0; at < text.length; cut++) {
          const end = at + (cuts[cut % cuts.length] ?? 0) + 1;
          for (const token of reader.push(text.subarray(at, end))) if (token.kind === 'line') seen.push(token.text);
          at = end;
        }
        expect(seen).toEqual(all.map((one) => one.trim()).filter((one) => one !== '' && one !== '+'));
      }),
    );
    expect(linesOf(`${'x'.repeat(100_000)}\r\nOK\r\n`)).toEqual(['OK']);
  });
});

describe('final results', () => {
  it.each([
    ['OK', 'OK', 'OK'],
    ['ERROR', 'ERROR', 'the modem refuses it (ERROR)'],
    ['NA', 'ERROR', 'the modem refuses it (NA)'],
    ['COMMAND NOT SUPPORT', 'ERROR', 'the modem refuses it (COMMAND NOT SUPPORT)'],
    ['+CME ERROR: 14', 'ERROR', 'the SIM is busy (+CME ERROR: 14)'],
    ['+CME ERROR: SIM not inserted', 'ERROR', 'there is no SIM (+CME ERROR: 10)'],
    ['+CME ERROR: 9999', 'ERROR', 'the modem gives a number that is not a standard one (+CME ERROR: 9999)'],
    ['+CMS ERROR: 38', 'ERROR', 'the network is out of order (+CMS ERROR: 38)'],
    ['CONNECT', 'CONNECT', 'CONNECT'],
    ['CONNECT 150000000', 'CONNECT', 'CONNECT 150000000'],
    ['CONNECT 460800/LAPM', 'CONNECT', 'CONNECT 460800/LAPM'],
    ['NO CARRIER', 'NO CARRIER', 'NO CARRIER'],
    ['NO DIAL TONE', 'NO DIALTONE', 'NO DIAL TONE'],
  ])('%s is %s', (line, result, text) => {
    expect(finalResult(line, true)).toMatchObject({ result, text });
  });

  it('of a call end no other command', () => {
    expect(finalResult('NO CARRIER', false)).toBeUndefined();
    expect(finalResult('CONNECTED', true)).toBeUndefined();
  });
});

describe('the signal', () => {
  it.each([
    [CSQ, ['+CSQ: 20,99'], { rssi: -73 }],
    [CSQ, ['+CSQ: 31,99'], { rssi: -51 }],
    [CSQ, ['+CSQ: 99,99'], undefined],
    [CSQ, ['+CSQ: 141,99'], { rsrp: -75 }],
    [CESQ, ['+CESQ: 99,99,255,255,20,46'], { rsrp: -95, rsrq: -10 }],
    [CESQ, ['+CESQ: 40,0,255,255,255,255'], { rssi: -71 }],
    [CESQ, ['+CESQ: 99,99,30,10,255,255'], { rsrp: -91 }],
    [QCSQ, ['+QCSQ: "LTE",-52,-81,195,-10'], { rssi: -52, rsrp: -81, sinr: 19, rsrq: -10 }],
    [QCSQ, ['+QCSQ: "WCDMA",-70,-80,-5'], { rssi: -70, rsrp: -80 }],
    [QCSQ, ['+QCSQ: "NOSERVICE"'], undefined],
    [
      CPSI,
      ['+CPSI: LTE,Online,460-11,0x5A1E,187214780,257,EUTRAN-BAND3,1850,5,5,-94,-850,-545,15'],
      { rsrq: -9.4, rsrp: -85, rssi: -54.5, sinr: 15 },
    ],
    [CPSI, ['+CPSI: NO SERVICE,Online'], undefined],
    [HCSQ, ['^HCSQ:"LTE",43,37,131,20'], { rssi: -78, rsrp: -104, sinr: 6, rsrq: -10 }],
    [HCSQ, ['^HCSQ:"NOSERVICE"'], undefined],
    [
      GSTATUS,
      ['LTE band:     B7', 'RSRP (dBm):   -98', 'SINR (dB): 12.8', 'RSRQ (dB): -10.2'],
      { rsrp: -98, sinr: 12.8, rsrq: -10.2 },
    ],
    [GSTATUS, ['nothing of it'], undefined],
  ] as const)('%# is read', (query, lines, signal) => {
    expect(query.parse(lines)).toEqual(signal);
  });

  it('is never nonsense, whatever a modem says', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.stringMatching(/^\+X: ("LTE"|LTE)(,-?\d{1,9}){0,14}$/))),
        (lines) => {
          for (const query of [CSQ, CESQ, QCSQ, CPSI, HCSQ, GSTATUS]) {
            const signal = query.parse(lines) ?? {};
            for (const value of Object.values(signal)) expect(Math.abs(value)).toBeLessThanOrEqual(150);
            expect(bars(signal)).toBeGreaterThanOrEqual(0);
            expect(bars(signal)).toBeLessThanOrEqual(5);
          }
        },
      ),
    );
  });

  it('is shown as bars', () => {
    expect([{ rsrp: -80 }, { rsrp: -100 }, { rsrp: -130 }, { rssi: -60 }, { rssi: -95 }, {}].map(bars)).toEqual([
      5, 3, 0, 5, 2, 0,
    ]);
  });
});

describe('registration', () => {
  it.each([
    ['+CREG: 0,1', 'CREG', { state: 'home' }],
    ['+CREG: 2,5,"1A2B","01C3D4E5",7', 'CREG', { state: 'roaming', area: '1A2B', cell: '01C3D4E5', technology: 'LTE' }],
    ['+CEREG: 2', 'CEREG', { state: 'searching' }],
    ['+CEREG: 3', 'CEREG', { state: 'denied' }],
    ['+CGREG: 1,"00C3","0003A2F1",6', 'CGREG', { state: 'home', area: '00C3', cell: '0003A2F1', technology: 'HSPA' }],
  ])('%s is read', (line, domain, registration) => {
    expect(parseRegistration(line)).toEqual({ domain, registration });
  });

  it('is nothing in lines that are none', () => {
    for (const line of ['+CREG:', '+CREG: x', '+CSQ: 1,2', '']) expect(parseRegistration(line)).toBeUndefined();
  });
});

describe('the tables', () => {
  it('know fields in quotes', () => {
    expect(fields('+COPS: 0,0,"A, B",7')).toEqual(['0', '0', 'A, B', '7']);
  });

  it('lead from an IMSI to one operator and its APN', () => {
    expect(operatorOf('262019876543210')).toMatchObject({ name: 'Telekom (DE)', apn: 'internet.telekom' });
    expect(operatorOf('999999999999999')).toBeUndefined();
    const codes = ALL_OPERATORS.flatMap((operator) => operator.codes);
    expect(new Set(codes).size).toBe(codes.length);
    for (const { apn } of ALL_OPERATORS) expect(apn).toMatch(/^[A-Za-z0-9][A-Za-z0-9.-]{0,98}[A-Za-z0-9]$/);
    for (const code of codes) expect(code).toMatch(/^\d{5,6}$/);
  });

  it('know modems by USB id and by name', () => {
    expect(quirksOfUsb('2c7c:0125')).toMatchObject({ quirks: { vendor: 'Quectel' }, ports: { at: 2, data: 3 } });
    expect(quirksOfUsb('1e0e:9001')).toMatchObject({ quirks: { vendor: 'SIMCom' }, ports: { at: 2, data: 3 } });
    expect(quirksOfUsb('2c7c:ffff')).toMatchObject({ quirks: { vendor: 'Quectel' }, ports: undefined });
    expect(quirksOfUsb('0403:6001')).toBeUndefined();
    expect(quirksOf('SIMCOM INCORPORATED SIMCOM_SIM7600E-H').vendor).toBe('SIMCom');
    expect(quirksOf('Acme')).toBe(GENERIC);
  });
});

describe('an engine', () => {
  function bench() {
    const engine = new AtEngine();
    const replies: AtReply[] = [];
    const drain = () => {
      const all: string[] = [];
      for (let output = engine.poll(); output !== undefined; output = engine.poll())
        if (output.kind === 'send') all.push(Buffer.from(output.octets).toString('latin1'));
        else if (output.kind === 'urc') all.push(`urc ${output.line}`);
      return all;
    };
    return { engine, replies, drain, done: (reply: AtReply) => replies.push(reply) };
  }

  it('sends one command after the other, with a pause between', () => {
    const { engine, replies, drain, done } = bench();
    engine.submit({ text: 'AT' }, 0, done);
    engine.submit({ text: 'ATI' }, 0, done);
    expect(drain()).toEqual(['AT\r']);
    engine.octets(octets('\r\nOK\r\n'), 10);
    expect(drain()).toEqual([]);
    engine.tick(engine.nextDeadline() ?? 0);
    expect(drain()).toEqual(['ATI\r']);
    engine.octets(octets('Quectel\r\nEC25\r\n+CREG: 5\r\nOK\r\n'), 40);
    expect(drain()).toEqual(['urc +CREG: 5']);
    expect(replies.map(({ lines }) => lines)).toEqual([[], ['Quectel', 'EC25']]);
  });

  it('tells an answer of +CREG? from the change that comes before it', () => {
    const { engine, replies, drain, done } = bench();
    engine.submit({ text: 'AT+CREG?', expect: '+CREG:' }, 0, done);
    drain();
    engine.octets(octets('\r\n+CREG: 2\r\n\r\n+CREG: 2,1,"1A2B","3C4D",7\r\n\r\nOK\r\n'), 1);
    expect(drain()).toEqual(['urc +CREG: 2']);
    expect(replies[0]?.lines).toEqual(['+CREG: 2,1,"1A2B","3C4D",7']);
  });

  it('does not take a late answer for that of the next command', () => {
    const { engine, replies, drain, done } = bench();
    engine.submit({ text: 'AT+COPS?', timeoutMs: 1000 }, 0, done);
    engine.tick(1000);
    engine.submit({ text: 'AT+CSQ', expect: '+CSQ:' }, 1000, done);
    expect(drain()).toEqual(['AT+COPS?\r']);
    engine.octets(octets('\r\n+COPS: 0\r\n\r\nOK\r\n'), 1200);
    engine.tick(1300);
    expect(drain()).toEqual(['urc +COPS: 0']);
    engine.tick(1500);
    expect(drain()).toEqual(['AT+CSQ\r']);
    engine.octets(octets('\r\n+CSQ: 9,99\r\n\r\nOK\r\n'), 1600);
    expect(replies.map(({ result, lines }) => [result, lines])).toEqual([
      ['timeout', []],
      ['OK', ['+CSQ: 9,99']],
    ]);
  });

  it('hears nothing while it is online, and escapes with silence on both sides', () => {
    const { engine, replies, drain, done } = bench();
    engine.submit({ text: 'ATD*99#', dials: true }, 0, done);
    engine.octets(octets('\r\nCONNECT 115200\r\n~\xff}#OK\r\n'), 1);
    engine.octets(octets('\r\nRING\r\n'), 2);
    expect(engine.online).toBe(true);
    expect(drain()).toEqual(['ATD*99#\r']);
    engine.escape(1000, done);
    expect(drain()).toEqual([]);
    engine.tick(2099);
    expect(drain()).toEqual([]);
    engine.tick(2100);
    expect(drain()).toEqual(['+++']);
    engine.octets(octets('\r\nOK\r\n'), 3200);
    expect(replies.map(({ result }) => result)).toEqual(['CONNECT', 'OK']);
  });

  it('answers everybody once, whatever comes in', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom('OK\r\n', 'ERROR\r', '+CSQ: 1,2\n', 'RDY\r\n', '> ', 'AT\r'), fc.string())),
        (pieces) => {
          const { engine, done, replies } = bench();
          for (let n = 0; n < 4; n++) engine.submit({ text: `AT+X${n}`, ...(n === 2 && { payload: 'FF' }) }, 0, done);
          let now = 0;
          for (const piece of pieces) {
            now += 100;
            engine.octets(octets(piece), now);
          }
          for (let n = 0; n < 20 && engine.nextDeadline() !== undefined; n++) {
            now = Math.max(now, engine.nextDeadline() ?? 0);
            engine.tick(now);
          }
          expect(replies).toHaveLength(4);
        },
      ),
    );
  });
});
