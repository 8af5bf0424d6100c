import { describe, expect, it } from 'vitest';
import { submitPdus } from '../../../../firmware/protocol/at/sms/pdu.ts';
import type { ModemTraits } from '../../../../scripts/lab/modem/modem-traits.ts';
import { ModemBench } from './modem-bench.ts';

const DELIVERED = '07911326040000F0040B911346610089F60000208062917314800CC8F71D14969741F977FD07';

describe('a modem that is well', () => {
  it('is set up, identified, registered and looked at', () => {
    const bench = new ModemBench({ traits: { apn: 'internet.telekom' } }).open().ready();
    expect(bench.machine.info).toMatchObject({
      manufacturer: 'Quectel',
      model: 'EC25',
      revision: 'EC25EFAR06A03M4G',
      imei: '490154203237518',
      sim: 'ready',
      iccid: '89490200001234567899',
      operator: 'LabTel',
      technology: 'LTE',
      band: 'LTE BAND 3',
      registration: 'home',
      apn: 'internet.telekom',
      signal: { rssi: -52, rsrp: -81, sinr: 19, rsrq: -10 },
      bars: 5,
      online: false,
    });
    expect(bench.modem.state.contexts.get('1')).toEqual(['IP', 'internet.telekom']);
    // About twenty commands, a millisecond each to be answered, 20 ms apart.
    expect(bench.clock.now()).toBeLessThan(2_000);
  });

  it.each([
    ['simcom', 'SIMCOM_SIM7600E-H', 'BAND3', { rsrq: -9.4, rsrp: -85, rssi: -54.5, sinr: 15 }],
    ['huawei', 'ME909s-120', '', { rssi: -78, rsrp: -104, sinr: 6, rsrq: -10 }],
    ['generic', 'LTE-SIM-1', '', { rssi: -73 }],
  ] as const)('of %s is known by what it says', (vendor, model, band, signal) => {
    const bench = new ModemBench({ traits: { vendor } }).open().ready();
    expect(bench.machine.info).toMatchObject({ model, band, signal, iccid: '89490200001234567899' });
    if (vendor === 'simcom') expect(bench.modem.heard('AT+AUTOCSQ')).toEqual(['AT+AUTOCSQ=0']);
    if (vendor === 'generic') expect(bench.machine.info.manufacturer).toBe('LabModem');
  });

  it('does not get its context written again', () => {
    const bench = new ModemBench({ settings: { apn: 'internet' } }).open().ready();
    bench.run((now) => bench.machine.portsOpened(now, { twoChannels: true, probeMs: 60_000 }));
    bench.pass(1).ready();
    expect(bench.modem.heard('AT+CGDCONT=')).toEqual(['AT+CGDCONT=1,"IP","internet"']);
  });

  it('is asked again and again for its signal', () => {
    const bench = new ModemBench({ traits: { vendor: 'generic' } }).open().ready();
    bench.modem.state.traits.csq = 4;
    bench.pass(11);
    expect(bench.machine.info).toMatchObject({ signal: { rssi: -105 }, bars: 1 });
    expect(bench.modem.heard('AT+CESQ')).toHaveLength(1);
  });
});

describe('a modem with bad manners', () => {
  const manners: [string, Partial<ModemTraits>][] = [
    ['echoes after E0', { echoSurvives: true }],
    ['has odd line ends', { oddLineEnds: true }],
    ['puts NULs and noise before its lines', { noise: true }],
    ['talks in the middle of its answers', { urcInReplies: true }],
    ['eats six of its answers', { eatsReplies: 6 }],
    ['knows +CREG=1 alone', { oldRegistration: true }],
    ['is slow', { answerMs: 700 }],
    [
      'does all of it',
      { echoSurvives: true, oddLineEnds: true, noise: true, urcInReplies: true, oldRegistration: true },
    ],
  ];
  it.each(
    manners.flatMap(([name, traits]) =>
      [true, false].map((two) => [name, two ? 'two ports' : 'one port', traits, two] as const),
    ),
  )('that %s, on %s, comes up, calls and hangs up', (_name, _ports, traits, twoChannels) => {
    const bench = new ModemBench({ traits, twoChannels, settings: { apn: 'internet' } }).open().dial();
    bench.until(() => bench.machine.info.online);
    expect(bench.machine.info).toMatchObject({ model: 'EC25', iccid: '89490200001234567899', registration: 'home' });
    expect(bench.of('connected')).toEqual([{ kind: 'connected', peer: 'CONNECT 150000000' }]);
    bench.run((now) => bench.machine.hangUp(now));
    bench.until(() => bench.of('hung-up').length > 0);
    bench.until(() => bench.machine.info.doing === 'ready');
    expect(bench.of('dial-failed')).toEqual([]);
  });
});

