import { beforeEach, describe, expect, it } from 'vitest';
import { simulated } from '../../../board/simulated.ts';
import type { Condition } from '../../../firmware/indicators/condition.ts';
import { NO_MODEM } from '../../../firmware/indicators/condition.ts';
import type { Hardware } from '../../../firmware/indicators/hardware.ts';
import { Indicators } from '../../../firmware/indicators/indicators.ts';
import type { Button, ButtonChange } from '../../../hal/buttons.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import { SimulatedWatchdogs } from '../../../hal/simulated/watchdog.ts';
import { FakeLed } from './fake-led.ts';

class FakeButton implements Button {
  readonly place = 'line 3 of chip';
  readonly #now: () => number;
  #changes: ButtonChange[] = [];
  #pressed = false;
  gone = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  get pressed(): boolean {
    if (this.gone) throw new Error('The button is gone.');
    return this.#pressed;
  }

  press(pressed: boolean): void {
    this.#pressed = pressed;
    this.#changes.push({ pressed, at: this.#now() });
  }

  changes(): readonly ButtonChange[] {
    if (this.gone) throw new Error('The button is gone.');
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  close(): void {
    this.#changes = [];
  }
}

let clock: SimulatedClock;
let power: FakeLed;
let vpn: FakeLed;
let button: FakeButton;
let watchdogs: SimulatedWatchdogs;
let condition: Omit<Condition, 'phase'>;
let inFailsafe: boolean;
let done: string[];
let logged: string[];
let indicators: Indicators;

async function pass(ms: number): Promise<void> {
  const end = clock.now() + ms;
  await new Promise(setImmediate);
  while (clock.now() < end) {
    clock.advance(Math.min(50, end - clock.now()));
    await Promise.resolve();
  }
  await new Promise(setImmediate);
}

beforeEach(() => {
  clock = new SimulatedClock();
  const now = (): number => clock.now();
  [power, vpn] = [new FakeLed('red:power', now), new FakeLed('green:vpn', now)];
  button = new FakeButton(now);
  watchdogs = new SimulatedWatchdogs('/dev/watchdog', now);
  condition = {
    wan: { state: 'up', why: 'wan is up' },
    vpn: { state: 'up', why: 'hq is up' },
    lte: NO_MODEM,
  };
  inFailsafe = false;
  done = [];
  logged = [];
  const log = (line: string): void => void logged.push(line);
  indicators = new Indicators({
    board: simulated,
    clock,
    open: async (): Promise<Hardware> => ({
      leds: [
        { description: { purpose: 'power' }, place: 'red:power', device: power },
        { description: { purpose: 'vpn' }, place: 'green:vpn', device: vpn },
        { description: { purpose: 'lte' }, place: '*:lte', trouble: 'the kernel has no LED of that name' },
      ],
      buttons: [{ description: { purpose: 'reset', key: 408 }, place: button.place, device: button }],
      watchdog: { place: '/dev/watchdog', device: watchdogs.open('/dev/watchdog', 15) },
      lines: ['LEDs: two of them'],
    }),
    condition: () => condition,
    failsafe: () => inFailsafe,
    carrier: () => true,
    ask: async () => undefined,
    reboot: ({ key }) => done.push(`reboot by ${key}`),
    factoryReset: () => done.push('factory reset'),
    log: { info: log, warn: log },
  });
});

async function ready(): Promise<void> {
  await indicators.start();
  indicators.setPhase('ready');
}

async function press(ms: number): Promise<void> {
  button.press(true);
  await pass(ms);
  button.press(false);
  await pass(200);
}

describe('the LEDs', () => {
  it('say that the router starts, that it runs, and what has changed', async () => {
    expect(await indicators.start()).toEqual({ failsafe: false });
    expect(power.last).toEqual({ kind: 'timer', onMs: 100, offMs: 100 });
    expect(vpn.last).toEqual({ kind: 'steady', level: 0 });
    indicators.setPhase('ready');
    expect(power.last).toEqual({ kind: 'steady', level: 1 });
    expect(vpn.last).toEqual({ kind: 'steady', level: 1 });
    condition = { ...condition, vpn: { state: 'negotiating', why: 'hq is being connected' } };
    indicators.refresh();
    expect(vpn.last).toEqual({ kind: 'timer', onMs: 500, offMs: 500 });
    expect(logged).toEqual(['LEDs: two of them']);
  });

  it('find out within a second what nobody told', async () => {
    await ready();
    condition = { ...condition, vpn: { state: 'off', why: '' } };
    await pass(1000);
    expect(vpn.last).toEqual({ kind: 'steady', level: 0 });
  });

  it('say failsafe as long as that lasts', async () => {
    inFailsafe = true;
    await ready();
    expect(power.last).toEqual({ kind: 'timer', onMs: 50, offMs: 50 });
    inFailsafe = false;
    await pass(1000);
    expect(power.last).toEqual({ kind: 'steady', level: 1 });
  });

  it('all blink for who looks for the router, until that is over or taken back', async () => {
    await ready();
    expect(indicators.identify(2)).toEqual({ ok: true });
    for (const led of [power, vpn]) expect(led.last).toEqual({ kind: 'timer', onMs: 250, offMs: 250 });
    await pass(1_900);
    expect(power.last?.kind).toBe('timer');
    await pass(200);
    expect(power.last).toEqual({ kind: 'steady', level: 1 });
    indicators.identify(60);
    indicators.identify(0);
    expect(power.last).toEqual({ kind: 'steady', level: 1 });
  });

  it('say what has become of a bundle', async () => {
    await ready();
    indicators.bundle(false);
    expect(power.last).toEqual({ kind: 'timer', onMs: 60, offMs: 60 });
    indicators.bundle(true);
    expect(power.last).toEqual({ kind: 'steady', level: 1 });
    await pass(6_000);
    expect(indicators.status().leds[0]?.why).toBe('the router runs');
  });

  it('are what they were in the end, and the watchdog stands still', async () => {
    await ready();
    expect(watchdogs.running).toBe(true);
    await indicators.stop();
    expect([power.restored, vpn.restored]).toEqual([1, 1]);
    expect(watchdogs.running).toBe(false);
    await pass(5_000);
    expect(clock.nextTimer).toBeUndefined();
  });
});

describe('the reset button', () => {
  it('reboots when it is pressed shortly', async () => {
    await ready();
    await press(300);
    expect(done).toEqual(['reboot by 408']);
  });

  it('counts down, and resets when it is let go behind that', async () => {
    await ready();
    button.press(true);
    await pass(1_200);
    for (const led of [power, vpn]) expect(led.last).toEqual({ kind: 'timer', onMs: 500, offMs: 500 });
    expect(indicators.status().buttons[0]?.state).toBe('held');
    await pass(3_000);
    expect(vpn.last).toEqual({ kind: 'timer', onMs: 80, offMs: 80 });
    await pass(1_000);
    expect(vpn.last).toEqual({ kind: 'steady', level: 1 });
    expect(done).toEqual([]);
    button.press(false);
    await pass(200);
    expect(done).toEqual(['factory reset']);
  });

  it('does nothing when it is let go in the countdown', async () => {
    await ready();
    await press(3_000);
    expect(done).toEqual([]);
    expect(power.last).toEqual({ kind: 'steady', level: 1 });
    expect(logged.at(-1)).toBe('the reset button was let go before 5 s were over: nothing happens');
  });

  it('that is stuck is said once and ignored, and shows as that', async () => {
    await ready();
    button.press(true);
    await pass(200_000);
    expect(logged.filter((line) => line.includes('stuck'))).toHaveLength(1);
    expect(indicators.status().buttons[0]?.state).toBe('stuck');
    expect(power.last).toEqual({ kind: 'steady', level: 1 });
    button.press(false);
    await pass(200);
    expect(done).toEqual([]);
    expect(indicators.status().buttons[0]?.state).toBe('free');
  });

  it('that is held at the start and then let go asks for failsafe, and for nothing else', async () => {
    button.press(true);
    const started = indicators.start();
    await pass(500);
    expect(power.last).toEqual({ kind: 'timer', onMs: 50, offMs: 50 });
    button.press(false);
    await pass(100);
    expect(await started).toEqual({ failsafe: true });
    expect(power.last).toEqual({ kind: 'timer', onMs: 50, offMs: 50 });
    await pass(1_000);
    expect(done).toEqual([]);
    await press(300);
    expect(done).toEqual(['reboot by 408']);
  });

  it('that hangs at the start keeps nobody in failsafe', async () => {
    button.press(true);
    const started = indicators.start();
    await pass(10_100);
    expect(await started).toEqual({ failsafe: false });
    expect(logged.at(-1)).toMatch(/^the button at line 3 of chip is held or stuck since the start/);
    await pass(100_000);
    button.press(false);
    await pass(200);
    expect(done).toEqual([]);
  });

  it('that is gone is said once', async () => {
    await ready();
    button.gone = true;
    await pass(5_000);
    expect(logged.filter((line) => line.includes('gone'))).toEqual(['The button is gone: it means nothing any more']);
    expect(indicators.status().buttons[0]).toMatchObject({ state: 'failed', reason: 'The button is gone' });
  });
});

describe('what there is to say of the board', () => {
  it('names each thing, by what it is kept going, what it shows and why', async () => {
    await ready();
    condition = { ...condition, vpn: { state: 'failed', stage: 4, why: 'hq fails at IKE authentication' } };
    indicators.refresh();
    expect(indicators.status()).toMatchObject({
      board: 'simulated',
      leds: [
        { purpose: 'power', device: 'red:power', by: 'culvert', shows: 'lit', why: 'the router runs' },
        { purpose: 'vpn', shows: 'flashes 4 times, then pauses', why: 'hq fails at IKE authentication' },
        { purpose: 'lte', device: '*:lte', by: '', shows: '', reason: 'the kernel has no LED of that name' },
      ],
      buttons: [{ purpose: 'reset', device: 'line 3 of chip', state: 'free' }],
      watchdog: { device: '/dev/watchdog', identity: 'simulated watchdog', timeoutSeconds: 15, state: 'fed' },
    });
  });

  it('is little before the start', () => {
    expect(indicators.status()).toMatchObject({ leds: [], buttons: [] });
    expect(indicators.identify(1)).toMatchObject({ ok: false, reason: 'this board has no LED that could blink' });
  });
});
