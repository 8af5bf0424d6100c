/**
 * Records once a second what passes, in memory, and has it written down four times an hour, as long as the day's budget of
 * the memory card allows that.
 */
import type { Clock, Timer } from '../../hal/clock.ts';
import type { MachineCounters } from '../../hal/machine-counters.ts';
import type { ConfigurationStore } from '../config/store/configuration-store.ts';
import { chunksSince, restoreChunk } from '../config/traffic/traffic-chunks.ts';
import type { SavedTraffic } from '../config/traffic/traffic-database.ts';
import { type RingName, type TrafficHistory, TrafficRings } from '../config/traffic/traffic-rings.ts';
import { errorText } from '../vpn/steps.ts';

const SAMPLE_MS = 1_000;
const FLUSH_MS = 15 * 60_000;
const DAY_MS = 86_400_000;
/** A router that was off for longer begins its rings anew. */
const LONGEST_OFF_MS = 366 * DAY_MS;

/**
 * Octets that may be written to the disk in a day before history is no longer written down. A cheap card of 8 GB bears some
 * 500 times its size; with a tenfold write amplification and ten years that leaves 110 MB a day, of which half is used.
 */
export const DAILY_WRITES = 50 * 1024 * 1024;

/**
 * Part of the day's budget that may be used before its time, one hour of it. Who is further ahead writes no seconds, which
 * are most of it, so that minutes and hours can be written until the evening.
 */
const AHEAD = 1 / 24;

export interface TrafficRecorderParts {
  readonly clock: Clock;
  readonly counters: MachineCounters;
  readonly store: Pick<ConfigurationStore, 'loadTraffic' | 'flushTraffic'>;
  /** Devices by the name under which their traffic is kept: `interface.wan`, `l2tp.hq`. */
  readonly devices: () => ReadonlyMap<string, string>;
  readonly log: (line: string) => void;
}

/** What was written to the disk, for the status. */
export interface StorageStatus {
  /** By this process today (UTC), octets; 0 where the kernel does not say. */
  readonly octetsWrittenToday: number;
  readonly octetsPerDayLimit: number;
  /** Whether history is written down today. */
  readonly history: 'written' | 'paused';
}

export class TrafficRecorder {
  readonly #parts: TrafficRecorderParts;
  #rings: TrafficRings;
  #timer: Timer | undefined;
  #flushedAt: number;
  /** Logical time up to which minutes and hours are written down, ms, and up to which seconds are. */
  #saved = 0;
  #savedSeconds = 0;
  #day: number;
  /** Octets that had been written before this process, and at the beginning of the day by it. */
  #before = 0;
  #origin: number;
  #warned = false;
  /** The last flush did not succeed. */
  #failing = false;
  #flushing: Promise<void> = Promise.resolve();

  constructor(parts: TrafficRecorderParts) {
    this.#parts = parts;
    this.#rings = new TrafficRings(parts.clock.now());
    this.#flushedAt = parts.clock.now();
    this.#day = dayOf(parts.clock.wall());
    this.#origin = parts.counters.diskWrites() ?? 0;
  }

  /** Reads what earlier runs recorded, and begins. A store that cannot be read costs the history alone. */
  async start(): Promise<void> {
    const { store, clock, log } = this.#parts;
    try {
      const loaded = await store.loadTraffic();
      if (loaded.ok) this.#restore(loaded.saved);
      else log(`the traffic of earlier runs cannot be read: ${loaded.reason}; ${loaded.remedy}`);
    } catch (error) {
      log(`the traffic of earlier runs cannot be read: ${errorText(error)}`);
    }
    this.#flushedAt = clock.now();
    this.#timer ??= this.#next(clock.now());
  }

