/**
 * How the DSL line behind an Ethernet WAN is, told by the modem in front of it: by its serial console, or by a text file that
 * something else writes. It is looked at and never changed, and the uplink works without it.
 */
import { open } from 'node:fs/promises';
import type { Clock, Timer } from '../../../hal/clock.ts';
import type { SerialPort, SerialPorts } from '../../../hal/serial-port.ts';
import type { DslConfiguration } from '../../config/dsl-schema.ts';
import { dialectsOf, parseDslText } from '../../protocol/dsl/chipsets.ts';
import { DslConsole, type DslConsoleOutput } from '../../protocol/dsl/console-machine.ts';
import type { DslStatus } from '../../protocol/dsl/dsl-status.ts';
import { MAX_ANSWER } from '../../protocol/dsl/dsl-text.ts';
import { type DslSync, SyncHistory } from '../../protocol/dsl/sync-history.ts';
import type { Failure } from '../../protocol/machine.ts';
import { MachineRunner } from '../../vpn/machine-runner.ts';
import { errorText } from '../../vpn/steps.ts';

/** Between two looks, ms. */
export const LOOK_MS = 30_000;
/** How long until a line that could not be opened, or was lost, is tried again, ms. */
const REOPEN_MS = 5_000;
/** A file that is older says nothing of now, ms. */
const STALE_MS = 300_000;

export interface DslLineParts {
  /** Of the interface, for the log. */
  readonly name: string;
  readonly settings: DslConfiguration;
  readonly serialPorts: SerialPorts;
  readonly clock: Clock;
  /** Sentences for people, without a full stop. */
  readonly log: (line: string) => void;
  /** Another {@link DslLine.info} than before. */
  readonly onChange?: () => void;
}

/** What is known of a line, for show commands and the API. Times are of the wall clock, ms since 1970. */
export interface DslInfo {
  /** `console of the modem on /dev/ttyUSB3`. */
  readonly source: string;
  /** The last one that the modem has told; absent until then, and when nobody can say any more. */
  readonly status?: DslStatus;
  readonly seenAt?: number;
  /** Why the modem does not tell. */
  readonly failure?: Failure;
  /** Oldest first. */
  readonly syncs: readonly DslSync[];
}

export class DslLine {
  readonly #parts: DslLineParts;
  readonly #history = new SyncHistory();
  readonly #stopped = Promise.withResolvers<void>();
  #stopping = false;
  #port: SerialPort | undefined;
  #status: { readonly status: DslStatus; readonly at: number } | undefined;
  #failure: Failure | undefined;
  #wake: () => void = () => undefined;

  constructor(parts: DslLineParts) {
    this.#parts = parts;
  }

  start(): void {
    void this.#run();
  }

  /** Nothing is open any more when it resolves. Never rejects. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#port?.close();
    await this.#stopped.promise;
  }

  info(): DslInfo {
    const { clock } = this.#parts;
    const toWall = (instant: number): number => Math.round(instant + clock.wall() - clock.now());
    const syncs = this.#history.syncs.map((sync) => ({
      ...sync,
      upAt: toWall(sync.upAt),
      ...(sync.downAt !== undefined && { downAt: toWall(sync.downAt) }),
    }));
    const seen = this.#status && { status: this.#status.status, seenAt: toWall(this.#status.at) };
    return { source: this.#source(), ...seen, ...(this.#failure && { failure: this.#failure }), syncs };
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const wait = this.#parts.settings.source === 'file' ? await this.#readFile() : await this.#serveConsole();
      if (!this.#stopping) await this.#pause(wait);
    }
    this.#stopped.resolve();
  }

  /** Returns when the line is not open, or not any more. @returns how long to wait then, ms. */
  async #serveConsole(): Promise<number> {
    const { serialPorts, clock, settings } = this.#parts;
    let port: SerialPort;
    try {
      port = await serialPorts.open({ path: settings.device, baud: settings.baud });
    } catch (error) {
      this.#fail(unreadable(errorText(error)));
      return REOPEN_MS;
    }
    this.#port = port;
    if (this.#stopping) await port.close();
    const console = new DslConsole({
      dialects: dialectsOf(settings.chipset),
      ...(settings.user !== undefined && { user: settings.user }),
      ...(settings.password !== undefined && { password: settings.password }),
      intervalMs: LOOK_MS,
    });
    // One write at a time: a console that takes nothing is lost sync by the machine's own deadlines.
    let writes: Promise<void> = Promise.resolve();
    const handle = (output: DslConsoleOutput): void => {
      if (output.kind === 'status') this.#see(output.status);
      else if (output.kind === 'failure') this.#fail(output.failure);
      else writes = writes.then(() => port.write(output.octets)).catch(() => undefined);
    };
    const runner = new MachineRunner(console, clock, handle, (error) =>
      this.#parts.log(`a fault: ${errorText(error)}`),
    );
    port.onOctets = (octets) => runner.run((now) => console.received(octets, now));
    runner.run((now) => console.opened(now));
    const end = await port.ended;
    runner.stop();
    this.#port = undefined;
    if (end.kind === 'lost') this.#fail(unreadable(`${settings.device} is lost: ${end.reason}`));
    return REOPEN_MS;
  }

