import { readFileSync } from 'node:fs';
import type { MachineCounters } from '../machine-counters.ts';

/** From procfs: two files, whatever the number of devices, and no process. */
export class LinuxMachineCounters implements MachineCounters {
  links(devices: readonly string[]): ReadonlyMap<string, { readonly received: number; readonly sent: number }> {
    const wanted = new Set(devices);
    const found = parseDevices(read('/proc/self/net/dev') ?? '');
    return new Map(found.filter(([name]) => wanted.has(name)));
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

/** A device a line, after two lines of headings: `name:`, eight numbers of what was received, eight of what was sent. */
export function parseDevices(
  text: string,
): (readonly [string, { readonly received: number; readonly sent: number }])[] {
  return text
    .split('\n')
    .slice(2)
    .flatMap((line) => {
      // A name may hold a colon (an old alias): the numbers follow the last one.
      const colon = line.lastIndexOf(':');
      const numbers = line
        .slice(colon + 1)
        .trim()
        .split(/\s+/)
        .map(Number);
      const [received, sent] = [numbers[0], numbers[8]];
      if (colon < 0 || received === undefined || sent === undefined) return [];
      return [[line.slice(0, colon).trim(), { received, sent }] as const];
    });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
