import { readFileSync } from 'node:fs';
import type { MachineCounters } from '../machine-counters.ts';

/** From sysfs and procfs: some 20 microseconds for each file, and no process. */
export class LinuxMachineCounters implements MachineCounters {
  links(devices: readonly string[]): ReadonlyMap<string, { readonly received: number; readonly sent: number }> {
    const counters = new Map<string, { received: number; sent: number }>();
    for (const device of devices) {
      const received = count(device, 'rx_bytes');
      const sent = count(device, 'tx_bytes');
      if (received !== undefined && sent !== undefined) counters.set(device, { received, sent });
    }
    return counters;
  }

  /** `write_bytes` less what was deleted before it was written (proc(5)). */
  diskWrites(): number | undefined {
    const text = read('/proc/self/io');
    const [written, cancelled] = [/^write_bytes: (\d+)$/m, /^cancelled_write_bytes: (-?\d+)$/m].map((pattern) =>
      Number(pattern.exec(text ?? '')?.[1] ?? Number.NaN),
    );
    if (written === undefined || !Number.isFinite(written)) return undefined;
    return Math.max(0, written - (cancelled !== undefined && Number.isFinite(cancelled) ? cancelled : 0));
  }
}

function count(device: string, what: string): number | undefined {
  const value = Number(read(`/sys/class/net/${device}/statistics/${what}`) ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
