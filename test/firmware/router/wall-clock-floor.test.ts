import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BUILD_TIME, WallClockFloor } from '../../../firmware/router/wall-clock-floor.ts';
import type { Clock, Timer } from '../../../hal/clock.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const BUILD = Date.UTC(2026, 0, 1);

/** A machine whose clock can be set, as time service does; without battery it starts in 1970. */
class MachineClock implements Clock {
  readonly monotonic = new SimulatedClock(1000);
  #origin = 0;

  now(): number {
    return this.monotonic.now();
  }

  wall(): number {
    return this.#origin + this.now();
  }

  setTimer(at: number, callback: () => void): Timer {
    return this.monotonic.setTimer(at, callback);
  }

  setWall(wall: number): void {
    this.#origin = wall - this.now();
  }
}

let directory: string;
let lines: string[];

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'culvert-clock-')), 'state');
  lines = [];
});

afterEach(() => rm(join(directory, '..'), { recursive: true, force: true }));

const path = (): string => join(directory, 'wall-clock');
const saved = async (): Promise<number> => Date.parse((await readFile(path(), 'utf8')).trim());

/** One run of the router. */
function run(clock: Clock = new MachineClock(), buildTime = BUILD): WallClockFloor {
  return new WallClockFloor({ clock, stateDirectory: directory, buildTime, log: (line) => lines.push(line) });
}

async function loaded(clock: Clock = new MachineClock(), buildTime = BUILD): Promise<WallClockFloor> {
  const floor = run(clock, buildTime);
  await floor.load();
  return floor;
}

/** Ends with `wall` in the file. */
async function earlierRunUntil(wall: number): Promise<void> {
  const clock = new MachineClock();
  clock.setWall(wall);
  await run(clock).stop();
}

describe('the wall clock', () => {
  it('is the build time and onward on a machine without battery, even before anything was read', () => {
    const clock = new MachineClock();
    const floor = run(clock);
    expect(floor.wall()).toBe(BUILD);
    clock.monotonic.advance(90_000.75);
    expect(floor.wall()).toBe(BUILD + 90_000);
    expect(floor.now()).toBe(clock.now());
  });

  it('is what the last run saved and onward, when that is later', async () => {
    await earlierRunUntil(BUILD + 40 * DAY);
    const clock = new MachineClock();
    const floor = await loaded(clock);
    expect(floor.wall()).toBe(BUILD + 40 * DAY);
    clock.monotonic.advance(HOUR);
    expect(floor.wall()).toBe(BUILD + 40 * DAY + HOUR);
  });

  it('does not lose the time that passes while the file is read', async () => {
    await earlierRunUntil(BUILD + 40 * DAY);
    const clock = new MachineClock();
    const floor = run(clock);
    clock.monotonic.advance(50 * DAY);
    await floor.load();
    expect(floor.wall()).toBe(BUILD + 50 * DAY);
  });

  it('is the build time when a newer program finds an older file', async () => {
    await earlierRunUntil(BUILD + DAY);
    expect((await loaded(new MachineClock(), BUILD + 40 * DAY)).wall()).toBe(BUILD + 40 * DAY);
  });

  it("is the machine's as soon as that has been set, and never goes back behind the floor", async () => {
    await earlierRunUntil(BUILD + 40 * DAY);
    const clock = new MachineClock();
    const floor = await loaded(clock);
    clock.setWall(BUILD + 41 * DAY);
    expect(floor.wall()).toBe(BUILD + 41 * DAY);
    clock.setWall(BUILD + 40.5 * DAY);
    expect(floor.wall()).toBe(BUILD + 40.5 * DAY);
    clock.setWall(0);
    expect(floor.wall()).toBe(BUILD + 40 * DAY);
  });

  it('is that of the machine where it has a battery, and nothing is said', async () => {
    await earlierRunUntil(BUILD + 40 * DAY);
    const clock = new MachineClock();
    clock.setWall(BUILD + 50 * DAY);
    expect((await loaded(clock)).wall()).toBe(BUILD + 50 * DAY);
    expect(lines).toEqual([]);
  });

  it('says once that the clock of the machine is not believed, and what to do if that is wrong', async () => {
    await earlierRunUntil(BUILD + 40 * DAY);
    await loaded();
    expect(lines).toEqual([
      "This machine's clock says 1970-01-01T00:00:01.000Z, which is past: 2026-02-10T00:00:00.000Z is used until it has " +
        `been set. If that is too late, remove ${path()}.`,
    ]);
  });

  it('has timers of the machine', () => {
    const clock = new MachineClock();
    const fired = vi.fn();
    const floor = run(clock);
    floor.setTimer(floor.now() + 10, fired);
    clock.monotonic.advance(10);
    expect(fired).toHaveBeenCalledTimes(1);
  });

  it('is not to be trusted before it has been set, and is from then on', async () => {
    const machine = new MachineClock();
    const clock = await loaded(machine);
    expect(clock.wallTime()).toEqual({ at: clock.wall(), trusted: false });
    machine.setWall(BUILD + DAY);
    expect(clock.wallTime()).toEqual({ at: BUILD + DAY, trusted: true });
  });
});

