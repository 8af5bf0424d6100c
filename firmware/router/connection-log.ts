import type { Clock } from '../../hal/clock.ts';
import { connectionLogger, type Logger } from '../log/logger.ts';
import type { Failure } from '../protocol/machine.ts';
import { type ConnectionState, failureLine, type Step } from '../vpn/steps.ts';

/** A failure that goes on is said again after this time, ms. */
const REMIND_MS = 10 * 60_000;
/** Steps of one attempt that are kept until its end is known; a whole set-up has some thirty. */
const MAX_KEPT = 100;
/** Different failures that are known at a time: one per address of the server, and some. */
const MAX_KNOWN = 16;
/** Lines that may come at once: some ten users dialling in together. */
const BURST_LINES = 300;
/** Lines a second in the long run; a stranger must not fill the disk. */
const LINES_PER_SECOND = 10;

/**
 * Comes every few seconds of a quiet tunnel: at `info` it would push everything else out of the log. In IKE a question
 * whether the peer lives is R-U-THERE (RFC 3706 section 5) or an INFORMATIONAL exchange with nothing in it (RFC 7296
 * section 2.4).
 */
function isKeepalive({ step, detail }: Step): boolean {
  if (step === 'HELLO') return true;
  if (step === 'Informational') return detail?.startsWith('R-U-THERE') === true;
  return step.startsWith('INFORMATIONAL ') && detail === undefined;
}

interface Known {
  attempts: number;
  lastSaid: number;
}

/**
 * The log of one connection; every line carries its name. The first attempt is told step by step. While attempts fail
 * in ways that have been told already, their steps are not told again, only, now and then, that it goes on.
 */
export class ConnectionLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  /** Failures since the connection was last up, by their words without numbers. */
  readonly #known = new Map<string, Known>();
  /** What the present attempt would have logged, while it looks like one more of the same. */
  #kept: string[] = [];
  #lines = BURST_LINES;
  #refilled: number;
  #leftOut = 0;

  constructor(logger: Logger, connection: string, clock: Clock) {
    this.#logger = connectionLogger(logger, connection);
    this.#clock = clock;
    this.#refilled = clock.now();
  }

  step(told: Step): void {
    const { direction, step, detail } = told;
    const words = direction === undefined ? step : `${direction} ${step}`;
    if (isKeepalive(told)) {
      this.#logger.debug(words);
      return;
    }
    this.#info(detail === undefined ? words : `${words}: ${detail}`);
  }

  state(state: ConnectionState, failure?: Failure): void {
    if (state === 'failed' && failure) {
      this.#failed(failure);
      return;
    }
    if (state === 'up' || state === 'down') {
      this.#tellKept();
      this.#known.clear();
    }
    this.#info(failure ? `${state}: ${failureLine(failure)}` : state);
  }

  #failed(failure: Failure): void {
    const line = failureLine(failure);
    // Ports, times and counts differ from attempt to attempt.
    const key = line.replace(/\d+/g, '#');
    const now = this.#clock.now();
    const known = this.#known.get(key);
    if (!known) {
      this.#tellKept();
      if (this.#known.size < MAX_KNOWN) this.#known.set(key, { attempts: 1, lastSaid: now });
      this.#write('warn', `failed: ${line}`);
      return;
    }
    this.#kept = [];
    known.attempts += 1;
    if (known.attempts === 2) {
      this.#write('warn', `failed again in the same way: ${line}; it goes on being tried, and is told when it changes`);
    } else if (now - known.lastSaid >= REMIND_MS) {
      this.#write('warn', `still fails after ${known.attempts} attempts: ${line}`);
    } else {
      return;
    }
    known.lastSaid = now;
  }

  #info(text: string): void {
    if (this.#known.size === 0) this.#write('info', text);
    else if (this.#kept.length < MAX_KEPT) this.#kept.push(text);
  }

  #tellKept(): void {
    for (const text of this.#kept) this.#write('info', text);
    this.#kept = [];
  }

  #write(level: 'info' | 'warn', text: string): void {
    const now = this.#clock.now();
    this.#lines = Math.min(BURST_LINES, this.#lines + ((now - this.#refilled) / 1000) * LINES_PER_SECOND);
    this.#refilled = now;
    if (this.#lines < 1) {
      this.#leftOut += 1;
      return;
    }
    this.#lines -= 1;
    if (this.#leftOut > 0) this.#logger.warn(`${this.#leftOut} lines were left out here: too many came at once`);
    this.#leftOut = 0;
    this.#logger[level](text);
  }
}
