/** How much a modem has carried this month, over restarts. */
import type { Clock } from '../../../hal/clock.ts';
import { readStateFile, writeStateFile } from '../../config/state-file.ts';

const MEGABYTE = 1_000_000;
/** It is written when so much has come, or after so long: a power cut may lose that much. */
const WRITE_OCTETS = 10 * MEGABYTE;
const WRITE_MS = 600_000;
const MOST_OCTETS = 4_096;

export class DataMeter {
  readonly #path: string;
  readonly #clock: Clock;
  /** `2026-11`, in UTC. */
  #month = '';
  #octets = 0;
  #unwritten = 0;
  #writtenAt: number;

  /** @param path of its file. */
  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
    this.#writtenAt = clock.now();
  }

  /** Reads what there is; a file that is damaged counts as none. */
  async load(): Promise<void> {
    const text = await readStateFile(this.#path, MOST_OCTETS).catch(() => undefined);
    const [, month, octets] = /^\{"month":"(\d{4}-\d{2})","octets":(\d{1,15})\}\n?$/.exec(text ?? '') ?? [];
    this.#month = this.#now();
    if (month === undefined || month < this.#month) return;
    // A later month than the present one: the clock is not set yet.
    this.#month = month;
    this.#octets += Number(octets);
  }

  /** Of the present month, both ways. */
  get octets(): number {
    this.#turn();
    return this.#octets;
  }

  /** @param megabytes of 10^6 octets; `undefined`: no cap. */
  isOver(megabytes: number | undefined): boolean {
    return megabytes !== undefined && this.octets >= megabytes * MEGABYTE;
  }

  /** @param octets carried since the last call, both ways. */
  async add(octets: number): Promise<void> {
    this.#turn();
    this.#octets += octets;
    this.#unwritten += octets;
    if (this.#unwritten >= WRITE_OCTETS || this.#clock.now() - this.#writtenAt >= WRITE_MS) await this.save();
  }

  /** @throws Error in words when it cannot be written. */
  async save(): Promise<void> {
    if (this.#unwritten === 0) return;
    this.#turn();
    this.#unwritten = 0;
    this.#writtenAt = this.#clock.now();
    await writeStateFile(this.#path, `${JSON.stringify({ month: this.#month, octets: this.#octets })}\n`);
  }

  /** A new month begins with nothing. A wall clock that goes back does not: it was wrong before, or is now. */
  #turn(): void {
    const month = this.#now();
    if (month <= this.#month) return;
    this.#month = month;
    this.#octets = 0;
  }

  #now(): string {
    return new Date(this.#clock.wall()).toISOString().slice(0, 7);
  }
}
