import type { MachineCounters } from '../machine-counters.ts';

/** Counters that a test sets. */
export class SimulatedMachineCounters implements MachineCounters {
  readonly devices = new Map<string, { received: number; sent: number }>();
  written: number | undefined = 0;

  links(devices: readonly string[]): ReadonlyMap<string, { readonly received: number; readonly sent: number }> {
    return new Map([...this.devices].filter(([name]) => devices.includes(name)));
  }

  diskWrites(): number | undefined {
    return this.written;
  }
}