describe('saving the wall clock', () => {
  it('happens on stop, in a file for its owner alone', async () => {
    const clock = new MachineClock();
    const floor = await loaded(clock);
    floor.start();
    clock.monotonic.advance(MINUTE);
    await floor.stop();
    expect(await saved()).toBe(BUILD + MINUTE);
    expect((await stat(path())).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['wall-clock']);
    expect(clock.monotonic.nextTimer).toBeUndefined();
  });

  it('happens once an hour and not more often', async () => {
    await earlierRunUntil(BUILD + 40 * DAY);
    const clock = new MachineClock();
    const floor = await loaded(clock);
    floor.start();
    floor.start();
    const writes: number[] = [];
    let last = await saved();
    for (let minute = 1; minute <= 200; minute++) {
      clock.monotonic.advance(MINUTE);
      // A write that was begun takes its time to reach the disk.
      await vi.waitUntil(async () => (minute % 60 === 0 ? (await saved()) !== last : true));
      if ((await saved()) !== last) writes.push(minute);
      last = await saved();
    }
    expect(writes).toEqual([60, 120, 180]);
    await floor.stop();
  });

  it('happens soon after time service has set the clock far ahead', async () => {
    await earlierRunUntil(BUILD + 40 * DAY);
    const clock = new MachineClock();
    const floor = await loaded(clock);
    floor.start();
    clock.setWall(BUILD + 90 * DAY);
    clock.monotonic.advance(5 * MINUTE);
    await vi.waitUntil(async () => (await saved()) === BUILD + 90 * DAY + 5 * MINUTE);
    await floor.stop();
  });

  it('does not happen on stop when the clock has not gone on', async () => {
    await earlierRunUntil(BUILD + 40 * DAY);
    const { mtimeMs } = await stat(path());
    await (await loaded()).stop();
    expect((await stat(path())).mtimeMs).toBe(mtimeMs);
  });

  it('is left alone while the clock shows a time that cannot be', async () => {
    await earlierRunUntil(BUILD + 40 * DAY);
    const clock = new MachineClock();
    const floor = await loaded(clock);
    clock.setWall(Date.UTC(2099, 0, 1));
    await floor.stop();
    expect(await saved()).toBe(BUILD + 40 * DAY);
  });

  it('that fails is said in the log, and hurts nobody', async () => {
    await writeFile(join(directory, '..', 'state'), 'a file where the directory should be');
    const floor = await loaded();
    lines = [];
    await floor.stop();
    expect(lines).toEqual([expect.stringMatching(/^The time cannot be saved for the next start: /)]);
  });
});

describe('a file of the wall clock that cannot be believed', () => {
  const date = '2026-02-10T00:00:00.000Z';

  it.each([
    ['empty', ''],
    ['cut', date.slice(0, 12)],
    ['a number', '1770681600000\n'],
    ['a date that is none', '2026-13-45T00:00:00.000Z\n'],
    ['two lines', `${date}\n${date}\n`],
    ['binary', '\0\0\0\0\0\0\0\0'],
    ['long', `${date}${' '.repeat(100_000)}`],
    ['of the far future', '2099-01-01T00:00:00.000Z\n'],
  ])('counts as none when it is %s, with a line in the log, and is replaced', async (_what, text) => {
    await mkdir(directory);
    await writeFile(path(), text);
    const clock = new MachineClock();
    clock.setWall(BUILD + DAY);
    const floor = await loaded(clock);
    expect(floor.wall()).toBe(BUILD + DAY);
    expect(lines).toEqual([expect.stringMatching(/^The time of the last run is not known, .*wall-clock/)]);
    await floor.stop();
    expect(await saved()).toBe(BUILD + DAY);
  });

  it('is not followed when it is a link', async () => {
    await mkdir(directory);
    await writeFile(join(directory, 'elsewhere'), `${date}\n`);
    await symlink(join(directory, 'elsewhere'), path());
    expect((await loaded()).wall()).toBe(BUILD);
  });

  it('is no trouble when it is missing', async () => {
    const clock = new MachineClock();
    clock.setWall(BUILD + DAY);
    await loaded(clock);
    expect(lines).toEqual([]);
  });
});

describe('the build time', () => {
  it('is a credible one', () => {
    expect(BUILD_TIME).toBeGreaterThan(Date.UTC(2026, 0, 1));
    expect(BUILD_TIME).toBeLessThan(Date.UTC(2056, 0, 1));
  });
});