  /** Writes down what is not yet. Never rejects. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#flush();
  }

  get names(): readonly string[] {
    return this.#rings.names;
  }

  read(name: string, ring: RingName, count?: number): TrafficHistory | undefined {
    return this.#rings.read(name, ring, this.#parts.clock.wall(), count);
  }

  sum(name: string, ring: RingName, count: number): number {
    return this.#rings.sum(name, ring, count);
  }

  storage(): StorageStatus {
    const octets = this.#today();
    const history = octets < DAILY_WRITES ? 'written' : 'paused';
    return { octetsWrittenToday: octets, octetsPerDayLimit: DAILY_WRITES, history };
  }

  #restore({ mark, chunks, note }: SavedTraffic): void {
    const { clock, log } = this.#parts;
    if (note !== undefined) log(note);
    if (mark === undefined) return;
    const off = clock.wall() - mark.wall;
    // A clock that stands before the last flush tells nothing of how long it was off.
    const time = mark.time + (off > 0 && off < LONGEST_OFF_MS ? off : 0);
    this.#rings = new TrafficRings(clock.now(), time);
    for (const chunk of chunks) restoreChunk(this.#rings, chunk);
    this.#saved = time;
    this.#savedSeconds = time;
    if (mark.day === this.#day) this.#before = mark.octets;
  }

  /**
   * At fixed instants: were each a second after the last, what timers are late by would add up, and now and then a second
   * would be empty and the next one double. Those that were missed are left out.
   */
  #next(last: number): Timer {
    const { clock } = this.#parts;
    const at = last + (Math.max(0, Math.floor((clock.now() - last) / SAMPLE_MS)) + 1) * SAMPLE_MS;
    return clock.setTimer(at, () => {
      this.#timer = this.#next(at);
      this.#sample();
      if (clock.now() - this.#flushedAt >= FLUSH_MS) void this.#flush();
    });
  }

  #sample(): void {
    const { clock, counters, devices } = this.#parts;
    const named = devices();
    const found = counters.links([...named.values()]);
    const values = new Map<string, number>();
    for (const [name, device] of named) {
      const link = found.get(device);
      if (link === undefined) continue;
      values.set(`${name}.received`, link.received);
      values.set(`${name}.sent`, link.sent);
    }
    this.#rings.sample(clock.now(), values);
    this.#today();
  }

  #flush(): Promise<void> {
    this.#flushedAt = this.#parts.clock.now();
    this.#flushing = this.#flushing.then(() => this.#write());
    return this.#flushing;
  }

  async #write(): Promise<void> {
    const { store, clock, log } = this.#parts;
    if (this.#today() >= DAILY_WRITES) {
      if (!this.#warned)
        log(`${DAILY_WRITES} octets were written to the disk today: no traffic history until tomorrow`);
      this.#warned = true;
      return;
    }
    const { time } = this.#rings;
    const mark = { time, wall: clock.wall(), day: this.#day, octets: this.#today() };
    const seconds = this.#today() <= DAILY_WRITES * (clock.wall() / DAY_MS - this.#day + AHEAD);
    const chunks = [
      ...(seconds ? chunksSince(this.#rings, this.#savedSeconds, ['second']) : []),
      ...chunksSince(this.#rings, this.#saved, ['minute', 'hour']),
    ];
    try {
      const written = await store.flushTraffic(chunks, mark);
      if (written.ok) {
        this.#saved = time;
        if (seconds) this.#savedSeconds = time;
        this.#failing = false;
      } else this.#fail(`${written.reason}; ${written.remedy}`);
    } catch (error) {
      this.#fail(errorText(error));
    }
  }

  /** Said when it begins, and not four times an hour. */
  #fail(why: string): void {
    if (!this.#failing) this.#parts.log(`the traffic history is not written down, and stays in memory: ${why}`);
    this.#failing = true;
  }

  /** Octets of this UTC day. */
  #today(): number {
    const { clock, counters } = this.#parts;
    const written = counters.diskWrites() ?? 0;
    const day = dayOf(clock.wall());
    if (day !== this.#day) {
      [this.#day, this.#before, this.#origin, this.#warned] = [day, 0, written, false];
    }
    return this.#before + written - this.#origin;
  }
}

function dayOf(wall: number): number {
  return Math.floor(wall / DAY_MS);
}
