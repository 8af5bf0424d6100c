/** When a DSL line came up and went down, at which rates and why: what a technician asks for first. Bounded; no clock. */
import type { Instant } from '../machine.ts';
import { DSL_STATE_WORDS, type DslStatus } from './dsl-status.ts';

/** One sync. */
export interface DslSync {
  readonly upAt: Instant;
  /** While it lasts, absent. */
  readonly downAt?: Instant;
  readonly downKbps?: number;
  readonly upKbps?: number;
  /** Why it ended, in words. */
  readonly reason?: string;
}

const MOST = 32;
/** Clocks of two machines go differently, and an answer takes its time. */
const TOLERANCE_SECONDS = 20;

export class SyncHistory {
  #syncs: DslSync[] = [];
  #last: { readonly status: DslStatus; readonly at: Instant } | undefined;

  /** Oldest first. One that was up when the modem was last heard is up until it says otherwise. */
  get syncs(): readonly DslSync[] {
    return this.#syncs;
  }

  /** What has been seen now. @returns sentences for the log about what has changed, without a full stop. */
  see(status: DslStatus, now: Instant): readonly string[] {
    const before = this.#last;
    this.#last = { status, at: now };
    const open = this.#open();
    const since = status.upSeconds === undefined ? undefined : now - status.upSeconds * 1000;
    if (status.state === 'showtime') {
      if (open === undefined) return this.#up(status, since ?? now);
      if (since === undefined || !isYounger(status, before, now)) return [];
      return [
        this.#down(open, since, reasonOf(status) ?? 'lost and found between two looks'),
        ...this.#up(status, since),
      ];
    }
    if (open !== undefined) return [this.#down(open, now, reasonOf(status) ?? `the modem says ${status.stateWords}`)];
    return before?.status.state === status.state ? [] : [`the line is not up: ${DSL_STATE_WORDS[status.state]}`];
  }

  #open(): DslSync | undefined {
    const last = this.#syncs.at(-1);
    return last?.downAt === undefined ? last : undefined;
  }

  #up(status: DslStatus, at: Instant): readonly string[] {
    const { rateKbps: downKbps } = status.down;
    const { rateKbps: upKbps } = status.up;
    const sync = { upAt: at, ...(downKbps !== undefined && { downKbps }), ...(upKbps !== undefined && { upKbps }) };
    this.#syncs = [...this.#syncs, sync].slice(-MOST);
    const rates = [rateWords(downKbps, 'down'), rateWords(upKbps, 'up')].filter((words) => words !== '');
    return [`the line is up${rates.length === 0 ? '' : `, ${rates.join(' and ')}`}`];
  }

  #down(open: DslSync, at: Instant, reason: string): string {
    this.#syncs = [...this.#syncs.slice(0, -1), { ...open, downAt: Math.max(at, open.upAt), reason }];
    return `the line went down: ${reason}`;
  }
}

/** By the modem's own clock it is up for less long than it would be by now. */
function isYounger(
  { upSeconds }: DslStatus,
  before: { readonly status: DslStatus; readonly at: Instant } | undefined,
  now: Instant,
): boolean {
  if (upSeconds === undefined || before?.status.upSeconds === undefined) return false;
  return upSeconds + TOLERANCE_SECONDS < before.status.upSeconds + (now - before.at) / 1000;
}

function reasonOf({ retrainReason }: DslStatus): string | undefined {
  return retrainReason === undefined ? undefined : `retrain reason ${retrainReason}`;
}

function rateWords(kbps: number | undefined, direction: string): string {
  return kbps === undefined ? '' : `${(kbps / 1000).toFixed(1)} Mbit/s ${direction}`;
}
