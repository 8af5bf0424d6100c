import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { CallMeter } from '../../../../firmware/uplink/modem/call-meter.ts';
import { SimulatedClock } from '../../../../hal/simulated/clock.ts';

let clock: SimulatedClock;
let counter: () => Promise<number | undefined>;
let noted: number[];
let log: string[];
beforeEach(() => {
  clock = new SimulatedClock();
  counter = async () => 0;
  noted = [];
  log = [];
});

function meter(from = 0): CallMeter {
  return new CallMeter(from, {
    clock,
    read: () => counter(),
    note: (octets) => noted.push(octets),
    log: (line) => log.push(line),
  });
}

/** Lets so much time pass that it looks once. */
async function look(octets: number | undefined): Promise<void> {
  counter = async () => octets;
  clock.advance(3_000);
  await setImmediate();
}

describe('the meter of a call', () => {
  it('tells of what came since the last look, and not of what was there before', async () => {
    meter(500);
    await look(500);
    await look(700);
    await look(undefined);
    await look(1_000);
    expect(noted).toEqual([200, 300]);
  });

  it('counts once more at the end, and never again', async () => {
    const counted = meter();
    await look(100);
    counter = async () => 150;
    await Promise.all([counted.end(), counted.end()]);
    await look(900);
    expect(noted).toEqual([100, 50]);
  });

  it('counts nothing twice when the end comes while it looks', async () => {
    const counted = meter();
    const slow = Promise.withResolvers<number>();
    counter = () => slow.promise;
    clock.advance(3_000);
    const ended = counted.end();
    slow.resolve(100);
    await ended;
    expect(noted).toEqual([100]);
  });

  it('takes a counter that begins anew for that of a new device', async () => {
    meter(1_000);
    await look(1_200);
    await look(30);
    expect(noted).toEqual([200, 30]);
  });

  it('says once that it cannot count, and goes on when it can', async () => {
    const counted = meter();
    counter = async () => {
      throw new Error('no answer');
    };
    clock.advance(3_000);
    await setImmediate();
    clock.advance(3_000);
    await setImmediate();
    expect(log).toEqual(['what the modem carries is not counted for now: no answer']);
    await look(70);
    expect(noted).toEqual([70]);
    await counted.end();
  });
});