describe('the network', () => {
  it('that comes late is waited for, and a call with it', () => {
    const bench = new ModemBench({ traits: { registerMs: 45_000 } }).open().dial().pass(40);
    expect(bench.machine.info).toMatchObject({ registration: 'searching', doing: 'waiting for the network' });
    bench.until(() => bench.machine.info.online, 20);
    expect(bench.of('dial-failed')).toEqual([]);
  });

  it.each([
    ['does not come', { registration: 2 }, 'there is no network that takes the modem'],
    ['says no', { registration: 3, cause: 'PLMN not allowed' }, 'the network refuses the SIM: PLMN not allowed'],
    [
      'is another one',
      { registration: 5 },
      'only the network of another operator (LabTel) is there, and roaming is not allowed',
    ],
  ] as const)('that %s is told with a remedy', (_name, traits, reason) => {
    const bench = new ModemBench({ traits }).open().dial();
    bench.until(() => bench.of('dial-failed').length > 0, 90);
    expect(bench.of('dial-failed')[0]?.failure.reason).toContain(reason);
    expect(bench.machine.info.failure?.remedy).not.toBe('');
    bench.modem.state.traits.registration = 1;
    bench.ready();
    expect(bench.machine.info.failure).toBeUndefined();
  });

  it('of another operator is used when that is allowed', () => {
    const bench = new ModemBench({ traits: { registration: 5 }, settings: { roaming: true } }).open().dial();
    bench.until(() => bench.machine.info.online, 20);
    expect(bench.machine.info.registration).toBe('roaming');
  });

  it('that goes is waited for again, and its coming is heard at once', () => {
    const bench = new ModemBench().open().ready();
    bench.modem.state.traits.registration = 2;
    bench.modem.unasked('+CEREG: 2');
    bench.modem.unasked('+CGREG: 2,"0000","0000000"');
    bench.pass(5);
    expect(bench.machine.info.doing).toBe('waiting for the network');
    bench.modem.state.traits.registration = 1;
    bench.modem.unasked('+CEREG: 1,"1A2B","01C3D4E5",7');
    bench.pass(1);
    expect(bench.machine.info.doing).toBe('ready');
  });
});

describe('a call', () => {
  it('carries octets and comes back to commands', () => {
    const seen: string[] = [];
    const bench = new ModemBench({
      carrier: (toTerminal) => ({
        octets: (octets) => {
          seen.push(Buffer.from(octets).toString());
          toTerminal(octets);
        },
        end: () => seen.push('end'),
      }),
      twoChannels: false,
    });
    bench.open().ready().dial();
    bench.until(() => bench.machine.info.online);
    bench.data(Buffer.from('~frame~'));
    bench.pass(30);
    bench.run((now) => bench.machine.hangUp(now));
    bench.until(() => bench.of('hung-up').length > 0, 10);
    // It is tried first whether the line is back with commands; what the peer sees of that is no frame.
    expect(seen).toEqual(['~frame~', 'AT\r', 'end']);
    expect(bench.modem.heard('ATH')).toHaveLength(1);
    bench.ready();
  });

  it.each([
    ['NO CARRIER', 'the data call does not come about: NO CARRIER (the network says: Missing or unknown APN)'],
    ['BUSY', 'the data call does not come about: BUSY'],
    ['ERROR', 'the data call does not come about: the modem refuses it (ERROR)'],
  ] as const)('that meets %s fails with the cause and names the APN', (call, reason) => {
    const bench = new ModemBench({ traits: { call, cause: 'Missing or unknown APN' }, settings: { apn: 'wrong' } });
    bench.open().ready().dial();
    bench.until(() => bench.of('dial-failed').length > 0, 20);
    expect(bench.of('dial-failed')[0]?.failure.reason).toContain(reason);
    expect(bench.of('dial-failed')[0]?.failure.remedy).toContain('"wrong"');
    expect(bench.modem.heard('ATD').at(-1)).toBe(call === 'ERROR' ? 'ATD*99#' : 'ATD*99***1#');
  });

  it('that is wanted from the start leaves time to see signal and operator, for which there is no other on one port', () => {
    const bench = new ModemBench({ twoChannels: false }).open();
    bench.until(() => bench.machine.info.registration === 'home').dial();
    bench.until(() => bench.machine.info.online);
    expect(bench.machine.info).toMatchObject({
      operator: 'LabTel',
      bars: expect.toSatisfy((bars: number) => bars > 0),
    });
  });

  it('that is lost on the line is told, and the next one comes about', () => {
    const bench = new ModemBench({ twoChannels: false }).open().ready().dial();
    bench.until(() => bench.machine.info.online);
    bench.modem.dropCarrier();
    bench.run((now) => bench.machine.carrierLost(now));
    expect(bench.of('line-ended')[0]?.failure.reason).toContain('NO CARRIER');
    bench.pass(1).dial();
    bench.until(() => bench.machine.info.online, 20);
  });

  it('that has ended by itself is hung up at once, without an escape', () => {
    const bench = new ModemBench({ twoChannels: false }).open().ready().dial();
    bench.until(() => bench.machine.info.online);
    bench.modem.dropCarrier();
    const from = bench.clock.now();
    bench.run((now) => bench.machine.hangUp(now));
    bench.until(() => bench.of('hung-up').length > 0, 10);
    expect(bench.clock.now() - from).toBeLessThan(300);
    bench.ready();
  });

  it('ends with the module that begins anew in the middle of it, and the modem comes up again', () => {
    const bench = new ModemBench().open().ready().dial();
    bench.until(() => bench.machine.info.online);
    bench.modem.restart();
    bench.pass(1);
    expect(bench.of('line-ended')[0]?.failure.reason).toBe('the modem began anew by itself (RDY)');
    bench.pass(1).ready();
    expect(bench.machine.info.sim).toBe('ready');
  });

  it('that was left by an earlier life of the router is ended first', () => {
    const bench = new ModemBench({ twoChannels: false }).open().ready().dial();
    bench.until(() => bench.machine.info.online);
    bench.run((now) => bench.machine.portsOpened(now, { twoChannels: false, probeMs: 60_000 }));
    bench.pass(1).ready();
    expect(bench.machine.info.online).toBe(false);
  });

  it('leaves the other port free for the signal', () => {
    const bench = new ModemBench({ traits: { vendor: 'generic' } }).open().ready().dial();
    bench.until(() => bench.machine.info.online);
    bench.modem.state.traits.csq = 9;
    bench.pass(11);
    expect(bench.machine.info).toMatchObject({ signal: { rssi: -95 }, doing: 'carrying data' });
  });
});

