import { beforeEach, describe, expect, it } from 'vitest';
import { WatchdogKeeper } from '../../../firmware/indicators/watchdog-keeper.ts';
import type { Clock, Timer } from '../../../hal/clock.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import { SimulatedWatchdogs } from '../../../hal/simulated/watchdog.ts';

/** Timers come late by as much as is said: the control loop is held up. */
class LateClock implements Clock {
  readonly time = new SimulatedClock();
  late = 0;
  now = () => this.time.now();
  wall = () => this.time.wall();

  setTimer(at: number, callback: () => void): Timer {
    return this.time.setTimer(at + this.late, callback);
  }
}

let clock: LateClock;
let watchdogs: SimulatedWatchdogs;
let logged: string[];
let ask: () => Promise<unknown>;

function keeper(timeoutSeconds = 30, lasting = false): WatchdogKeeper {
  watchdogs = new SimulatedWatchdogs('/dev/watchdog', () => clock.now(), { lasting });
  const watchdog = watchdogs.open('/dev/watchdog', timeoutSeconds);
  const made = new WatchdogKeeper({ watchdog, clock, ask: () => ask(), log: (line) => logged.push(line) });
  made.start();
  return made;
}

/** Second by second: promises are kept in between. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    clock.time.advance(1000);
    await new Promise(setImmediate);
  }
}

beforeEach(() => {
  clock = new LateClock();
  logged = [];
  ask = async () => undefined;
});

describe('the watchdog', () => {
  it('is fed as long as all is well, often enough for the shortest one', async () => {
    for (const seconds of [5, 15, 600]) {
      const made = keeper(seconds);
      await pass(60);
      expect(watchdogs.bitten).toBe(false);
      expect(made.state).toEqual({ state: 'fed' });
      made.stop();
    }
    expect(logged).toEqual([]);
  });

  it('is not fed when the data plane does not answer, and that is said before it bites', async () => {
    ask = () => new Promise(() => undefined);
    const made = keeper(15);
    await pass(9);
    expect(made.state.state).toBe('fed');
    await pass(2);
    expect(made.state).toEqual({ state: 'starving', reason: 'the data plane has not answered for 10 s' });
    expect(logged).toEqual([
      'the watchdog is not fed any more, for the data plane has not answered for 10 s: unless that ends, it resets the machine within 15 s',
    ]);
    expect(watchdogs.bitten).toBe(false);
    await pass(15);
    expect(watchdogs.bitten).toBe(true);
    expect(logged).toHaveLength(1);
  });

  it('is fed again when the data plane answers after all, and one that fails has answered', async () => {
    const waiting: (() => void)[] = [];
    ask = () => new Promise((_, reject) => waiting.push(() => reject(new Error('closed'))));
    const made = keeper(60);
    await pass(12);
    expect(made.state.state).toBe('starving');
    for (const answer of waiting) answer();
    ask = async () => undefined;
    await pass(3);
    expect(made.state).toEqual({ state: 'fed' });
    expect(logged.at(-1)).toBe('the watchdog is fed again');
  });

  it('is not fed when the control loop is late again and again, and is when it was late once', async () => {
    const made = keeper(60);
    clock.late = 1500;
    await pass(7);
    clock.late = 0;
    await pass(10);
    expect(made.state.state).toBe('fed');
    expect(logged).toEqual([]);
    clock.late = 1500;
    await pass(30);
    expect(made.state.state).toBe('starving');
    expect(logged[0]).toMatch(/the control loop was more than 1000 ms late 5 times in a row/);
  });

  it('is stopped in the end, and it is said when it cannot be', async () => {
    keeper(30).stop();
    expect(watchdogs.running).toBe(false);
    const lasting = keeper(30, true);
    lasting.stop();
    lasting.stop();
    expect(watchdogs.running).toBe(true);
    expect(logged).toEqual([
      'the watchdog cannot be stopped: unless something feeds it, it resets the machine in 30 s',
    ]);
  });

  it('that refuses its food is said once', async () => {
    const device = { identity: 'w', timeoutSeconds: 30, close: () => ({ running: false }) };
    const feed = () => {
      throw new Error('The watchdog is gone.');
    };
    const made = new WatchdogKeeper({
      watchdog: { ...device, feed },
      clock,
      ask,
      log: (line) => logged.push(line),
    });
    made.start();
    await pass(10);
    expect(made.state).toEqual({ state: 'failed', reason: 'The watchdog is gone' });
    expect(logged).toEqual(['the watchdog cannot be fed: The watchdog is gone']);
  });
});
