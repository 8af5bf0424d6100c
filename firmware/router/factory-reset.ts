import type { CommandResult } from '../api/router-control.ts';
import { beginFactoryReset, eraseState, factoryResetPending } from '../config/secrets/factory-reset.ts';
import type { Author } from '../config/store/revision.ts';
import type { Logger } from '../log/logger.ts';
import { errorText } from '../vpn/steps.ts';

export interface FactoryResetParts {
  readonly stateDirectory: string;
  readonly keyDirectory: string;
  readonly logger: Pick<Logger, 'warn'>;
  /** Ends the router in good order. */
  readonly end: () => void;
}

/** Forgets everything: the key at once, the rest when nothing writes it any more; a power cut in between is made good. */
export class FactoryReset {
  readonly #parts: FactoryResetParts;
  #requested = false;

  constructor(parts: FactoryResetParts) {
    this.#parts = parts;
  }

  /** From here on there is no way back. */
  async request({ who, via }: Author): Promise<CommandResult> {
    const { logger, end } = this.#parts;
    try {
      await beginFactoryReset(this.#parts);
    } catch (error) {
      return { ok: false, reason: `the reset could not be begun: ${errorText(error)}`, remedy: 'check the disk' };
    }
    this.#requested = true;
    logger.warn(
      `${who} (${via}) resets this router to its factory state: the device key is destroyed, and the router ends`,
    );
    end();
    return { ok: true };
  }

  /** At the start: what an earlier run began. */
  async complete(): Promise<void> {
    if (await factoryResetPending(this.#parts.stateDirectory)) await this.#erase();
  }

  /** At the end, when nothing is written any more. */
  async finish(): Promise<void> {
    if (this.#requested) await this.#erase();
  }

  async #erase(): Promise<void> {
    const { removed } = await eraseState(this.#parts);
    this.#parts.logger.warn(`the factory reset is complete: ${removed.length} files were removed`);
  }
}
