import { HalError } from '../hal-error.ts';
import type { MachineAction, MachineControl } from '../machine-control.ts';

/** A machine that only remembers what it was told. */
export class SimulatedMachineControl implements MachineControl {
  readonly performed: MachineAction[] = [];
  /** Why it refuses; absent: it does not. */
  refusal: string | undefined;

  async perform(action: MachineAction): Promise<void> {
    if (this.refusal !== undefined) throw new HalError(this.refusal, 'EPERM');
    this.performed.push(action);
  }
}
