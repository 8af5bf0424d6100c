/** Whatever happens to a modem: its machine never stops, tries no PIN twice, and has the modem ready soon after the trouble is over. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ORDINARY } from '../../../../scripts/lab/modem/modem-traits.ts';
import { ModemBench } from './modem-bench.ts';

type Trouble = (bench: ModemBench) => void;

const TROUBLES: Readonly<Record<string, Trouble>> = {
  restart: (bench) => bench.modem.restart(),
  drop: (bench) => {
    if (!bench.machine.info.online) return;
    bench.modem.dropCarrier();
    bench.run((now) => bench.machine.carrierLost(now));
  },
  deaf: (bench) => {
    bench.modem.state.traits.deaf = true;
  },
  hears: (bench) => {
    bench.modem.state.traits.deaf = false;
  },
  eats: (bench) => {
    bench.modem.state.traits.eatsReplies = 5;
  },
  'no network': (bench) => {
    bench.modem.state.traits.registration = 2;
    bench.modem.unasked('+CEREG: 2');
  },
  denied: (bench) => {
    bench.modem.state.traits.registration = 3;
  },
  'no SIM': (bench) => {
    bench.modem.state.traits.sim = false;
    bench.modem.unasked('+CPIN: NOT INSERTED');
  },
  'no carrier': (bench) => {
    bench.modem.state.traits.call = 'NO CARRIER';
  },
  unplug: (bench) => {
    bench.run((now) => bench.machine.portsLost('unplugged', now));
    bench.modem.restart();
    bench.open();
  },
  dial: (bench) => void bench.dial(),
  'hang up': (bench) => bench.run((now) => bench.machine.hangUp(now)),
  noise: (bench) => bench.run((now) => bench.machine.octets('control', Uint8Array.of(0, 255, 13, 10, 62, 43), now)),
  urcs: (bench) => {
    for (const line of ['+CREG: 5', 'RING', '^RSSI: 1', '+CMTI: "SM",9', '+CPIN: READY', 'NO CARRIER'])
      bench.modem.unasked(line);
  },
};

describe('a modem in trouble', () => {
  it.each([true, false])('comes up again, with two ports: %s', { timeout: 60_000 }, (twoChannels) => {
    const step = fc.tuple(fc.constantFrom(...Object.keys(TROUBLES)), fc.nat(300));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const bench = new ModemBench({
          twoChannels,
          traits: { pin: '4711' },
          settings: { pin: '4711' },
          power: true,
        })
          .open()
          .ready();
        for (const [trouble, tenths] of steps) {
          TROUBLES[trouble]?.(bench);
          bench.pass(tenths / 10);
        }
        bench.run((now) => bench.machine.hangUp(now));
        const { pinTries } = bench.modem.state.traits;
        Object.assign(bench.modem.state.traits, ORDINARY, { pin: '4711', pinTries });
        bench.pass(60);
        bench.until(() => bench.machine.info.doing === 'ready', 400);
        expect(bench.machine.info).toMatchObject({ sim: 'ready', registration: 'home', online: false });
        bench.dial().until(() => bench.machine.info.online, 60);
        // Each proof of the right one is one attempt; none of them was wrong.
        expect(pinTries).toBe(3);
      }),
      { numRuns: 60 },
    );
  });

  it('tries a wrong PIN once in all that', { timeout: 60_000 }, () => {
    const step = fc.tuple(fc.constantFrom(...Object.keys(TROUBLES)), fc.nat(300));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const bench = new ModemBench({ traits: { pin: '4711' }, settings: { pin: '1234' } }).open();
        for (const [trouble, tenths] of steps) {
          TROUBLES[trouble]?.(bench);
          bench.pass(tenths / 10);
        }
        expect(bench.modem.heard('AT+CPIN=').length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  });
});
