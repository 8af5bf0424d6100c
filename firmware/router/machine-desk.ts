/** The end of the firmware or of the machine, at once or after a while: asked for by somebody, and told to everybody. */
import type { Clock, Timer } from '../../hal/clock.ts';
import { HalError } from '../../hal/hal-error.ts';
import type { MachineControl } from '../../hal/machine-control.ts';
import type { ConfigurationState } from '../api/configuration-control.ts';
import type { CommandResult, MachineRequest } from '../api/router-control.ts';
import type { Author } from '../config/store/revision.ts';
import type { Logger } from '../log/logger.ts';
import { errorText } from '../vpn/steps.ts';

export interface MachineDeskParts {
  readonly machine: MachineControl;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn' | 'error'>;
  readonly configurationState: () => ConfigurationState;
  /** Ends this program in good order. */
  readonly end: () => void;
}

type Action = MachineRequest['action'];

/** Behind "the router". */
const WILL: Readonly<Record<Action, string>> = {
  restart: 'ends, to be started again',
  reboot: 'reboots the machine',
  poweroff: 'powers the machine off',
};

const MINUTE_MS = 60_000;

export class MachineDesk {
  readonly #parts: MachineDeskParts;
  #waiting: { readonly action: Action; readonly at: number; readonly timer: Timer } | undefined;

  constructor(parts: MachineDeskParts) {
    this.#parts = parts;
  }

  /** What is to come, for the status; one sentence without a full stop. */
  get warning(): string | undefined {
    if (this.#waiting === undefined) return undefined;
    const { action, at } = this.#waiting;
    const minutes = Math.max(1, Math.ceil((at - this.#parts.clock.now()) / MINUTE_MS));
    return `in ${minutes} min the router ${WILL[action]}, unless that is taken back with "culvert ${command(action)} --cancel"`;
  }

  /** Resolves when it is on its way: what asks for it still gets its answer. */
  async request({ action, author, minutes, evenPending }: MachineRequest): Promise<CommandResult> {
    const pending = evenPending ? undefined : this.#pending(action);
    if (pending !== undefined) return pending;
    const { logger, clock } = this.#parts;
    const who = `${author.who} (${author.via})`;
    if (minutes === 0) {
      this.#forget();
      logger.warn(`${who} has asked for it: the router ${WILL[action]}`);
      return await this.#perform(action);
    }
    this.#forget();
    const at = clock.now() + minutes * MINUTE_MS;
    const timer = clock.setTimer(at, () => {
      this.#waiting = undefined;
      logger.warn(`as ${who} has asked ${minutes} min ago, the router ${WILL[action]}`);
      void this.#perform(action);
    });
    this.#waiting = { action, at, timer };
    logger.warn(`${who} has asked for it: in ${minutes} min the router ${WILL[action]}`);
    return { ok: true };
  }

  /** Takes back what is to come. */
  cancel({ who, via }: Author): CommandResult {
    if (this.#waiting === undefined)
      return { ok: false, reason: 'nothing is to come that could be taken back', remedy: 'nothing has to be done' };
    this.#forget();
    this.#parts.logger.warn(`${who} (${via}) has taken it back: the router runs on`);
    return { ok: true };
  }

  /** The router ends anyhow. */
  stop(): void {
    this.#forget();
  }

  #forget(): void {
    this.#waiting?.timer.cancel();
    this.#waiting = undefined;
  }

  #pending(action: Action): CommandResult | undefined {
    const { state, revision, parent } = this.#parts.configurationState();
    if (state !== 'pending') return undefined;
    const before = parent === undefined || parent === 0 ? 'what was in force before' : `revision ${parent}`;
    return {
      ok: false,
      reason: `revision ${revision} waits for its confirmation, and the next start takes it back: ${before} would be in force`,
      remedy: `keep it first with "culvert confirm", or say --yes to "culvert ${command(action)}" where that is meant`,
    };
  }

  async #perform(action: Action): Promise<CommandResult> {
    const { machine, end, logger } = this.#parts;
    if (action === 'restart') {
      // Behind the answer to whoever has asked.
      setImmediate(end);
      return { ok: true };
    }
    try {
      await machine.perform(action);
      return { ok: true };
    } catch (error) {
      const reason = error instanceof HalError ? error.message.replace(/\.$/, '') : errorText(error);
      logger.error(`the router runs on: ${reason}`);
      return { ok: false, reason, remedy: 'the router runs on' };
    }
  }
}

/** As it is typed. */
function command(action: Action): string {
  return action === 'restart' ? 'restart firmware' : action;
}
