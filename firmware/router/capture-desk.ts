/** The captures that run: a few at a time, each with what begins and ends in the log. */
import type { Clock } from '../../hal/clock.ts';
import { HalError } from '../../hal/hal-error.ts';
import type { PacketCaptureFactory } from '../../hal/packet-capture.ts';
import type { CaptureResult } from '../api/router-control.ts';
import type { CaptureLimits } from '../diagnosis/capture/capture-limits.ts';
import { CaptureRun, type CaptureSource, END_WORDS } from '../diagnosis/capture/capture-run.ts';
import { isOuterTraffic } from '../diagnosis/capture/outer-traffic.ts';
import type { CaptureTarget } from './capture-target.ts';

/** Captures at a time: each has a buffer of some MiB in the kernel, and its share of the control thread. */
export const MAX_CAPTURES = 4;

export interface CaptureDeskParts {
  readonly captures: PacketCaptureFactory;
  readonly clock: Clock;
  readonly version: string;
  readonly log: (line: string) => void;
}

export class CaptureDesk {
  readonly #parts: CaptureDeskParts;
  readonly #running = new Map<number, CaptureRun>();
  /** Opened, and not begun yet. */
  #prepared = 0;
  #nextId = 1;

  constructor(parts: CaptureDeskParts) {
    this.#parts = parts;
  }

  get running(): number {
    return this.#running.size + this.#prepared;
  }

  /** Opens what is captured, so that whoever asked can be told at once why it does not work. */
  prepare(name: string, target: CaptureTarget, limits: CaptureLimits): CaptureResult {
    if (this.running >= MAX_CAPTURES) {
      const reason = `${MAX_CAPTURES} captures run already, and more at a time would cost the tunnels too much`;
      return { ok: false, busy: true, reason, remedy: 'wait until one ends, or end one' };
    }
    const sources: CaptureSource[] = [];
    try {
      for (const { device, description } of target.places) {
        sources.push({ capture: this.#parts.captures.open(device), description });
      }
    } catch (error) {
      for (const { capture } of sources) capture.close();
      if (!(error instanceof HalError)) throw error;
      return { ok: false, reason: error.message.replace(/\.$/, '') };
    }
    const id = this.#nextId++;
    this.#prepared += 1;
    return {
      ok: true,
      id,
      begin: (sink) => {
        this.#prepared -= 1;
        const { clock, version, log } = this.#parts;
        const { traffic, places } = target;
        log(`a capture of ${name} begins on ${places.map(({ device }) => device).join(', ')}`);
        const run = new CaptureRun({
          sources,
          ...(traffic && { wanted: (link, bytes, length) => isOuterTraffic(traffic, link, bytes, length) }),
          limits,
          clock,
          sink,
          application: `Culvert ${version}`,
          onEnd: ({ reason, packets, lost }) => {
            this.#running.delete(id);
            log(`the capture of ${name} has ended, ${END_WORDS[reason]}: ${packets} packets, ${lost} lost`);
          },
        });
        this.#running.set(id, run);
        return run;
      },
    };
  }

  /** Ends a capture as it should end. @returns false when none has that number, or none any more. */
  stop(id: number): boolean {
    const run = this.#running.get(id);
    run?.stop();
    return run !== undefined;
  }

  stopAll(): void {
    for (const run of [...this.#running.values()]) run.stop();
  }
}