  async #readFile(): Promise<number> {
    const { settings, clock } = this.#parts;
    try {
      const { text, age } = await readTail(settings.device, clock.wall());
      const status = age > STALE_MS ? undefined : parseDslText(text, settings.chipset);
      if (status !== undefined) this.#see(status);
      else this.#fail(age > STALE_MS ? stale(settings.device, age) : meaningless(settings.device));
    } catch (error) {
      this.#fail(unreadable(errorText(error)));
    }
    return LOOK_MS;
  }

  #see(status: DslStatus): void {
    const now = this.#parts.clock.now();
    this.#status = { status, at: now };
    if (this.#failure !== undefined) this.#parts.log('the modem tells of the DSL line again');
    this.#failure = undefined;
    for (const sentence of this.#history.see(status, now)) this.#parts.log(`DSL: ${sentence}`);
    this.#parts.onChange?.();
  }

  /** The same failure is told once. */
  #fail(failure: Failure): void {
    if (this.#failure?.reason !== failure.reason) this.#parts.log(`${failure.reason}; ${failure.remedy}`);
    this.#failure = failure;
    this.#status = undefined;
    this.#parts.onChange?.();
  }

  #source(): string {
    const { source, device } = this.#parts.settings;
    return source === 'file' ? `the file ${device}` : `console of the modem on ${device}`;
  }

  async #pause(milliseconds: number): Promise<void> {
    const { clock } = this.#parts;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer: Timer = clock.setTimer(clock.now() + milliseconds, resolve);
    await promise;
    timer.cancel();
  }
}

/** No more than an answer can have, whatever the file has become. */
async function readTail(path: string, wall: number): Promise<{ readonly text: string; readonly age: number }> {
  const file = await open(path, 'r');
  try {
    const { mtimeMs } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_ANSWER), 0, MAX_ANSWER, 0);
    return { text: buffer.toString('latin1', 0, bytesRead), age: wall - mtimeMs };
  } finally {
    await file.close();
  }
}

const STEP = 'DSL line';

function unreadable(why: string): Failure {
  const reason = `the modem cannot be asked how its line is: ${why.replace(/\.$/, '')}`;
  return { step: STEP, reason, remedy: 'check the cable and "dsl.device"' };
}

function stale(path: string, age: number): Failure {
  const reason = `the file ${path} was last written ${Math.round(age / 60_000)} minutes ago`;
  return { step: STEP, reason, remedy: 'look after whatever writes it; it is to be written every minute' };
}

function meaningless(path: string): Failure {
  const reason = `the file ${path} does not tell how a DSL line is`;
  return {
    step: STEP,
    reason,
    remedy: 'let the output of the modem\'s status command be written to it, and check "dsl.chipset"',
  };
}
