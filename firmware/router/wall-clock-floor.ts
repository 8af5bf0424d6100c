/**
 * A board without a battery starts in 1970 or where its image was made, and has no certificate that is valid then. The
 * time is later than all that is known to have been: the making of this program, and what an earlier run saw.
 */
import { join } from 'node:path';
import type { Clock, Timer } from '../../hal/clock.ts';
import type { WallTime } from '../certificates/certificate-failures.ts';
import { readStateFile, reasonOf, writeStateFile } from '../config/state-file.ts';

const FILE_NAME = 'wall-clock';

/** The file holds one line of 24 characters. */
const MAX_OCTETS = 64;

const LINE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z\n?$/;

const MINUTE = 60_000;

/** Milliseconds between two writes, and how far the clock must have gone on: flash memory wears. */
const SAVE_INTERVAL = 60 * MINUTE;

/** Milliseconds until the clock is looked at again when there was nothing to save: time service may set it soon. */
const LOOK_INTERVAL = 5 * MINUTE;

/** Milliseconds that a board and its firmware may last, 30 years: a later time is an error of the clock. */
const LIFETIME = 30 * 365.25 * 24 * 60 * MINUTE;

/** Milliseconds since 1970, put in by the bundler (`define`). */
declare const CULVERT_BUILD_TIME: number | undefined;

/** When this program was made, milliseconds since 1970. Of sources that were not bundled: a day on which they were there. */
export const BUILD_TIME = typeof CULVERT_BUILD_TIME === 'number' ? CULVERT_BUILD_TIME : Date.UTC(2026, 10, 21);

export interface WallClockFloorOptions {
  /** The machine's. */
  readonly clock: Clock;
  readonly stateDirectory: string;
  /** Milliseconds since 1970; default {@link BUILD_TIME}. */
  readonly buildTime?: number;
  readonly log: (line: string) => void;
}

/**
 * The machine's clock, but that the wall clock is never before the floor, which goes on by the monotonic clock. It holds
 * from the start for the build time, and after {@link load} for what earlier runs saved.
 */
export class WallClockFloor implements Clock {
  readonly #clock: Clock;
  readonly #path: string;
  readonly #log: (line: string) => void;
  readonly #latestCredible: number;
  /** What the wall clock was at least at the monotonic instant {@link #since}. */
  #floor: number;
  #since: number;
  /** What the file holds; 0: nothing of use. */
  #saved = 0;
  #timer: Timer | undefined;

  constructor({ clock, stateDirectory, buildTime = BUILD_TIME, log }: WallClockFloorOptions) {
    this.#clock = clock;
    this.#path = join(stateDirectory, FILE_NAME);
    this.#log = log;
    this.#latestCredible = buildTime + LIFETIME;
    this.#floor = buildTime;
    this.#since = clock.now();
  }

  now(): number {
    return this.#clock.now();
  }

  wall(): number {
    return Math.max(this.#clock.wall(), this.#floorNow());
  }

  /** {@link wall}, and whether it is what the machine's clock says, and not only what it has to be at least. */
  wallTime(): WallTime {
    return { at: this.wall(), trusted: this.#clock.wall() >= this.#floorNow() };
  }

  setTimer(at: number, callback: () => void): Timer {
    return this.#clock.setTimer(at, callback);
  }

  /** Reads what an earlier run saved. A damaged file counts as none, with a line in the log. */
  async load(): Promise<void> {
    try {
      this.#saved = this.#parse(await readStateFile(this.#path, MAX_OCTETS));
    } catch (error) {
      this.#log(`The time of the last run is not known, and the next saving replaces it: ${reasonOf(error)}`);
    }
    if (this.#saved > this.#floorNow()) {
      this.#floor = this.#saved;
      this.#since = this.#clock.now();
    }
    const kernel = this.#clock.wall();
    if (kernel >= this.#floorNow()) return;
    this.#log(
      `This machine's clock says ${textOf(kernel)}, which is past: ${textOf(this.wall())} is used until it has been set. ` +
        `If that is too late, remove ${this.#path}.`,
    );
  }

  /** Saves the time now and then, until {@link stop}. */
  start(): void {
    this.#timer ??= this.#lookIn(LOOK_INTERVAL);
  }

  /** Saves the time once more. Never fails: there is a line in the log instead. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.wall() > this.#saved) await this.#save();
  }

  #lookIn(milliseconds: number): Timer {
    return this.#clock.setTimer(this.#clock.now() + milliseconds, () => {
      const due = this.wall() - this.#saved >= SAVE_INTERVAL;
      this.#timer = this.#lookIn(due ? SAVE_INTERVAL : LOOK_INTERVAL);
      if (due) void this.#save();
    });
  }

  async #save(): Promise<void> {
    const wall = this.wall();
    if (wall > this.#latestCredible) return;
    try {
      await writeStateFile(this.#path, `${textOf(wall)}\n`);
      this.#saved = wall;
    } catch (error) {
      this.#log(`The time cannot be saved for the next start: ${reasonOf(error)}`);
    }
  }

  #parse(text: string | undefined): number {
    if (text === undefined) return 0;
    const time = LINE.test(text) ? Date.parse(text.trim()) : Number.NaN;
    if (Number.isNaN(time)) throw new Error(`${this.#path} is damaged.`);
    if (time > this.#latestCredible)
      throw new Error(`${this.#path} has a time that cannot have been, ${textOf(time)}.`);
    return time;
  }

  #floorNow(): number {
    return Math.floor(this.#floor + (this.#clock.now() - this.#since));
  }
}

/** RFC 3339, UTC, with milliseconds. */
function textOf(wall: number): string {
  return new Date(wall).toISOString();
}
