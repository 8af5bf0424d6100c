import { readFileSync } from 'node:fs';
import type { LinkCounters, MachineCounters } from '../machine-counters.ts';

/** Numbers of a line of /proc/net/dev: eight of what was received, eight of what was sent. */
const COLUMNS = 16;

/** From procfs: two files, whatever the number of devices, and no process. */
export class LinuxMachineCounters implements MachineCounters {
  links(devices: readonly string[]): ReadonlyMap<string, LinkCounters> {
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
export function parseDevices(text: string): (readonly [string, LinkCounters])[] {
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
      if (colon < 0 || numbers.length < COLUMNS) return [];
      const column = (index: number): number => numbers[index] ?? 0;
      const counters: LinkCounters = {
        received: column(0),
        packetsReceived: column(1),
        receiveErrors: column(2),
        receiveDrops: column(3),
        sent: column(8),
        packetsSent: column(9),
        sendErrors: column(10),
        sendDrops: column(11),
      };
      return [[line.slice(0, colon).trim(), counters] as const];
    });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
