import type { Clock } from '../../hal/clock.ts';
import type { LoginSession } from '../api/account-control.ts';
import type { Ready } from '../protocol/provisioning/frames.ts';
import { Receiver, type ReceiverOutput } from '../protocol/provisioning/receiver.ts';
import { MachineRunner } from '../vpn/machine-runner.ts';
import { errorText } from '../vpn/steps.ts';
import type { ProvisioningDesk } from './provisioning-desk.ts';

export interface TransferParts {
  readonly clock: Clock;
  readonly desk: ProvisioningDesk;
  readonly ready: Ready;
  /** Of whoever is logged in on the line at the moment. */
  readonly session: () => LoginSession | undefined;
  readonly write: (octets: Uint8Array) => void;
  /** The line is free again; words when nothing came of it. */
  readonly onEnd: (reason: string | undefined) => void;
  readonly log: (line: string) => void;
}

/** Hands for one {@link Receiver}. */
export class Transfer {
  readonly #parts: TransferParts;
  readonly #machine: Receiver;
  readonly #runner: MachineRunner<ReceiverOutput>;
  #judging = false;

  constructor(parts: TransferParts) {
    this.#parts = parts;
    this.#machine = new Receiver(parts.ready, parts.clock.now());
    this.#runner = new MachineRunner(
      this.#machine,
      parts.clock,
      (output) => this.#handle(output),
      (error) => parts.log(`provisioning has a fault: ${errorText(error)}`),
    );
    this.#runner.run(() => undefined);
  }

  /** A bundle is whole and being put in force: that is not broken off. */
  get judging(): boolean {
    return this.#judging;
  }

  octets(octets: Uint8Array): void {
    this.#runner.run((now) => this.#machine.octets(octets, now));
  }

  /** The line is gone, or another transfer begins. */
  stop(): void {
    this.#runner.stop();
  }

  #handle(output: ReceiverOutput): void {
    if (output.kind === 'send') this.#parts.write(output.octets);
    else if (output.kind === 'bundle') void this.#judge(output.octets);
    else {
      this.#runner.stop();
      this.#parts.onEnd(output.reason);
    }
  }

  async #judge(octets: Uint8Array): Promise<void> {
    this.#judging = true;
    const { desk, session } = this.#parts;
    const result = await desk.take(octets, session());
    this.#judging = false;
    this.#runner.run((now) => this.#machine.finished(result, now));
  }
}