describe('a modem that is stuck', () => {
  it('is told of, and found when it speaks again', () => {
    const bench = new ModemBench({ traits: { deaf: true } }).open();
    bench.until(() => bench.of('silent').length > 0, 70);
    expect(bench.machine.info.failure?.reason).toBe('the modem does not answer AT commands');
    bench.modem.state.traits.deaf = false;
    bench.ready();
  });

  it('in the middle of its work is noticed', () => {
    const bench = new ModemBench().open().ready();
    bench.modem.state.traits.deaf = true;
    bench.until(() => bench.machine.info.failure !== undefined, 60);
    bench.modem.state.traits.deaf = false;
    bench.ready();
  });

  it('is helped by rungs: radio, module, power', () => {
    const bench = new ModemBench({ traits: { call: 'NO CARRIER' }, power: true }).open().ready();
    for (let attempts = 0; bench.of('power-cycle').length === 0; attempts++) {
      if (attempts > 10) throw new Error('the ladder has no end');
      bench.until(() => bench.machine.info.doing === 'ready').dial();
      bench.until(() => bench.of('dial-failed').length > attempts, 120);
      bench.pass(2);
    }
    expect(bench.of('dial-failed')).toHaveLength(7);
    expect(bench.modem.heard('AT+CFUN=')).toEqual(['AT+CFUN=4', 'AT+CFUN=1', 'AT+CFUN=1,1']);
    bench.modem.state.traits.call = 'CONNECT';
    bench.ready().dial();
    bench.until(() => bench.machine.info.online, 20);
  });

  it('that was unplugged is told of, and set up again when it is back', () => {
    const bench = new ModemBench().open().ready().dial();
    bench.until(() => bench.machine.info.online);
    bench.run((now) => bench.machine.portsLost('the device is gone', now));
    expect(bench.of('line-ended')[0]?.failure.reason).toBe('the modem is gone: the device is gone');
    expect(bench.machine.info).toMatchObject({
      online: false,
      sim: 'unknown',
      doing: 'waiting for the modem to come back',
    });
    bench.modem.restart();
    bench.open().ready();
  });
});

describe('short messages', () => {
  it('that are there are read, and those that come are announced', () => {
    const bench = new ModemBench();
    bench.modem.state.messages.set(1, DELIVERED);
    bench.open().ready();
    expect(bench.machine.info.messages).toEqual([
      { sender: '+31641600986', at: '2002-08-26T19:37:41+02:00', text: 'How are you?', missing: 0 },
    ]);
    expect(bench.of('message')).toEqual([]);
    bench.modem.receive(DELIVERED.replace('208062', '218062'));
    bench.pass(1);
    expect(bench.of('message')[0]?.sms).toMatchObject({ at: '2012-08-26T19:37:41+02:00', text: 'How are you?' });
    expect(bench.machine.info.messages).toHaveLength(2);
  });

  it('are sent when the modem asks for their text', () => {
    const bench = new ModemBench({ traits: { echoSurvives: true } }).open().ready();
    const done: (string | undefined)[] = [];
    const pdus = submitPdus('+4915112345678', 'x'.repeat(200), 7);
    bench.run((now) => bench.machine.send({ pdus, done: (problem) => done.push(problem) }, now));
    bench.pass(2);
    expect(bench.modem.state.sent).toEqual(pdus.map(({ hex }) => hex));
    expect(done).toEqual([undefined]);
  });

  it('that cannot be sent are told of', () => {
    const bench = new ModemBench().open().ready();
    const done: (string | undefined)[] = [];
    bench.modem.state.traits.deaf = true;
    bench.run((now) =>
      bench.machine.send({ pdus: submitPdus('1', 'x', 0), done: (problem) => done.push(problem) }, now),
    );
    bench.pass(61);
    expect(done).toEqual(['the message was not sent: the modem did not answer']);
  });
});
