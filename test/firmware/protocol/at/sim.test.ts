import { describe, expect, it } from 'vitest';
import { ModemBench } from './modem-bench.ts';

describe('a SIM with a PIN', () => {
  it('is unlocked with the right one, which is told once it is proved', () => {
    const bench = new ModemBench({ traits: { pin: '4711' }, settings: { pin: '4711' } }).open().ready();
    expect(bench.modem.heard('AT+CPIN=')).toEqual(['AT+CPIN="4711"']);
    expect(bench.of('pin-tried')).toEqual([{ kind: 'pin-tried', sim: '89490200001234567899', good: true }]);
  });

  it('gets a wrong one once, whatever happens afterwards', () => {
    const bench = new ModemBench({ traits: { pin: '4711' }, settings: { pin: '1234' } }).open().dial().pass(600);
    expect(bench.modem.heard('AT+CPIN=')).toEqual(['AT+CPIN="1234"']);
    bench.run((now) => bench.machine.portsLost('unplugged', now));
    bench.modem.restart();
    bench.open().dial().pass(600);
    expect(bench.modem.heard('AT+CPIN=')).toHaveLength(1);
    expect(bench.modem.state.traits.pinTries).toBe(2);
    expect(bench.machine.info).toMatchObject({
      sim: 'PIN wanted',
      failure: {
        reason: 'the configured PIN was tried once on this SIM and was wrong; it is not tried again',
        remedy: 'set the right PIN',
      },
    });
    expect(bench.of('dial-failed').length).toBeGreaterThan(0);
  });

  it('is left alone when it was tried before', () => {
    const bench = new ModemBench({ traits: { pin: '4711' }, settings: { pin: '4711' }, mayTryPin: () => false });
    bench.open().pass(120);
    expect(bench.modem.heard('AT+CPIN=')).toEqual([]);
  });

  it('is left alone when somebody else used up its tries', () => {
    const bench = new ModemBench({ traits: { pin: '4711', pinTries: 1 }, settings: { pin: '4711' } }).open().pass(120);
    expect(bench.modem.heard('AT+CPIN=')).toEqual([]);
    expect(bench.machine.info.failure?.reason).toContain('only one more try');
  });

  it('is told of when no PIN is configured', () => {
    const bench = new ModemBench({ traits: { pin: '4711' } }).open().pass(10);
    expect(bench.machine.info.failure?.reason).toBe('the SIM wants a PIN, and none is configured');
  });

  it('and a PUK is told of, and no PIN is given', () => {
    const bench = new ModemBench({ traits: { pin: '4711', pinTries: 0 }, settings: { pin: '4711' } }).open().pass(120);
    expect(bench.modem.heard('AT+CPIN=')).toEqual([]);
    expect(bench.machine.info.failure?.reason).toContain('PUK');
  });

  it('keeps its PIN out of every trace', () => {
    const bench = new ModemBench({ traits: { pin: '4711', echoSurvives: true }, settings: { pin: '4711' } });
    bench.open().ready();
    const told = [...bench.of('trace'), ...bench.of('log')].map(({ text }) => text).join('\n');
    expect(told).toContain('AT+CPIN=...');
    expect(told).not.toContain('4711');
  });

  it('that gives no answer to its PIN is asked whether it took it', () => {
    const bench = new ModemBench({ traits: { pin: '4711' }, settings: { pin: '4711' } }).open();
    bench.until(() => bench.of('may-try-pin').length > 0);
    // The PIN is on its way: its answer is the one that is eaten.
    bench.modem.state.traits.eatsReplies = 1;
    bench.ready();
    expect(bench.of('pin-tried')).toMatchObject([{ good: true }]);
    expect(bench.modem.heard('AT+CPIN=')).toHaveLength(1);
  });
});

describe('a modem without a SIM', () => {
  it('says so, and goes on when one is put in', () => {
    const bench = new ModemBench({ traits: { sim: false } }).open().dial().pass(5);
    expect(bench.of('dial-failed')[0]?.failure).toMatchObject({ step: 'SIM', reason: 'there is no SIM in the modem' });
    expect(bench.machine.info.sim).toBe('absent');
    bench.modem.state.traits.sim = true;
    bench.modem.unasked('+CPIN: READY');
    bench.ready();
    expect(bench.machine.info.failure).toBeUndefined();
  });
});
